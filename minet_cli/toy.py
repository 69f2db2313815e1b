"""`minet toy`: a small video dataset to try the other commands on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--seed", default=0, show_default=True, help="Another seed gives other videos.")
@click.option(
    "--videos",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Videos to train on; a quarter as many more, at least one, are made to measure on.",
)
@click.option("--frames", default=40, show_default=True, help="Frames of each video.")
@click.option("--size", default=320, show_default=True, help="Width of a frame in pixels.")
@click.option("--quiet", is_flag=True, help="Show errors only.")
def toy(folder: Path, seed: int, videos: int, frames: int, size: int, quiet: bool) -> None:
    """Make a toy video dataset: shapes that move, hide and blur.

    DIR gets pictures, annotations and lists in the layout of ImageNet VID. A toy dataset that is
    there already is replaced, anything else is left alone. Other commands take it as toy:DIR.
    """
    from minet_core.datasets.toy.generator import make_toy
    from minet_core.video.opening import shown

    val = max(1, videos // 4)
    total = (videos + val) * frames
    with _progress(total, quiet=quiet) as advance:
        make_toy(
            folder,
            seed=seed,
            train=videos,
            val=val,
            frames=frames,
            size=size,
            progress=advance,
        )
    if not quiet:
        counts = f"{videos} videos to train on, {val} to measure on, {frames} frames each"
        click.echo(f"{shown(folder)}: {counts}")


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """What to call with the number of frames there are; None where nobody looks."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("drawing", total=total)
        yield lambda done: progress.update(task, completed=done)
