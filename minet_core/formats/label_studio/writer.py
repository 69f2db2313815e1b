"""Label Studio, video: all videos in one tasks.json, with the labelling config that it needs.

    {"frame": 1, "time": 0.04, "x": 40.0, "y": 35.0, "width": 20.0, "height": 10.0, "enabled": true}

Frames count from 1, numbers are percent of the frame. Label Studio keeps keyframes and draws lines
between them; the last one before a gap, and of all, is not `enabled`: the box lives for that frame
and no longer. Tracks come as predictions, from which an annotation can be made.

The browser finds a frame by its time and a constant rate, so only such videos are shown right; see
`label_studio_frames`.
"""

import json
import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np

from minet_core._version import __version__
from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import Track, VideoAnnotations
from minet_core.formats.label_studio.frame_clock import PlayerFrames, playable
from minet_core.formats.xml_text import check_xml, repaired
from minet_core.publishing import complete_text
from minet_core.text import shown
from minet_core.video.names import parts_of
from minet_core.video.opening import is_url

TASKS = "tasks.json"
CONFIG = "labelling-config.xml"
LOCAL_FILES = "/data/local-files/?d="

_COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#800000")

Entry = dict[str, Any]


def write_label_studio(
    annotations: Sequence[VideoAnnotations], place: Path, options: ExportOptions
) -> list[Path]:
    """Write tasks and labelling config of all videos into one folder.

    Raises:
        ConfigError: the frame rate or the size of a video is not known, two videos would have one
            address, or a class name has characters that XML cannot hold.
        OutputError: they cannot be written.
    """
    tasks = [_task(video, options) for video in annotations]
    _check_addresses(tasks)
    config = labelling_config(annotations)
    with complete_text(place / TASKS) as file:
        for number, task in enumerate(tasks):
            file.write(",\n" if number else "[\n")
            file.write(json.dumps(task, ensure_ascii=False, allow_nan=False))
        file.write("\n]\n" if tasks else "[]\n")
    with complete_text(place / CONFIG) as file:
        file.write(config)
    return [place / TASKS, place / CONFIG]


def labelling_config(annotations: Sequence[VideoAnnotations]) -> str:
    """The config of a project for these videos, with the classes that occur.

    Without any box it has all classes.

    Raises:
        ConfigError: a class name has characters that XML cannot hold.
    """
    labels = _labels(annotations)
    check_xml(labels)
    lines = [
        "<View>",
        '  <Video name="video" value="$video" framerate="$fps"/>',
        '  <VideoRectangle name="box" toName="video"/>',
        '  <Labels name="videoLabels" toName="video">',
        *(
            f'    <Label value={quoteattr(name)} background="{_COLOURS[i % len(_COLOURS)]}"/>'
            for i, name in enumerate(labels)
        ),
        "  </Labels>",
        "</View>",
    ]
    return "\n".join(lines) + "\n"


def check_names(video: VideoAnnotations) -> None:
    """See that a config can have the classes that occur in a video.

    Raises:
        ConfigError: a name has characters that XML cannot hold.
    """
    check_xml(_labels([video]))


def _labels(annotations: Sequence[VideoAnnotations]) -> list[str]:
    occurring = {track.label for video in annotations for track in video.tracks}
    occurring.update(chain.from_iterable(video.loose.labels for video in annotations))
    names = dict.fromkeys(chain.from_iterable(video.classes for video in annotations))
    return [name for name in names if name in occurring] or list(names)


