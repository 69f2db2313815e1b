"""`minet export`: its options, and a summary of its results."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from minet_cli.click_options import jobs_at_once, names, setting
from minet_cli.sections import SectionedCommand
from minet_core.export_options import ORDERS, PICTURES, ExportOptions

if TYPE_CHECKING:
    from minet_core.exports import EditCounts, Exported

_option = partial(setting, of=ExportOptions)


SECTIONS = {
    "What to write": ("to", "output", "zip", "frames", "overlay", "split"),
    "Which tracks and boxes": (
        *("edits", "min_score", "min_length", "classes", "label_map", "interpolate", "max_gap"),
        "keyframes",
    ),
    "The videos": ("video", "constant_rate"),
    "CVAT and Label Studio": ("order", "scores", "media", "annotator"),
    "Run": ("jobs", "overwrite", "quiet"),
}
"""Heading of the help → options under it."""


@click.command(cls=SectionedCommand, sections=SECTIONS)
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--to",
    required=True,
    metavar="FORMAT",
    help="cvat, label-studio, coco-vid, ytvis, yolo, voc, imagenet-vid, mot, mot-gt, csv, parquet, "
    "json or html.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="minet-export",
    show_default=True,
    help="Output folder; a file for formats of one file.",
)
@_option("--zip", "zip", is_flag=True)
@_option("--edits", "edits", metavar="FILE")
@_option("--min-score", "min_score", type=float)
@_option("--min-length", "min_length", type=int, metavar="BOXES")
@_option("--classes", "classes", type=names, metavar="NAMES")
@_option("--label-map", "label_map", metavar="FILE")
@_option("--interpolate", "interpolate", is_flag=True)
@_option("--max-gap", "max_gap", type=int, metavar="FRAMES")
@_option("--keyframes", "keyframes", metavar="auto|all|N")
@_option("--frames", "frames", type=click.Choice(PICTURES))
@_option("--overlay", "overlay", is_flag=True)
@_option("--split", "split", metavar="NAME")
@_option("--order", "order", type=click.Choice(ORDERS))
@_option("--video", "video", multiple=True, metavar="PATH")
@_option("--constant-rate", "constant_rate", type=float, metavar="FPS")
@_option("--media", "media", metavar="PREFIX")
@_option("--scores", "scores", is_flag=True)
@_option("--annotator", "annotator", metavar="WHO")
@jobs_at_once
@_option("--overwrite", "overwrite", is_flag=True)
@click.option("--quiet", is_flag=True, help="Show warnings and errors only.")
def export(
    results: tuple[Path, ...],
    to: str,
    output: Path,
    jobs: int | None,
    quiet: bool,
    **settings: Any,
) -> None:
    """Convert results for annotation tools, or into datasets.

    \b
    minet export minet-output --to cvat -o out
    minet export minet-output --to yolo -o data --frames jpg
    minet export corrected.zip --to coco-vid -o data

    RESULTS are result.json files of minet detect, its output folders, or folders of these. They
    can also be annotations: CVAT (for video 1.1, xml or zip; zips of MOT, YOLO and COCO), Label
    Studio (JSON), CocoVID and COCO (json), MOT (txt), YOLO (a folder or a data.yaml).
    """
    from minet_core.batch.mapping import PooledMap
    from minet_core.batch.sizing import this_machine
    from minet_core.errors import MinetError
    from minet_core.exports import export as run
    from minet_core.text import shown

    options = ExportOptions(**settings)
    with _progress(quiet=quiet) as progress:
        count = this_machine().cores if jobs is None else jobs
        over = map if count == 1 else PooledMap(count)
        exported = run(results, to, output, options, progress, over)
    for warning in exported.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not quiet:
        _show(exported)
    for name, line in exported.failures:
        click.echo(f"minet: {shown(name)}: {line}", err=True)
    if failed := len(exported.failures):
        raise MinetError(f"{failed} of {failed + len(exported.videos)} videos failed")


def _show(exported: "Exported") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from minet_core.text import shown

    console = Console(highlight=False)
    table = Table("video", "tracks", "boxes", "keyframes", "gaps", "left out", box=None)
    for tally in exported.tallies:
        numbers = tally.tracks, tally.boxes, tally.keyframes
        cells = *map(str, numbers), _gaps(tally), _left_out(tally)
        table.add_row(Text(shown(tally.name)), *cells)
    console.print(table)
    labels = Counter[str]()
    for tally in exported.tallies:
        labels.update(tally.labels)
    lines = [("labels", ", ".join(f"{name} {n}" for name, n in labels.most_common()) or "none")]
    if exported.pictures:
        lines.append(("pictures", str(exported.pictures)))
    lines += [("" if i else "files", shown(file)) for i, file in enumerate(exported.files)]
    if exported.hint:
        lines.append(("next", exported.hint))
    for name, text in lines:
        # A path that is wrapped cannot be copied.
        console.print(Text(f"{name:8}  {text}"), soft_wrap=True)


def _gaps(tally: "EditCounts") -> str:
    return f"{tally.gaps}, {tally.closed} closed" if tally.closed else str(tally.gaps)


def _left_out(tally: "EditCounts") -> str:
    parts = [f"{count} tracks {why}" for why, count in tally.dropped.items()]
    parts += [f"{tally.outside} boxes outside the picture"] if tally.outside else []
    return ", ".join(parts) or "nothing"


@contextmanager
def _progress(*, quiet: bool) -> "Iterator[Callable[[int, int], None] | None]":
    """A callback for pictures written and in all; None without a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("pictures", total=None, visible=False)
        yield lambda done, total: progress.update(task, completed=done, total=total, visible=True)
