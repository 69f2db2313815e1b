"""What an ONNX file is: its layout, its classes, and how it wants to see a frame, each with why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from minet_core.errors import ConfigError, WeightsError
from minet_core.models.class_columns import ClassColumns, coco_80, coco_91
from minet_core.models.onnx.exporter_metadata import Said, huggingface, ultralytics
from minet_core.models.onnx.graph import Facts, Graph, Size, try_out
from minet_core.models.onnx.layouts import LAYOUTS, Layout, Rows
from minet_core.models.onnx.preparation import Preparation, Resize
from minet_core.models.onnx.sidecar import COCO, Sidecar
from minet_core.suggest import did_you_mean

_TASKS = {"detect", "segment", "pose"}
"""Ultralytics' tasks whose boxes are upright."""
_MULTIPLE = 32


@dataclass(frozen=True, slots=True)
class Recognised:
    """What is known of a file.

    Attributes:
        layout: how its outputs are read.
        classes: which columns are classes; None where nothing names them.
        preparation: how it wants to see a frame.
        origins: of the layout, the classes and the preparation: who says so.
        guessed: which of these nobody says.
    """

    layout: Layout
    classes: ClassColumns | None
    preparation: Preparation
    origins: Mapping[str, str]
    guessed: frozenset[str]


def recognise(graph: Graph, sidecar: Sidecar, size: int | None = None) -> Recognised:
    """Find out what a graph is.

    Args:
        graph: of the file.
        sidecar: what a person says of it.
        size: longer side of the picture, where a user asks for one.

    Raises:
        WeightsError: no layout fits; the message has the inputs and outputs.
        ConfigError: the sidecar contradicts the file, or the size asked for is not the file's.
    """
    facts = try_out(graph, _trial_size(graph, sidecar, size))
    layout, said = _layout(facts, sidecar)
    classes, whence = _classes(facts, layout, said, sidecar)
    preparation, told = _preparation(facts, layout, said, sidecar, size)
    origins = {
        "layout": f"{sidecar.path.name} says so" if sidecar.layout else layout.why,
        "classes": whence,
        "preparation": told,
    }
    guessed = {
        *(["classes"] if classes is not None and whence.startswith("guessed") else []),
        *(["preparation"] if told.startswith("guessed") else []),
    }
    return Recognised(layout, classes, preparation, origins, frozenset(guessed))


def _trial_size(graph: Graph, sidecar: Sidecar, size: int | None) -> Size:
    """Of the pictures for the trial: the graph's own, or else one that somebody names."""
    path = graph.session.path
    wanted: Size | None = (size, size) if size else sidecar.preparation.get("size")
    if graph.size is None:
        said = ultralytics(graph.session.metadata, path).preparation
        return wanted or said.get("size") or huggingface_square(path) or Preparation().size
    if wanted and wanted != graph.size:
        who = "--size" if size else str(sidecar.path)
        raise ConfigError(
            f"{who} says {wanted[0]} × {wanted[1]}, but {path} takes pictures of "
            f"{graph.size[0]} × {graph.size[1]} only; leave it out"
        )
    return graph.size


def huggingface_square(path: Any) -> Size | None:
    """The size in preprocessor_config.json, where it is one to stretch to."""
    changes = huggingface(path).preparation
    return changes["size"] if changes.get("resize") is Resize.STRETCH else None


def _layout(facts: Facts, sidecar: Sidecar) -> tuple[Layout, Said]:
    """The first layout that fits, or the one that the sidecar names."""
    if facts.metadata.get("task", "detect") not in _TASKS:
        raise WeightsError(
            f"{facts.path}: made for the task {facts.metadata['task']!r}, not for upright boxes"
        )
    if sidecar.layout is not None and sidecar.layout not in LAYOUTS:
        hint = did_you_mean(sidecar.layout, LAYOUTS) or f" (known: {', '.join(LAYOUTS)})"
        raise ConfigError(f"{sidecar.path}: there is no layout {sidecar.layout!r}{hint}")
    chosen = [LAYOUTS[sidecar.layout]] if sidecar.layout else LAYOUTS.values()
    found = _first(facts, sidecar, chosen)
    if found is not None:
        return found
    if sidecar.layout is not None:
        raise ConfigError(
            f"{sidecar.path}: the outputs of {facts.path.name} do not fit the layout "
            f"{sidecar.layout} ({LAYOUTS[sidecar.layout].about}); it has {facts.describe()}"
        )
    raise WeightsError(
        f"{facts.path}: no detector that is known; it has {facts.describe()}. If it is one of "
        f"{', '.join(LAYOUTS)}, say so in {sidecar.path.name}; else wrap it in a few lines of "
        "Python (docs/detectors.md)"
    )


