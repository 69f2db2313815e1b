"""The bundled detector by other engines: what a call costs, and what becomes of its precision.

    python -m benchmarks.detector_engines ROOT... --step 12

Roots are annotated sequences in MOTChallenge's layout, whose first frames calibrate int8. Needs
`onnx` for int8; OpenVINO where it is installed.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from benchmarks.detector_size import measure, pictures_of
from benchmarks.engines import OpenVino, in_int8
from benchmarks.identities.data import folders
from minet_core.datasets.open import open_dataset
from minet_core.models.detector import Frame
from minet_core.models.engine import Engine
from minet_core.models.nanodet.detector import NanoDetDetector, load_nanodet
from minet_core.models.nanodet.network import read_nanodet
from minet_core.models.onnx.session import Session
from minet_core.models.weight_files import DEFAULT_MODEL, detector_file
from minet_core.models.weights import read_safetensors


def main() -> None:
    """Read the arguments and print a line an engine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("roots", nargs="+")
    parser.add_argument("--step", type=int, default=12, help="every n-th frame of a sequence")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    specs = [f"mot:{folder}" for folder in folders(arguments.roots)]
    classes = tuple(sorted({name for spec in specs for name in open_dataset(spec).classes}))
    pictures = [each for spec in specs for each in pictures_of(spec, classes, arguments.step)]
    print(f"{len(pictures)} pictures")
    with tempfile.TemporaryDirectory() as folder:
        for name, network in _engines([each.image for each in pictures], Path(folder)):
            known = load_nanodet(detector_file(DEFAULT_MODEL))
            detector = NanoDetDetector(network, known.classes, known.calibration)
            precision, seconds = measure(pictures, classes, detector)
            print(f"{name:32}{1000 * seconds:7.1f} ms a call{precision:8.2f} AP50", flush=True)


def _engines(frames: list[Frame], folder: Path) -> Iterator[tuple[str, Any]]:
    """Names, and what computes: the first calls of each are not yet made."""
    weights = detector_file(DEFAULT_MODEL)
    graph = weights.with_suffix(".onnx")
    small = in_int8(graph, frames[:: max(1, len(frames) // 8)], folder)
    yield "ONNX Runtime, float32", Engine(Session(graph))
    yield "ONNX Runtime, int8", Engine(Session(small))
    with suppress(ImportError):
        yield "OpenVINO, float32", OpenVino(graph)
        yield "OpenVINO, int8", OpenVino(small)
    tensors = read_safetensors(weights)[1]
    yield "PyTorch, float32", read_nanodet(weights, 80, tensors)
    yield "ONNX Runtime, float32, again", Engine(Session(graph))


if __name__ == "__main__":
    main()
