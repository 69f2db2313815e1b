"""Label Studio's video tasks, read back: minet's own, and exports of a project as JSON.

Of a task with annotations one is read (see `studio`), otherwise the first prediction; results that
are no boxes in video are left out, with a note. Its frame numbers are of a player's clock, see
`label_studio_frames`; here they become indices.
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
from minet_core.formats.label_studio.frame_clock import PlayerFrames, counted_rate, playable
from minet_core.formats.label_studio.tasks import read_tasks
from minet_core.video.info import VideoInfo
from minet_core.video.names import stem_of

FactsOf = Callable[[str], VideoInfo | None]
"""What is known of a video by its path or URL, None where it is not there."""


def nothing_known(source: str) -> VideoInfo | None:  # noqa: ARG001
    """Facts of no video."""
    return None


_TRACK = re.compile(r"t([1-9][0-9]*)")


class _Facts(NamedTuple):
    """What percentages and numbers of frames are to be read by.

    Attributes:
        size: of a frame.
        numbers: of the frames; None where nothing tells a rate, and they are indices and 1.
        frames: how many there are, None where nothing tells.
    """

    size: tuple[int, int]
    numbers: PlayerFrames | None
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
    values = [region["value"] for region in regions]
    facts = _facts(data, values, source, facts_of)
    if facts is None:
        raise InputError(f"{name}: the size of {source} is not known; --video names the video")
    entries = [_entries(value["sequence"], facts) for value in values]
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
        frame_rate=facts.numbers.frame_rate if facts.numbers else None,
        variable_rate=False,
        step=step,
        classes=tuple(dict.fromkeys(track.label for track in tracks)),
        tracks=tracks,
        loose=NO_LOOSE_BOXES,
        start=start,
        stop=None if stop is None else int(stop),
        notes=(*_counting(facts.numbers), *_notes(results, regions)),
        start_time=facts.numbers.start_time if facts.numbers else None,
        drawn_gaps=bool(task["annotations"]),
    )


def _results(task: dict[str, Any]) -> list[dict[str, Any]]:
    made = task["annotations"] or task["predictions"]
    return list(made[0]["result"])


def _facts(
    data: dict[str, Any], values: list[dict[str, Any]], source: str, facts_of: FactsOf
) -> _Facts | None:
    """From the task where minet has written it, else from the video itself."""
    frames, start_time = data.get("frames"), float(data.get("start_time") or 0)
    project = [_exact(data["fps"])] if data.get("fps") else []
    if data.get("width") and data.get("height"):
        size = int(data["width"]), int(data["height"])
        own = [_exact(data["frame_rate"])] if data.get("frame_rate") else project
    elif (info := facts_of(source)) is not None:
        size, own, start_time = (info.width, info.height), [info.frame_rate], info.start_time
        frames = info.frames if frames is None else frames
    else:
        return None
    rate = counted_rate(values, [*project, *own])
    numbers = None if rate is None else PlayerFrames(rate, (*own, rate)[0], start_time)
    if frames is None and values and (count := values[0].get("framesCount")) is not None:
        frames = numbers.index(int(count)) + 1 if numbers else count
    return _Facts(size, numbers, None if frames is None else int(frames))


def _exact(rate: float | str) -> Fraction:
    return Fraction(rate).limit_denominator(1001)


def _counting(numbers: PlayerFrames | None) -> Iterator[str]:
    """A line where Label Studio's rate is another than the video's."""
    if numbers is None or numbers.rate == playable(numbers.frame_rate):
        return
    rate, own = float(numbers.rate), float(numbers.frame_rate)
    if abs(rate - own) < own / 10_000:
        return  # 29.97 for 30000/1001, say
    yield (
        f"Label Studio counted {rate:.5g} frames a second, the video has {own:.5g}: "
        "its frames are found by their time"
    )


def _path(url: str) -> str:
    """The video's own path or URL, of an address that Label Studio serves it under."""
    parts = urlsplit(url)
    if not parts.scheme and (served := parse_qs(parts.query).get("d")):
        return served[0]
    return url if parts.scheme else unquote(parts.path)


def _entries(sequence: list[dict[str, Any]], facts: _Facts) -> Keyframes:
    """Entries by frame, from 0. After one that is not enabled the object is not seen.

    Of several entries in one frame the last counts.
    """
    rows = {}
    for entry in sorted(sequence, key=lambda entry: int(entry["frame"])):
        number = int(entry["frame"])
        if number < 1:
            raise ValueError("a frame below 1")
        rows[facts.numbers.index(number) if facts.numbers else number - 1] = entry
    frames = np.array(sorted(rows), dtype=np.int64)
    ordered = [rows[frame] for frame in frames.tolist()]
    sides = [[float(entry[key]) for key in ("x", "y", "width", "height")] for entry in ordered]
    boxes = np.array(sides) * ([*facts.size, *facts.size]) / 100
    boxes[:, 2:] += boxes[:, :2]
    if not np.isfinite(boxes).all():
        raise ValueError("a box without numbers")
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
