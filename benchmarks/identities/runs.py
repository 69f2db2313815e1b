"""MINet and its peers over one replicate of a sequence."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import batched_nms

from benchmarks.identities.data import Sequence
from benchmarks.identities.replicates import Replicate
from minet_core.config import MemoryConfig
from minet_core.datasets.vocabulary import NOT_THERE, map_classes
from minet_core.evaluation.frames import FoundBoxes
from minet_core.inference.gaps import filled
from minet_core.inference.online import OnlineDetector
from minet_core.inference.tracklets import linked
from minet_core.models.detector import BaseDetections, FeatureMap, Frame, FramePicture
from minet_core.models.identify.embedder import IdentifyEmbedder
from minet_core.models.zoo import Model
from minet_core.options import DetectOptions
from minet_core.results import FrameDetections
from minet_core.scores import ScoreKind

KINDS = ("bundled", "foreign", "true")


@dataclass
class _Shown:
    """The frame that is being looked at."""

    frame: int = 0


class _Boxes:
    """A detector whose boxes were made before, moved by the replicate's jitter."""

    def __init__(
        self,
        kind: str,
        sequence: Sequence,
        replicate: Replicate,
        shown: _Shown,
        bundled_classes: tuple[str, ...],
    ) -> None:
        self._sequence, self._replicate, self._shown = sequence, replicate, shown
        stored = {"foreign": sequence.foreign, "true": sequence.perfect}.get(kind)
        self.stored = stored
        self.classes = bundled_classes if stored is None else stored.classes
        self.score_kind = ScoreKind.SIGMOID

    def detect(self, frames: list[Frame]) -> list[BaseDetections]:
        """What there is of the frame that is being looked at."""
        index = self._shown.frame
        if self.stored is None:
            base = self._sequence.bundled[index]
        else:
            base = self.stored.detections(index, frames[0])
        boxes = torch.from_numpy(self._replicate.moved(base.boxes.numpy(), index)).float()
        return [BaseDetections(boxes, boxes, base.scores, base.final)]


class _Features:
    """The identify network's features, made before."""

    def __init__(self, embedder: IdentifyEmbedder, sequence: Sequence, shown: _Shown) -> None:
        self._embedder, self._sequence, self._shown = embedder, sequence, shown
        self.dim = embedder.dim

    def features(self, frame: Frame) -> FeatureMap:  # noqa: ARG002
        """Of the frame that is being looked at."""
        return self._sequence.features[self._shown.frame]

    def picture(self, frame: Frame) -> FramePicture:
        """The frame itself: crops of it are looked at anew."""
        return FramePicture.of(frame)

    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:
        """As the network does."""
        return self._embedder.embed(features, boxes)


def detector_of(
    sequence: Sequence, replicate: Replicate, kind: str, model: Model
) -> tuple[_Shown, Model]:
    """A model that has looked at the sequence before, and which frame it is shown."""
    shown = _Shown()
    detector: Any = _Boxes(kind, sequence, replicate, shown, model.classes)
    bundled: Any = model.embedder
    embedder: Any = _Features(bundled, sequence, shown)
    return shown, Model(model.name, detector, embedder)


def minet(
    sequence: Sequence,
    replicate: Replicate,
    kind: str,
    model: Model,
    config: MemoryConfig,
    score: float = DetectOptions().score,
) -> dict[str, list[FoundBoxes]]:
    """What MINet reports of each frame, `online` and `linked`, as `minet detect` would.

    Settings without existence, such as the paper's, link nothing.
    """
    shown, whole = detector_of(sequence, replicate, kind, model)
    online = OnlineDetector(whole, config, score=score, link=True)
    ids = map_classes(whole.classes, sequence.classes).ids
    observed = []
    for place, frame in enumerate(replicate.frames(sequence)):
        shown.frame = int(frame)
        time = replicate.time(sequence, place)
        image = np.asarray(sequence.images[frame])
        observed.append(online.observe(image, frame=place, pts=None, time=time))
    known = [found_boxes(online.reported(one), ids) for one in observed]
    if online.linker is None:
        return {"online": known}
    tracks, cuts = online.linker.tracks(), online.linker.cuts
    size = sequence.images.shape[1:3]
    joined = ((size, linked(one.detections, tracks, score)) for one in observed)
    return {
        "online": known,
        "linked": [
            found_boxes(rows, ids) for _, rows in filled(joined, DetectOptions().fill, cuts)
        ],
    }


