"""A Faster R-CNN that aggregates frames, at work: each frame goes through the backbone once."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from minet_core.models.aggregation.seen import Seen
from minet_core.models.detector import Frame
from minet_core.models.faster_rcnn.detector import RcnnDetector
from minet_core.models.faster_rcnn.network import FasterRcnn, SharedFeatures


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A frame of the window.

    Attributes:
        frame: the array by which it is known.
        seen: its features.
        size: of the scaled picture, without padding.
        scale: pixels of that picture to one of the frame.
    """

    frame: Frame
    seen: Seen
    size: tuple[int, int]
    scale: float


class WindowedDetector(RcnnDetector):
    """Detector and embedder of frames with neighbours; see `Windowed`.

    Features of the frames in the window are kept, known by the arrays themselves, so write
    nothing into one that will be named again. A frame that was not surrounded is seen alone.

    Args:
        model: one that aggregates.
        device: where it runs.
    """

    def __init__(self, model: FasterRcnn, device: str | torch.device = "cpu") -> None:
        super().__init__(model, device)
        self._kept: list[_Kept] = []
        self._surrounded: Frame | None = None

    @property
    def window(self) -> tuple[int, int]:
        """Frames before and after that a frame is aggregated with."""
        before, after = self.model.config.window
        return before, after

    @torch.no_grad()
    def surround(self, frame: Frame, before: Sequence[Frame], after: Sequence[Frame]) -> None:
        """See `Windowed`."""
        wanted = [*before, frame, *after]
        kept = [self._of(each) for each in wanted]
        self._kept = kept
        own = kept[len(before)]
        others = [each.seen for each in kept if each is not own]
        assert self.model.aggregation is not None
        conv4, conv5 = self.model.aggregation(own.seen, others)
        kind = self.model.mean.dtype
        self._shared = SharedFeatures([conv4.to(kind)], [conv5.to(kind)], [own.size], [own.scale])
        self._seen, self._surrounded = [frame], frame

    def _of(self, frame: Frame) -> _Kept:
        """A frame's features: those that are kept, or else by a pass of the backbone."""
        for each in self._kept:
            if each.frame is frame:
                return each
        shared = self.model.features([torch.from_numpy(frame).permute(2, 0, 1)])
        seen = self.model.see(shared, 0)
        if self.model.config.half_window:
            seen = seen.halved()
        return _Kept(frame, seen, shared.sizes[0], shared.scales[0])

    def _look(self, frames: Sequence[Frame]) -> None:
        if len(frames) == 1 and frames[0] is self._surrounded:
            return
        self._surrounded = None
        super()._look(frames)


def rcnn_detector(model: FasterRcnn, device: str | torch.device = "cpu") -> RcnnDetector:
    """A network at work, of either kind."""
    return (RcnnDetector if model.aggregation is None else WindowedDetector)(model, device)
