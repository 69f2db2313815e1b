"""Zips of other programs, and their files in a temporary folder."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from minet_core.errors import InputError
from minet_core.text import shown

MOST_BYTES = 1 << 32
"""Of annotations in a zip; a thousand objects through an hour of video take less."""

_BEGINNING = 1 << 16
"""Bytes of a picture that its header is in."""

_PARTS = {"annotations", "gt", "images", "img1", "labels", "train", "val", "valid"}
"""Folders that are a part of a data set, and never all of it."""

_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}


@contextmanager
def opened(path: Path) -> Iterator[ZipFile]:
    """The zip, of which no entry climbs out of it.

    Raises:
        InputError: it is no zip, is damaged, or is made to do harm; also for what using it raises.
    """
    name = shown(path)
    try:
        with ZipFile(path) as archive:
            for entry in archive.namelist():
                if PurePosixPath(entry).is_absolute() or ".." in PurePosixPath(entry).parts:
                    raise InputError(f"{name}: has an entry that climbs out of it: {entry!r}")
            yield archive
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(f"{name}: not a zip file that can be read ({error})") from None
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}".lower()) from None


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder, called after the zip, with the annotations that are in it; it goes at the end.

    Of the pictures in a folder the first is there, and of the others the beginning, which tells
    their size.

    Raises:
        InputError: as `opened`, or there is too much in it.
    """
    with tempfile.TemporaryDirectory(prefix="minet-") as temporary:
        folder = Path(temporary) / path.stem
        with opened(path) as archive:
            entries = _entries(path, archive)
            cut = set(_pictures_but_the_first(entries))
            for entry in entries:
                if entry.filename in cut:
                    place = folder / entry.filename
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(entry) as data:
                        place.write_bytes(data.read(_BEGINNING))
                else:
                    archive.extract(entry, folder)
        yield _only_folder(folder)


def unpacked_for_good(path: Path) -> Path:
    """A folder, called after the zip, with all that is in it; it goes when the process ends.

    Raises:
        InputError: as `opened`, or there is too much in it.
    """
    temporary = tempfile.mkdtemp(prefix="minet-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    folder = Path(temporary) / path.stem
    with opened(path) as archive:
        archive.extractall(folder, _entries(path, archive))
    return _only_folder(folder)


def _entries(path: Path, archive: ZipFile) -> list[ZipInfo]:
    """Entries that are files, in order; annotations must not fill the disk."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if sum(entry.file_size for entry in entries if not _is_picture(entry)) > MOST_BYTES:
        raise InputError(f"{shown(path)}: has more than 4 GB of annotations")
    return entries


def _is_picture(entry: ZipInfo) -> bool:
    return PurePosixPath(entry.filename).suffix.lower() in _PICTURES


def _pictures_but_the_first(entries: Sequence[ZipInfo]) -> list[str]:
    """Names of those that have another one in their folder before them."""
    folders: set[PurePosixPath] = set()
    others = []
    for entry in filter(_is_picture, entries):
        folder = PurePosixPath(entry.filename).parent
        if folder in folders:
            others.append(entry.filename)
        folders.add(folder)
    return others


def _only_folder(folder: Path) -> Path:
    """The folder itself, or the one in it where somebody has zipped a folder around everything."""
    folder.mkdir(exist_ok=True)
    inside = list(folder.iterdir())
    around = len(inside) == 1 and inside[0].is_dir() and inside[0].name not in _PARTS
    return inside[0] if around else folder
