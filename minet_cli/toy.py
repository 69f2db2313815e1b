"""`minet toy`: a small video dataset to try the other commands on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from minet_core.errors import ConfigError


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--seed", default=0, show_default=True, help="Seed of the random videos.")
@click.option(
    "--videos",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Training videos; a quarter as many, at least one, are added for validation.",
)
@click.option("--frames", default=40, show_default=True, help="Frames per video.")
@click.option("--size", default=320, show_default=True, help="Frame width in pixels.")
@click.option(
    "--objects",
    default="4-7",
    show_default=True,
    metavar="MIN-MAX",
    help="Objects per video; most videos of ImageNet VID have one or two.",
)
@click.option("--quiet", is_flag=True, help="Show errors only.")
def toy(
    folder: Path, seed: int, videos: int, frames: int, size: int, objects: str, quiet: bool
) -> None:
    """Make a toy video dataset: shapes that move, hide and blur.

    DIR gets pictures, annotations and lists in the layout of ImageNet VID. Only an older toy
    dataset in it is replaced. Other commands read it as toy:DIR.
    """
    from minet_core.datasets.toy.generator import make_toy
    from minet_core.text import shown

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
            objects=_range(objects),
            progress=advance,
        )
    if not quiet:
        counts = f"{videos} videos for training, {val} for validation, {frames} frames each"
        click.echo(f"{shown(folder)}: {counts}")


def _range(text: str) -> tuple[int, int]:
    """`1-2`, or one number for both.

    Raises:
        ConfigError: the text is neither.
    """
    words = text.split("-")
    if len(words) > 2 or not all(word.strip().isdecimal() for word in words):
        raise ConfigError(f"--objects {text!r}: give a number, or two such as 1-2")
    return int(words[0]), int(words[-1])


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """A callback for the number of finished frames; None without a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("drawing", total=total)
        yield lambda done: progress.update(task, completed=done)
