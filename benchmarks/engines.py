"""Other engines than ONNX Runtime in single precision for a network of bytes, to be measured."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from minet_core.models.detector import Frame


def in_int8(graph: Path, frames: Sequence[Frame], folder: Path) -> Path:
    """The graph with weights and activations in 8 bits, calibrated on the frames."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._frames = iter(frames[:8])

        def get_next(self) -> dict[str, Any] | None:
            frame = next(self._frames, None)
            if frame is None:
                return None
            picture = torch.from_numpy(frame).permute(2, 0, 1)[None]
            small = interpolate(picture, (352, 480), mode="bilinear", antialias=True)
            return {"pictures": small.permute(0, 2, 3, 1).contiguous().numpy()}

    ready, made = folder / "ready.onnx", folder / f"{graph.stem}-int8.onnx"
    quant_pre_process(graph, ready, skip_symbolic_shape=True)
    quantize_static(
        ready,
        made,
        Reader(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["Conv", "Add"],
    )
    return made


class OpenVino:
    """A graph in OpenVINO, called as an `Engine` is.

    Args:
        graph: of a network of bytes.

    Raises:
        ImportError: OpenVINO is not installed.
    """

    def __init__(self, graph: Path) -> None:
        import openvino

        options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        self._compiled = openvino.Core().compile_model(str(graph), "CPU", options)

    def __call__(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """The outputs for (B, 3, h, w) uint8 pictures."""
        found = self._compiled(pictures.permute(0, 2, 3, 1).contiguous().numpy())
        return tuple(torch.from_numpy(np.array(each)) for each in found.values())
