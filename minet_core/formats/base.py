"""What every format's writer is, and what it may know of the video."""

from dataclasses import dataclass
from typing import Any, Protocol

from minet_core.results import FrameDetections


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """Facts for a result's header.

    Attributes:
        video: the source: path, size, rate, time base (see docs/result-format.md).
        model: name of the model or of its weights file.
        settings: what the result depends on: preset, thresholds, size, stride and so on.
        classes: the model's class names, by label id.
    """

    video: dict[str, Any]
    model: str
    settings: dict[str, Any]
    classes: tuple[str, ...]


class ResultWriter(Protocol):
    """Takes frames in order; its context manager completes the file."""

    def write(self, detections: FrameDetections) -> None:
        """Add one frame, with or without rows."""
        ...
