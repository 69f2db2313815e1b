"""Picture files of any kind, upright and in RGB.

FFmpeg reads most kinds. Pillow does better with TIFF (FFmpeg shows JPEG inside of it in wrong
colours) and AVIF, reads what is animated, and HEIC with tiles where pillow-heif is installed.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from minet_core.video.info import Image
from minet_core.video.reading.colours import RgbConverter
from minet_core.video.reading.orientation import (
    EXIF_ORIENTATIONS,
    Orientation,
    orientation,
    upright,
)

# Tags of TIFF and EXIF.
_BITS_PER_SAMPLE = 258
_ORIENTATION = 274


class Picture(NamedTuple):
    """A picture file.

    Attributes:
        image: upright, of its own size.
        of_many: whether the file has more, as animations do; this is the first.
    """

    image: Image
    of_many: bool = False


class PictureError(Exception):
    """A picture cannot be read; the text says what would help, if anything would."""


def load_picture(file: Path) -> Picture:
    """Read a picture file.

    Raises:
        PictureError: there is none, or none that can be decoded.
    """
    advice = ""
    for read in _readers(file):
        try:
            return read(file)
        except PictureError as error:
            advice = advice or str(error)
        except Exception:
            continue
    raise PictureError(advice)


def read_picture(file: Path) -> Image | None:
    """One picture of its own size, upright, in RGB; None when there is none to decode."""
    with suppress(PictureError):
        return load_picture(file).image
    return None


def picture_size(file: Path) -> tuple[int, int] | None:
    """(width, height) of a picture, upright, mostly without decoding it; None where it is none."""
    with suppress(Exception), Pillow.open(file) as picture:
        # Of TIFF alone Pillow tells the size that a picture has upright.
        turned = picture.format != "TIFF" and picture.getexif().get(_ORIENTATION, 1) >= 5
        return picture.size[::-1] if turned else picture.size
    image = read_picture(file)
    return None if image is None else (image.shape[1], image.shape[0])


def is_animated_webp(file: Path) -> bool:
    """Whether a file is an animation of the one kind that FFmpeg does not decode."""
    with suppress(OSError), file.open("rb") as data:
        head = data.read(64)
        return head.startswith(b"RIFF") and head[8:12] == b"WEBP" and b"ANIM" in head
    return False


def _readers(file: Path) -> tuple[Callable[[Path], Picture], ...]:
    suffix = file.suffix.lower()
    if suffix in (".heic", ".heif"):
        return (_by_pillow, _by_ffmpeg) if _knows_heic() else (_by_ffmpeg,)
    if suffix in (".tif", ".tiff", ".avif"):
        return _by_pillow, _by_ffmpeg
    return _by_ffmpeg, _by_pillow


@cache
def _knows_heic() -> bool:
    """Whether Pillow reads HEIC, which it does by a package of its own."""
    try:
        import_module("pillow_heif").register_heif_opener()
    except ImportError:
        return False
    return True


def _by_ffmpeg(file: Path) -> Picture:
    # FFmpeg gets an open file, not a name, in which it would read `%03d` as a pattern.
    with file.open("rb") as data, av.open(data, "r", metadata_errors="replace") as container:
        if len(container.streams.video) > 1:
            raise PictureError("HEIC made of tiles needs a package: pip install pillow-heif")
        frame = next(container.decode(video=0))
    stored = _photo_orientation(file) or orientation(frame)
    if (values := _deep(frame)) is None:
        return Picture(RgbConverter()(frame, stored))
    return Picture(np.ascontiguousarray(upright(_shown(values), stored)))


def _photo_orientation(file: Path) -> Orientation | None:
    """What a photo's EXIF says; PyAV tells its angle alone, and a wrong one where it mirrors."""
    with suppress(Exception), Pillow.open(file) as picture:
        return EXIF_ORIENTATIONS.get(picture.getexif().get(_ORIENTATION, 0))
    return None


def _deep(frame: av.VideoFrame) -> NDArray[np.generic] | None:
    """The grey or RGB values of a picture of 16 bits; None of others."""
    parts = frame.format.components
    if parts[0].bits != 16 or not (frame.format.is_rgb or len(parts) < 3):
        return None
    if len(parts) == 2:  # grey with alpha
        return frame.to_ndarray(format="gray16le")
    values = frame.to_ndarray()
    return values if values.ndim == 2 else values[:, :, :3]


def _by_pillow(file: Path) -> Picture:
    with Pillow.open(file) as picture:
        if picture.mode.startswith("RGB") and _bits(picture) > 8:
            raise PictureError  # Pillow would cut off the lower bits
        of_many = getattr(picture, "n_frames", 1) > 1
        turned = ImageOps.exif_transpose(picture)
        if turned.mode[0] in "IF":
            return Picture(_shown(np.asarray(turned)), of_many)
        return Picture(np.array(turned.convert("RGB")), of_many)


def _bits(picture: Pillow.Image) -> int:
    tags = getattr(picture, "tag_v2", {})
    return int(max(tags.get(_BITS_PER_SAMPLE, (8,))))


def _shown(values: NDArray[np.generic]) -> Image:
    """RGB of deep values (height, width) or (height, width, 3), scaled by their range.

    Cameras fill 10, 12 or 14 of 16 bits, and measured values can be anywhere. So values that span
    less than half of 16 bits become as dark as black and as bright as white; others keep theirs.
    """
    numbers = values.astype(np.float64)
    known = numbers[np.isfinite(numbers)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    if high == low or (values.dtype == np.uint16 and high - low >= 1 << 15):
        low, high = 0.0, 65535.0
    levels = np.rint((numbers - low) * (255 / (high - low)))
    shown = np.nan_to_num(levels).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.stack([shown] * 3, axis=-1) if shown.ndim == 2 else shown)