def found_boxes(rows: FrameDetections, ids: NDArray[np.int64]) -> FoundBoxes:
    """The rows of a frame's result whose class is the dataset's."""
    labels = ids[rows.track_labels]
    keep = labels != NOT_THERE
    return FoundBoxes(rows.boxes[keep], labels[keep], rows.scores[keep], rows.track_ids[keep])


PEERS = {
    "SORT": "SORTTracker",
    "ByteTrack": "ByteTrackTracker",
    "OC-SORT": "OCSORTTracker",
    "BoT-SORT": "BoTSORTTracker",
}
"""Name in the tables → class of the package `trackers`."""
WANTS_PICTURES = {"BoT-SORT"}
"""Peers that follow the camera's motion."""


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """How a peer is run; everything else is as its package has it.

    Attributes:
        floor: score below which it is given no box.
        rated: whether it is told the sequence's frame rate.
    """

    floor: float = 0.1
    rated: bool = False


PEER_SETTINGS = tuple(PeerSettings(f, r) for f in (0.1, 0.3) for r in (False, True))


def peer(
    name: str,
    settings: PeerSettings,
    sequence: Sequence,
    replicate: Replicate,
    kind: str,
    model: Model,
) -> list[FoundBoxes]:
    """What a peer reports of each frame: every box to which it gives an id."""
    import supervision
    import trackers

    own = {"frame_rate": sequence.rate / replicate.stride} if settings.rated else {}
    tracker = getattr(trackers, PEERS[name])(**own)
    found = []
    for frame in replicate.frames(sequence):
        boxes = detections(sequence, replicate, kind, int(frame), model)
        keep = boxes.scores >= settings.floor
        given = supervision.Detections(
            xyxy=boxes.boxes[keep], confidence=boxes.scores[keep], class_id=boxes.label_ids[keep]
        )
        pictures = {}
        if name in WANTS_PICTURES:  # theirs are BGR
            pictures["frame"] = np.ascontiguousarray(sequence.images[frame][..., ::-1])
        rows = tracker.update(given, **pictures)
        rows = rows[rows.tracker_id >= 0] if len(rows) else rows
        found.append(
            FoundBoxes.of(rows.xyxy, rows.class_id, rows.confidence, rows.tracker_id)
            if len(rows)
            else FoundBoxes.of([], [], [])
        )
    return found


NMS = 0.45
"""Overlap of the class-wise suppression that the bundled detector's boxes go through; boxes of a
file and true boxes are left as they are."""


def detections(
    sequence: Sequence, replicate: Replicate, kind: str, frame: int, model: Model
) -> FoundBoxes:
    """The boxes that every tracker is given, each under its best class."""
    shown = _Shown(frame)
    detector = _Boxes(kind, sequence, replicate, shown, model.classes)
    (base,) = detector.detect([sequence.images[frame]])
    best = base.scores.max(dim=1)
    rows = (best.values > 0.01).nonzero().flatten()
    if kind == "bundled":
        rows = rows[batched_nms(base.boxes[rows], best.values[rows], best.indices[rows], NMS)]
    labels = map_classes(detector.classes, sequence.classes).ids[best.indices[rows].numpy()]
    keep = labels != NOT_THERE
    return FoundBoxes.of(
        base.boxes[rows].double().numpy()[keep], labels[keep], best.values[rows].numpy()[keep]
    )
