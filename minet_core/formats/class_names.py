"""Class names of an export: renamed by a file, and one for each track."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.errors import ConfigError, InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.suggest import did_you_mean
from minet_core.text import read_text, shown

LASTING = 30
"""Boxes in a row of another class, from which on it is no flicker but another object.

A detector that wavers between cat and dog comes back in a few frames. Where a slot of the memory
has passed from one object to another, the new class stays, and the track is worth cutting.
"""

_OTHERS = "*"

_NAME = r'"(?:[^"\\]|\\.)*"|(?!")[^=]*?'
_PLAIN = re.compile(r'[^\s="#*](?:[^=\r\n]*[^\s=])?')
_LINE = re.compile(rf"\s*(?P<old>{_NAME})\s*=\s*(?P<new>{_NAME})\s*")


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Lines of `old=new`; `old=` leaves a class out, `*=*` keeps all that are not named.

    A name in double quotes, with JSON's escapes, can have anything in it: `"a = b"="c"`.

    Attributes:
        path: of the file.
        names: old name → new name, None to leave it out.
        others: whether to keep classes that are not named; None: they are an error.
        met: every class that `classes` was asked for.
    """

    path: Path
    names: dict[str, str | None]
    others: bool | None = None
    met: set[str] = field(default_factory=set)

    def rename(self, label: str) -> str | None:
        """The new name of a class, None if it is to be left out.

        Raises:
            ConfigError: the map does not know it.
        """
        if label in self.names:
            return self.names[label]
        if self.others is None:
            name = _written(label)
            raise ConfigError(
                f"{shown(self.path)}: knows no class {label!r}; "
                f"`{name}={name}` keeps it, `{name}=` leaves it out, `*=*` keeps all others"
            )
        return label if self.others else None

    def classes(self, known: Iterable[str]) -> tuple[str, ...]:
        """The classes there are afterwards: in the order of the map, then those it keeps."""
        known = tuple(known)
        self.met.update(known)
        others = known if self.others else ()
        named = [new for new in self.names.values() if new is not None]
        return tuple(dict.fromkeys([*named, *(name for name in others if name not in self.names)]))

    def applied(self, video: VideoAnnotations) -> VideoAnnotations:
        """The video's tracks and boxes under their new names.

        Raises:
            ConfigError: the map does not know a class that occurs.
        """
        tracks = ((track, self.rename(track.label)) for track in video.tracks)
        labels = [self.rename(label) for label in video.loose.labels]
        loose = replace(video.loose, labels=tuple(label or "" for label in labels))
        for other in video.kept.tracks:
            self.rename(other.label)
        return replace(
            video,
            classes=self.classes(video.classes),
            tracks=tuple(replace(track, label=name) for track, name in tracks if name is not None),
            loose=loose[np.array([label is not None for label in labels], np.bool_)],
            kept=video.kept.renamed(self._new_name),
        )

    def _new_name(self, label: str) -> str | None:
        """As `rename`, of a class that need not occur."""
        return self.names.get(label, label if self.others else None)

    def check(self) -> None:
        """See that it renames no class that it has not met.

        Raises:
            ConfigError: it does.
        """
        for old in self.names:
            if old not in self.met:
                hint = did_you_mean(old, self.met)
                raise ConfigError(f"{shown(self.path)}: there is no class {old!r}{hint}")


def read_label_map(path: Path) -> LabelMap:
    """Read a file with a line for each class; `#` begins a comment line.

    Raises:
        InputError: it cannot be read.
        ConfigError: a line is none, or names a class again.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text file"
        raise InputError(f"{shown(path)}: {why}".lower()) from None
    names: dict[str, str | None] = {}
    others = None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        old, new = _names_of(line, f"{shown(path)}, line {number}")
        if others is not None if old == _OTHERS else _read(old) in names:
            raise ConfigError(f"{shown(path)}, line {number}: {_read(old)!r} is renamed twice")
        if old == _OTHERS:
            others = bool(new)
        else:
            names[_read(old)] = _read(new) or None
    return LabelMap(path, names, others)


def _names_of(line: str, place: str) -> tuple[str, str]:
    """The two sides of a line, as they are written."""
    match = _LINE.fullmatch(line)
    old, new = match.group("old", "new") if match else ("", "")
    if not old or (old == _OTHERS and new not in ("", _OTHERS)):
        raise ConfigError(
            f"{place}: not `old=new`: {line.strip()!r}; "
            'a name with `=` or blanks around it goes into quotes, as "a=b"=new'
        )
    try:
        _read(old), _read(new)
    except ValueError:
        raise ConfigError(
            f"{place}: the text in quotes is not valid JSON: {line.strip()!r}"
        ) from None
    return old, new


def _read(name: str) -> str:
    """A name as it is written, or what is in its quotes."""
    return str(json.loads(name)) if len(name) > 1 and name[0] == name[-1] == '"' else name


def _written(name: str) -> str:
    """The inverse: as a line of the map has it."""
    return name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def parts_of_one_class(
    labels: NDArray[np.int64], scores: NDArray[np.float64]
) -> Iterator[tuple[slice, int]]:
    """Rows of a track as stretches with the class that wins the vote in each.

    A track is cut where one class holds for `LASTING` rows without a break and later another one
    does. In each part the class with the highest sum of scores is that of all rows.

    Args:
        labels: (N,) class of each row, in order of frames.
        scores: (N,) of these classes.
    """
    borders = np.flatnonzero(np.diff(labels)) + 1
    starts, ends = np.append(0, borders), np.append(borders, len(labels))
    lasting = ends - starts >= LASTING
    starts, held = starts[lasting], labels[starts[lasting]]
    cuts = starts[1:][held[1:] != held[:-1]].tolist()
    for first, end in zip([0, *cuts], [*cuts, len(labels)], strict=True):
        yield from one_part(labels, scores, slice(first, end))


def one_part(
    labels: NDArray[np.int64], scores: NDArray[np.float64], part: slice = slice(None)
) -> Iterator[tuple[slice, int]]:
    """The part as a whole, with the class that has the highest sum of scores in it."""
    votes = np.bincount(labels[part], weights=scores[part])
    # A class that no row has cannot win, even where all scores are 0.
    present = np.unique(labels[part])
    yield part, int(present[votes[present].argmax()])
