"""Which of several annotations of a task is read."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

Record = dict[str, Any]

NOBODY = "unknown"
"""Author of an annotation that names none."""


class ChosenAnnotation(NamedTuple):
    """The annotation that is read.

    Attributes:
        annotation: as it is in the file.
        notes: a line where there were others.
    """

    annotation: Record
    notes: tuple[str, ...]


def author_of(annotation: Record) -> str:
    """E-mail address or id of who made an annotation."""
    author = annotation.get("completed_by")
    if isinstance(author, dict):
        author = author.get("email") or author.get("id")
    return NOBODY if author in (None, "") else str(author)


def chosen(annotations: Sequence[Record], annotator: str | None = None) -> ChosenAnnotation | None:
    """The newest annotation with a box in it, else the newest; None where there is none.

    Args:
        annotations: of one task.
        annotator: id or e-mail address of whose annotations count; None for all.
    """
    theirs = [each for each in annotations if annotator is None or _is_by(each, annotator)]
    if not theirs:
        return None
    annotation = max(theirs, key=lambda each: (_is_drawn(each), str(each.get("updated_at", ""))))
    return ChosenAnnotation(
        annotation, (_told(annotations, annotation),) if len(annotations) > 1 else ()
    )


def _is_by(annotation: Record, annotator: str) -> bool:
    author = annotation.get("completed_by")
    known = (author.get("id"), author.get("email")) if isinstance(author, dict) else (author,)
    return annotator.lower() in {str(name).lower() for name in known}


def is_box(result: Record) -> bool:
    """Whether a result is the boxes of an object in a video."""
    return bool(result.get("type") == "videorectangle")


def has_boxes(result: Record) -> bool:
    """Whether it is so, with a box at least."""
    return is_box(result) and bool(result["value"].get("sequence"))


def _is_drawn(annotation: Record) -> bool:
    return any(map(has_boxes, annotation["result"]))


def _told(annotations: Sequence[Record], annotation: Record) -> str:
    authors = Counter(map(author_of, annotations))
    by = "" if set(authors) == {NOBODY} else f", by {author_of(annotation)}"
    counts = ", ".join(f"{name} {count}" for name, count in sorted(authors.items()))
    of = f", of {annotation['updated_at']}" if annotation.get("updated_at") else ""
    empty = sum(not _is_drawn(each) for each in annotations)
    return (
        f"{len(annotations)} annotations"
        + (f" ({counts})" if by else "")
        + (f", {empty} of them without a box" if empty else "")
        + f": the newest with boxes is read{of}{by}; --annotator chooses whose to read"
    )
