"""Pairs of frames of annotated videos (§III-B.1), and of annotated stills.

A still is a video of one frame. It is paired with itself, the two views cropped and mirrored
apart; what is not in both is no co-appearing object.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

import numpy as np
import torch
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.datasets.dataset import Dataset, VideoTruth
from minet_core.errors import InputError
from minet_core.evaluation.frames import TrueBoxes
from minet_core.evaluation.predictions.convert import true_boxes
from minet_core.models.detector import Frame
from minet_core.training.data.augment import cropped, mirrored
from minet_core.training.data.pairs import Pair, View
from minet_core.training.data.random_counter import choice, uniform

_CROPS = 10
"""Crops of a still to try before it is taken whole."""


class FramePairs:
    """Pairs from a dataset.

    Every frame that its list chooses is as likely as any other to be I_t; I_{t+τ} is any
    annotated frame within reach that has an object of it. Boxes to ignore are left out.

    Args:
        dataset: the videos or stills.
        labels: (C,) int64, from the dataset's label ids to the training's.
        max_gap: T, most frames between the two.
        cropped: how often a view of a still is cropped.
        crop: minimum share of a still's sides that a crop of it has.
        flip: how often a view of a still is mirrored.
        neighbours: frames that each view of a video brings beside its own.
        reach: most frames from it to them.
    """

    def __init__(
        self,
        dataset: Dataset,
        labels: NDArray[np.int64],
        *,
        max_gap: int = 30,
        cropped: float = 1.0,
        crop: float = 0.6,
        flip: float = 0.5,
        neighbours: int = 0,
        reach: int = 9,
    ) -> None:
        self._dataset, self._labels = dataset, labels
        self._max_gap, self._cropped, self._crop, self._flip = max_gap, cropped, crop, flip
        self._neighbours, self._reach = neighbours, reach
        self._ends = list(accumulate(len(video.chosen) for video in dataset.videos))
        self._ignored: dict[str, int] = {}
        self._barren: dict[str, None] = {}

    @property
    def name(self) -> str:
        """What it was opened as."""
        return self._dataset.name

    @property
    def notes(self) -> list[str]:
        """What was left out of what was drawn up to now, a line a kind."""
        lines = self._dataset.problems.lines()
        if self._ignored:
            lines.append(f"boxes to ignore, left out: {sum(self._ignored.values())}")
        if self._barren:
            names = ", ".join(self._barren)
            lines.append(f"videos without an object that is in two frames, skipped: {names}")
        return lines

    def draw(self, generator: torch.Generator) -> Pair:
        """A pair with at least one co-appearing object.

        Raises:
            InputError: a picture of it cannot be read, or there is no such pair in the video.
        """
        place = choice(self._ends[-1], generator)
        number = bisect_right(self._ends, place)
        video = self._dataset.videos[number]
        if len(video) == 1:
            return self._still(video, generator)
        offset = place - (self._ends[number] - len(video.chosen))
        first, second = self._frames(video, int(video.chosen[offset]), generator)
        support, query = (
            replace(self._view(video, index, side), around=self._around(video, index, generator))
            for side, index in enumerate((first, second))
        )
        return Pair(support, query, f"{video.name}, frames {first} and {second}")

    def _around(
        self, video: VideoTruth, index: int, generator: torch.Generator
    ) -> tuple[Frame, ...]:
        """Neighbours of a frame, any within reach; what cannot be read is none."""
        if not self._neighbours:
            return ()
        low, high = max(0, index - self._reach), min(len(video) - 1, index + self._reach)
        near = torch.randperm(high - low + 1, generator=generator) + low
        chosen = near[near != index][: self._neighbours].tolist()
        images = (video.image(each) for each in chosen)
        return tuple(image for image in images if image is not None)

    def _frames(
        self, video: VideoTruth, wanted: int, generator: torch.Generator
    ) -> tuple[int, int]:
        """t and t + τ: the frame that is wanted, or if it has no partner another of the video."""
        if video.name not in self._barren:
            order = torch.randperm(len(video.chosen), generator=generator)
            for first in (wanted, *video.chosen[order.numpy()].tolist()):
                for second in self._partners(video, first, generator):
                    return first, second
            self._barren[video.name] = None
        raise InputError(f"{video.name}: no object of it is in two frames")

    def _partners(self, video: VideoTruth, first: int, generator: torch.Generator) -> Iterator[int]:
        """Frames within reach that share an object, in random order."""
        tracks = self._tracks(video, first)
        if not len(tracks):
            return
        low, high = max(0, first - self._max_gap), min(len(video) - 1, first + self._max_gap)
        near = torch.randperm(high - low + 1, generator=generator) + low
        for second in near.tolist():
            if second != first and len(np.intersect1d(tracks, self._tracks(video, second))):
                yield second

    def _tracks(self, video: VideoTruth, index: int) -> NDArray[np.int64]:
        tracks = self._truth(video, index).track_ids
        known: NDArray[np.int64] = tracks[tracks != NO_TRACK]
        return known

    def _truth(self, video: VideoTruth, index: int) -> TrueBoxes:
        """What counts of a frame's annotation, cut at the picture's border."""
        truth = true_boxes(video.frame(index), inclusive=self._dataset.inclusive)
        if truth.ignore.any():
            self._ignored[f"{video.name} {index}"] = int(truth.ignore.sum())
        width, height = video.size
        boxes = truth.boxes.clip(0, (width, height, width, height))
        keep = ~truth.ignore & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        return TrueBoxes(
            boxes[keep], truth.label_ids[keep], truth.track_ids[keep], truth.ignore[keep]
        )

    def _view(self, video: VideoTruth, index: int, side: int) -> View:
        """A frame; an object without a track gets an id that the pair's other side has not."""
        truth = self._truth(video, index)
        nobody = -2 - side - 2 * np.arange(len(truth.boxes))
        tracks = np.where(truth.track_ids == NO_TRACK, nobody, truth.track_ids)
        boxes = truth.boxes.astype(np.float32)
        return View(_image(video, index), boxes, self._labels[truth.label_ids], tracks)

    def _still(self, video: VideoTruth, generator: torch.Generator) -> Pair:
        truth = self._truth(video, 0)
        if not len(truth.boxes):
            raise InputError(f"{video.name}: nothing is annotated in it")
        boxes, rows = truth.boxes.astype(np.float32), np.arange(len(truth.boxes))
        whole = View(_image(video, 0), boxes, self._labels[truth.label_ids], rows)
        for _ in range(_CROPS):
            first, second = self._apart(whole, generator), self._apart(whole, generator)
            pair = Pair(first, second, video.name)
            if len(pair.shared()):
                return pair
        return Pair(whole, mirrored(whole), video.name)

    def _apart(self, view: View, generator: torch.Generator) -> View:
        if self._cropped == 1 or uniform(generator) < self._cropped:
            view = cropped(view, self._crop, generator)
        return mirrored(view) if uniform(generator) < self._flip else view


def _image(video: VideoTruth, index: int) -> Frame:
    image = video.image(index)
    if image is None:
        raise InputError(f"{video.name}, frame {index}: the picture cannot be read")
    return image
