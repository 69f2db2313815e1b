"""An ONNX file as a `Detector`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from minet_core.boxes import Ints
from minet_core.errors import ConfigError
from minet_core.models.batches import by_size
from minet_core.models.class_columns import ClassColumns
from minet_core.models.detector import BaseDetections, Frame
from minet_core.models.onnx.graph import Graph
from minet_core.models.onnx.layouts import CellLayout, RowLayout
from minet_core.models.onnx.preparation import Canvas, Fit
from minet_core.models.onnx.recognition import Recognised, recognise
from minet_core.models.onnx.session import Arrays, Session
from minet_core.models.onnx.sidecar import Sidecar, read_sidecar
from minet_core.models.proposals import (
    UNCALIBRATED,
    Calibration,
    Floats,
    calibrated,
    highest,
    of_a_pixel,
    score_table,
    suppressed,
    uncalibrated,
    with_copies,
    worth,
)
from minet_core.models.stored_detections import from_final
from minet_core.scores import ScoreKind


class OnnxDetector:
    """A graph of a layout that is known, with names for its classes.

    Args:
        graph: of the file.
        recognised: what it is.
        classes: of it.
        calibration: Platt's (a, b), or None for scores as the graph gives them.

    Attributes:
        classes: names, in column order.
        score_kind: as the layout has it; calibrated scores are independent probabilities.
    """

    in_torch = False

    def __init__(
        self,
        graph: Graph,
        recognised: Recognised,
        classes: ClassColumns,
        calibration: Calibration | None = None,
    ) -> None:
        self.classes = classes.names
        self.recognised = recognised
        self.calibration = calibration
        self._graph = graph
        self._canvas = Canvas(recognised.preparation)
        self._columns = np.array(classes.columns)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of it, a line each."""
        recognised, path = self.recognised, self._graph.session.path
        unsaid = [f"{what} ({recognised.origins[what]})" for what in sorted(recognised.guessed)]
        notes = []
        if unsaid:
            notes.append(
                f"{path.name}: {' and '.join(unsaid)}; `minet model {path}` shows what came of it"
            )
        if self.calibration is None and self.score_kind is ScoreKind.SIGMOID:
            notes.append(uncalibrated(str(path)))
        return tuple(notes)

    @property
    def score_kind(self) -> ScoreKind:
        """What the score columns mean."""
        return ScoreKind.SIGMOID if self.calibration else self.recognised.layout.score_kind

    def detect(self, frames: Sequence[Frame]) -> list[BaseDetections]:
        """What the memory gets of each frame depends on the layout; see `Rows`.

        Boxes are clipped to the frame and are their own proposals. Frames of one size share a
        run, where the graph takes several.

        Raises:
            WeightsError: the graph does not run.
        """
        return by_size(frames, self._detect_equal)

    def _detect_equal(self, frames: list[Frame]) -> list[BaseDetections]:
        layout = self.recognised.layout
        pictures, fit = self._canvas.prepare(frames)
        outputs = self._graph.run(pictures, batched=layout.batched)
        return [
            self._detections(own, fit, frame) for own, frame in zip(outputs, frames, strict=True)
        ]

    def _detections(self, outputs: Arrays, fit: Fit, frame: Frame) -> BaseDetections:
        layout = self.recognised.layout
        if isinstance(layout, CellLayout):
            boxes, raw = self._proposals(layout, outputs, fit)
        else:
            assert isinstance(layout, RowLayout)
            decoded = layout.decode(outputs, (fit.outer_width, fit.outer_height))
            boxes, raw = fit.in_frame(decoded.boxes), decoded.scores
            if decoded.labels is not None:
                return self._from_final(boxes, decoded.labels, raw, frame)
            kept = of_a_pixel(boxes)
            boxes, raw = boxes[kept], raw[kept]
        scores = score_table(raw, layout.score_kind, self._columns, self.calibration)
        regions = torch.from_numpy(boxes)
        return BaseDetections(regions, regions, torch.from_numpy(scores))

    def _proposals(self, layout: CellLayout, outputs: Arrays, fit: Fit) -> tuple[Floats, Floats]:
        """Boxes and raw scores of the best cells after suppression, best first."""
        cells, best = layout.surest(outputs)
        if not layout.as_bundled:
            rows = highest(best, worth(best, self.calibration))
            cells, best = cells[rows], best[rows]
        boxes = fit.in_frame(layout.boxes(outputs, cells, (fit.outer_width, fit.outer_height)))
        kept = suppressed(boxes, best)
        if layout.as_bundled:
            return boxes[kept], layout.scores(outputs, cells[kept])
        return boxes[kept], with_copies(boxes, layout.scores(outputs, cells), kept)

    def _from_final(
        self, boxes: Floats, labels: Ints, scores: Floats, frame: Frame
    ) -> BaseDetections:
        """Rows whose label is a class; others, such as a background, are none."""
        classes = np.searchsorted(self._columns, labels).clip(max=len(self._columns) - 1)
        kept = (self._columns[classes] == labels) & of_a_pixel(boxes)
        values = calibrated(scores[kept], self.calibration or UNCALIBRATED)
        rows, numbers, surest = map(torch.from_numpy, (boxes[kept], classes[kept], values))
        return from_final(rows, numbers, surest, len(self.classes), frame)


def load_onnx(path: Path, device: str = "cpu", size: int | None = None) -> OnnxDetector:
    """A detector in an ONNX file, with what its sidecar says.

    Args:
        path: of the file.
        device: auto, cpu, cuda, cuda:1, mps or coreml, directml.
        size: longer side of the picture that it sees; None for its own.

    Raises:
        WeightsError: the file is damaged, or no detector that is known.
        ConfigError: the sidecar makes no sense or contradicts the file, or the classes are open.
        MinetError: ONNX Runtime is not installed.
    """
    sidecar = read_sidecar(path)
    return detector_of(*look_at(path, sidecar, device, size), sidecar)


def detector_of(graph: Graph, recognised: Recognised, sidecar: Sidecar) -> OnnxDetector:
    """The detector that was recognised.

    Raises:
        ConfigError: nothing names its classes.
    """
    if recognised.classes is None:
        path = graph.session.path
        raise ConfigError(
            f"{path}: its classes are not known ({recognised.origins['classes']}); "
            f"`minet model {path}` writes {sidecar.path.name}, in which you name them"
        )
    return OnnxDetector(graph, recognised, recognised.classes, sidecar.calibration)


def look_at(
    path: Path, sidecar: Sidecar, device: str = "cpu", size: int | None = None
) -> tuple[Graph, Recognised]:
    """The graph in a file, and what it is.

    Raises:
        MinetError: as `load_onnx`, but for open classes.
    """
    graph = Graph(Session(path, device))
    return graph, recognise(graph, sidecar, size)
