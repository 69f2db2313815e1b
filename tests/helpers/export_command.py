"""`minet export` as a user calls it, and what it leaves in a folder."""

import json
from pathlib import Path

from minet_cli.main import run


def files_in(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def visible(folder: Path) -> list[str]:
    return [name for name in files_in(folder) if not name.startswith(".minet-export")]


def export(*arguments: object) -> int:
    return run(["export", *map(str, arguments)])


def tasks_of(path: Path, *videos: str) -> Path:
    """Label Studio's tasks as it exports those of others: without the size of a video."""
    entry = {"frame": 1, "x": 0, "y": 0, "width": 50, "height": 50, "enabled": False}
    value = {"labels": ["dog"], "framesCount": 9, "sequence": [entry]}
    result = [{"id": "a", "type": "videorectangle", "value": value}]
    tasks = [{"data": {"video": video}, "annotations": [{"result": result}]} for video in videos]
    path.write_text(json.dumps(tasks))
    return path
