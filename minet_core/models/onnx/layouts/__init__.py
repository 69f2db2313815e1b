"""Every layout, in the order in which they are tried: the ones that fit fewest graphs first."""

from minet_core.models.onnx.layouts.contract import CellLayout, Decoded, Layout, RowLayout, Rows
from minet_core.models.onnx.layouts.final import EndToEnd, MmDeploy, RtDetr, Torchvision
from minet_core.models.onnx.layouts.nanodet_cells import NanoDetCells, NanoDetPlus
from minet_core.models.onnx.layouts.queries import HuggingFace, RfDetr, UltralyticsQueries
from minet_core.models.onnx.layouts.yolo import Yolo, YoloV5, Yolox

LAYOUTS: dict[str, type[Layout]] = {
    layout.name: layout
    for layout in (
        MmDeploy,
        RfDetr,
        HuggingFace,
        RtDetr,
        Torchvision,
        NanoDetCells,
        Yolo,
        YoloV5,
        Yolox,
        NanoDetPlus,
        EndToEnd,
        UltralyticsQueries,
    )
}

__all__ = ["LAYOUTS", "CellLayout", "Decoded", "Layout", "RowLayout", "Rows"]
