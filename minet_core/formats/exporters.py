"""What `minet export` can write, by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from minet_core.config import ExportOptions
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.cvat import write_cvat

Write = Callable[[Sequence[VideoAnnotations], Path, ExportOptions], list[Path]]
"""Writes annotations to a place and returns the files it has made, the main one first.

The place does not exist where the exporter has a suffix, and is then the file to write; without
one it is an empty folder. Either lies in a hidden folder, and gets its final name when everything
is complete. The names of the videos are unique, and safe in file names. Whatever the exporter,
tracks and boxes are edited already: a writer takes them as they are.

Raises:
    ConfigError: the format cannot hold what is to be written.
"""


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format.

    Attributes:
        write: see `Write`.
        per_video: whether each video is an output of its own, so that the writer is always given
            one; otherwise all videos are written together.
        suffix: of the file it writes, such as `.xml`; empty where it writes a folder.
        pictures: where the picture of a frame belongs in its folder, such as
            `images/street/000012.jpg`, `ExportOptions.frames` telling the kind; None where the
            format has no pictures. With `--frames` the pictures of all
            `VideoAnnotations.looked_at` are put there.
        hint: how to load what was written, in a line for the user.
    """

    write: Write
    per_video: bool
    suffix: str = ""
    pictures: Callable[[VideoAnnotations, int, ExportOptions], str] | None = None
    hint: str = ""


EXPORTERS: dict[str, Exporter] = {
    "cvat": Exporter(
        write_cvat,
        per_video=True,
        suffix=".xml",
        hint="in a CVAT task of the video with these labels: Menu, Upload annotations, CVAT 1.1",
    ),
}
"""Format name, as in `--to` → what writes it."""
