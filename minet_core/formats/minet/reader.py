"""A result of `minet detect` as annotations: rows gathered into tracks of one class each."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from minet_core.errors import InputError
from minet_core.formats.annotations import (
    MOST_FRAMES,
    LooseBoxes,
    Track,
    VideoAnnotations,
    limits,
)
from minet_core.formats.class_names import LabelMap, one_part, parts_of_one_class
from minet_core.formats.edits import EditsFile
from minet_core.formats.minet.edited import NO_MARKS, Columns, Marks, edited, sizes_of
from minet_core.formats.minet.edited_scores import ScoreVectors
from minet_core.formats.minet.result_json import read_json
from minet_core.formats.minet.score_vectors import map_score_vectors
from minet_core.formats.minet.writer import MODEL
from minet_core.text import shown

if TYPE_CHECKING:
    import pandas as pd

_RESULT = "result.json"
_LEFT_OUT = -1


def from_result(
    path: Path, label_map: LabelMap | None = None, edits: EditsFile | None = None
) -> VideoAnnotations:
    """Read a result.json; every row is a keyframe unless it was interpolated.

    A track has the class that its rows vote for, with their scores; where the class truly changes
    (see `parts_of_one_class`) it is cut, and the later parts get ids that are free. A track that
    was edited is not cut.

    Args:
        path: of the file.
        label_map: new names of classes.
        edits: what a person has mended, by the old names.

    Raises:
        InputError: it is none, of another version, incomplete, or does not make sense; or the
            edits are of another one.
        ConfigError: it has a class that the map does not know.
    """
    header, rows, _ = read_json(path)
    try:
        return _annotations(path, header, rows, label_map, edits)
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{shown(path)}: damaged ({reason})") from None


def name_of(path: Path) -> str:
    """What the video of a result is called: as its folder, or as a file of another name."""
    return path.resolve().parent.name if path.name == _RESULT else path.stem


def _annotations(
    path: Path,
    header: dict[str, Any],
    rows: "pd.DataFrame",
    label_map: LabelMap | None,
    edits: EditsFile | None,
) -> VideoAnnotations:
    video, settings = header["video"], header["settings"]
    rate, step = Fraction(video["frame_rate"]), int(settings["stride"])
    columns = columns_of(rows)
    looked_at = looked_at_by(header, columns)
    start = looked_at.start
    _check(columns, looked_at)
    frames = _frames(video["duration"], settings, looked_at, rate)
    length = looked_at.stop if frames is None else frames
    if length > MOST_FRAMES:
        raise ValueError(f"a video of {length} frames")
    times, uneven = _times(columns, length, rate), _is_uneven(columns, rate)
    vectors = _vectors(path, header, columns)
    classes, marks = list(header["classes"]), NO_MARKS
    if edits is not None:
        columns, classes, marks = edited(header, columns, looked_at, edits)
        vectors = None  # they are of boxes as they were
    names, columns["labels"] = _renamed(classes, columns["labels"], label_map)
    return VideoAnnotations(
        name=name_of(path),
        source=video["path"],
        width=int(video["width"]),
        height=int(video["height"]),
        frames=frames,
        frame_rate=rate,
        variable_rate=uneven,
        step=step,
        classes=tuple(classes) if label_map is None else label_map.classes(classes),
        tracks=tuple(_tracks(columns, names, marks)),
        loose=_loose(columns, names),
        start=start,
        stop=looked_at[-1] + 1 if looked_at else start,
        times=times,
        sizes=sizes_of(header),
        pictures=dict(enumerate(map(str, video.get("pictures", ())))),
        of_pictures="pictures" in video,
        vectors=vectors,
        notes=marks.notes,
        kept=marks.kept,
        drawn_gaps=header["model"] == MODEL and bool((columns["scores"] == 1).all()),
        start_time=_seconds(video.get("start_time")),
        delay=_seconds(video.get("delay")) or 0.0,
        end=_seconds(header.get("end")),
        stream=None if video.get("stream") is None else int(video["stream"]),
    )


def looked_at_by(header: dict[str, Any], columns: Columns) -> range:
    """The frames that a run has looked at."""
    settings, step = header["settings"], int(header["settings"]["stride"])
    rate = Fraction(header["video"]["frame_rate"])
    start = start_of(settings["start"], columns["frames"], step, rate)
    return range(start, start + int(header["counts"]["frames"]) * step, step)


def _seconds(value: Any) -> float | None:
    seconds = None if value is None else float(value)
    if seconds is not None and not abs(seconds) < MOST_FRAMES:
        raise ValueError(f"a time of {seconds} s")
    return seconds


def _vectors(path: Path, header: dict[str, Any], columns: Columns) -> ScoreVectors | None:
    """Score vectors, where there are any beside the result: it may have been moved without them."""
    name, frames, classes = header.get("score_vectors"), columns["frames"], header["classes"]
    if name is None or not path.with_name(name).is_file():
        return None
    size = header["video"]["width"], header["video"]["height"]
    boxes = columns["boxes"].clip(0, limits(frames, size, sizes_of(header)))
    scores = map_score_vectors(path, name, len(frames), len(classes))
    if not (own := columns["detected"]).all():
        frames, boxes, scores = frames[own], boxes[own], scores[own]
    return ScoreVectors(tuple(classes), frames, boxes, scores)


def columns_of(rows: "pd.DataFrame") -> Columns:
    """Columns of the rows of a result."""
    return {
        "frames": rows.frame.to_numpy(np.int64),
        "times": rows.time.to_numpy(np.float64),
        "tracks": rows.track_id.fillna(0).to_numpy(np.int64),
        "labels": rows.label_id.to_numpy(np.int64),
        "scores": rows.score.to_numpy(np.float64),
        "boxes": rows[["x1", "y1", "x2", "y2"]].to_numpy(np.float64),
        "detected": rows.interpolated.to_numpy() == 0,
        "occluded": np.zeros(len(rows), np.bool_),
    }


def _check(columns: Columns, looked_at: range) -> None:
    frames, tracks = columns["frames"], columns["tracks"]
    if not all(np.isfinite(columns[name]).all() for name in ("times", "scores", "boxes")):
        raise ValueError("a row has a value that is not a number")
    if (np.diff(frames) < 0).any() or not all(frame in looked_at for frame in set(frames.tolist())):
        raise ValueError("a row has a frame that was not processed, or is out of order")
    tracked = np.stack([tracks, frames])[:, tracks > 0]
    if (tracks < 0).any() or len(np.unique(tracked, axis=1).T) < tracked.shape[1]:
        raise ValueError("a track has two boxes in one frame")


def start_of(given: float | None, frames: NDArray[np.int64], step: int, rate: Fraction) -> int:
    """The first frame looked at; of seconds only the frames with boxes tell it for certain."""
    if given is None or isinstance(given, int):
        return given or 0
    estimate = int(-(-given * rate // 1))
    if not len(frames):
        return estimate
    first = int(frames[0])
    return max(first - round(max(first - estimate, 0) / step) * step, first % step)


def _frames(
    duration: float | None, settings: dict[str, Any], looked_at: range, rate: Fraction
) -> int | None:
    """How many frames the video has: exact where each was looked at, else by its duration."""
    least = looked_at[-1] + 1 if looked_at else looked_at.start
    if all(settings[name] is None for name in ("start", "end", "max_frames")):
        return (
            least if duration is None else min(max(least, round(duration * rate)), looked_at.stop)
        )
    return None if duration is None else max(least, round(duration * rate))


def _times(columns: Columns, count: int, rate: Fraction) -> NDArray[np.float64]:
    """Seconds of each frame: those of rows as they are, the others evenly between and after."""
    known, index = np.unique(columns["frames"], return_index=True)
    times = columns["times"][index]
    if not len(known) or known[0] > 0:
        known, times = np.append(0, known), np.append(0.0, times)
    frames = np.arange(count)
    after = np.maximum(frames - known[-1], 0) / float(rate)
    return np.asarray(np.interp(frames, known, times) + after)


def _is_uneven(columns: Columns, rate: Fraction) -> bool:
    """Whether a frame is shown when, by the rate, another one should be."""
    off = columns["times"] * float(rate) - columns["frames"]
    return bool((np.abs(off) > 0.5).any())


def _renamed(
    classes: list[str], labels: NDArray[np.int64], label_map: LabelMap | None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names that rows can have, and which of them each row has: `_LEFT_OUT` for none of them."""
    present = np.unique(labels)
    if len(present) and not 0 <= present[0] <= present[-1] < len(classes):
        raise ValueError("a row has a class that is not listed")
    if label_map is None:
        return tuple(classes), labels
    new = {int(i): label_map.rename(classes[i]) for i in present}
    names = tuple(dict.fromkeys(name for name in new.values() if name is not None))
    table = np.full(len(classes), _LEFT_OUT)
    for old, name in new.items():
        if name is not None:
            table[old] = names.index(name)
    return names, table[labels]