def _first(
    facts: Facts, sidecar: Sidecar, layouts: Iterable[type[Layout]]
) -> tuple[Layout, Said] | None:
    """The first that fits with as many classes as are named, else with as many as there are."""
    layouts = list(layouts)
    for trusting in (True, False):
        for kind in layouts:
            said = kind.said(facts)
            count = _count(sidecar, said) if trusting else None
            if trusting and count is None:
                continue
            layout = kind.find(facts, count)
            if layout is not None:
                return layout, said
    return None


def _count(sidecar: Sidecar, said: Said) -> int | None:
    """How many columns the names that are known would need."""
    given = _listed(sidecar)
    if given is not None:
        return len(given)
    return None if said.names is None else max(said.names) + 1


def _listed(sidecar: Sidecar) -> tuple[str, ...] | None:
    """The sidecar's classes, with named lists written out."""
    given = sidecar.classes
    if given is None or len(given) != 1 or given[0] not in COCO:
        return given
    return coco_80() if given[0] == COCO[0] else coco_91()


def _classes(
    facts: Facts, layout: Layout, said: Said, sidecar: Sidecar
) -> tuple[ClassColumns | None, str]:
    """The classes, and who names them."""
    given = _listed(sidecar)
    if given is not None:
        return _given_classes(facts, layout, given, sidecar), f"{sidecar.path.name} names them"
    if said.names:
        width = max(said.names) + 1
        if layout.columns is not None and width > layout.columns:
            raise WeightsError(
                f"{facts.path}: {said.source} names {width} classes, but there are "
                f"{layout.columns} columns of scores; write the right `classes` into "
                f"{sidecar.path.name}"
            )
        return _columns(facts, said.names), f"{said.source} names them"
    return _guessed_classes(layout)


def _given_classes(
    facts: Facts, layout: Layout, given: tuple[str, ...], sidecar: Sidecar
) -> ClassColumns:
    allowed = {layout.columns, *([layout.columns - 1] if layout.spare and layout.columns else [])}
    if not given:
        raise ConfigError(f"{sidecar.path}: classes is empty; name those of {facts.path.name}")
    if layout.columns is not None and len(given) not in allowed:
        raise ConfigError(
            f"{sidecar.path}: names {len(given)} classes, but {facts.path.name} has "
            f"{layout.columns} columns of scores; name as many"
        )
    first = 0 if given[0] == "__background__" else layout.first_label
    try:
        return ClassColumns.of(dict(enumerate(given, first)))
    except ConfigError as error:
        raise ConfigError(f"{sidecar.path}: {error}") from None


def _columns(facts: Facts, names: Mapping[int, str]) -> ClassColumns:
    try:
        return ClassColumns.of(names)
    except ConfigError as error:
        raise WeightsError(
            f"{facts.path}: {error}; write `classes` into {facts.path.name}.toml"
        ) from None


def _guessed_classes(layout: Layout) -> tuple[ClassColumns | None, str]:
    """COCO's where the number is COCO's, else numbers; nothing where not even that is known."""
    count = layout.columns
    if count is None:
        return None, "nothing names them, and the outputs do not tell how many there are"
    if count == len(coco_80()):
        return ClassColumns.of(coco_80()), f"guessed: COCO's, as there are {count}"
    if count == len(coco_91()):
        return ClassColumns.of(coco_91()), "guessed: COCO's by their own numbers, as there are 91"
    count -= layout.spare
    return ClassColumns.of([f"class {i}" for i in range(count)]), "guessed: nothing names them"


def _preparation(
    facts: Facts, layout: Layout, said: Said, sidecar: Sidecar, size: int | None
) -> tuple[Preparation, str]:
    """How frames are prepared, and who says so."""
    if facts.fixed:  # the graph itself says how large pictures are
        own = {k: v for k, v in said.preparation.items() if k not in {"size", "multiple"}}
        said = replace(said, preparation=own)
    how = replace(layout.prepared, **{**said.preparation, **sidecar.preparation})
    if facts.fixed:
        # A graph of one size was exported to see whole pictures of that size.
        kept = Resize.STRETCH if layout.rows is Rows.QUERIES else Resize.LETTERBOX
        resize = kept if how.resize in (Resize.EDGES, Resize.NONE) else how.resize
        how = replace(how, size=facts.size, resize=resize, multiple=None)
    else:
        how = replace(how, size=(size, size) if size else how.size)
        if how.multiple is None and how.resize in (Resize.LETTERBOX, Resize.EDGES):
            how = replace(how, multiple=_MULTIPLE)
    return how, _who(layout, said, sidecar)


def _who(layout: Layout, said: Said, sidecar: Sidecar) -> str:
    """Who says how frames are prepared."""
    parts = []
    if sidecar.preparation:
        parts.append(f"{sidecar.path.name} says {', '.join(sidecar.preparation)}")
    if said.preparation:
        parts.append(f"{said.source} says {', '.join(said.preparation)}")
    way = f"the way of {layout.about}"
    if parts:
        return "; ".join([*parts, f"the rest is {way}"])
    return f"guessed: {way}, as nothing beside it tells" if layout.told_beside else way
