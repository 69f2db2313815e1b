"""Doubts of a result.json: made of its rows once all are written, and as it carries them."""

import json
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minet_core.formats.doubts import PAIRS, WEIGHTS, Doubt, SeenTrack, doubts_of, worth_asking

DOUBTS = "doubts"
"""Key of the list in the document."""

_FRAME, _TRACK, _LABEL, _SCORE, _BOX = 0, 3, 5, 6, slice(8, 12)
"""Places in a row of `COLUMNS`."""


def doubts_in(lines: Iterable[str], size: tuple[int, int], last: int, step: int) -> list[Doubt]:
    """The doubts that a result carries.

    They need all rows of a video at once, 56 bytes a row, so rows are read again at the end.

    Args:
        lines: of the result, up to its rows.
        size: width and height of the video in pixels.
        last: the last frame that was looked at.
        step: frames between two that were looked at.
    """
    rows: dict[int, tuple[array[int], array[float], array[float], array[int]]] = {}
    for line in lines:
        if not line.startswith("["):
            continue  # of the header
        row = json.loads(line.rstrip(",\n"))
        if (track := row[_TRACK]) is None:
            continue
        if track not in rows:
            rows[track] = array("q"), array("d"), array("d"), array("q")
        frames, boxes, scores, labels = rows[track]
        frames.append(row[_FRAME])
        boxes.extend(row[_BOX])
        scores.append(row[_SCORE])
        labels.append(row[_LABEL])
    tracks = {track: _seen(*rows[track]) for track in sorted(rows)}
    return worth_asking(doubts_of(tracks, size, last, step))


def _seen(
    frames: "array[int]", boxes: "array[float]", scores: "array[float]", labels: "array[int]"
) -> SeenTrack:
    return SeenTrack(
        np.frombuffer(frames, np.int64),
        np.frombuffer(boxes, np.float64).reshape(-1, 4),
        np.frombuffer(scores, np.float64),
        np.frombuffer(labels, np.int64),
    )


def document_of(doubt: Doubt) -> dict[str, Any]:
    """A doubt as result.json and pages have it."""
    document = doubt._asdict()
    del document["numbers"]
    return {**document, "chance": round(doubt.chance, 3)}


def carried(documents: Iterable[dict[str, Any]]) -> Iterator[Doubt]:
    """The inverse; kinds that only a later minet knows are left out.

    Raises:
        KeyError, TypeError, ValueError: on iteration, one makes no sense.
    """
    for document in documents:
        kind, tracks = document["kind"], tuple(map(int, document["tracks"]))
        if kind not in WEIGHTS:
            continue
        frame, before, chance = map(document.__getitem__, ("frame", "before", "chance"))
        if len(tracks) != 1 + (kind in PAIRS) or not 0 <= float(chance) <= 1:
            raise ValueError(f"a doubt makes no sense: {document}")
        yield Doubt(kind, int(frame), int(before), tracks, float(chance))