def _tracks(columns: Columns, names: tuple[str, ...], marks: Marks) -> Iterator[Track]:
    """Tracks by id: those that keep theirs, then the later parts of those that were cut."""
    order = np.argsort(columns["tracks"], kind="stable")
    ids, starts = np.unique(columns["tracks"][order], return_index=True)
    if not len(ids):
        return  # of which NumPy would make one part
    following, later = int(ids[-1]) + 1, []
    for number, rows in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
        if number == 0:
            continue
        # Votes count from 0, and what is left out has a vote too.
        cut = parts_of_one_class if number not in marks.touched else one_part
        parts = cut(columns["labels"][rows] + 1, columns["scores"][rows])
        for i, (part, label) in enumerate(parts):
            if label - 1 == _LEFT_OUT:
                continue
            track = _track(number if i == 0 else following, names[label - 1], columns, rows[part])
            if i == 0:
                yield marks.on(track)
            else:
                later.append(track)
                following += 1
    yield from later


def _track(number: int, label: str, columns: Columns, rows: NDArray[np.int64]) -> Track:
    return Track(
        number,
        label,
        columns["frames"][rows],
        columns["boxes"][rows],
        columns["scores"][rows],
        keyframes=columns["detected"][rows],
        occluded=columns["occluded"][rows],
    )


def _loose(columns: Columns, names: tuple[str, ...]) -> LooseBoxes:
    rows = (columns["tracks"] == 0) & (columns["labels"] != _LEFT_OUT)
    labels = tuple(names[i] for i in columns["labels"][rows])
    return LooseBoxes(
        columns["frames"][rows], labels, columns["boxes"][rows], columns["scores"][rows]
    )
