"""`minet review`: the review page of a result, which saves each correction at once."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from minet_core.runs.review.server import ReviewServer


@click.command()
@click.argument("result", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; default: any."
)
@click.option(
    "--browser/--no-browser",
    default=True,
    help="Open the page in a browser, or only print its address.",
)
def review(result: Path, port: int, browser: bool) -> None:
    """Review and correct a result in the browser.

    \b
    minet review minet-output/street
    minet export minet-output/street --edits minet-output/street/edits.json --to cvat -o out

    RESULT is a folder of minet detect, or its result.json. Each edit is saved at once, in
    edits.json beside it. Only this machine can open the page, at an address that nobody can guess.
    Ctrl-C stops it. If the browser cannot play the video, a temporary copy is made.
    """
    from minet_core.runs.review.server import review as run

    def begin(server: "ReviewServer") -> None:
        click.echo(f"{server.url}  (Ctrl-C stops)")
        if browser:
            click.launch(server.url)

    try:
        run(result, port, begin, lambda line: click.echo(line, err=True))
    except KeyboardInterrupt:
        click.echo("stopped; your edits are in edits.json", err=True)
