"""A data set with truth as annotations: whatever `open_dataset` opens can be exported."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minet_core.datasets.dataset import Dataset, FrameTruth, VideoTruth
from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.gathering import BoxRows, gather
from minet_core.formats.strides import steps_of


def from_dataset(dataset: Dataset) -> Iterator[VideoAnnotations]:
    """Each video of a data set, as far as it is annotated; boxes to ignore are left out.

    Ids are those of the data set; where they count from 0, one more. The size of frames is 0, 0
    where nothing tells it.

    Raises:
        InputError: an annotation cannot be read.
    """
    return (_video(video, dataset) for video in dataset.videos)


def _video(video: VideoTruth, dataset: Dataset) -> VideoAnnotations:
    truths = [truth for truth in video.frames() if truth.annotated]
    steps = steps_of([truth.index for truth in truths])
    ignored = sum(int(truth.ignore.sum()) for truth in truths)
    gathered = gather(_rows(truths, inclusive=dataset.inclusive), dataset.classes)
    notes = [f"boxes that are to be ignored, left out: {ignored}"] if ignored else []
    width, height = _size(video)
    return VideoAnnotations(
        name=video.name.rpartition("/")[2],
        source=None,
        width=width,
        height=height,
        frames=len(video),
        frame_rate=video.frame_rate,
        variable_rate=False,
        step=steps.step,
        classes=dataset.classes,
        tracks=gathered.tracks,
        loose=gathered.loose,
        start=steps.start,
        stop=steps.stop,
        notes=(*notes, *gathered.notes),
        drawn_gaps=True,
    )


def _size(video: VideoTruth) -> tuple[int, int]:
    try:
        return video.size
    except InputError:  # there are neither pictures nor a word on them, as in CVAT's MOT files
        return 0, 0


def _rows(truths: list[FrameTruth], *, inclusive: bool) -> BoxRows:
    boxes = np.concatenate([np.zeros((0, 4)), *(truth.boxes for truth in truths)])
    boxes[:, 2:] += inclusive
    rows = BoxRows(
        frames=np.repeat([truth.index for truth in truths], [len(truth) for truth in truths]),
        tracks=_column(truths, "track_ids", np.int64),
        labels=_column(truths, "label_ids", np.int64),
        boxes=boxes,
        scores=np.ones(len(boxes)),
        keyframes=~_column(truths, "generated", np.bool_),
        occluded=_column(truths, "occluded", np.bool_),
    )
    return rows[~_column(truths, "ignore", np.bool_)]


def _column(truths: list[FrameTruth], name: str, kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *(getattr(truth, name) for truth in truths)])
