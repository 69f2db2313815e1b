"""How a YOLO folder is laid out: by its data.yaml, by darknet's obj.data, or by its folders alone.

data.yaml      path, train, val, test, names, as Ultralytics and Roboflow write it
obj.data       names = obj.names, train = train.txt, as darknet and CVAT write it
classes.txt    names of the classes, a line each
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import yaml

from minet_core.errors import InputError
from minet_core.text import read_text, shown

_CONFIGS = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_DARKNET = "obj.data"
_NAME_FILES = ("classes.txt", "obj.names", "labels/classes.txt")
_NOTHING: tuple[object, ...] = (None, "", "~", "null", "None", [])
_PARTS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}


@dataclass(frozen=True, slots=True)
class YoloLayout:
    """What tells where things are in a folder, and what they are called.

    Attributes:
        root: the folder.
        classes: names of the classes 0, 1, ….
        keypoints: columns that follow class and box in a line, where data.yaml has a `kpt_shape`.
        parts: part, as `train`, `val` or `test` → folders of pictures and lists of them, as the
            file has them; empty where no file tells.
        named: whether the file itself was given, and not the folder around it.
    """

    root: Path
    classes: tuple[str, ...]
    keypoints: int
    parts: Mapping[str, tuple[str, ...]]
    named: bool

    def places(self, part: str) -> list[Path]:
        """Where a part is: folders of pictures, and lists of them.

        Raises:
            InputError: the file has no such part, or what it names is not there.
        """
        part = next((name for name, keys in _PARTS.items() if part in keys), part)
        if part not in self.parts:
            known = ", ".join(self.parts)
            raise InputError(f"{shown(self.root)}: it has no part {part}, only {known}")
        return [self._find(place) for place in self.parts[part]]

    def _find(self, place: str) -> Path:
        """Roboflow writes `../train/images` of what lies beside the file; so does Ultralytics."""
        for relative in (place, place.removeprefix("../"), place.removeprefix("data/")):
            path = self.root / relative
            # The labels alone may be there.
            if path.exists() or (swapped(path, "images", "labels") or path).is_dir():
                return path
        raise InputError(f"{shown(self.root / place)}: no such file or folder")


def swapped(path: Path, old: str, new: str) -> Path | None:
    """The path with the last folder of one name called another; None where there is none."""
    parts = list(path.parts)
    if old not in parts:
        return None
    place = len(parts) - 1 - parts[::-1].index(old)
    return Path(*parts[:place], new, *parts[place + 1 :])


def is_yolo(folder: Path) -> bool:
    """Whether a folder tells itself that it is one of YOLO."""
    if (folder / "labels").is_dir() or (folder / "obj.names").is_file():
        return True
    return _config(folder) is not None


def open_layout(place: Path) -> YoloLayout:
    """Read what there is of a folder's files, or a data.yaml.

    Raises:
        InputError: a file cannot be read or does not make sense, none tells the classes, or two
            tell different ones.
    """
    named = place.is_file()
    root, config = (place.parent, place) if named else (place, _config(place))
    content: dict[str, Any] = {}
    if config is not None:
        content = _read_darknet(config) if config.name == _DARKNET else _read_yaml(config)
    parts = {
        part: found
        for part, keys in _PARTS.items()
        if (found := tuple(_places(content, keys, config or place)))
    }
    base = content.get("path")
    if base is not None and (root / str(base)).is_dir():
        root = root / str(base)
    return YoloLayout(root, _classes(root, config, content), _keypoints(content), parts, named)


def _config(folder: Path) -> Path | None:
    """data.yaml; else the only yaml that has names, as Ultralytics calls it after the data; else
    obj.data."""
    for name in _CONFIGS:
        if (folder / name).is_file():
            return folder / name
    others = [path for path in sorted(folder.glob("*.y*ml")) if _has_names(path)]
    if len(others) == 1:
        return others[0]
    return folder / _DARKNET if (folder / _DARKNET).is_file() else None


def _has_names(path: Path) -> bool:
    try:
        return "names" in _read_yaml(path)
    except InputError:
        return False


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        # Names stay as they are written: `yes` and `1.0` are classes, and no other values.
        content = yaml.load(read_text(path), yaml.BaseLoader)
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{shown(path)}: cannot be read") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{shown(path)}: not yaml ({' '.join(str(error).split())})") from None
    return content if isinstance(content, dict) else {}


def _read_darknet(path: Path) -> dict[str, Any]:
    """Lines of `key = value`; names stand in a file of their own, and are read as any other."""
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{shown(path)}: cannot be read") from None
    pairs = (line.partition("=") for line in lines)
    content = {key.strip(): value.strip() for key, equals, value in pairs if equals}
    content.pop("names", None)
    return content


def _places(content: Mapping[str, Any], keys: Sequence[str], config: Path) -> Iterator[str]:
    values = [content[key] for key in keys if content.get(key) not in _NOTHING]
    value = values[0] if values else []
    for place in value if isinstance(value, list) else [value]:
        if not isinstance(place, str):
            raise InputError(f"{shown(config)}: {keys[0]} is no path, and no list of paths")
        yield place.strip().removesuffix("/")


def _keypoints(content: Mapping[str, Any]) -> int:
    shape = content.get("kpt_shape")
    sides = shape if isinstance(shape, list) else []
    return prod(int(side) for side in sides) if sides and all(map(str.isdecimal, sides)) else 0


def _classes(root: Path, config: Path | None, content: Mapping[str, Any]) -> tuple[str, ...]:
    listed = next((root / name for name in _NAME_FILES if (root / name).is_file()), None)
    if config is not None and "names" in content:
        names = _checked(_listed_names(content["names"], config), config)
        if listed is not None and _read_names(listed) != names:
            raise InputError(f"{shown(config)}: names other classes than {listed.name}")
        return names
    if listed is None:
        raise InputError(
            f"{shown(root)}: it has no classes.txt, and no data.yaml, with the names of its classes"
        )
    return _read_names(listed)


def _listed_names(names: Any, config: Path) -> tuple[str, ...]:
    """A list, or a map from 0, 1, ….

    A text has UTF-16's pairs joined: a string with JSON's escapes is one of yaml's too, but for
    characters beyond the first 65,536, of which yaml makes two.
    """
    if isinstance(names, dict):
        names = [names.get(str(number)) for number in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{shown(config)}: its names are no list, and no map from 0, 1, …")
    texts = (name.encode("utf-16", "surrogatepass") for name in names)
    return tuple(text.decode("utf-16", "replace") for text in texts)


def _read_names(path: Path) -> tuple[str, ...]:
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{shown(path)}: cannot be read") from None
    return _checked(tuple(line.strip() for line in lines if line.strip()), path)


def _checked(names: tuple[str, ...], path: Path) -> tuple[str, ...]:
    if not names or len(set(names)) != len(names):
        raise InputError(f"{shown(path)}: the names of classes are missing or not unique")
    return names
