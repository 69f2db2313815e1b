"""The proposals of later frames that an identifier of a true box chooses (Fig. 5)."""

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import torch
from torchvision.ops import box_iou

from minet_core.config import MemoryConfig
from minet_core.datasets.dataset import Dataset, VideoTruth
from minet_core.evaluation.predictions.convert import true_boxes
from minet_core.evaluation.report.contents import ChosenBox
from minet_core.evaluation.report.moments import figure, jpeg
from minet_core.evaluation.tracks.chosen_proposals import chosen_at
from minet_core.evaluation.tracks.score_curves import TrackScores
from minet_core.models.detector import Frame
from minet_core.models.zoo import Model

_LATER = (1 / 3, 2 / 3, 1)
"""Positions of the later frames along a track; the choice does not depend on results."""
_TRUE, _CHOSEN = "#d62728", "#17becf"


def choices(
    dataset: Dataset,
    tracks: Sequence[TrackScores],
    model_of: Callable[[str], Model],
    config: MemoryConfig,
) -> list[list[ChosenBox]]:
    """The first frame and three later frames of each track; without tracks of missing pictures.

    Args:
        dataset: pictures and ground truth.
        tracks: to show.
        model_of: video name → model.
        config: of the memory.
    """
    videos = {video.name: video for video in dataset.videos}
    lines = [
        _line(
            videos[track.video], track, model_of(track.video), config, inclusive=dataset.inclusive
        )
        for track in tracks
        if len(track.frames) > 1
    ]
    return [line for line in lines if line]


def _line(
    video: VideoTruth, track: TrackScores, model: Model, config: MemoryConfig, *, inclusive: bool
) -> list[ChosenBox]:
    last = len(track.frames) - 1
    numbers = [int(track.frames[round(place * last)]) for place in (0, *_LATER)]
    seen: list[tuple[int, Frame, torch.Tensor]] = []
    for number in dict.fromkeys(numbers):
        image, truth = video.image(number), true_boxes(video.frame(number), inclusive=inclusive)
        (rows,) = np.nonzero(truth.track_ids == track.track_id)
        if image is None or not len(rows):
            return []
        seen.append((number, image, torch.from_numpy(truth.boxes[rows[0]]).float()))
    images, first = [image for _, image, _ in seen], seen[0][2]
    boxes = [first, *chosen_at(images, first, model, config)]
    about = f"{track.label} {track.track_id} in {track.video}"
    return [
        ChosenBox(
            name=f"{about}, frame {number}",
            picture=jpeg(image),
            size=(image.shape[1], image.shape[0]),
            box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
            iou=float(box_iou(box[None].float(), true[None])[0, 0]) if place else None,
        )
        for place, ((number, image, true), box) in enumerate(zip(seen, boxes, strict=True))
        if bool(box.isfinite().all())
    ]


def as_html(lines: Sequence[Sequence[ChosenBox]]) -> str:
    """A row of pictures per track: the true box in red, then the choices."""
    parts = []
    for line in lines:
        pictures = "".join(map(_figure, line))
        parts.append(f"<h3>{escape(line[0].name)}</h3>\n<div class=moments>{pictures}</div>\n")
    return "".join(parts)


def _figure(choice: ChosenBox) -> str:
    frame = choice.name.rpartition(", ")[2]
    if choice.iou is None:
        return figure(choice.picture, choice.size, choice.box, _TRUE, f"{frame}, true box")
    words = f"{frame}, overlap {choice.iou:.2f}"
    return figure(choice.picture, choice.size, choice.box, _CHOSEN, words)
