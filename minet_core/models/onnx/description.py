"""What was recognised, for a person to read, and as a sidecar to start from."""

import json
from collections.abc import Iterator
from typing import Any

from minet_core.models.onnx.layouts import Rows
from minet_core.models.onnx.preparation import Preparation, Resize
from minet_core.models.onnx.recognition import Recognised

_ROWS = {
    Rows.CELLS: "every cell before suppression, with a score of every class",
    Rows.QUERIES: "every query, with a score of every class",
    Rows.FINAL: "finished detections of one class each, which leaves the memory less to re-weight",
}


def facts(recognised: Recognised) -> Iterator[tuple[str, str]]:
    """(what, how it is and why), a pair a line."""
    layout, how = recognised.layout, recognised.preparation
    yield "layout", f"{layout.name}: {layout.about}"
    yield "because", recognised.origins["layout"]
    yield "proposals", _ROWS[layout.rows]
    yield "picture", _picture(how)
    yield "pixels", _pixels(how)
    yield "because", recognised.origins["preparation"]
    names = recognised.classes.names if recognised.classes else ()
    yield "classes", f"{len(names)}: {', '.join(names)}" if names else "not known"
    yield "because", recognised.origins["classes"]


def sidecar_text(recognised: Recognised) -> str:
    """A sidecar to start from: what nobody says is set, the rest is there as comments."""
    open_classes = recognised.classes is None or "classes" in recognised.guessed
    lines = [
        "# What minet should know of this model. Lines that begin with # are what it sees by",
        "# itself: remove the # to change one.",
        f"# layout = {_toml(recognised.layout.name)}",
        f'# classes: {recognised.origins["classes"]}; or "coco", or a file with a name a line',
        f"{'' if open_classes else '# '}classes = {_toml(_class_list(recognised))}",
    ]
    guessed = "preparation" in recognised.guessed
    lines.append(f"# how frames are prepared: {recognised.origins['preparation']}")
    how = recognised.preparation
    for name in ("size", "resize", "interpolation", "order", "mean", "std", "padding", "place"):
        lines.append(f"{'' if guessed else '# '}{name} = {_toml(getattr(how, name))}")
    if how.multiple is not None:
        lines.append(f"{'' if guessed else '# '}multiple = {how.multiple}")
    lines.append("# calibration = [1.0, 0.0]  # Platt's a and b")
    return "\n".join(lines) + "\n"


def _class_list(recognised: Recognised) -> list[str]:
    """Names by label, with the numbers between that are no class."""
    if recognised.classes is None:
        return []
    by_column = dict(zip(recognised.classes.columns, recognised.classes.names, strict=True))
    first = recognised.layout.first_label
    return [by_column.get(i, "N/A") for i in range(first, max(by_column) + 1)]


def _picture(how: Preparation) -> str:
    width, height = how.size
    if how.resize is Resize.NONE:
        return "as large as the frame"
    if how.resize is Resize.STRETCH:
        return f"{width} × {height}, frames are stretched to it"
    if how.resize is Resize.EDGES:
        return f"shorter side {min(how.size)}, longer no more than {max(how.size)}"
    end = f"to a multiple of {how.multiple}" if how.multiple else "to that size"
    return f"as large as fits {width} × {height}, padded {end}; the frame is at the {how.place}"


def _pixels(how: Preparation) -> str:
    mean, std, padding = (_short(values) for values in (how.mean, how.std, how.padding))
    return f"{how.order}, minus {mean}, over {std}; padding {padding}; {how.interpolation}"


def _short(values: tuple[float, ...]) -> str:
    numbers = [f"{value:g}" for value in values]
    return numbers[0] if len(set(numbers)) == 1 else " ".join(numbers)


def _toml(value: Any) -> str:
    """Text, numbers and lists are written in TOML as in JSON."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
