"""`minet train`: its options, and its results.

Heavy modules are imported only when needed, so that `--help` and error messages come at once.
"""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from minet_core.errors import ConfigError

if TYPE_CHECKING:
    from minet_core.training.settings import TrainConfig


@click.command(no_args_is_help=False)
@click.option(
    "--model",
    metavar="NAME|FILE",
    help="minet-tiny, minet-r50, minet-r101, identify (only the identify network, for any "
    "detector), or a .safetensors file to start from.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="KIND:PATH[=WEIGHT]",
    help="Dataset to train on; the weight (default 1) is how often it is drawn. "
    "imagenet-vid:ROOT, imagenet-det:ROOT, mot:ROOT, coco-vid:FILE, toy:DIR; stills: "
    "coco:FILE, yolo:DIR.",
)
@click.option("--val", metavar="KIND:PATH", help="Dataset to validate on; writes best.safetensors.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for weights, checkpoint, settings and metrics.csv.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings in TOML, such as the config.toml of another training.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting, such as lr=0.01 or milestones=[700,900]; docs/training.md lists all.",
)
@click.option("--steps", type=int, help="Number of steps.")
@click.option("--meta/--no-meta", default=None, help="Train with or without the meta loss.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--resume", is_flag=True, help="Resume the training in the folder.")
@click.option("--overwrite", is_flag=True, help="Replace the training in the folder.")
@click.option("--quiet", is_flag=True, help="Show errors only.")
def train(
    data: tuple[str, ...],
    output: Path,
    config_file: Path | None,
    settings: tuple[str, ...],
    device: str,
    resume: bool,
    overwrite: bool,
    quiet: bool,
    **typed: Any,
) -> None:
    """Train a network on annotated videos and stills.

    The output folder gets last.safetensors and, with --val, best.safetensors, for `minet detect
    --model`; checkpoint.pt, for --resume; config.toml, the settings; and metrics.csv, a row per
    step. With torchrun, processes share each batch.
    """
    if resume and overwrite:
        raise ConfigError("--resume and --overwrite do not go together")
    from minet_cli.showing.train_report import TrainReporter
    from minet_core.training.settings_file import CONFIG, parse_settings, read_toml

    given = {name: value for name, value in typed.items() if value is not None}
    if data:
        given["data"] = [_weighted(word) for word in data]
    files = [output / CONFIG] if resume and (output / CONFIG).exists() else []
    files += [config_file] if config_file is not None else []
    layers = [(str(path), read_toml(path)) for path in files]
    config = combined([*layers, ("--set", parse_settings(settings)), ("", given)])

    from minet_core.training.train import train as run

    # Of the processes that torchrun starts, only the first reports.
    reporter = TrainReporter(quiet=quiet or os.environ.get("RANK", "0") != "0")
    with reporter.showing():
        summary = run(config, output, reporter, device=device, resume=resume, overwrite=overwrite)
    reporter.summary(output, summary)
    if summary.stopped == signal.SIGINT:
        from minet_cli.main import Interrupted

        raise Interrupted(f"; saved after step {summary.steps}, --resume continues")
    if summary.stopped is not None:
        from minet_cli.main import TERMINATED

        sys.exit(TERMINATED)


def combined(layers: list[tuple[str, Mapping[str, Any]]]) -> "TrainConfig":
    """Settings from several places: later ones win, and the model's recipe gives the rest.

    Args:
        layers: name of the place, for messages, and its settings.

    Raises:
        UsageError: no place names a model.
        ConfigError: a setting or a value is unknown.
    """
    from minet_core.training.settings import recipe
    from minet_core.training.settings_file import apply

    models = [given["model"] for _, given in layers if "model" in given]
    if not models:
        raise click.UsageError("Missing option '--model'.")
    config = recipe(str(models[-1]))
    for place, given in layers:
        config = apply(config, given, place)
    return config


def _weighted(word: str) -> tuple[str, float]:
    """`KIND:PATH=2` as a dataset and its weight; an equals sign may be part of a path."""
    spec, equals, weight = word.rpartition("=")
    try:
        return (spec, float(weight)) if equals else (word, 1.0)
    except ValueError:
        return word, 1.0
