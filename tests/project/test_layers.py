"""docs/architecture.md: rooms may import what stands below them in its table, and nothing above."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "minet_core"
GROUND = "files beside them"
ABOVE_ALL = {"__init__.py", "doctor.py"}
"""Files on the ground floor that look at every room."""


def rooms() -> list[str]:
    """Names in the order of the table, the ground floor last."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| `(?!minet_core)(\w+)/` \|", page, re.MULTILINE)
    return [*names, GROUND]


def imported(path: Path) -> Iterator[str]:
    """Modules of minet that a file imports, at once or later."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def room_of(module: str) -> str:
    name = module.split(".")[1] if "." in module else ""
    return name if (CORE / name / "__init__.py").exists() and name else GROUND


def test_every_room_is_in_the_table():
    folders = {path.parent.name for path in CORE.glob("*/__init__.py")}
    assert folders == set(rooms()) - {GROUND}


@pytest.mark.parametrize("room", rooms())
def test_no_import_runs_upwards(room):
    order = rooms()
    files = CORE.glob("*.py") if room == GROUND else (CORE / room).rglob("*.py")
    upwards = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files
        if path.parent != CORE or path.name not in ABOVE_ALL
        for module in imported(path)
        if module.startswith("minet_core.") and order.index(room_of(module)) < order.index(room)
    ]
    assert upwards == []


def test_the_core_knows_no_command():
    commands = [path for path in CORE.rglob("*.py") if "minet_cli" in " ".join(imported(path))]
    assert commands == []