def _task(video: VideoAnnotations, options: ExportOptions) -> dict[str, Any]:
    """A task. What stands beside the video's URL and rate is for reading it back."""
    if video.frame_rate is None or not (video.width and video.height):
        raise ConfigError(f"{video.name}: rate and size are not known; --video names the video")
    frames = max(1, video.looked_at.stop if video.frames is None else video.frames)
    start_time = video.start_time or 0.0
    numbers = PlayerFrames(playable(video.frame_rate), video.frame_rate, start_time)
    data = {
        "video": _url(video, options.media),
        "fps": float(numbers.rate),
        "frame_rate": str(video.frame_rate),
        "start_time": start_time,
        "name": video.name,
        # A database of the server may refuse what is no text.
        "source": video.source and repaired(video.source),
        "width": video.width,
        "height": video.height,
        "frames": frames,
        "step": video.step,
        "start": video.start,
        "stop": video.stop,
    }
    count = numbers.last(frames - 1)
    facts = {"framesCount": count, "duration": round(float(count / numbers.rate), 6)}
    regions = list(_regions(video, numbers, facts))
    scores = [region["score"] for region in regions]
    prediction = {
        "model_version": f"minet {__version__}",
        "score": round(float(np.mean(scores)), 6) if scores else 0.0,
        "result": regions,
    }
    return {"data": data, "predictions": [prediction]}


def _url(video: VideoAnnotations, prefix: str | None) -> str:
    """Where the server has a video; a local file by its folder, as its root cannot be served."""
    source = video.source or video.name
    if is_url(source):
        return source
    parts = parts_of(source)
    if len(parts) < 2:
        parts = Path(source).absolute().parts
    folder, name = (quote(os.fsencode(part)) for part in parts[-2:])  # which may not be UTF-8
    return f"{f'{LOCAL_FILES}{folder}/' if prefix is None else prefix}{name}"


def _check_addresses(tasks: Sequence[dict[str, Any]]) -> None:
    """See that no two videos have one address, at which the server has but one of them."""
    known: dict[str, str] = {}
    for data in (task["data"] for task in tasks):
        if known.setdefault(data["video"], data["source"]) != data["source"]:
            raise ConfigError(
                f"{shown(known[data['video']])} and {shown(data['source'])} would both be "
                f"{data['video']}; export each with a --media of its own, or rename one"
            )


def _regions(
    video: VideoAnnotations, numbers: PlayerFrames, facts: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    for track in video.tracks:
        sequence = _sequence(track, video, numbers)
        score = float(track.scores.mean())
        yield _region(f"t{track.id}", track.label, score, {**facts, "sequence": sequence})
    loose = video.loose
    rows = zip(loose.frames.tolist(), loose.labels, loose.boxes.tolist(), loose.scores, strict=True)
    for number, (frame, label, box, score) in enumerate(rows):
        sequence = list(_entries(video, numbers, frame, box, ends=True))
        yield _region(f"b{number}", label, float(score), {**facts, "sequence": sequence})


def _region(name: str, label: str, score: float, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "type": "videorectangle",
        "from_name": "box",
        "to_name": "video",
        "origin": "prediction",
        "score": round(score, 6),
        "value": {**value, "labels": [label]},
    }


def _sequence(track: Track, video: VideoAnnotations, numbers: PlayerFrames) -> list[Entry]:
    ends = np.append(np.diff(track.frames) > video.step, True)
    written = track.keyframes | ends | np.append(True, ends[:-1])
    columns = (track.frames[written], track.boxes[written], ends[written])
    return [
        entry
        for frame, box, last in zip(*(column.tolist() for column in columns), strict=True)
        for entry in _entries(video, numbers, frame, box, ends=last)
    ]


def _entries(
    video: VideoAnnotations, numbers: PlayerFrames, frame: int, box: list[float], *, ends: bool
) -> Iterator[Entry]:
    """A keyframe: one entry, or two where the box ends and its frame has several numbers."""
    first, last = numbers.first(frame), numbers.last(frame) if ends else numbers.first(frame)
    width, height = video.size_of(frame)
    x1, x2 = (_percent(x, width) for x in box[::2])
    y1, y2 = (_percent(y, height) for y in box[1::2])
    for number in dict.fromkeys((first, last)):
        yield {
            "frame": number,
            "time": round(float(number / numbers.rate), 6),
            "x": round(x1, 4),
            "y": round(y1, 4),
            "width": round(x2 - x1, 4),
            "height": round(y2 - y1, 4),
            "rotation": 0,
            "enabled": not (ends and number == last),
        }


def _percent(pixels: float, whole: int) -> float:
    """Of the frame; Label Studio takes nothing outside it."""
    return min(max(100 * pixels / whole, 0.0), 100.0)
