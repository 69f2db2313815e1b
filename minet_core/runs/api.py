"""MINet in a few lines, for other programs."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

import numpy as np

from minet_core.inference.from_options import online_detector
from minet_core.inference.windows import windows
from minet_core.models.detector import Frame
from minet_core.models.zoo import Model, model_of
from minet_core.options import DetectOptions
from minet_core.results import FrameDetections
from minet_core.video import Part, VideoFrame, open_video

_UNKNOWN_RATE = 30.0


class VideoDetector:
    """Detects in numpy frames, one at a time, and remembers what it has seen.

    Args:
        model: from `load_model`, or None for the one that the options name.
        options: what to detect and how; those of reading and writing play no part.

    Raises:
        ConfigError: there is no such model, class or device.
        WeightsError: a weights file is damaged.
    """

    def __init__(self, model: Model | None = None, options: DetectOptions | None = None) -> None:
        self._options = options or DetectOptions()
        self._model = model or model_of(self._options)
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new video begins, and ids start again from 1."""
        self.online = online_detector(self._model, options=self._options)
        self._next = 0
        self._past: deque[Frame] = deque(maxlen=self._model.window[0])

    def detect(self, frame: Frame, *, time: float | None = None) -> FrameDetections:
        """Detect in the next frame.

        Args:
            frame: (height, width, 3) RGB uint8. OpenCV's are BGR: pass `frame[..., ::-1]`.
            time: seconds, growing from frame to frame; without it, 30 frames a second. Slots of
                the memory retire by it.

        Raises:
            ValueError: the frame is of another shape or type.
        """
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or not frame.size:
            raise ValueError(
                f"a frame is (height, width, 3) uint8, not {frame.shape} {frame.dtype}"
            )
        index = self._next
        self._next += 1
        # Reversed channels and read-only arrays are common, and nothing torch can take.
        frame = np.require(frame, requirements=["C", "W"])
        seconds = index / _UNKNOWN_RATE if time is None else time
        if self._past.maxlen:
            frame = frame.copy()  # it is kept as a neighbour, and its buffer may be used again
        self._model.surround(frame, list(self._past), [])
        self._past.append(frame)
        return self.online.update(frame, frame=index, pts=None, time=seconds)


def iterate_video(
    source: str | Path, detector: VideoDetector | None = None, **part: Unpack[Part]
) -> Iterator[tuple[VideoFrame, FrameDetections]]:
    """Frames of a video with what was found in them, as they are decoded.

    Args:
        source: a video file, a URL, `-` for standard input, or a folder of pictures.
        detector: its memory is reset first; None makes one with the default model.
        **part: `start`, `end`, `stride`, `max_frames`.

    Raises:
        InputError: on iteration, the source cannot be read.
        ConfigError: on iteration, the part can hold no frame.
    """
    with open_video(source, **part) as video:
        detector = detector or VideoDetector()
        detector.reset()
        model = detector.online.model
        for frame, before, after in windows(video, lambda each: each.image, model.window):
            model.surround(frame.image, before, after)
            found = detector.online.update(
                frame.image, frame=frame.index, pts=frame.pts, time=frame.time
            )
            yield frame, found
