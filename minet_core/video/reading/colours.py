"""From decoded pixels to RGB and back, with the right matrix and range.

Video stores luma and colour differences. Which matrix made them (BT.601 or BT.709) and whether
black is 0 or 16 is written in the stream's tags; a guess that ignores them shifts every colour.
High dynamic range is mapped to what is usual, see `hdr`.
"""

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream

from minet_core.video.info import Image
from minet_core.video.reading.hdr import is_hdr, tone_mapped
from minet_core.video.reading.orientation import Orientation, orientation, upright

# AVColorSpace values that swscale's own table of matrices knows under the same number.
_KNOWN_SPACES = {1, 4, 5, 6, 7, 9}


class RgbConverter:
    """Turns decoded frames into upright RGB pictures of one size, the first frame's.

    A stream that changes size midway is scaled to its first size, so that boxes of all frames
    share one coordinate system and the annotated video has one size. `resized` counts such frames.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self.resized = 0

    def __call__(self, frame: av.VideoFrame, stored: Orientation | None = None) -> Image:
        """The (height, width, 3) picture, upright.

        Args:
            frame: as it was decoded.
            stored: which way up it is, where something knows better than its display matrix.
        """
        picture = upright(self._to_rgb(frame), stored or orientation(frame))
        if self._size is None:
            self._size = picture.shape[1], picture.shape[0]
        elif self._size != (picture.shape[1], picture.shape[0]):
            self.resized += 1
            picture = scaled(picture, *self._size)
        return np.ascontiguousarray(picture)

    def _to_rgb(self, frame: av.VideoFrame) -> Image:
        if is_hdr(frame):
            return tone_mapped(frame, self._reformatter)
        space = _colour_space(frame)
        rgb = self._reformatter.reformat(
            frame, format="rgb24", src_colorspace=space, dst_colorspace=space
        )
        return rgb.to_ndarray().astype(np.uint8, copy=False)


def scaled(picture: Image, width: int, height: int) -> Image:
    """An RGB picture in another size, in pixels."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    resized = frame.reformat(width=width, height=height)
    return resized.to_ndarray().astype(np.uint8, copy=False)


def _colour_space(frame: av.VideoFrame) -> int:
    """The frame's matrix, or what players assume of an untagged one: BT.709 from HD upwards."""
    if frame.colorspace in _KNOWN_SPACES:
        return frame.colorspace
    high_definition = frame.width >= 1280 or frame.height > 576
    return Colorspace.ITU709 if high_definition else Colorspace.ITU601


class YuvConverter:
    """Turns RGB pictures into frames of a limited-range BT.709 video with subsampled colour."""

    def __init__(self, pixel_format: str = "yuv420p") -> None:
        self._reformatter = VideoReformatter()
        self._pixel_format = pixel_format

    def __call__(self, image: Image) -> av.VideoFrame:
        """The frame of an (height, width, 3) RGB picture; odd sizes grow by one edge pixel."""
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        return self._reformatter.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"),
            format=self._pixel_format,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
        )


def tag_stream(stream: VideoStream) -> None:
    """Write into an output stream what `YuvConverter` makes, so that players show the same."""
    stream.codec_context.colorspace = Colorspace.ITU709
    stream.codec_context.color_range = ColorRange.MPEG
    stream.codec_context.color_primaries = ColorPrimaries.BT709
    stream.codec_context.color_trc = ColorTrc.BT709
