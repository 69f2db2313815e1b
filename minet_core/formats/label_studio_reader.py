"""Label Studio's video tasks, read back: minet's own, and exports of a project as JSON.

Of a task with annotations one is read (see `studio`), otherwise the first prediction; results that
are no boxes in video are left out, with a note.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from minet_core.errors import InputError
from minet_core.formats.annotations import NO_LOOSE_BOXES, Track, VideoAnnotations
from minet_core.formats.interpolation import Keyframes, fill
from minet_core.formats.studio import read_tasks
from minet_core.video.info import VideoInfo
from minet_core.video.names import stem_of

FactsOf = Callable[[str], VideoInfo | None]
"""What is known of a video by its path or URL, None where it is not there."""


def nothing_known(source: str) -> VideoInfo | None:  # noqa: ARG001
    """Facts of no video."""
    return None


_TRACK = re.compile(r"t([1-9][0-9]*)")


class _Facts(NamedTuple):
    """What percentages and seconds are to be read by."""

    size: tuple[int, int]
    rate: Fraction | None
    frames: int | None


def read_label_studio(
    text: str, name: str, facts_of: FactsOf, annotator: str | None = None
) -> list[VideoAnnotations]:
    """Read tasks, one video each.

    Args:
        text: the JSON: a list of tasks, one task, or JSON-MIN.
        name: what errors call it.
        facts_of: asked for videos whose size the file does not tell, as Label Studio keeps none.
        annotator: id or e-mail address of whose annotations to read; None for the newest.

    Raises:
        InputError: it is no such file, is damaged, or the size of a video is not known.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: not JSON, or only half of it ({error})") from None
    try:
        tasks = read_tasks(content, name, annotator)
        videos = [_video(each.task, name, facts_of) for each in tasks]
        return [
            replace(video, notes=(*each.notes, *video.notes))
            for video, each in zip(videos, tasks, strict=True)
        ]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{name}: not Label Studio's tasks, or damaged ({reason})") from None


def _video(task: dict[str, Any], name: str, facts_of: FactsOf) -> VideoAnnotations:
    data = task["data"]
    source = data.get("source") or _path(data["video"])
    results = _results(task)
    regions = [region for region in results if region.get("type") == "videorectangle"]
    facts = _facts(data, regions, source, facts_of)
    if facts is None:
        raise InputError(f"{name}: the size of {source} is not known; --video names the video")
    entries = [_entries(region["value"]["sequence"], facts.size) for region in regions]
    step = int(data.get("step") or 1)
    start = int(data.get("start") or 0)
    if any(((each.frames - start) % step).any() for each in entries):
        step = 1  # somebody has set a keyframe between
    tracks = tuple(_tracks(regions, entries, step, facts.frames))
    stop = data.get("stop")
    return VideoAnnotations(
        name=data.get("name") or stem_of(source),
        source=source,
        width=facts.size[0],
        height=facts.size[1],
        frames=facts.frames,
        frame_rate=facts.rate,
        variable_rate=False,
        step=step,
        classes=tuple(dict.fromkeys(track.label for track in tracks)),
        tracks=tracks,
        loose=NO_LOOSE_BOXES,
        start=start,
        stop=None if stop is None else int(stop),
        notes=tuple(_notes(results, regions)),
        drawn_gaps=bool(task["annotations"]),
    )


def _results(task: dict[str, Any]) -> list[dict[str, Any]]:
    made = task["annotations"] or task["predictions"]
    return list(made[0]["result"])


def _facts(
    data: dict[str, Any], regions: list[dict[str, Any]], source: str, facts_of: FactsOf
) -> _Facts | None:
    """From the task where minet has written it, else from the video itself."""
    rate, frames = data.get("fps"), data.get("frames")
    if frames is None and regions:
        frames = regions[0]["value"].get("framesCount")
    if data.get("width") and data.get("height"):
        size = int(data["width"]), int(data["height"])
    elif (info := facts_of(source)) is not None:
        size, rate, frames = (info.width, info.height), info.frame_rate, frames or info.frames
    else:
        return None
    exact = None if rate is None else Fraction(rate).limit_denominator(1001)
    return _Facts(size, exact, None if frames is None else int(frames))


def _path(url: str) -> str:
    """The video's own path or URL, of an address that Label Studio serves it under."""
    parts = urlsplit(url)
    if not parts.scheme and (served := parse_qs(parts.query).get("d")):
        return served[0]
    return url if parts.scheme else unquote(parts.path)


def _entries(sequence: list[dict[str, Any]], size: tuple[int, int]) -> Keyframes:
    """Entries by frame, from 0. After one that is not enabled the object is not seen."""
    rows = {int(entry["frame"]) - 1: entry for entry in sequence}
    frames = np.array(sorted(rows), dtype=np.int64)
    ordered = [rows[frame] for frame in frames.tolist()]
    sides = [[float(entry[key]) for key in ("x", "y", "width", "height")] for entry in ordered]
    boxes = np.array(sides) * ([*size, *size]) / 100
    boxes[:, 2:] += boxes[:, :2]
    if frames[0] < 0 or not np.isfinite(boxes).all():
        raise ValueError("a frame below 1 or a box without numbers")
    lasting = np.array([bool(entry.get("enabled", True)) for entry in ordered])
    every = np.ones(len(frames), np.bool_)
    return Keyframes(frames, boxes, lasting, ~every, every, every.astype(np.float64))


def _tracks(
    regions: list[dict[str, Any]], entries: list[Keyframes], step: int, stop: int | None
) -> Iterator[Track]:
    """Tracks by id: those of minet keep theirs, the others get the next that are free."""
    ids = _ids([str(region.get("id", "")) for region in regions])
    for number, region, each in sorted(zip(ids, regions, entries, strict=True), key=_first):
        labels = region["value"].get("labels") or ["unlabelled"]
        score = region.get("score")
        track = fill(number, str(labels[0]), _ended(each, step), step, stop)
        if track is not None:
            track.scores[:] = 1.0 if score is None else float(score)
            yield track


def _ids(names: list[str]) -> list[int]:
    found = [int(match[1]) if (match := _TRACK.fullmatch(name)) else 0 for name in names]
    following = max(found, default=0) + 1
    taken: set[int] = set()
    for i, number in enumerate(found):
        if number == 0 or number in taken:
            found[i] = following
            following += 1
        taken.add(found[i])
    return found


def _first(row: tuple[int, object, object]) -> int:
    return row[0]


def _ended(entries: Keyframes, step: int) -> Keyframes:
    """The entries, with one that is not visible right after each that is the last of its life."""
    last = np.flatnonzero(~entries.visible)
    after = np.append(entries.frames, np.iinfo(np.int64).max)[last + 1]
    last = last[entries.frames[last] + step < after]
    order = np.argsort(np.concatenate([entries.frames, entries.frames[last] + step]), kind="stable")
    rows = np.concatenate([np.arange(len(entries.frames)), last])[order]
    added = (np.arange(len(rows)) >= len(entries.frames))[order]
    frames = entries.frames[rows] + step * added
    return Keyframes(
        frames,
        entries.boxes[rows],
        visible=~added,
        occluded=entries.occluded[rows],
        keyframes=~added,
        scores=entries.scores[rows],
    )


def _notes(results: list[dict[str, Any]], regions: list[dict[str, Any]]) -> Iterator[str]:
    if left_out := len(results) - len(regions):
        yield f"{left_out} results that are no boxes in video are left out"
    turned = sum(
        any(entry.get("rotation") for entry in region["value"]["sequence"]) for region in regions
    )
    if turned:
        yield f"{turned} tracks have turned boxes, which are read as if they were upright"
