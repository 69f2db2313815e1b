"""What every format's writer is, and what it may know of the video."""

from dataclasses import dataclass
from typing import Any, Protocol

from minet_core.results import FrameDetections, Totals


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """Facts for a result's header.

    Attributes:
        video: the source: path, size, rate, time base (see docs/result-format.md).
        model: name of the model or of its weights file.
        settings: what the result depends on: preset, thresholds, size, stride and so on.
        classes: the model's class names, by label id.
        score_vectors: name of the file with every row's scores, None without.
        scenes: first frames of those that were looked at apart, over which no identity goes on.
    """

    video: dict[str, Any]
    model: str
    settings: dict[str, Any]
    classes: tuple[str, ...]
    score_vectors: str | None = None
    scenes: tuple[int, ...] = ()


class ResultWriter(Protocol):
    """Writes one file from frames in order: `begin` or `resume`, `write` for each, `end`.

    It keeps nothing of what it has written but what `resume` can tell it again.
    """

    def begin(self) -> None:
        """Write what comes before the first frame."""
        ...

    def resume(self, totals: Totals) -> None:
        """Go on in a file that has the frames of these totals, in place of `begin`."""
        ...

    def write(self, detections: FrameDetections) -> None:
        """Add one frame, with or without rows."""
        ...

    def end(self, totals: Totals) -> None:
        """Write what comes after the last frame."""
        ...
