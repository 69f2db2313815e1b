"""A zip's files in a temporary folder, as far as annotations need them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, ZipInfo

from minet_core.errors import InputError
from minet_core.video.source import shown

MOST_BYTES = 1 << 32
"""Of what is unpacked, or of an xml; a thousand objects through an hour of video take less."""

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


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder, called after the zip, with what is in it; it goes at the end.

    Of the pictures in a folder, the first is there, which tells the size; the others are empty.

    Raises:
        InputError: as `opened`, or there is too much in it.
    """
    with TemporaryDirectory(prefix="minet-") as temporary, opened(path) as archive:
        folder = Path(temporary) / path.stem
        folder.mkdir()
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        pictures = _pictures_but_the_first(entries)
        if sum(entry.file_size for entry in entries if entry not in pictures) > MOST_BYTES:
            raise InputError(f"{shown(path)}: has more than 4 GB of annotations")
        for entry in entries:
            if entry in pictures:
                place = folder / entry.filename
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            else:
                archive.extract(entry, folder)
        yield folder


def _pictures_but_the_first(entries: list[ZipInfo]) -> list[ZipInfo]:
    folders: set[PurePosixPath] = set()
    others = []
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if path.suffix.lower() in _PICTURES:
            if path.parent in folders:
                others.append(entry)
            folders.add(path.parent)
    return others
