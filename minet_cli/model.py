"""`minet model`: how minet reads a detector file, and what the detector finds in a picture."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from minet_cli.click_options import detector_size, setting

if TYPE_CHECKING:
    from minet_core.models.detector import Detector

WIDTH = 100


@click.command()
@click.argument("name", metavar="NAME|FILE")
@click.option(
    "--picture",
    metavar="FILE",
    help="Draw what the model finds in this picture, or in the first frame of this video.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="minet-model.png",
    show_default=True,
    metavar="FILE",
    help="Drawing to write: .png or .jpg.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing drawing.")
@setting("--score", "score", type=float)
@setting("--size", "size", type=detector_size, metavar="N|auto")
@setting("--device", "device", metavar="NAME")
def model(
    name: str, picture: str | None, output: Path, overwrite: bool, score: float, **settings: Any
) -> None:
    """Show how minet reads a detector file, and why.

    For an ONNX file, it shows the layout, the classes, and how frames are prepared. If FILE.toml is
    missing, it is written: edit it to correct a wrong guess. --picture draws what the model finds,
    so that you see a wrong guess at once.
    """
    from minet_core.models.preview import check_drawing, draw_found
    from minet_core.models.weight_files import ONNX

    if picture is not None:
        check_drawing(output, replace=overwrite)
    if name.endswith(ONNX):
        detector = _onnx(Path(name), drawing=picture is not None, **settings)
    else:
        detector = _other(name, **settings)
    if picture is not None and detector is not None:
        count = draw_found(detector, picture, output, score)
        click.echo(f"{output}: {count} boxes from {score:g} up")


def _onnx(path: Path, *, drawing: bool, device: str, size: int | None) -> "Detector | None":
    """Show what the file is, write a missing sidecar, and return the detector if it is one."""
    from minet_core.models.onnx.description import facts, sidecar_text
    from minet_core.models.onnx.detector import detector_of, look_at
    from minet_core.models.onnx.sidecar import read_sidecar
    from minet_core.publishing import replace_bytes

    sidecar = read_sidecar(path)
    graph, recognised = look_at(path, sidecar, device, size)
    _show(facts(recognised))
    if sidecar.path.exists():
        click.echo(f"{sidecar.path}: read, not changed")
    else:
        replace_bytes(sidecar.path, sidecar_text(recognised).encode())
        click.echo(f"{sidecar.path}: written; edit it to correct what is wrong")
    if recognised.classes is None and not drawing:
        click.echo(f"name the classes in {sidecar.path}; without them the model does not run")
        return None
    detector = detector_of(graph, recognised, sidecar)
    _notes(detector.notes)
    return detector


def _other(name: str, *, device: str, size: int | None) -> "Detector":
    """Show what is known about any other model."""
    from minet_core import load_model

    loaded = load_model(name, size=size, device=device)
    detector = loaded.detector
    _show(
        [
            ("detector", type(detector).__name__),
            ("scores", detector.score_kind),
            ("classes", f"{len(detector.classes)}: {', '.join(detector.classes)}"),
            ("embeddings", f"{type(loaded.embedder).__name__}, {loaded.embedder.dim} numbers"),
        ]
    )
    _notes(loaded.notes)
    return detector


def _show(facts: Iterable[tuple[str, str]]) -> None:
    for what, text in facts:
        start = f"{what:10}  "
        click.echo(fill(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start)))


def _notes(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(f"note: {line}", err=True)
