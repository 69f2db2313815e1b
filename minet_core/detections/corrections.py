"""What a person has corrected in a result: the boxes and identities that a run has to keep.

Edits tell decisions: see `edited_result`. A file of another tool tells none. Where the result is
known that it was made from, what differs from it is a person's; else all its keyframes are.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import paired_iou
from minet_core.detections.edited_result import Corrections, edited_result
from minet_core.detections.prompt_files import gathered, one_video
from minet_core.errors import InputError
from minet_core.formats.annotations import Track, VideoAnnotations
from minet_core.formats.edits import read_edits
from minet_core.formats.edits.file import SCHEMA
from minet_core.formats.label_studio.reader import FactsOf, nothing_known
from minet_core.formats.minet.reader import from_result
from minet_core.formats.readers import kind_of
from minet_core.inference.prompted.anchors import Anchors, Box
from minet_core.options import FORMATS
from minet_core.text import shown

_UNTOUCHED = 0.98
"""Overlap of a box with that of the result from which on nobody has moved it."""

_COVERED = 0.5


def is_edits(path: Path) -> bool:
    """Whether a file is an edits.json, whatever its name."""
    try:
        with path.open("rb") as file:
            return SCHEMA.encode() in file.read(200)
    except OSError:
        return False


def read_corrections(
    path: Path, result: Path | None = None, facts_of: FactsOf = nothing_known
) -> Corrections:
    """What a person has said.

    Args:
        path: edits.json, beside the result that was edited; or annotations of any other kind.
        result: result.json from which annotations of another tool were made, if it is known.
        facts_of: what is known of the video, where a file does not tell.

    Raises:
        InputError: it cannot be read, is of another result, or says nothing.
    """
    if is_edits(path):
        return edited_result(path.with_name(FORMATS["json"]), read_edits(path))
    if not path.exists():
        raise InputError(f"{shown(path)}: no such file or folder")
    video = one_video(path, facts_of)
    before = from_result(result) if result is not None and result.is_file() else None
    anchors = _differing(video, before, path, has_classes=kind_of(path) != "mot")
    known = {} if before is None else {track.id: track for track in before.tracks}
    tracks = {track.id: _with_detected(track, known.get(track.id)) for track in video.tracks}
    return Corrections(anchors, tracks, more=before is None)


def _with_detected(track: Track, before: Track | None) -> Track:
    """The track with the result's own boxes where a tool has put them on lines near by."""
    if before is None:
        return track
    _, own, theirs = np.intersect1d(track.frames, before.frames, return_indices=True)
    near = paired_iou(track.boxes[own], before.boxes[theirs]) >= _COVERED
    near &= ~track.keyframes[own] & before.keyframes[theirs]
    boxes, keyframes, scores = track.boxes.copy(), track.keyframes.copy(), track.scores.copy()
    boxes[own[near]], keyframes[own[near]] = before.boxes[theirs[near]], True
    scores[own[near]] = before.scores[theirs[near]]
    return replace(track, boxes=boxes, keyframes=keyframes, scores=scores)


def _differing(
    video: VideoAnnotations, before: VideoAnnotations | None, path: Path, *, has_classes: bool
) -> Anchors:
    """What differs from a result."""
    known = {} if before is None else {track.id: track for track in before.tracks}
    rows = []
    for track in video.tracks:
        same = _unchanged(track, known.get(track.id), has_classes=has_classes)
        own = track.keyframes & ~same
        rows += [
            (frame, track.id, box, track.label)
            for frame, box in zip(
                track.frames[own].tolist(), track.boxes[own].tolist(), strict=True
            )
        ]
    gone = {} if before is None else _gone(video, before)
    if not rows and not gone:
        raise InputError(
            f"{shown(path)}: differs in nothing from the result, so it corrects nothing"
        )
    anchors = gathered(rows, path, has_classes=has_classes) if rows else Anchors({})
    return replace(anchors, gone=gone)


def _unchanged(track: Track, before: Track | None, *, has_classes: bool) -> NDArray[np.bool_]:
    """(N,) bool: rows that the result has too."""
    same = np.zeros(len(track), np.bool_)
    if before is None or (has_classes and before.label != track.label):
        return same
    _, own, theirs = np.intersect1d(track.frames, before.frames, return_indices=True)
    same[own] = paired_iou(track.boxes[own], before.boxes[theirs]) >= _UNTOUCHED
    return same


def _gone(video: VideoAnnotations, before: VideoAnnotations) -> dict[int, tuple[Box, ...]]:
    """Frame → boxes of the result's tracks that nothing covers any more."""
    now = {frame: np.array([row.box for row in rows]) for frame, rows in video.by_frame()}
    gone: dict[int, tuple[Box, ...]] = {}
    for frame, rows in before.by_frame():
        boxes = [row.box for row in rows if row.track is not None and row.keyframe]
        there = now.get(frame, np.zeros((0, 4)))
        left = [box for box in boxes if not _is_covered(np.array(box), there)]
        if left:
            gone[frame] = tuple(left)
    return gone


def _is_covered(
    box: NDArray[np.float64],
    others: NDArray[np.float64],
) -> bool:
    one = np.broadcast_to(box, others.shape)
    return len(others) > 0 and bool((paired_iou(one, others) >= _COVERED).any())
