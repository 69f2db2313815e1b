"""Figures of runs that were made before.

A run hangs on code, settings, boxes and truth, and on nothing else: where all are the same, its
figures are read. So the peers run once, and after a change to the memory MINet alone runs again.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import astuple
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import minet_core
from benchmarks.identities.scores import Figures

_CORE = Path(minet_core.__file__).parent
_HERE = Path(__file__).parent
_SCORING = (_CORE / "evaluation", *(_HERE / f"{n}.py" for n in ("data", "replicates", "scores")))
_TRACKING = ("memory", "inference", "models", "boxes.py", "config.py", "results.py", "scores.py")


@cache
def code_of_minet() -> str:
    """Digest of all code that MINet's figures hang on."""
    return _digest(*_SCORING, _HERE / "runs.py", *(_CORE / name for name in _TRACKING))


@cache
def code_of_peers() -> str:
    """The same of the peers."""
    packages = []
    for name in ("trackers", "supervision"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            packages.append(name)
    return " ".join([_digest(*_SCORING, _HERE / "runs.py"), *packages])


def kept(
    folder: Path, what: tuple[object, ...], make: Callable[[], dict[str, Figures]]
) -> dict[str, Figures]:
    """Name of a row → its figures: those of the file, or made and written there.

    Args:
        folder: where the files are.
        what: all that the figures hang on; its `repr` is the key.
        make: makes them.
    """
    key = hashlib.sha256(repr(what).encode()).hexdigest()[:24]
    file = folder / f"{key}.json"
    if file.exists():
        rows = json.loads(file.read_text())
        return {name: Figures(*figures) for name, figures in rows.items()}
    found = make()
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({name: astuple(figures) for name, figures in found.items()})
    begun = file.with_suffix(".new")
    begun.write_text(text)
    begun.replace(file)
    return found


def _digest(*places: Path) -> str:
    files = [file for place in places for file in ([place] if place.is_file() else _code(place))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _code(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))
