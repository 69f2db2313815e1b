"""`minet report`: one page about many results."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from minet_cli.click_options import jobs_at_once
from minet_core.errors import MinetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from minet_core.batch.outline import Outline


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="minet-report.html",
    show_default=True,
    help="Page to write.",
)
@click.option("--pages", is_flag=True, help="Write missing review pages (report.html).")
@jobs_at_once
@click.option("--overwrite", is_flag=True, help="Replace an existing page.")
@click.option("--quiet", is_flag=True, help="Show errors only.")
def report(
    folders: tuple[Path, ...],
    output: Path,
    pages: bool,
    jobs: int | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Show many results on one page, most doubtful places first.

    \b
    minet report minet-output
    minet report day/ night/ -o both.html --pages --jobs 4

    FOLDER is an output folder of minet detect, or a folder of these. The page links to the review
    page of each result; --pages makes the missing ones.
    """
    from minet_core.batch.outline import results_in
    from minet_core.batch.overview_page import write_overview
    from minet_core.publishing import check_free
    from minet_core.text import shown

    check_free(output.parent, (output.name,), replace=overwrite)
    found = results_in(folders)
    outlines: list[Outline] = []
    failures = 0
    with _progress(len(found), quiet=quiet) as advance:
        for result in _outlines(found, pages, jobs):
            advance()
            if isinstance(result, MinetError):
                failures += 1
                click.echo(f"minet: {result}", err=True)
            else:
                outlines.append(result)
    if outlines:
        write_overview(output, outlines)
        if not quiet:
            doubtful = sum(each.doubtful for each in outlines)
            click.echo(f"results {len(outlines)}, doubtful places {doubtful}: {shown(output)}")
    if failures:
        raise MinetError(f"{failures} of {len(found)} results failed")


def _outlines(
    folders: list[Path], pages: bool, jobs: int | None
) -> "Iterator[Outline | MinetError]":
    """A summary of each result, or its error, in any order."""
    from minet_core.batch.outline import outline, work
    from minet_core.batch.pool import Done, Failed, Pool
    from minet_core.batch.sizing import this_machine

    count = this_machine().jobs(len(folders)) if jobs is None else min(jobs, len(folders))
    if count == 1:
        for folder in folders:
            try:
                yield outline(folder, pages=pages)
            except MinetError as error:
                yield error
        return
    pool: Pool[Path, Outline] = Pool(work(pages=pages), count)
    with closing(pool.run(iter(folders))) as events:
        for event in events:
            if isinstance(event, Done):
                yield event.result
            elif isinstance(event, Failed):
                if not isinstance(event.error, MinetError):
                    raise event.error
                yield event.error


@contextmanager
def _progress(total: int, *, quiet: bool) -> "Iterator[Callable[[], None]]":
    """A callback for each finished result."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield lambda: None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("results", total=total)
        yield lambda: progress.update(task, advance=1)
