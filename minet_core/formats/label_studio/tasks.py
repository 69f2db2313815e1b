"""Exports of Label Studio as tasks of one kind, whatever their layout.

    [{"data": {"video": …}, "annotations": […]}, …]    JSON
    {"data": …}                                         one task, as its API gives it
    [{"video": …, "id": 1, "box": [{"sequence": …}]}]   JSON-MIN: an item for each annotation

Each task comes out with its video under `video`, with one annotation or else one prediction, and
without regions that are empty; what was left out for that is noted.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from minet_core.errors import InputError
from minet_core.formats.label_studio.annotators import author_of, chosen, has_boxes, is_box
from minet_core.formats.label_studio.video_field import video_key

Record = dict[str, Any]


class ReadTask(NamedTuple):
    """One task, ready to be read.

    Attributes:
        task: with `data`, which has a `video`, and one of `annotations` or `predictions`.
        notes: what was chosen and left out, a line each, for the user.
    """

    task: Record
    notes: tuple[str, ...]


def read_tasks(content: Any, name: str, annotator: str | None = None) -> list[ReadTask]:
    """Tasks of an export.

    Args:
        content: the JSON, parsed.
        name: what errors call it.
        annotator: id or e-mail address of whose annotations to take; tasks that have none of
            theirs are left out. None for the newest annotation of each task.

    Raises:
        InputError: a task does not tell its video, or no annotation is by that person.
        KeyError, TypeError, ValueError, AttributeError: it is no export.
    """
    tasks = [_plain(task, name) for task in _listed(content)]
    if annotator is None:
        return [_read(task, None) for task in tasks]
    theirs = [task for task in tasks if chosen(_made(task), annotator)]
    if not theirs:
        authors = sorted({author_of(each) for task in tasks for each in _made(task)})
        raise InputError(
            f"{name}: no annotation is by {annotator!r}; there are some by "
            f"{', '.join(authors) or 'nobody'}"
        )
    read = [_read(task, annotator) for task in theirs]
    if without := len(tasks) - len(theirs):
        note = f"tasks without an annotation by {annotator}, left out: {without}"
        read[0] = read[0]._replace(notes=(note, *read[0].notes))
    return read


def _listed(content: Any) -> list[Record]:
    """Tasks of any layout in the layout of JSON."""
    if isinstance(content, dict):
        return [content] if "data" in content else list(content["tasks"])
    if any("data" not in item and "annotation_id" in item for item in content):
        return list(_of_items(content))
    return list(content)


def _of_items(items: Sequence[Record]) -> Iterator[Record]:
    """Tasks of JSON-MIN, where a task with several annotations has an item for each."""
    tasks: dict[Any, Record] = {}
    for number, item in enumerate(items):
        regions = {key: value for key, value in item.items() if isinstance(value, list)}
        data = {key: value for key, value in item.items() if key not in regions}
        task = tasks.setdefault(item.get("id", f"item {number}"), {"data": data, "annotations": []})
        if item.get("annotation_id") is not None:
            values = [value for each in regions.values() for value in each]
            task["annotations"].append(
                {
                    "completed_by": item.get("annotator"),
                    "updated_at": item.get("updated_at"),
                    "result": [_result(value) for value in values],
                }
            )
    yield from tasks.values()


def _result(value: Any) -> Record:
    in_video = isinstance(value, dict) and "sequence" in value
    return {"type": "videorectangle" if in_video else "other", "value": value}


def _plain(task: Record, name: str) -> Record:
    """The task with its video under `video`."""
    data = dict(task["data"])
    if "video" not in data:
        data["video"] = data[video_key(data, name)]
    if "step" not in data:  # minet has not written it, and means a path by its source
        data.pop("source", None)
    return {**task, "data": data}


def _made(task: Record) -> list[Record]:
    """The annotations that people have made and not taken back."""
    return [each for each in task.get("annotations") or () if not each.get("was_cancelled")]


def _read(task: Record, annotator: str | None) -> ReadTask:
    choice = chosen(_made(task), annotator)
    if choice is not None:
        annotation, notes = _without_empty(choice.annotation)
        return ReadTask({**task, "annotations": [annotation]}, (*choice.notes, *notes))
    # An export with bare ids of predictions has nothing to read in them.
    predictions = [each for each in task.get("predictions") or () if isinstance(each, dict)]
    prediction, notes = _without_empty(predictions[0] if predictions else {"result": []})
    return ReadTask({**task, "annotations": [], "predictions": [prediction]}, notes)


def _without_empty(made: Record) -> tuple[Record, tuple[str, ...]]:
    """An annotation or prediction without its empty regions, and a line on each thing to know."""
    kept = [each for each in made["result"] if not (is_box(each) and not has_boxes(each))]
    several = sum(len(each["value"].get("labels") or ()) > 1 for each in kept if is_box(each))
    counts = {
        "regions without a box, left out": len(made["result"]) - len(kept),
        "regions with several labels, of which the first is read": several,
    }
    notes = tuple(f"{what}: {count}" for what, count in counts.items() if count)
    return {**made, "result": kept}, notes
