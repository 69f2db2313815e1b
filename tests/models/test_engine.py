"""The bundled networks in ONNX Runtime: the numbers of PyTorch, and PyTorch where it cannot be."""

import hashlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from nanodet_golden import picture

from minet_core.errors import WeightsError
from minet_core.models.detector import Frame
from minet_core.models.engine import MADE_FROM, Engine, engine_of
from minet_core.models.identify.embedder import IdentifyEmbedder, load_identify
from minet_core.models.identify.network import ready
from minet_core.models.nanodet.detector import NanoDetDetector, load_nanodet
from minet_core.models.nanodet.network import read_nanodet
from minet_core.models.onnx.session import Session
from minet_core.models.weight_files import DEFAULT_MODEL, detector_file, embedder_file
from minet_core.models.weights import read_safetensors

BUNDLED = [detector_file(DEFAULT_MODEL), embedder_file()]


def in_torch() -> NanoDetDetector:
    path = BUNDLED[0]
    engine = load_nanodet(path)
    model = read_nanodet(path, len(engine.classes), read_safetensors(path)[1])
    return NanoDetDetector(model, engine.classes, engine.calibration)


@pytest.mark.parametrize("weights", BUNDLED, ids=lambda path: path.stem)
def test_graphs_are_made_from_the_weights_beside_them(weights: Path) -> None:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert Session(weights.with_suffix(".onnx")).metadata[MADE_FROM] == digest


def frames() -> list[Frame]:
    scene = picture()
    shapes = [(scene.shape[0], scene.shape[1]), (300, 400), (97, 211), (33, 640), (7, 5)]
    return [np.ascontiguousarray(scene[:height, :width]) for height, width in shapes]


def test_boxes_and_scores_are_those_of_torch() -> None:
    detector, reference = load_nanodet(BUNDLED[0]), in_torch()
    for frame in frames():
        ours, theirs = detector.detect([frame])[0], reference.detect([frame])[0]
        assert len(ours) == len(theirs)
        # Two proposals of nearly one score may change places; the sure ones do not.
        sure = theirs.scores.amax(dim=1) > 0.05
        torch.testing.assert_close(ours.boxes[sure], theirs.boxes[sure], atol=1e-3, rtol=0)
        torch.testing.assert_close(ours.scores[sure], theirs.scores[sure], atol=1e-4, rtol=0)


def test_embeddings_are_those_of_torch() -> None:
    embedder = load_identify(BUNDLED[1])
    reference = IdentifyEmbedder(ready(BUNDLED[1], "cpu"))
    for frame in frames():
        height, width = frame.shape[:2]
        boxes = torch.tensor([[0.0, 0, width, height], [width / 4, 0, width / 2, height / 2]])
        ours = embedder.embed(embedder.features(frame), boxes)
        theirs = reference.embed(reference.features(frame), boxes)
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)
        ours, theirs = (each.embed(each.picture(frame), boxes) for each in (embedder, reference))
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def copied(folder: Path) -> Path:
    """The detector's weights and graph in another place."""
    for suffix in (".safetensors", ".onnx"):
        shutil.copy(BUNDLED[0].with_suffix(suffix), folder / f"net{suffix}")
    return folder / "net.safetensors"


def test_the_graph_is_taken(tmp_path: Path) -> None:
    assert isinstance(engine_of(copied(tmp_path), "cpu"), Engine)


@pytest.mark.parametrize("fault", ["other weights", "damaged graph", "no graph", "no runtime"])
def test_without_a_fitting_graph_torch_computes(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = copied(tmp_path)
    graph = weights.with_suffix(".onnx")
    if fault == "other weights":
        weights.write_bytes(weights.read_bytes() + b" ")
    elif fault == "damaged graph":
        graph.write_bytes(graph.read_bytes()[:1000])
    elif fault == "no graph":
        graph.unlink()
    else:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert engine_of(weights, "cpu") is None
    if fault != "other weights":
        found = load_nanodet(weights).detect([picture()])[0]
        torch.testing.assert_close(found.boxes, in_torch().detect([picture()])[0].boxes)


def test_the_weights_are_checked_before_the_graph_is_taken(tmp_path: Path) -> None:
    weights = copied(tmp_path)
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(WeightsError, match="damaged"):
        load_nanodet(weights)


def test_few_rows_are_decoded_only_where_more_change_nothing() -> None:
    path = BUNDLED[0]
    model, few = read_nanodet(path, 80, read_safetensors(path)[1]), in_torch()
    every = NanoDetDetector(model, few.classes, few.calibration, max_proposals=1000)
    for frame in frames():
        some, all_of_them = few.detect([frame])[0], every.detect([frame])[0]
        torch.testing.assert_close(some.boxes, all_of_them.boxes[: len(some)])
        assert len(some) == min(300, len(all_of_them))
