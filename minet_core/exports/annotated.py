"""The annotated video drawn again, as tracks are after edits and whatever an export changes."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from minet_core.boxes import NO_TRACK
from minet_core.formats.annotations import FrameBox, VideoAnnotations
from minet_core.video import Image, Overlay, VideoWriter, open_video
from minet_core.video.placement import letterboxed, placed_in


def write_annotated(
    video: VideoAnnotations,
    source: str,
    path: Path,
    *,
    stream: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Draw boxes, labels and ids on every frame that was looked at.

    Args:
        video: what to draw.
        source: the video, or a folder of pictures.
        path: of the mp4.
        stream: as of `open_video`.
        progress: called after each frame with how many there are.

    Returns:
        How many frames were written.

    Raises:
        InputError: the video cannot be decoded.
        OutputError: the file cannot be written.
    """
    wanted, boxes, overlay = video.looked_at, dict(video.by_frame()), Overlay()
    written = 0
    # Sound would play on while a step skips pictures, or begin before the first one.
    is_whole = wanted.step == 1 and wanted.start == 0 and Path(source).is_file()
    with open_video(source, stream=stream, end=wanted.stop) as reader:
        info = reader.info
        size = info.width, info.height
        with VideoWriter(
            path,
            frame_rate=Fraction(info.frame_rate) / wanted.step,
            time_base=info.time_base,
            pixel_aspect=info.pixel_aspect,
            audio_from=source if is_whole and info.has_audio else None,
        ) as writer:
            for frame in reader:
                if frame.index in wanted:
                    drawn = _drawn(overlay, frame.image, boxes.get(frame.index, []), size)
                    writer.write(drawn, frame.time)
                    written += 1
                    if progress is not None:
                        progress(written)
    return written


def _drawn(overlay: Overlay, image: Image, rows: list[FrameBox], size: tuple[int, int]) -> Image:
    boxes = np.array([row.box for row in rows], np.float64).reshape(-1, 4)
    place = placed_in((image.shape[1], image.shape[0]), size)
    if place is not None:
        image, boxes = letterboxed(image, size), place.inside(boxes)
    return overlay.draw(
        image,
        boxes,
        [row.label for row in rows],
        [row.score for row in rows],
        [NO_TRACK if row.track is None else row.track for row in rows],
        [not row.keyframe for row in rows],
    )
