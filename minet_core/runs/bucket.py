"""A folder of results in a bucket: its files count once all are there, and are what was written.

The run itself works in a folder of this machine, and the state from which another machine can go on
is kept in the bucket beside. The manifest is written last: without it, or with one whose files are
not all there, a folder is not done.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from minet_core.errors import AlreadyDoneError, OutputError
from minet_core.runs.manifest import MANIFEST, POSSIBLE_FILES, Manifest
from minet_core.runs.unfinished import SCENES, UNFINISHED, read_checkpoint
from minet_core.text import shown
from minet_core.video.remote.local_copies import cache_folder
from minet_core.video.remote.store import file_system, in_one_line

_CHECKPOINT = "checkpoint.json"
_SHARE = 10
"""Of the time between two copies of a checkpoint, one part in so many may be spent on copying."""


class Bucket:
    """One video's results in a bucket.

    Args:
        address: of its folder, such as `s3://bucket/results/street`.

    Attributes:
        address: of the folder, without a slash at its end.
        folder: of this machine, for the work.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        key = hashlib.sha256(self.address.encode()).hexdigest()[:16]
        name = self.address.rpartition("/")[2]
        self.folder = cache_folder() / "results" / key / name
        self._system, self._path = file_system(self.address)
        self._copied: dict[str, int] = {}
        self._copied_at = self._took = 0.0

    def check(self, wanted: Manifest, *, overwrite: bool) -> None:
        """See that no results would be replaced, unless they may be.

        Raises:
            AlreadyDoneError: they are the very ones that a run would make.
            OutputError: they are others, or the bucket cannot be reached.
        """
        with self._reached():
            there = self._sizes()
            made = self._document(MANIFEST)
            begun = self._document(f"{UNFINISHED}/{MANIFEST}")
        if overwrite:
            return
        if made is not None:
            manifest, contents = Manifest.from_json(made), made.get("contents", {})
            whole = all(there.get(name) == facts["bytes"] for name, facts in contents.items())
            if manifest.is_same(wanted) and whole:
                raise AlreadyDoneError(f"{self.address} has these results already")
            if not manifest.is_same(wanted):
                what = manifest.difference(wanted) or "files are missing"
                raise OutputError(
                    f"{self.address} has other results ({what}); --overwrite replaces them"
                )
        names = [name for name in POSSIBLE_FILES if name in there]
        if made is None and begun is None and names:
            raise OutputError(
                f"{self.address} already has results ({', '.join(names)}); --overwrite replaces "
                "them"
            )

    def publish(self, exports: Sequence[str]) -> None:
        """Bring all files of the work's folder to the bucket, and take the folder away.

        Args:
            exports: formats that are among them beside the run's own.

        Raises:
            OutputError: one could not be written, or is not in the bucket as it was written.
        """
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        names = {path.relative_to(self.folder).as_posix(): path for path in files}
        own = names.pop(MANIFEST)
        names = {name: path for name, path in names.items() if not name.startswith(UNFINISHED)}
        document = json.loads(own.read_text(encoding="utf-8"))
        with self._reached():
            self._system.pipe_file(self._at(f"{UNFINISHED}/{MANIFEST}"), own.read_bytes())
            old = set(self._sizes())
            self._remove([MANIFEST] if MANIFEST in old else [])
            document["exports"] = sorted(exports)
            document["contents"] = {name: self._put(name, path) for name, path in names.items()}
            text = json.dumps(document, indent=2) + "\n"
            self._system.pipe_file(self._at(MANIFEST), text.encode())
            hidden = (f"{UNFINISHED}/", f"{SCENES}/")
            left = {*POSSIBLE_FILES, *(name for name in old if name.startswith(hidden))}
            gone = {*(left & old), f"{UNFINISHED}/{MANIFEST}"} - set(names)
            self._remove(sorted(gone))
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def bring(self, names: Sequence[str]) -> None:
        """Bring files here.

        Raises:
            OutputError: the bucket cannot be reached.
        """
        with self._reached():
            self._get(names)

    def bring_checkpoint(self) -> None:
        """Bring the state from which a run goes on, if it is further than the one here.

        Raises:
            OutputError: the bucket cannot be reached.
        """
        place = self.folder / UNFINISHED
        with self._reached():
            try:
                text = self._system.cat_file(self._at(f"{UNFINISHED}/{_CHECKPOINT}"))
            except FileNotFoundError:
                return
            here = read_checkpoint(place)
            if here is not None and here.frames >= json.loads(text)["frames"]:
                return
            shutil.rmtree(place, ignore_errors=True)
            lengths = json.loads(text)["lengths"]
            with suppress(FileNotFoundError):  # another machine has just published
                self._get([f"{UNFINISHED}/{name}" for name in lengths])
                (place / _CHECKPOINT).write_bytes(text)

    def keeping(self, progress: Callable[..., None] | None) -> Callable[..., None]:
        """What to call after each frame: as `progress`, and checkpoints are copied as they come."""

        def call(*found: Any) -> None:
            if progress is not None:
                progress(*found)
            now = time.monotonic()
            if now - self._copied_at >= _SHARE * self._took:
                self._keep()

        return call

    def _keep(self) -> None:
        """Copy the checkpoint, if there is another one; files that have grown count up to it."""
        place = self.folder / UNFINISHED
        file = place / _CHECKPOINT
        try:
            version = file.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if self._copied.get(_CHECKPOINT) == version:
            return
        began = time.monotonic()
        checkpoint = read_checkpoint(place)
        if checkpoint is None:
            return
        with self._reached():
            before = set(self._copied) - {_CHECKPOINT}
            for name, length in checkpoint.lengths.items():
                if self._copied.get(name) != length:
                    self._system.put_file(str(place / name), self._at(f"{UNFINISHED}/{name}"))
                    self._copied[name] = length
            target = self._at(f"{UNFINISHED}/{_CHECKPOINT}")
            self._system.put_file(str(file), target)
            self._copied[_CHECKPOINT] = version
            for name in before - set(checkpoint.lengths):
                del self._copied[name]
                self._remove([f"{UNFINISHED}/{name}"])
        self._copied_at = time.monotonic()
        self._took = self._copied_at - began

    def published(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the files that are there and count, and the formats of exports among them."""
        with self._reached():
            made = self._document(MANIFEST) or {}
        return tuple(made.get("contents", ())), tuple(made.get("exports", ()))

    def _get(self, names: Sequence[str]) -> None:
        for name in names:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            self._system.get_file(self._at(name), str(self.folder / name))

    def _put(self, name: str, path: Path) -> dict[str, Any]:
        """Write a file, and see that the bucket has just that."""
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        self._system.put_file(str(path), self._at(name))
        self._system.invalidate_cache()
        info, size = self._system.info(self._at(name)), path.stat().st_size
        tag = str(info.get("ETag", "")).strip('"')
        if info["size"] != size or (tag != md5 and self._hash(name) != sha256):
            raise OutputError(f"{self.address}/{name}: is not there as it was written")
        return {"bytes": size, "sha256": sha256}

    def _hash(self, name: str) -> str:
        """Read it back: only some stores tell a hash of the content."""
        content = hashlib.sha256()
        with self._system.open(self._at(name), "rb") as file:
            while block := file.read(1 << 22):
                content.update(block)
        return content.hexdigest()

    def _sizes(self) -> dict[str, int]:
        self._system.invalidate_cache()
        try:
            found = self._system.find(self._path, detail=True)
        except FileNotFoundError:
            return {}
        head = len(self._path.rstrip("/")) + 1
        return {name[head:]: info["size"] for name, info in found.items()}

    def _document(self, name: str) -> dict[str, Any] | None:
        """A manifest that is there, as JSON; None without one that can be read."""
        try:
            document: dict[str, Any] = json.loads(self._system.cat_file(self._at(name)))
            Manifest.from_json(document)
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            return None
        return document

    def _remove(self, names: list[str]) -> None:
        for name in names:
            with suppress(FileNotFoundError):
                self._system.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}"

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except OutputError:
            raise
        except Exception as error:
            raise OutputError(f"cannot write {shown(self.address)}: {in_one_line(error)}") from None
