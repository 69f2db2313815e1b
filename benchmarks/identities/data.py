"""Sequences with truth, and what the networks say of their frames, kept on disk.

Detections and features of a frame never change between runs, so they are made once. What is left
of a run is the memory alone, which makes hundreds of runs affordable.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.datasets.dataset import Dataset, VideoTruth
from minet_core.datasets.mot.rows import NO_CLASS, read_mot_rows
from minet_core.datasets.mot.sequence import find_sequences
from minet_core.datasets.open import open_dataset
from minet_core.evaluation.frames import TrueBoxes
from minet_core.evaluation.predictions.convert import true_boxes
from minet_core.models.detector import BaseDetections, FeatureMap
from minet_core.models.stored_detections import StoredBoxes
from minet_core.models.weight_files import DEFAULT_MODEL, model_files
from minet_core.models.zoo import Model, load_model

PUBLIC = "det/det.txt"
TRUE_SCORE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """One annotated video with all that trackers are given.

    Attributes:
        name: of the folder.
        key: of the networks, the boxes and the truth that it was made from.
        rate: frames a second.
        classes: of the dataset.
        images: (F, H, W, 3) uint8 RGB.
        truth: of every frame.
        bundled: the bundled detector's detections of every frame, or those of the one in its
            place.
        features: what embeddings are cut from, of every frame.
        foreign: boxes of another detector (det/det.txt), None without the file.
        perfect: the true boxes that count, as if a detector had found them.
    """

    name: str
    key: str
    rate: float
    classes: tuple[str, ...]
    images: NDArray[np.uint8]
    truth: list[TrueBoxes]
    bundled: list[BaseDetections]
    features: list[FeatureMap]
    foreign: StoredBoxes | None
    perfect: StoredBoxes

    def __len__(self) -> int:
        return len(self.truth)


def sequences(roots: list[str], cache: Path, name: str = DEFAULT_MODEL) -> Iterator[Sequence]:
    """Every sequence in the folders of MOTChallenge's layout; the networks run where need be.

    Args:
        roots: folders of sequences, or sequences.
        cache: folder for what networks say.
        name: the detector in the place of the bundled one.
    """
    cache.mkdir(parents=True, exist_ok=True)
    model: Model | None = None
    key = _key(name)
    for folder in folders(roots):
        dataset = open_dataset(f"mot:{folder}")
        (video,) = dataset.videos
        place = cache / f"{video.name}-{key}"
        if not (place / "done").exists():
            model = model or load_model(name, device="cpu")
            _look(video, model, place)
        yield _load(dataset, video, folder, place)


def folders(roots: list[str]) -> list[Path]:
    """The folder of every annotated sequence; a root may be a sequence itself."""
    found = [folder for root in roots for folder in find_sequences(Path(root), "train")]
    return [folder for folder in found if (folder / "gt/gt.txt").exists()]


def _key(name: str) -> str:
    return _digest(*model_files(name))


def _tables(folder: Path) -> list[Path]:
    files = (folder / "gt/gt.txt", folder / PUBLIC, folder / "classes.txt", folder / "seqinfo.ini")
    return [file for file in files if file.exists()]


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]


def _look(video: VideoTruth, model: Model, place: Path) -> None:
    """Run both networks over a video."""
    place.mkdir(exist_ok=True)
    pictures, bases, features = [], [], []
    for _, picture in video.images():
        pictures.append(picture)
        (base,) = model.detector.detect([picture])
        bases.append((base.proposals, base.boxes, base.scores, base.final))
        seen = model.embedder.features(picture)
        features.append((seen.values, seen.stride))
    np.save(place / "images.npy", np.stack(pictures))
    torch.save({"bases": bases, "features": features}, place / "seen.pt")
    (place / "done").touch()


def _load(dataset: Dataset, video: VideoTruth, folder: Path, place: Path) -> Sequence:
    seen: dict[str, Any] = torch.load(place / "seen.pt", mmap=True, weights_only=True)
    truths = [video.frame(index) for index in range(len(video))]
    truth = [true_boxes(frame, inclusive=dataset.inclusive) for frame in truths]
    return Sequence(
        name=video.name,
        key=f"{place.name}-{_digest(*_tables(folder))}",
        rate=float(video.frame_rate),
        classes=dataset.classes,
        images=np.load(place / "images.npy", mmap_mode="r"),
        truth=truth,
        bundled=[BaseDetections(*base) for base in seen["bases"]],
        features=[FeatureMap(*feature) for feature in seen["features"]],
        foreign=_foreign(folder / PUBLIC, dataset.classes, truth),
        perfect=_perfect(video.name, dataset.classes, truth),
    )


def _perfect(name: str, classes: tuple[str, ...], truth: list[TrueBoxes]) -> StoredBoxes:
    counted = [frame.boxes[~frame.ignore] for frame in truth]
    frames = np.repeat(np.arange(len(truth)), [len(boxes) for boxes in counted])
    labels = np.concatenate([frame.label_ids[~frame.ignore] for frame in truth])
    scores = np.full(len(frames), TRUE_SCORE)
    return _stored(
        f"true boxes of {name}", classes, frames, np.concatenate(counted), labels, scores
    )


def _foreign(path: Path, classes: tuple[str, ...], truth: list[TrueBoxes]) -> StoredBoxes | None:
    """Boxes of a file; one without classes is of the class that is annotated most."""
    if not path.exists():
        return None
    rows = read_mot_rows(path)
    votes = Counter(label for frame in truth for label in frame.label_ids[~frame.ignore].tolist())
    labels = np.full(len(rows), votes.most_common(1)[0][0])
    with_class = path.with_name("det9.txt")
    if with_class.exists():
        rows = read_mot_rows(with_class)
        labels = np.where(rows.class_ids == NO_CLASS, labels, rows.class_ids - 1)
    return _stored(str(path), classes, rows.frames, rows.boxes, labels, rows.conf)


def _stored(
    source: str,
    classes: tuple[str, ...],
    frames: NDArray[np.int64],
    boxes: NDArray[np.float64],
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> StoredBoxes:
    return StoredBoxes(
        source=source,
        classes=classes,
        frames=frames,
        boxes=boxes,
        label_ids=labels,
        scores=scores,
        base_scores=scores,
        track_ids=np.full(len(frames), NO_TRACK),
        covered=frozenset(range(len(classes))),
    )
