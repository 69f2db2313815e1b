"""Frames on disk until the whole video is known, and the results that are then written from them.

While tracklets may still be joined, no result file and no picture with an id on it can be final.
So the frames of a run wait in one hidden file, and are read once more at the end; for the
annotated video the source is read a second time.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minet_core.errors import InputError
from minet_core.files import BytesFile
from minet_core.inference.gaps import filled
from minet_core.inference.timings import StageClock
from minet_core.inference.tracklets import TrackletLinker, linked
from minet_core.models.zoo import Model
from minet_core.options import DetectOptions
from minet_core.results import FrameDetections, Totals
from minet_core.runs.asked_frames import folder_rate, part_of
from minet_core.runs.outputs import Outputs, open_outputs
from minet_core.runs.unfinished import Checkpoint
from minet_core.text import shown
from minet_core.video import Image, VideoInfo, open_video
from minet_core.video.opening import StrPath

SPOOL = "frames.bin"
"""Name of the file in the hidden folder."""

_HEAD = struct.Struct("<qqdqqqq")
"""Frame, pts, seconds, height, width, rows, columns of score vectors (0 without)."""

Frames = Iterable[tuple[tuple[int, int], FrameDetections]]
"""(height, width) and detections of each frame, in order."""

_NO_PTS = -(2**63)
_FLOATS = 6
"""Of a row: four sides, score, base score."""
_WHOLES = 3
"""Of a row: label, slot, the slot's label."""


class Spool:
    """Takes frames in the place of `Outputs`, and counts them.

    Attributes:
        totals: of the frames written; of its tracklets nothing is known yet.
        names: of the files that there will be: none of them is here.
        warnings: none.
    """

    def __init__(self, file: BytesFile) -> None:
        self.totals = Totals()
        self.names: tuple[str, ...] = ()
        self.warnings: list[str] = []
        self._file = file

    def write(self, image: Image, detections: FrameDetections, clock: StageClock) -> None:
        """Add a frame; of its picture the size is kept.

        Raises:
            OutputError: it cannot be written.
        """
        with clock.stage("write"):
            self._file.write(_packed(detections, image.shape[:2]))
            self.totals.frames += 1

    def save(self) -> tuple[dict[str, Any], dict[str, int]]:
        """At a border: what `open_spool` needs to go on, and the bytes that belong to it.

        Raises:
            OutputError: the file cannot be brought to the disk.
        """
        return {"totals": self.totals.save()}, {SPOOL: self._file.sync()}

    def complete(self, clock: StageClock, end: float | None = None) -> None:  # noqa: ARG002
        """Bring the file to its end.

        Raises:
            OutputError: it cannot be written.
        """
        with clock.stage("write"):
            self._file.complete()


@contextmanager
def open_spool(place: Path, checkpoint: Checkpoint | None) -> Iterator[Spool]:
    """The file in `place`, closed whatever happens, from its beginning or from a checkpoint on.

    Raises:
        OutputError: it cannot be opened.
    """
    keep = None if checkpoint is None else checkpoint.lengths[SPOOL]
    file = BytesFile(place / SPOOL, keep=keep)
    with closing(file):
        spool = Spool(file)
        if checkpoint is not None:
            spool.totals.restore(checkpoint.outputs["totals"])
        yield spool


def read_spool(
    place: Path, classes: tuple[str, ...]
) -> Iterator[tuple[tuple[int, int], FrameDetections]]:
    """The (height, width) and the detections of the frames that `Spool` wrote, in order."""
    with (place / SPOOL).open("rb") as file:
        while head := file.read(_HEAD.size):
            frame, pts, time, height, width, rows, columns = _HEAD.unpack(head)
            floats = np.frombuffer(file.read(8 * rows * (_FLOATS + columns)), np.float64)
            wholes = np.frombuffer(file.read(8 * rows * _WHOLES), np.int64)
            numbers = floats.reshape(rows, _FLOATS + columns)
            names = wholes.reshape(rows, _WHOLES)
            yield (
                (height, width),
                FrameDetections(
                    *(frame, None if pts == _NO_PTS else pts, time),
                    boxes=numbers[:, :4],
                    scores=numbers[:, 4],
                    base_scores=numbers[:, 5],
                    label_ids=names[:, 0],
                    track_ids=names[:, 1],
                    track_labels=names[:, 2],
                    classes=classes,
                    score_vectors=numbers[:, _FLOATS:] if columns else None,
                ),
            )


def _packed(found: FrameDetections, size: tuple[int, ...]) -> bytes:
    vectors = found.score_vectors
    columns = 0 if vectors is None else vectors.shape[1]
    pts = _NO_PTS if found.pts is None else found.pts
    parts = [found.boxes, found.scores[:, None], found.base_scores[:, None]]
    floats = np.concatenate(parts if vectors is None else [*parts, vectors], axis=1)
    wholes = np.stack([found.label_ids, found.track_ids, found.track_labels], axis=1)
    head = _HEAD.pack(found.frame, pts, found.time, *size, len(found), columns)
    return head + floats.astype(np.float64).tobytes() + wholes.astype(np.int64).tobytes()


def write_linked(
    place: Path,
    source: StrPath,
    options: DetectOptions,
    info: VideoInfo,
    model: Model,
    linker: TrackletLinker | None,
    clock: StageClock,
    end: float | None,
    finish: Callable[[Callable[[], Frames], Callable[[Frames], Frames]], Frames] | None = None,
    scenes: tuple[int, ...] = (),
) -> Outputs:
    """Write every result file from the frames of a complete spool.

    Args:
        place: the hidden folder with the spool.
        source: is read again for the annotated video.
        options: of the run.
        info: of the source.
        model: of the run.
        linker: knows the whole video; None where tracks are as they were known at once.
        clock: where to count time.
        end: seconds at which the source's last frame ends, None where it was not reached.
        finish: makes the frames that are written of what gives the joined ones, as often as it is
            asked, and of what fills their gaps.
        scenes: first frames of those that were looked at apart.

    Raises:
        InputError: the source cannot be read a second time.
        OutputError: a file cannot be written.
    """
    tracks, cuts = (linker.tracks(), linker.cuts) if linker else ({}, [])

    def joined() -> Frames:
        for size, found in read_spool(place, model.classes):
            yield size, linked(found, tracks, options.score) if linker else found

    def without_gaps(found: Frames) -> Frames:
        return filled(found, options.fill, cuts)

    frames = without_gaps(joined()) if finish is None else finish(joined, without_gaps)
    with open_outputs(place, options, info, model, None, scenes) as outputs:
        for image, found in _with_pictures(source, options, iter(frames)):
            outputs.write(image, found, clock)
        outputs.complete(clock, end)
    return outputs


def _with_pictures(
    source: StrPath,
    options: DetectOptions,
    frames: Iterator[tuple[tuple[int, int], FrameDetections]],
) -> Iterator[tuple[Image, FrameDetections]]:
    """Each frame with its picture; where nothing is drawn, with an empty one of its size."""
    if not options.video:
        for size, found in frames:
            yield np.broadcast_to(np.uint8(0), (*size, 3)), found
        return
    rate, stream = folder_rate(options), options.stream
    with open_video(source, folder_rate=rate, stream=stream, **part_of(options)) as reader:
        for picture, (_, found) in zip(reader, frames, strict=False):
            if picture.index != found.frame:
                raise InputError(f"{shown(source)}: other frames when it was read a second time")
            yield picture.image, found
        if next(frames, None) is not None:
            raise InputError(f"{shown(source)}: fewer frames when it was read a second time")
