"""Identity confusion: true tracks against predicted ids, counted in boxes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from minet_core.boxes import NO_TRACK
from minet_core.evaluation.frames import EvalFrame, Ints
from minet_core.evaluation.matching import ApProtocol, class_frame


@dataclass(frozen=True, slots=True, eq=False)
class IdentityConfusion:
    """True tracks of one video against the predicted ids of their boxes.

    With perfect tracking, every row and every column has one entry.

    Attributes:
        video: its name.
        true_ids: (T,) true tracks, ascending.
        found_ids: (P,) predicted ids, by their main true track, more boxes first.
        boxes: (T, P) number of a track's true boxes with each id.
        nameless: (T,) number of true boxes that were missed, or have no id.
    """

    video: str
    true_ids: Ints
    found_ids: Ints
    boxes: Ints
    nameless: Ints


def identity_confusion(
    video: str, frames: Iterable[EvalFrame], shown: float = 0.0
) -> IdentityConfusion:
    """Count the predicted ids of each true track.

    A true box has the id of the matched detection of its class (greedily by descending score,
    overlap of one half or more). True boxes that are ignored or have no track do not count.

    Args:
        video: its name, for the heading.
        frames: of this video, ascending.
        shown: minimum score of a detection.
    """
    counts: Counter[tuple[int, int]] = Counter()
    for frame in frames:
        for label in frame.true_labels:
            counts.update(_names(frame, label, shown))
    true_ids = sorted({true for true, _ in counts})
    found_ids = sorted({found for _, found in counts if found != NO_TRACK})
    table = [[counts[true, found] for found in found_ids] for true in true_ids]
    boxes = np.array(table, dtype=np.int64).reshape(len(true_ids), len(found_ids))
    # Sorted by main track, correct identities form a diagonal.
    main = boxes.argmax(axis=0) if boxes.size else np.zeros(0, np.int64)
    order = np.lexsort((-boxes.max(axis=0, initial=0), main))
    return IdentityConfusion(
        video=video,
        true_ids=np.array(true_ids, dtype=np.int64),
        found_ids=np.array(found_ids, dtype=np.int64)[order],
        boxes=boxes[:, order],
        nameless=np.array([counts[true, NO_TRACK] for true in true_ids], dtype=np.int64),
    )


def _names(frame: EvalFrame, label: int, shown: float) -> list[tuple[int, int]]:
    """(true id, predicted id) of a class's true boxes; NO_TRACK without a predicted id."""
    entry = class_frame(frame, label, ApProtocol.VOC50)
    matched = entry.match()
    matched[frame.found.scores[entry.detections] < shown] = NO_TRACK
    found = np.full(len(entry.truths), NO_TRACK)
    hit = matched >= 0
    found[matched[hit]] = frame.found.track_ids[entry.detections[hit]].clip(min=NO_TRACK)
    true = frame.truth.track_ids[entry.truths]
    return [(int(t), int(f)) for t, f in zip(true, found, strict=True) if t >= 0]
