"""The paper's Fig. 5: what an identifier of a true box chooses among later proposals."""

from pathlib import Path

import pytest
import torch
from eval_data import CAR, FRAMES, person, write_sequence
from stub_model import StubDetector, StubEmbedder

from minet_core.config import PAPER
from minet_core.datasets import open_dataset
from minet_core.evaluation.tracks.chosen_proposals import chosen, identifier_of
from minet_core.memory.identifier import closed_form
from minet_core.memory.support import positive_boxes
from minet_core.models.zoo import Model


def test_each_object_is_found_by_its_looks_alone(tmp_path: Path) -> None:
    """The stub's embeddings tell left from right, and that is enough."""
    write_sequence(tmp_path / "seq")
    (video,) = open_dataset(f"mot:{tmp_path}", "val").videos
    model = Model("stub", StubDetector(), StubEmbedder())
    found = list(chosen(video, model, PAPER))
    assert len(found) == 2 * (FRAMES - 1)  # the first frame is what the identifiers are of
    assert all(each.iou == pytest.approx(1, abs=1e-5) for each in found)
    assert {each.after for each in found} == set(range(1, FRAMES))
    last = {each.track_id: each for each in found if each.frame == FRAMES - 1}
    assert last[1].box == pytest.approx(person(FRAMES - 1))
    assert last[2].box == pytest.approx(CAR)


def test_the_identifier_is_that_of_equation_2() -> None:
    model = Model("stub", StubDetector(), StubEmbedder())
    image = torch.zeros(48, 64, 3, dtype=torch.uint8).numpy()
    box = torch.tensor(CAR)
    # Of two proposals one is the car's own; the other is the negative.
    boxes = torch.cat([positive_boxes(box[None], 32)[0], torch.tensor([person(0)])])
    features = model.embedder.features(image)
    samples = model.embedder.embed(features, boxes).double()
    labels = torch.tensor([1.0] * 32 + [0.0]).double()
    expected = closed_form(samples, labels, PAPER.ridge)
    proposals = model.detector.detect([image])[0].proposals
    found = identifier_of(box, proposals, features, model.embedder, PAPER)
    torch.testing.assert_close(found, expected)
