"""What every dataset is: videos of pictures with boxes, classes and track ids.

Nothing is read before it is asked for, one frame at a time, so a dataset of 176,126 frames takes
no more memory than its list of videos. This package needs no torch.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import Boxes
from minet_core.datasets.pictures import Pictures, PictureVideo
from minet_core.datasets.problems import Problem, Problems
from minet_core.errors import InputError
from minet_core.video.info import Image
from minet_core.video.reading.colours import scaled

_SAME_SHAPE = 0.02
"""Most that height/width may differ, relatively, for a picture to be a scaled copy."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameTruth(Boxes):
    """What is annotated in one frame, a row a box.

    Attributes:
        index: 0-based place of the frame in its video.
        boxes: (N, 4) float64 xyxy pixels, as the file has them; whether x2 and y2 are the last
            pixel inside or the edge behind it is `Dataset.inclusive`.
        label_ids: (N,) int64 index into `Dataset.classes`.
        track_ids: (N,) int64, unique within a frame, the same object throughout a video;
            NO_TRACK where none is known.
        ignore: (N,) bool; finding such a box is neither right nor wrong.
        occluded: (N,) bool.
        generated: (N,) bool; made by a tracker, not by a human.
        annotated: whether somebody looked at this frame. Where not, the absence of boxes means
            nothing and the frame is not to be scored.
    """

    index: int
    boxes: NDArray[np.float64]
    label_ids: NDArray[np.int64]
    track_ids: NDArray[np.int64]
    ignore: NDArray[np.bool_]
    occluded: NDArray[np.bool_]
    generated: NDArray[np.bool_]
    annotated: bool = True


def no_truth(index: int, *, annotated: bool) -> FrameTruth:
    """A frame without boxes; `annotated` tells whether there are none or none are known."""
    none, flags = np.zeros(0, np.int64), np.zeros(0, np.bool_)
    return FrameTruth(index, np.zeros((0, 4)), none, none, flags, flags, flags, annotated)


class VideoTruth:
    """One video: its pictures, and what is annotated in them.

    Args:
        name: unique in the dataset; for ImageNet VID the path of the snippet, with the split.
        pictures: of the whole video.
        truth: from a 0-based frame to what is annotated there.
        size: gives (width, height) of the annotation in pixels, or None where it says nothing.
        problems: where to count what is wrong.
        frame_rate: frames per second.
        chosen: 0-based frames to score, in order; None for all.

    Attributes:
        name: as given.
        frame_rate: as given.
        chosen: (M,) int64, as given.
    """

    def __init__(
        self,
        name: str,
        pictures: Pictures,
        truth: Callable[[int], FrameTruth],
        *,
        size: Callable[[], tuple[int, int] | None],
        problems: Problems,
        frame_rate: Fraction = Fraction(30),
        chosen: NDArray[np.int64] | None = None,
    ) -> None:
        self.name = name
        self.frame_rate = frame_rate
        self.chosen = np.arange(len(pictures)) if chosen is None else chosen
        self._pictures = pictures
        self._truth = truth
        self._stated_size = size
        self._problems = problems

    def __len__(self) -> int:
        """Number of frames, chosen or not."""
        return len(self._pictures)

    @property
    def in_order_only(self) -> bool:
        """Whether one picture takes as long as all before it: those of a video file do."""
        return isinstance(self._pictures, PictureVideo)

    def first(self, frames: int) -> "VideoTruth":
        """The beginning of the video: no more than so many frames."""
        return self.with_pictures(self._pictures.first(frames))

    def with_pictures(self, pictures: Pictures) -> "VideoTruth":
        """The same video with pictures from elsewhere; frames behind the last one go."""
        return VideoTruth(
            self.name,
            pictures,
            self._truth,
            size=self._stated_size,
            problems=self._problems,
            frame_rate=self.frame_rate,
            chosen=self.chosen[self.chosen < len(pictures)],
        )

    @cached_property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels as annotated, or else of the first picture there is.

        Raises:
            InputError: no annotation states it and no picture can be read.
        """
        if stated := self._stated_size():
            return stated
        for _, image in self._pictures:
            if image is not None:
                return image.shape[1], image.shape[0]
        raise InputError(f"{self.name}: no picture of this video can be read")

    def frame(self, index: int) -> FrameTruth:
        """What is annotated in any frame of the video."""
        return self._truth(index)

    def frames(self) -> Iterator[FrameTruth]:
        """What is annotated in the chosen frames, in order, one at a time."""
        return (self._truth(int(index)) for index in self.chosen)

    def image(self, index: int) -> Image | None:
        """A frame's picture in the video's `size`; None, and counted, when it cannot be read.

        Of a video file this decodes from the beginning; use `images` to go through it.

        Raises:
            InputError: the picture has another shape than the annotation states.
        """
        return self._fitted(index, self._pictures.read(index))

    def images(self) -> Iterator[tuple[int, Image]]:
        """(index, picture) of all frames that can be read, chosen or not: memory wants them all.

        Raises:
            InputError: a picture has another shape than the annotation states.
        """
        return self._all_fitted(self._pictures)

    def images_backward(self) -> Iterator[tuple[int, Image]]:
        """As `images`, from the last frame to the first."""
        return self._all_fitted(self._pictures.backward())

    def _all_fitted(
        self, pictures: Iterable[tuple[int, Image | None]]
    ) -> Iterator[tuple[int, Image]]:
        for index, picture in pictures:
            if (image := self._fitted(index, picture)) is not None:
                yield index, image

    def _fitted(self, index: int, picture: Image | None) -> Image | None:
        place = self._pictures.place(index)
        if picture is None:
            self._problems.add(Problem.NO_PICTURE, place)
            return None
        width, height = self.size
        if picture.shape[:2] == (height, width):
            return picture
        shape = picture.shape[0] / picture.shape[1]
        if abs(shape * width / height - 1) > _SAME_SHAPE:
            raise InputError(
                f"{place}: the picture is {picture.shape[1]}×{picture.shape[0]}, "
                f"but its annotation is for {width}×{height}"
            )
        self._problems.add(Problem.OTHER_SIZE, place)
        return scaled(picture, width, height)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Videos with truth.

    Attributes:
        name: what it was opened as, for messages and file names.
        classes: names, in the order of label ids.
        videos: in the order of the dataset's list.
        inclusive: whether x2 and y2 are the last pixel inside a box (ImageNet VID), so that it is
            x2 - x1 + 1 wide; otherwise they are the edge behind it and it is x2 - x1 wide.
        problems: what is wrong with it, of what was read up to now.
        notes: what to know before it is used, a line each.
    """

    name: str
    classes: tuple[str, ...]
    videos: tuple[VideoTruth, ...]
    inclusive: bool
    problems: Problems
    notes: tuple[str, ...] = ()
