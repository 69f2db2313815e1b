"""Make the graphs that ONNX Runtime computes the bundled networks with, from their weights.

    python scripts/make_engines.py

Writes weights/minet-nano-detector.onnx and weights/minet-nano-identify.onnx. Numbers that half
precision holds exactly, as the weights files do, are kept in it. weights/suppression.onnx is one
operator, which the detectors share.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from minet_core.models.engine import MADE_FROM
from minet_core.models.identify.network import PictureFeatures, fuse_batch_norm, read_identify
from minet_core.models.nanodet.detector import load_classes
from minet_core.models.nanodet.network import PictureNanoDet, read_nanodet
from minet_core.models.suppression import GRAPH
from minet_core.models.weight_files import (
    DEFAULT_MODEL,
    detector_file,
    embedder_file,
    weights_folder,
)
from minet_core.models.weights import read_safetensors

OPSET = 17


class FromBytes(nn.Module):
    """A network of (B, h, w, 3) bytes, as frames lie in memory.

    Args:
        network: of (B, 3, h, w) pictures in 0..255.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The network's outputs."""
        found: Tensor | tuple[Tensor, ...] = self.network(pictures.permute(0, 3, 1, 2).float())
        return found


def main() -> None:
    """Write both graphs."""
    path = detector_file(DEFAULT_MODEL)
    metadata, tensors = read_safetensors(path)
    model = read_nanodet(path, len(load_classes(metadata)), tensors)
    write(PictureNanoDet(model), path, ["class_logits", "distance_logits"])
    path = embedder_file()
    network = read_identify(path).eval().requires_grad_(False)
    fuse_batch_norm(network)
    write(PictureFeatures(network), path, ["features"])
    save(suppression(), weights_folder() / GRAPH)


def write(network: nn.Module, weights: Path, outputs: Sequence[str]) -> None:
    """The graph of a network, beside its weights."""
    free = {0: "batch", 1: "height", 2: "width"}
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        torch.onnx.export(
            FromBytes(network).eval(),
            (torch.zeros(1, 330, 410, 3, dtype=torch.uint8),),
            file.name,
            dynamo=False,
            opset_version=OPSET,
            input_names=["pictures"],
            output_names=list(outputs),
            dynamic_axes={"pictures": free, **{name: {0: "batch"} for name in outputs}},
        )
        model = onnx.load(file.name)
    halve(model.graph)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    helper.set_model_props(model, {MADE_FROM: digest})
    model.producer_version = ""  # the same weights give the same file
    save(model, weights.with_suffix(".onnx"))


def suppression() -> onnx.ModelProto:
    """Suppression of (1, N, 4) boxes with (1, 1, N) scores: (M, 3), the last column their rows."""
    node = helper.make_node("NonMaxSuppression", ["boxes", "scores", "limit", "iou"], ["rows"])
    given: list[tuple[str, int, list[int | None]]] = [
        ("boxes", TensorProto.FLOAT, [1, None, 4]),
        ("scores", TensorProto.FLOAT, [1, 1, None]),
        ("limit", TensorProto.INT64, [1]),
        ("iou", TensorProto.FLOAT, [1]),
    ]
    inputs = [helper.make_tensor_value_info(*each) for each in given]
    rows = helper.make_tensor_value_info("rows", TensorProto.INT64, [None, 3])
    graph = helper.make_graph([node], "suppression", inputs, [rows])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def save(model: onnx.ModelProto, target: Path) -> None:
    """Check a graph and write it."""
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString(deterministic=True))
    print(f"{target}: {target.stat().st_size:,} bytes")  # noqa: T201


def halve(graph: onnx.GraphProto) -> None:
    """Keep in half precision what it holds exactly; a cast gives back the rest."""
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or (values.astype(np.float16) != values).any():
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        graph.node.insert(0, node)


if __name__ == "__main__":
    main()
