"""corrections.json: all that a person has ever said of a video, beside the result made with it."""

import json
from pathlib import Path
from typing import Any

from minet_core.errors import InputError
from minet_core.inference.prompted.anchors import NOTHING, Anchor, Anchors, Box
from minet_core.text import shown

_SCHEMA, _VERSION = "minet-corrections", 1


def anchors_text(anchors: Anchors) -> str:
    """The document; docs/result-format.md explains it."""
    boxes = [[frame, a.id, *_round(a.box)] for frame, row in anchors.boxes.items() for a in row]
    gone = [[frame, *_round(box)] for frame, row in anchors.gone.items() for box in row]
    hidden = [[frame, number] for frame, ids in anchors.hidden.items() for number in sorted(ids)]
    document: dict[str, Any] = {
        "schema": _SCHEMA,
        "version": _VERSION,
        "boxes": boxes,
        "classes": {str(number): label for number, label in anchors.labels.items()},
        "gone": gone,
        "hidden": hidden,
    }
    entries = (f"{json.dumps(key)}: {_listed(value)}" for key, value in document.items())
    return "{" + ",\n".join(entries) + "}\n"


def read_anchors(path: Path) -> Anchors:
    """What `anchors_text` has written; nothing where there is no such file.

    Raises:
        InputError: it is damaged, or of another version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if (document["schema"], document["version"]) != (_SCHEMA, _VERSION):
            raise ValueError("another schema or version")
        boxes: dict[int, list[Anchor]] = {}
        for frame, number, *box in document["boxes"]:
            boxes.setdefault(int(frame), []).append(Anchor(int(number), _box(box)))
        gone: dict[int, list[Box]] = {}
        for frame, *box in document["gone"]:
            gone.setdefault(int(frame), []).append(_box(box))
        hidden: dict[int, set[int]] = {}
        for frame, number in document["hidden"]:
            hidden.setdefault(int(frame), set()).add(int(number))
        labels = {int(number): str(label) for number, label in document["classes"].items()}
    except FileNotFoundError:
        return NOTHING
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{shown(path)}: damaged ({reason})") from None
    return Anchors(
        {frame: tuple(row) for frame, row in boxes.items()},
        labels,
        {frame: tuple(row) for frame, row in gone.items()},
        {frame: frozenset(ids) for frame, ids in hidden.items()},
    )


def _listed(value: Any) -> str:
    """JSON, with an entry of a list a line."""
    if not isinstance(value, list) or not value:
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(json.dumps(entry) for entry in value) + "\n]"


def _round(box: Box) -> list[float]:
    return [round(side, 2) for side in box]


def _box(sides: list[float]) -> Box:
    x1, y1, x2, y2 = (float(side) for side in sides)
    return x1, y1, x2, y2
