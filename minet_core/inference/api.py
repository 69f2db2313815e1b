"""MINet in a few lines, for other programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

from minet_core.config import PRESETS, DetectOptions
from minet_core.inference.online import OnlineDetector
from minet_core.inference.pipeline import label_ids
from minet_core.models.detector import Frame
from minet_core.models.zoo import Model, load_model
from minet_core.results import FrameDetections
from minet_core.video import Part, VideoFrame, open_video

_UNKNOWN_RATE = 30.0


class VideoDetector:
    """Detects in numpy frames, one at a time, and remembers what it has seen.

    Args:
        model: a model, or None for the default of `options`.
        options: what to detect and how; those of reading and writing play no part.
    """

    def __init__(self, model: Model | None = None, options: DetectOptions | None = None) -> None:
        self._options = options or DetectOptions()
        self._model = model or load_model(
            self._options.model, size=self._options.size, device=self._options.device
        )
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new video begins, and ids start again from 1."""
        options = self._options
        self.online = OnlineDetector(
            self._model,
            PRESETS[options.preset] if options.memory else None,
            score=options.score,
            keep=label_ids(options.classes, self._model.detector.classes),
        )
        self._next = 0

    def detect(self, frame: Frame, *, time: float | None = None) -> FrameDetections:
        """Detect in the next frame.

        Args:
            frame: (height, width, 3) RGB uint8.
            time: seconds, growing from frame to frame; without it, 30 frames a second.
        """
        index = self._next
        self._next += 1
        seconds = index / _UNKNOWN_RATE if time is None else time
        return self.online.update(frame, frame=index, pts=None, time=seconds)


def iterate_video(
    source: str | Path, detector: VideoDetector | None = None, **part: Unpack[Part]
) -> Iterator[tuple[VideoFrame, FrameDetections]]:
    """Frames of a video with what was found in them, as they are decoded.

    Args:
        source: a video file or a folder of pictures.
        detector: its memory is reset first; None makes one with the default model.
        **part: `start`, `end`, `stride`, `max_frames`.

    Raises:
        InputError: the source cannot be read.
    """
    detector = detector or VideoDetector()
    detector.reset()
    with open_video(source, **part) as video:
        for frame in video:
            yield (
                frame,
                detector.online.update(
                    frame.image, frame=frame.index, pts=frame.pts, time=frame.time
                ),
            )
