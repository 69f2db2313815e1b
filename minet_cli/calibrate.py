"""`minet calibrate`: turn a detector's scores into probabilities, with labelled pictures."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from minet_cli.click_options import detector_size, names, setting
from minet_core.errors import ConfigError
from minet_core.evaluation.requests.request import EvalRequest

if TYPE_CHECKING:
    from minet_core import Model
    from minet_core.datasets import ClassMap, Dataset
    from minet_core.evaluation.calibration import Bin, Outcomes

FilePath = click.Path(path_type=Path, exists=True)


@click.command(no_args_is_help=False)
@setting("--model", "model", metavar="NAME|FILE")
@click.option(
    "--data",
    required=True,
    metavar="KIND:PATH",
    help="Labelled pictures or video: yolo:DIR, coco:FILE, mot:ROOT, coco-vid:FILE, …",
)
@click.option("--split", default="val", show_default=True, help="Part of the dataset.")
@setting("--class-table", "class_table", of=EvalRequest, type=FilePath, metavar="FILE")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="minet-calibration.svg",
    show_default=True,
    metavar="FILE",
    help="Plot of the share of right detections by score; needs matplotlib.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing plot.")
@setting("--classes", "classes", type=names, metavar="NAMES")
@setting("--size", "size", type=detector_size, metavar="N|auto")
@setting("--device", "device", metavar="NAME")
def calibrate(
    data: str,
    split: str,
    class_table: Path | None,
    output: Path,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Turn a detector's scores into probabilities.

    The memory multiplies scores as probabilities, but the scores of most detectors are not
    probabilities. This command fits Platt's a and b, P(right) = sigmoid(a · logit(score) + b), and
    writes them beside the model for all later runs. Use pictures that the detector was not trained
    on.
    """
    from minet_core.datasets import open_dataset
    from minet_core.evaluation.calibration import fit, log_loss, outcomes, reliability, scaled
    from minet_core.evaluation.report.figures import require_matplotlib
    from minet_core.evaluation.report.plots import reliability as plotted
    from minet_core.models.onnx.sidecar import sidecar_path, write_calibration
    from minet_core.publishing import check_free, replace_bytes

    place = _place(settings["model"])
    require_matplotlib()
    check_free(output.parent, [output.name], replace=overwrite)
    dataset = open_dataset(data, split)
    model = _without_calibration(settings)
    classes = _classes(model, dataset, class_table)
    total = sum(len(video.chosen) for video in dataset.videos)
    with click.progressbar(length=total, label="detecting", file=sys.stderr) as bar:
        found = outcomes(model.detector, dataset, classes, bar.update)
    calibration = fit(found)
    bins = {
        "as the model gives them": reliability(found.raw, found.right),
        "calibrated": reliability(scaled(found.raw, calibration), found.right),
    }
    _show(found, [log_loss(found.raw, found.right, each) for each in ((1, 0), calibration)], bins)
    sidecar = sidecar_path(place)
    about = f"by minet calibrate, {found.pictures} pictures of {dataset.name}"
    write_calibration(sidecar, calibration, about, _start(model))
    replace_bytes(output, plotted(bins).encode())
    click.echo(f"{sidecar}: calibration = [{calibration[0]:.4f}, {calibration[1]:.4f}]")
    click.echo(output)


def _place(name: str) -> Path:
    """The model file beside which the sidecar is, or the folder that contains it.

    Raises:
        ConfigError: the model has none.
    """
    from minet_core.models.weight_files import calibrated_place

    place = calibrated_place(name)
    if place is None:
        raise ConfigError(f"{name}: needs no calibration, or has its own")
    if not place.exists():
        raise ConfigError(f"{place}: no such file")
    return place


def _without_calibration(settings: dict[str, Any]) -> "Model":
    """The model, without calibration of its scores.

    Raises:
        MinetError: it does not load, or its scores cannot be calibrated.
    """
    from minet_core import load_model
    from minet_core.models.proposals import UNCALIBRATED
    from minet_core.scores import ScoreKind

    model = load_model(settings.pop("model"), **settings)
    detector: Any = model.detector
    if hasattr(detector, "calibration"):
        detector.calibration = UNCALIBRATED
    if not hasattr(detector, "calibration") or detector.score_kind is not ScoreKind.SIGMOID:
        raise ConfigError(f"{model.name}: its scores are a distribution; no calibration is needed")
    return model


def _classes(model: "Model", dataset: "Dataset", path: Path | None) -> "ClassMap":
    from minet_core.datasets import map_classes, read_table

    own = model.classes
    table = read_table(path, own, dataset.classes) if path else None
    classes = map_classes(own, dataset.classes, table)
    if (classes.ids < 0).all():
        raise ConfigError(
            f"{model.name} and {dataset.name} have no class in common "
            f"({', '.join(own[:3])}, … and {', '.join(dataset.classes[:3])}, …); "
            "map them with --class-table"
        )
    return classes


def _start(model: "Model") -> str:
    """The sidecar to start from; for an ONNX file, with everything that was recognised."""
    from minet_core.models.onnx.description import sidecar_text
    from minet_core.models.onnx.detector import OnnxDetector

    detector = model.detector
    return sidecar_text(detector.recognised) if isinstance(detector, OnnxDetector) else ""


def _show(found: "Outcomes", losses: Sequence[float], tables: dict[str, list["Bin"]]) -> None:
    right = int(found.right.sum())
    click.echo(
        f"{found.pictures} pictures, {found.objects} objects; {len(found.raw)} detections, "
        f"{right} of them right"
    )
    click.echo(f"log loss {losses[0]:.4f}, calibrated {losses[1]:.4f}")
    for title, bins in tables.items():
        click.echo(f"\n{title}\n     score  detections  mean score   right")
        for each in bins:
            span = f"{each.low:.1f} to {each.low + 0.1:.1f}"
            click.echo(f"{span:>10}  {each.count:10d}  {each.mean:10.3f}  {each.right:6.3f}")
    click.echo()
