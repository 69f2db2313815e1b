"""A frame as a network wants it, and the way back for its boxes."""

import math
import threading
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from minet_core.models.detector import Frame
from minet_core.video.drawing.lettering import load_opencv

Triple = tuple[float, float, float]
Floats = NDArray[np.float32]


class Resize(StrEnum):
    """How a frame is brought to the network's size."""

    LETTERBOX = "letterbox"
    """As large as fits, ratio kept; the rest is padding."""
    STRETCH = "stretch"
    """To the very size, ratio lost."""
    EDGES = "edges"
    """Shorter side to `size[1]`, but the longer one to no more than `size[0]`; ratio kept."""
    NONE = "none"
    """Not at all: the network takes pictures of any size."""


class PaddingPlace(StrEnum):
    """Where the picture is in a padded one."""

    CENTRE = "centre"
    CORNER = "corner"
    """Upper left."""


class Interpolation(StrEnum):
    """How pixels are made when the size changes."""

    LINEAR = "linear"
    """Bilinear between the four nearest, as OpenCV and plain torch do."""
    ANTIALIAS = "antialias"
    """Bilinear over all that a new pixel covers, as PIL does."""


class Order(StrEnum):
    """Order of the channels."""

    RGB = "rgb"
    BGR = "bgr"


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is done to a frame before a network sees it.

    Attributes:
        size: (width, height) in pixels; for `Resize.EDGES` (longest, shortest).
        resize: how a frame is brought to it.
        interpolation: how pixels are made.
        order: of the channels.
        mean: subtracted from each channel, in `order`, of pixels from 0 to 255.
        std: what the difference is divided by.
        padding: value of each padding channel, on the scale of pixels.
        place: where the picture is in a padded one.
        multiple: pad to the next multiple of so many pixels only; None pads to `size`.
    """

    size: tuple[int, int] = (640, 640)
    resize: Resize = Resize.LETTERBOX
    interpolation: Interpolation = Interpolation.LINEAR
    order: Order = Order.RGB
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (255.0, 255.0, 255.0)
    padding: Triple = (114.0, 114.0, 114.0)
    place: PaddingPlace = PaddingPlace.CENTRE
    multiple: int | None = None

    def fit(self, width: int, height: int) -> "Fit":
        """How a frame of that size stands in the network's picture."""
        new_width, new_height = self._resized(width, height)
        if self.resize is Resize.STRETCH or (self.resize is Resize.LETTERBOX and not self.multiple):
            outer_width, outer_height = self.size
        else:
            step = self.multiple or 1
            outer_width, outer_height = (
                -(-side // step) * step for side in (new_width, new_height)
            )
        centred = self.place is PaddingPlace.CENTRE
        left = (outer_width - new_width) // 2 if centred else 0
        top = (outer_height - new_height) // 2 if centred else 0
        return Fit(width, height, new_width, new_height, outer_width, outer_height, left, top)

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        if self.resize is Resize.NONE:
            return width, height
        if self.resize is Resize.STRETCH:
            return self.size
        if self.resize is Resize.EDGES:
            scale = min(max(self.size) / max(width, height), min(self.size) / min(width, height))
        else:
            scale = min(self.size[0] / width, self.size[1] / height)
        return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass(frozen=True)
class Fit:
    """A frame in a network's picture: sizes in pixels, and where its upper left corner is.

    Attributes:
        width: of the frame.
        height: of the frame.
        new_width: of the frame after resizing.
        new_height: of the frame after resizing.
        outer_width: of the network's picture.
        outer_height: of the network's picture.
        left: of the frame in it.
        top: of the frame in it.
    """

    width: int
    height: int
    new_width: int
    new_height: int
    outer_width: int
    outer_height: int
    left: int
    top: int

    def in_frame(self, boxes: Floats) -> Floats:
        """(N, 4) boxes in pixels of the network's picture → of the frame, clipped to it."""
        corner, scale, end = self._sides
        moved = boxes - corner
        moved /= scale
        np.maximum(moved, 0, out=moved)
        inside: Floats = np.minimum(moved, end, out=moved)
        return inside

    @cached_property
    def _sides(self) -> Floats:
        """(3, 4): the frame's corner in the picture, its scale, and its own lower right corner."""
        scale = self.new_width / self.width, self.new_height / self.height
        sides = (self.left, self.top), scale, (self.width, self.height)
        return np.array([pair * 2 for pair in sides], np.float32)

    def in_picture(self, boxes: Tensor) -> Tensor:
        """(N, 4) boxes in pixels of the frame → of the network's picture."""
        scale = self.new_width / self.width, self.new_height / self.height
        return boxes * boxes.new_tensor(scale * 2) + boxes.new_tensor([self.left, self.top] * 2)


class Canvas(threading.local):
    """Where frames become pictures for a network: memory that a thread keeps from call to call.

    Args:
        how: a frame is prepared.
    """

    def __init__(self, how: Preparation) -> None:
        mean, std, padding = np.array((how.mean, how.std, how.padding), np.float32)
        scales = 1 / std
        offsets = -mean * scales
        self._how = how
        self._numbers = list(zip(scales.tolist(), offsets.tolist(), strict=True))
        self._padding = (padding * scales + offsets)[:, None, None]
        self._pictures = np.empty((0, 3, 0, 0), np.float32)
        self._frames: tuple[int, ...] = ()

    def prepare(self, frames: list[Frame]) -> tuple[Floats, Fit]:
        """As the function `prepare`; the pictures are overwritten by the thread's next call.

        Raises:
            MinetError: OpenCV, which interpolates linearly, cannot be loaded.
        """
        how, shape = self._how, (len(frames), *frames[0].shape[:2])
        if shape != self._frames:
            self._lay_out(*shape)
            self._frames = shape
        split = load_opencv("prepare frames").split
        for channels, frame in zip(self._channels, frames, strict=True):
            planes = split(_resized(frame, self._fit, how.interpolation), self._planes)
            ordered = planes[::-1] if how.order is Order.BGR else planes
            for channel, plane, (scale, offset) in zip(
                channels, ordered, self._numbers, strict=True
            ):
                channel[:] = plane
                if scale != 1:
                    channel *= scale
                if offset:
                    channel += offset
        return self._pictures, self._fit

    def _lay_out(self, count: int, height: int, width: int) -> None:
        """Find where frames of that size go, and fill what is beside them."""
        fit = self._how.fit(width, height)
        shape = count, 3, fit.outer_height, fit.outer_width
        if shape != self._pictures.shape:
            self._pictures = np.empty(shape, np.float32)
            self._bytes = np.empty((3, fit.outer_height * fit.outer_width), np.uint8)
        down = slice(fit.top, fit.top + fit.new_height)
        right = slice(fit.left, fit.left + fit.new_width)
        for beside in (
            self._pictures[:, :, : down.start],
            self._pictures[:, :, down.stop :],
            self._pictures[:, :, down, : right.start],
            self._pictures[:, :, down, right.stop :],
        ):
            beside[:] = self._padding
        size = fit.new_height, fit.new_width
        self._planes = [plane[: math.prod(size)].reshape(size) for plane in self._bytes]
        self._channels = [list(picture) for picture in self._pictures[:, :, down, right]]
        self._fit = fit


def prepare(frames: list[Frame], how: Preparation) -> tuple[Floats, Fit]:
    """(B, 3, h, w) pictures for the network of B frames of one size, and how they stand in them.

    Raises:
        MinetError: OpenCV, which interpolates linearly, cannot be loaded.
    """
    return Canvas(how).prepare(frames)


def _resized(frame: Frame, fit: Fit, interpolation: Interpolation) -> NDArray[np.uint8]:
    """(h, w, 3) of a (H, W, 3) frame."""
    width, height = fit.new_width, fit.new_height
    if (width, height) == (fit.width, fit.height):
        return frame
    if interpolation is Interpolation.LINEAR:  # a tenth of torch's time
        resized = load_opencv("resize frames").resize(frame, (width, height))
        return np.asarray(resized, np.uint8)
    picture = torch.from_numpy(frame).permute(2, 0, 1)[None]
    smaller = interpolate(picture, (height, width), mode="bilinear", antialias=True)
    return np.asarray(smaller[0].permute(1, 2, 0).numpy())
