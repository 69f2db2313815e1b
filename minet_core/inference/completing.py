"""Final steps for tracks that were found around a person's annotations."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK, box_iou
from minet_core.inference.anchors import Anchors, Box
from minet_core.results import FrameDetections

Size = tuple[int, int]
Frames = Iterable[tuple[Size, FrameDetections]]

_SAME = 0.7


def known_ids(
    frames: Frames,
    tracks: Mapping[int, tuple[NDArray[np.int64], NDArray[np.float64]]],
    fixed: frozenset[int],
) -> dict[int, int]:
    """New id → id of the same track in the earlier result, so that ids do not change.

    The pairs that share most boxes come first. Each earlier id is used once.

    Args:
        frames: of the new result.
        tracks: id → frames and boxes of the earlier result.
        fixed: a person's ids, which do not change.
    """
    before: dict[int, list[tuple[int, NDArray[np.float64]]]] = {}
    for track, (own, boxes) in tracks.items():
        for frame, box in zip(own.tolist(), boxes, strict=True):
            if track not in fixed:
                before.setdefault(frame, []).append((track, box))
    shared: Counter[tuple[int, int]] = Counter()
    for _, found in frames:
        known = before.get(found.frame)
        new = np.flatnonzero(found.track_ids != NO_TRACK)
        if known and len(new):
            overlap = box_iou(found.boxes[new], np.stack([box for _, box in known]))
            for i, j in zip(*np.nonzero(overlap >= _SAME), strict=True):
                shared[int(found.track_ids[new[i]]), known[j][0]] += 1
    ids: dict[int, int] = {}
    for (new_id, old), _ in sorted(shared.items(), key=lambda entry: (-entry[1], entry[0])):
        if new_id not in fixed and new_id not in ids and old not in ids.values():
            ids[new_id] = old
    return ids


def renamed(frames: Frames, ids: Mapping[int, int]) -> Iterator[tuple[Size, FrameDetections]]:
    """The frames, with changed ids."""
    for size, found in frames:
        own = [ids.get(track, track) for track in found.track_ids.tolist()]
        yield size, replace(found, track_ids=np.array(own, np.int64))


def without_hidden(
    frames: Frames, hidden: Mapping[int, frozenset[int]]
) -> Iterator[tuple[Size, FrameDetections]]:
    """The frames without boxes of objects that a person has marked as hidden there."""
    for size, found in frames:
        gone = hidden.get(found.frame)
        if gone:
            found = found[~np.isin(found.track_ids, list(gone))]
        yield size, found


def with_lines(
    frames: Frames, lines: Mapping[int, Sequence[tuple[int, Box]]]
) -> Iterator[tuple[Size, FrameDetections]]:
    """The frames, with a person's boxes on straight lines where no other box was found.

    Args:
        frames: in order.
        lines: frame → ids and boxes.
    """
    labels: dict[int, int] = {}
    for size, found in frames:
        pairs = zip(found.track_ids.tolist(), found.track_labels.tolist(), strict=True)
        labels |= {track: label for track, label in pairs if track != NO_TRACK}
        there = set(found.track_ids.tolist())
        added = [one for one in lines.get(found.frame, ()) if one[0] not in there]
        yield size, _joined(found, added, labels) if added else found


def _joined(
    found: FrameDetections, added: list[tuple[int, Box]], labels: Mapping[int, int]
) -> FrameDetections:
    ids = np.array([track for track, _ in added], np.int64)
    own = np.array([labels.get(track, 0) for track, _ in added], np.int64)
    count = len(added)
    marks = found.interpolated
    vectors = found.score_vectors
    if vectors is not None:
        more = np.zeros((count, vectors.shape[1]))
        more[np.arange(count), own] = 1.0
        vectors = np.concatenate([vectors, more])
    return replace(
        found,
        boxes=np.concatenate([found.boxes, np.array([box for _, box in added])]),
        scores=np.concatenate([found.scores, np.ones(count)]),
        base_scores=np.concatenate([found.base_scores, np.zeros(count)]),
        label_ids=np.concatenate([found.label_ids, own]),
        track_ids=np.concatenate([found.track_ids, ids]),
        track_labels=np.concatenate([found.track_labels, own]),
        score_vectors=vectors,
        interpolated=np.concatenate(
            [np.zeros(len(found), bool) if marks is None else marks, np.ones(count, bool)]
        ),
    )


def straight(
    anchors: Anchors, paths: Mapping[int, Mapping[int, Box]], frames: Iterable[int]
) -> dict[int, list[tuple[int, Box]]]:
    """Boxes on straight lines, where a person has marked an object as visible but none was found.

    Args:
        anchors: with `lines`.
        paths: boxes that were found.
        frames: processed frames.

    Returns:
        Frame → id and box.
    """
    lines: dict[int, list[tuple[int, Box]]] = {}
    looked_at = sorted(frames)
    for number, stretches in anchors.lines.items():
        known = dict(anchors.of(number))
        known |= {frame: found[number] for frame, found in paths.items() if number in found}
        for first, last in stretches:
            ends = sorted(frame for frame in known if first <= frame <= last)
            for one, two in pairwise(ends):
                for frame in (f for f in looked_at if one < f < two):
                    share = (frame - one) / (two - one)
                    sides = zip(known[one], known[two], strict=True)
                    a, b, c, d = (p + share * (q - p) for p, q in sides)
                    lines.setdefault(frame, []).append((number, (a, b, c, d)))
    return lines
