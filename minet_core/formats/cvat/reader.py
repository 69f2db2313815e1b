"""CVAT for video 1.1, read back: of minet's own files, and of those that CVAT exports.

A file that CVAT exports has every frame of a track, one that is written for it keyframes only;
between two boxes of which the first is not outside, the object is on the line between them.
Attributes, other shapes than boxes and the definitions of labels are kept for the way back.

In the export of a project, frames are numbered through all tasks of a subset; see `_offsets`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import IO
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from minet_core.errors import InputError
from minet_core.formats.annotations import NO_LOOSE_BOXES, Track, VideoAnnotations
from minet_core.formats.attributes import Attribute
from minet_core.formats.cvat.extras import Kept, LabelSpec, OtherTrack
from minet_core.formats.cvat.extras_xml import read_attributes, read_labels, read_other
from minet_core.formats.interpolation import Keyframes, fill
from minet_core.video.names import stem_of


@dataclass(slots=True)
class _Task:
    """What the file says of one video; `offset` is taken off the numbers of its frames."""

    name: str
    source: str | None = None
    start: int = 0
    stop: int | None = None
    step: int = 1
    offset: int = 0
    size: tuple[int, int] = (0, 0)
    labels: list[str] = field(default_factory=list)
    tracks: list[tuple[int, str, Keyframes]] = field(default_factory=list)
    attributes: list[tuple[Attribute, ...]] = field(default_factory=list)
    others: list[OtherTrack] = field(default_factory=list)
    specs: tuple[LabelSpec, ...] = ()
    of_pictures: bool = False


def read_cvat(file: IO[bytes], name: str) -> list[VideoAnnotations]:
    """Read an xml file, one video for each task that it has.

    Args:
        file: opened for reading bytes.
        name: what errors call it.

    Raises:
        InputError: it is no such file, is damaged, or is made to do harm.
    """
    tasks: dict[str, _Task] = {}
    try:
        for element in _elements(file):
            if element.tag == "meta":
                tasks = _read_meta(element, PurePath(name).stem)
                for task in tasks.values():
                    task.specs = read_labels(element)
            elif element.tag == "image":
                raise InputError(f"{name}: is CVAT for images; export it as CVAT for video")
            elif element.tag == "track":
                _read_track(element, tasks, PurePath(name).stem)
    except DefusedXmlException:
        raise InputError(f"{name}: has entities or a DTD, which no annotations need") from None
    except (ParseError, LookupError, ValueError, TypeError, OverflowError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{name}: not CVAT for video 1.1, or damaged ({reason})") from None
    if not tasks:
        raise InputError(f"{name}: not CVAT for video 1.1: it has neither a task nor a track")
    try:
        return [_annotations(task) for task in tasks.values()]
    except ValueError as error:
        raise InputError(f"{name}: damaged ({error})") from None


def _elements(file: IO[bytes]) -> Iterator[Element]:
    """Elements right under the root, each complete, and cleared afterwards."""
    depth, root = 0, None
    for event, element in iterparse(file, ("start", "end"), forbid_dtd=True):
        depth += 1 if event == "start" else -1
        if root is None:
            root = element
            if root.tag != "annotations":
                raise ValueError(f"the root is {root.tag!r}, not 'annotations'")
        elif event == "end" and depth == 1:
            yield element
            root.clear()


def _read_meta(meta: Element, stem: str) -> dict[str, _Task]:
    """Tasks by id; a file of one task, or of a job, has it under the empty id."""
    found = meta.findall("project/tasks/task")
    source = meta.findtext(".//source") if len(found) < 2 else None
    if not found:
        return {"": _read_task(meta, source, stem)}
    tasks = {task.findtext("id") or "": _read_task(task, source, stem) for task in found}
    for number, offset in _offsets(found).items():
        tasks[number].offset = offset
    labels = [label.text or "" for label in meta.findall("project/labels/label/name")]
    for task in tasks.values():
        task.labels = task.labels or list(labels)
    return tasks


def _offsets(tasks: list[Element]) -> dict[str, int]:
    """By a task's id, what CVAT adds to the numbers of its frames in the export of a project.

    The frames of all earlier tasks of its subset: of each, its start frame and its length times its
    step. (CVAT 2, `ProjectData` in cvat/apps/dataset_manager/bindings.py.)
    """
    offsets: dict[str, int] = {}
    following: Counter[str] = Counter()
    for task in sorted(tasks, key=lambda task: int(task.findtext("id") or 0)):
        subset = task.findtext("subset") or ""
        offsets[task.findtext("id") or ""] = following[subset]
        start, step = int(task.findtext("start_frame") or 0), _step(task)
        steps = (int(task.findtext("stop_frame") or start) - start) // step
        following[subset] += start + step * int(task.findtext("size") or steps + 1)
    return offsets


def _step(task: Element) -> int:
    rule = (task.findtext(".//frame_filter") or "").replace(" ", "")
    step = int(rule.removeprefix("step=")) if rule.startswith("step=") else 1
    if step < 1:
        raise ValueError(f"a frame_filter {rule!r}")
    return step


def _read_task(element: Element, source: str | None, stem: str) -> _Task:
    source = element.findtext(".//source") or source or None
    first, last = element.findtext(".//start_frame"), element.findtext(".//stop_frame")
    width, height = (element.findtext(f".//original_size/{side}") for side in ("width", "height"))
    name = element.findtext("task/name") or element.findtext("job/name") or element.findtext("name")
    return _Task(
        name=stem_of(source) if source else name or stem,
        source=source,
        start=int(first or 0),
        stop=int(last) + 1 if last else None,
        step=_step(element),
        size=(int(width or 0), int(height or 0)),
        labels=[label.text or "" for label in element.findall(".//labels/label/name")],
        of_pictures=element.findtext(".//mode") == "annotation",
    )


def _read_track(element: Element, tasks: dict[str, _Task], stem: str) -> None:
    if not tasks:
        tasks[""] = _Task(stem)
    only = next(iter(tasks)) if len(tasks) == 1 else ""
    task = tasks[element.get("task_id", only) if len(tasks) > 1 else only]
    task.others += read_other(element, task.offset)
    if (entries := _keyframes(element, task)) is not None:
        task.tracks.append((int(element.get("id", -1)), element.attrib["label"], entries))
        task.attributes.append(read_attributes(element, task.offset))


def _keyframes(track: Element, task: _Task) -> Keyframes | None:
    boxes = {int(box.attrib["frame"]) - task.offset: box.attrib for box in track.iter("box")}
    if not boxes:
        return None
    frames = np.array(sorted(boxes), dtype=np.int64)
    rows = [boxes[frame] for frame in frames.tolist()]
    sides = np.array([[float(row[name]) for name in ("xtl", "ytl", "xbr", "ybr")] for row in rows])
    if frames[0] < 0 or not np.isfinite(sides).all():
        raise ValueError("a frame below 0 or a box without numbers")
    if task.offset and task.stop is not None and frames[-1] > task.stop:
        raise ValueError(f"frame {frames[-1] + task.offset} is not of task {task.name}")

    def flags(name: str, default: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.array([row.get(name, default) == "1" for row in rows])

    return Keyframes(
        frames,
        sides,
        visible=~flags("outside", "0"),
        occluded=flags("occluded", "0"),
        keyframes=flags("keyframe", "1"),
        scores=np.ones(len(frames)),
    )


def _annotations(task: _Task) -> VideoAnnotations:
    tracks, kept = tuple(_tracks(task)), Kept(task.specs, tuple(task.others))
    classes = dict.fromkeys(label for label in task.labels if label not in kept.parts)
    classes |= dict.fromkeys(track.label for track in tracks)
    classes |= dict.fromkeys(track.label for track in kept.tracks)
    return VideoAnnotations(
        name=task.name,
        source=task.source,
        width=task.size[0],
        height=task.size[1],
        frames=task.stop,
        frame_rate=None,
        variable_rate=False,
        step=task.step,
        classes=tuple(classes),
        tracks=tracks,
        loose=NO_LOOSE_BOXES,
        start=task.start,
        stop=task.stop,
        drawn_gaps=True,
        kept=kept,
        of_pictures=task.of_pictures,
        by_name=task.of_pictures,
    )


def _tracks(task: _Task) -> Iterator[Track]:
    """Tracks by id. CVAT counts them from 0 in each file, and tracks of several may come together;
    ids that cannot stand as they are become 1, 2, … in the order of the file."""
    ids = [number for number, _, _ in task.tracks]
    if ids and (min(ids) < 1 or len(set(ids)) < len(ids)):
        ids = list(range(1, len(ids) + 1))
    rows = zip(ids, task.tracks, task.attributes, strict=True)
    for number, (_, label, entries), attributes in sorted(rows, key=_first):
        track = fill(number, label, entries, task.step, task.stop)
        if track is not None:
            yield replace(track, attributes=attributes)


def _first(row: tuple[int, object, object]) -> int:
    return row[0]
