"""The sources of detections for `minet eval`: a model, or boxes of a file, for every variant."""

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

import minet_core
from minet_core._version import __version__
from minet_core.datasets import read_table
from minet_core.datasets.dataset import Dataset
from minet_core.datasets.vocabulary import Table
from minet_core.detections.locating import DETECTIONS
from minet_core.detections.of_dataset import open_stored
from minet_core.errors import ConfigError
from minet_core.evaluation.eval_config import EvalOptions, Variant
from minet_core.evaluation.predictions.predict import Finder
from minet_core.evaluation.predictions.prediction_files import FOLDER, FoundFiles
from minet_core.evaluation.requests.request import EvalRequest, identify_of
from minet_core.models.zoo import Model, pick_device
from minet_core.processes import Processes
from minet_core.runs.manifest import identify_facts, weights_of


def finders(
    request: EvalRequest,
    dataset: Dataset,
    variants: tuple[Variant, ...],
    options: EvalOptions,
    processes: Processes,
) -> list[Finder]:
    """A finder for the model, or for each of two models.

    Raises:
        MinetError: a model, or the detections instead of it, are missing or invalid.
    """
    models = _models(request, processes)
    own = [[each for each in variants if each.trained == trained] for trained in models]
    return [
        _finder(request, dataset, model, of_model, options)
        for model, of_model in zip(models.values(), own, strict=True)
    ]


def _models(request: EvalRequest, processes: Processes) -> dict[bool, Model]:
    """The model, and under True the model trained with the meta loss, if any.

    Raises:
        MinetError: a model cannot be loaded, or their classes differ.
    """
    names = {False: request.model, True: request.trained}
    device = processes.device(request.device)
    models = {
        trained: minet_core.load_model(
            name,
            size=request.size,
            device=device,
            identify=identify_of(request, trained=trained),
            tiles=request.tiles,
        )
        for trained, name in names.items()
        if name is not None
    }
    if len({model.classes for model in models.values()}) > 1:
        raise ConfigError(f"{request.model} and {request.trained} do not know the same classes")
    return models


def _finder(
    request: EvalRequest,
    dataset: Dataset,
    model: Model,
    variants: Sequence[Variant],
    options: EvalOptions,
) -> Finder:
    """A finder for the model, or for the model with each video's stored boxes as detector."""
    offline, table = options.offline, None
    identify = identify_of(request, trained=any(each.trained for each in variants))
    if request.detections is None:
        table = table_of(request, dataset, model.classes)

        def model_of(video: str) -> Model:  # noqa: ARG001
            return model

    else:
        names = table_of(request, dataset, None)
        stored = open_stored(request.detections, request.data, dataset, DETECTIONS, names)

        def model_of(video: str) -> Model:
            return replace(model, stored=stored(video))

    depends_on = {
        "minet": __version__,
        "torch": torch.__version__,
        "data": [str(Path(request.data).absolute()), request.split, dataset.classes],
        "model": [model.name, weights_of(model.name), request.size, request.tiles],
        "identify": identify_facts(identify),
        "device": pick_device(request.device).type,
        "table": table,
        "variants": [asdict(variant) for variant in variants],
        "offline": asdict(offline),
    }
    files = FoundFiles(request.output / FOLDER, depends_on)
    return Finder(dataset, model_of, variants, offline, table, files)


def table_of(request: EvalRequest, dataset: Dataset, known: Sequence[str] | None) -> Table | None:
    """The user's table of class names, None for the built-in table.

    Args:
        request: names the file.
        dataset: its classes are allowed on the right.
        known: classes allowed on the left; None for the classes of a file.

    Raises:
        MinetError: the file cannot be read, or names an unknown class.
    """
    path = request.class_table
    if path is None:
        return None
    if known is None:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        known = [re.split("[,\t]", line)[0].strip() for line in lines]
    return read_table(path, known, dataset.classes)
