"""minet.json: what a folder of results was made from, and with which settings.

A folder is done when it has a manifest with the key that a new run would have, not when it has
files of the right names: other settings give another result. Nothing here imports torch.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import Any

from minet_core._version import __version__
from minet_core.errors import ConfigError
from minet_core.models.huggingface.location import revision
from minet_core.models.weight_files import TORCHVISION_FILES, identify_files, model_files
from minet_core.options import (
    CORRECTIONS,
    FORMATS,
    MOT_PICTURES,
    PERSONS,
    SCORE_VECTORS,
    SIGHTS,
    DetectOptions,
    InputOptions,
    OutputOptions,
    RowOptions,
)
from minet_core.video.opening import StrPath, is_url
from minet_core.video.pictures.folder import is_picture_pattern, pictures_of
from minet_core.video.remote.store import stored

MANIFEST = "minet.json"
ANNOTATED = "annotated.mp4"
REPORT = "report.html"
RESULT_FILES = (ANNOTATED, *FORMATS.values())
OUTPUT_FILES = (*RESULT_FILES, MANIFEST)
"""What a run makes unless it is asked for more or less: results, and what vouches for them."""
POSSIBLE_FILES = (*RESULT_FILES, MOT_PICTURES, SCORE_VECTORS, REPORT, SIGHTS, CORRECTIONS)
"""Every result that a run can make."""

SCHEMA = "minet-run"
SCHEMA_VERSION = 1

_CONTENTS = (*PERSONS, "detections")
"""Settings that name a file, of which the manifest has the sha256."""

_SEEING = (
    *("identify", "preset", "classes", "size", "tiles", "half", "start", "end", "stream", "stride"),
    *("max_frames", "rate", "detections"),
)
"""Settings that decide what is seen, before any memory."""

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the results of one video depend on.

    Attributes:
        source: `path` as it was given, and what tells that its content is the same: `bytes`,
            `modified` (nanoseconds since 1970, or what a store tells it by) and `files`; null for
            a stream.
        model: `name`, and `weights`: the sha256 of each of its files.
        settings: the options on which results depend.
        files: names of the files that were made.
        minet: version that made them.
    """

    source: Facts
    model: Facts
    settings: Facts
    files: tuple[str, ...] = ()
    minet: str = __version__

    @property
    def key(self) -> str:
        """sha256 of all that the results depend on; where the source lies is no part of it."""
        content = {name: value for name, value in self.source.items() if name != "path"}
        # Without those that were not given: an earlier version may not have had them.
        settings = {name: value for name, value in self.settings.items() if value is not None}
        text = json.dumps([content, self.model, settings], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def sight_key(self) -> str:
        """sha256 of all that decides what is seen in each frame."""
        content = {name: value for name, value in self.source.items() if name != "path"}
        settings = {name: self.settings.get(name) for name in _SEEING}
        text = json.dumps([content, self.model, settings, self.minet], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def of_stream(self) -> bool:
        """Whether the source is read once, and nothing can tell whether another is the same."""
        return self.source["bytes"] is None

    def is_same(self, other: "Manifest") -> bool:
        """Whether the other one's run would make the same results."""
        return not self.of_stream and self.key == other.key

    def difference(self, new: "Manifest") -> str:
        """What is different about a new run, in a few words: `score 0.3 → 0.5`."""
        if {**self.source, "path": ""} != {**new.source, "path": ""}:
            return "the input is another one or has changed"
        if self.model != new.model:
            old, now = self.model["name"], new.model["name"]
            return f"model {old} → {now}" if old != now else f"other weights of {old}"
        return ", ".join(
            _change(name, self.settings.get(name), value)
            for name, value in new.settings.items()
            if json.dumps(self.settings.get(name)) != json.dumps(value)
        )

    def to_json(self) -> str:
        """The document; docs/result-format.md explains it."""
        head = {"schema": SCHEMA, "version": SCHEMA_VERSION, "key": self.key}
        return json.dumps({**head, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, document: Facts) -> "Manifest":
        """What `to_json` wrote, after json.loads.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        if (document["schema"], document["version"]) != (SCHEMA, SCHEMA_VERSION):
            raise ValueError("another schema")
        names = ("source", "model", "settings")
        facts = {name: dict(document[name]) for name in names}
        return cls(**facts, files=tuple(document["files"]), minet=str(document["minet"]))


def manifest_of(source: StrPath, model: str, options: DetectOptions) -> Manifest:
    """What a run that is yet to begin will depend on.

    Raises:
        InputError: the source is a folder without pictures.
    """
    settings = options.part(InputOptions, RowOptions, OutputOptions)
    settings["formats"] = sorted(options.result_formats)
    if options.stream is None:
        del settings["stream"]  # results of versions that did not know it are as good
    settings["split_at_cuts"] = options.split_at_cuts or None
    if not options.memory:
        settings["preset"] = None
    if not options.video:
        settings["trails"] = 0
    for name in ("prompts", "corrections", "half"):
        if not settings[name]:
            del settings[name]  # as above
    for name in _CONTENTS:
        if settings.get(name) is not None:
            settings[name] = _sha256(Path(settings[name]))  # what it says, not its name
    settings["identify"] = identify_facts(options.identify)
    # As it will be read back: JSON has no tuples.
    settings = json.loads(json.dumps(settings))
    return Manifest(source_facts(source), {"name": model, "weights": weights_of(model)}, settings)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder; None without one that can be read."""
    try:
        return Manifest.from_json(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, KeyError, TypeError, ValueError):
        return None


def source_facts(source: StrPath) -> Facts:
    """Path and content of a source, as a manifest has them; a missing file is like a stream.

    Raises:
        InputError: it is a folder without pictures, or no file of a store.
    """
    facts: Facts = {"path": str(source), "bytes": None, "modified": None, "files": None}
    if (elsewhere := stored(source)) is not None:
        return {**facts, "bytes": elsewhere.bytes, "modified": elsewhere.version, "files": 1}
    if source == "-" or is_url(source):
        return facts
    many = Path(source).is_dir() or is_picture_pattern(source)
    files = pictures_of(source) if many else [Path(source)]
    try:
        stats = [file.stat() for file in files]
    except OSError:
        return facts
    if not all(S_ISREG(stat.st_mode) for stat in stats):
        return facts  # a pipe or a camera
    facts["bytes"] = sum(stat.st_size for stat in stats)
    facts["modified"] = max(stat.st_mtime_ns for stat in stats)
    facts["files"] = len(stats)
    return facts


def weights_of(model: str) -> dict[str, str | None]:
    """Name and sha256 of each weights file of a model.

    Nothing for a model that a program has made itself: its name has to tell.
    """
    try:
        files = model_files(model)
    except ConfigError:
        return {}
    hashes = {file.name: _sha256(file) for file in files}
    if commit := revision(model):
        hashes[model] = commit
    if model in TORCHVISION_FILES:
        hashes[TORCHVISION_FILES[model]] = None  # the name itself ends in the hash
    return hashes


def identify_facts(name: str | None) -> list[str | None] | str | None:
    """What an identify network is: the sha256 of its files, or a name that tells.

    Raises:
        ConfigError: the name is none of such a network.
    """
    if name is None:
        return None
    return [_sha256(file) for file in identify_files(name)] or name


def _sha256(path: Path) -> str | None:
    """None for a file that cannot be read: what is wrong with it is told where it is used."""
    try:
        return _sha256_at(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache
def _sha256_at(path: Path, modified: int) -> str:  # noqa: ARG001
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _change(name: str, old: object, new: object) -> str:
    option = name.replace("_", "-")
    if name in _CONTENTS and old is not None and new is not None:
        return f"another file for --{option}"
    return f"{option} {_text(old)} → {_text(new)}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(map(str, value)) or "all"
    return "none" if value is None else str(value)
