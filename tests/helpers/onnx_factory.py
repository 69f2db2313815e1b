"""ONNX graphs whose answers can be foretold: they give the same arrays whatever they see."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

PICTURE = (1, 3, 64, 64)
Shape = Sequence[int | str]
OPSET, IR = 17, 8


def write_graph(
    path: Path,
    outputs: Mapping[str, NDArray[Any]],
    *,
    picture: Shape = PICTURE,
    others: Mapping[str, tuple[int, Shape]] | None = None,
    metadata: Mapping[str, str] | None = None,
    free: Mapping[str, Shape] | None = None,
    input_type: int = TensorProto.FLOAT,
) -> Path:
    """A graph that gives `outputs`, with the batch first, for each picture of a batch.

    Args:
        path: of the file.
        outputs: by name, for one picture, with the dimension of the batch.
        picture: shape of the input `images`.
        others: further inputs: type and shape.
        metadata: of the file.
        free: shapes to declare for outputs in place of their own.
        input_type: of the pictures.
    """
    nodes, constants, declared = [], [], []
    for name, array in outputs.items():
        constants.append(numpy_helper.from_array(array, f"{name}_value"))
        nodes.append(helper.make_node("Identity", [f"{name}_value"], [name]))
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        declared.append(
            helper.make_tensor_value_info(name, kind, (free or {}).get(name) or array.shape)
        )
    return save(path, nodes, constants, declared, picture, others, metadata, input_type)


def write_batch_graph(path: Path, table: NDArray[Any], *, picture: Shape) -> Path:
    """A graph that gives `table` (1, A, X) for each picture, plus its mean in column 0."""
    shift = np.zeros(table.shape, np.float32)
    shift[..., 0] = 1
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(shift, "shift"),
        numpy_helper.from_array(np.array([-1, 1, 1], np.int64), "three"),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Reshape", ["mean", "three"], ["means"]),
        helper.make_node("Mul", ["means", "shift"], ["shifts"]),
        helper.make_node("Add", ["shifts", "table"], ["output"]),
    ]
    shape = (picture[0], *table.shape[1:])
    declared = [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)]
    return save(path, nodes, constants, declared, picture)


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: list[onnx.TensorProto],
    outputs: list[onnx.ValueInfoProto],
    picture: Shape = PICTURE,
    others: Mapping[str, tuple[int, Shape]] | None = None,
    metadata: Mapping[str, str] | None = None,
    input_type: int = TensorProto.FLOAT,
) -> Path:
    """Write a graph of these parts, with the input `images`."""
    inputs = [helper.make_tensor_value_info("images", input_type, picture)]
    inputs += [helper.make_tensor_value_info(n, *rest) for n, rest in (others or {}).items()]
    graph = helper.make_graph(nodes, "test", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR
    helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
