"""An embedder that can see boxes alone is shown those that may be matched, and no others."""

from dataclasses import replace

import pytest
import torch
from coloured_squares import (
    FRAMES,
    ColourEmbedder,
    CropColourEmbedder,
    box_at,
    colour_model,
    picture,
)

from minet_core.config import PAPER, VIDEO, MemoryConfig
from minet_core.evaluation.passes import remembering
from minet_core.inference.candidates import likely
from minet_core.inference.online import OnlineDetector
from minet_core.models.detector import BaseDetections, Cropping
from minet_core.scores import ScoreKind


def seen(config: MemoryConfig) -> tuple[CropColourEmbedder, list[list[int]]]:
    """The embedder after all frames, and the ids of each."""
    embedder = CropColourEmbedder()
    online = OnlineDetector(replace(colour_model(weak=()), embedder=embedder), config)
    frames = (
        online.update(picture(i), frame=i, pts=i, time=i / 25).track_ids for i in range(FRAMES)
    )
    return embedder, [sorted(ids.tolist()) for ids in frames]


def test_a_frame_takes_one_call_with_its_likely_boxes() -> None:
    embedder, ids = seen(VIDEO)
    assert [len(boxes) for boxes in embedder.asked] == [3] * FRAMES
    assert set(embedder.asked[2][:, 0].tolist()) == {
        box_at(name, 2)[0] + 1 for name in ("red", "green", "blue")
    }
    assert ids[5:] == [[1, 2, 3]] * (FRAMES - 5)


def test_the_paper_embeds_all_proposals_and_support_boxes() -> None:
    embedder, _ = seen(PAPER)
    proposals, support = embedder.asked[0], embedder.asked[1]
    assert len(proposals) == 4
    assert len(support) == 3 * PAPER.positives


def test_evaluation_sees_what_a_run_sees() -> None:
    """What is computed once for several memories can see boxes alone if its embedder can."""
    embedder = CropColourEmbedder()
    model = replace(colour_model(weak=()), embedder=remembering(embedder))
    online = OnlineDetector(model, VIDEO)
    for frame in range(3):
        online.step(picture(frame), frame=frame, time=frame / 25)
    assert [len(boxes) for boxes in embedder.asked] == [3] * 3
    assert not isinstance(remembering(ColourEmbedder()), Cropping)


@pytest.mark.parametrize("kind", ScoreKind)
def test_likely_are_boxes_above_the_write_threshold_and_a_persons(kind: ScoreKind) -> None:
    boxes = torch.tensor([[0.0, 0, 9, 9]] * 4)
    scores = torch.tensor([[0.01, 0.0], [0.9, 0.0], [0.0, 0.04], [0.06, 0.0]])
    if kind is ScoreKind.SOFTMAX:
        scores = torch.cat([1 - scores.sum(dim=1, keepdim=True), scores], dim=1)
    base = BaseDetections(boxes, boxes, scores)
    left = torch.tensor([2, 3, 0, 1])
    assert likely(base, left, kind, VIDEO).tolist() == [1, 3]
    assert likely(base, left, kind, VIDEO, [(0, 7)]).tolist() == [1, 2, 3]
