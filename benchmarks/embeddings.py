"""What tells objects apart, and what it costs: the table of docs/performance.md.

    python -m benchmarks.embeddings TRACKED/elephants TUD-Campus --windows 2

For each way to embed, milliseconds of CPU a frame (features, 300 proposals, 48 support boxes; of
crops 8 objects), and how often an identifier that has learnt from ten frames gives its own object
the highest association of all true boxes 1, 8 and 25 frames later, with the mean margin. Roots are
annotated sequences in MOTChallenge's layout. Needs `onnx` for int8; OpenVINO where it is installed.
"""

import argparse
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from benchmarks.engines import OpenVino, in_int8
from benchmarks.identities.data import folders
from minet_core.box_tensors import box_iou, operators
from minet_core.config import VIDEO
from minet_core.datasets.open import open_dataset
from minet_core.memory.identifier import solve
from minet_core.memory.support import positive_boxes
from minet_core.models.crops import equal_crops
from minet_core.models.detector import Frame
from minet_core.models.engine import Engine
from minet_core.models.identify.embedder import (
    CROP,
    EngineIdentify,
    IdentifyEmbedder,
    load_identify,
)
from minet_core.models.identify.embedding import unit
from minet_core.models.nanodet.detector import load_classes
from minet_core.models.nanodet.network import PictureNanoDet, read_nanodet
from minet_core.models.onnx.session import Session
from minet_core.models.weight_files import DEFAULT_MODEL, detector_file, embedder_file
from minet_core.models.weights import read_safetensors
from minet_core.models.zoo import load_model

LEARNT, LATER = 10, (1, 8, 25)
CROPS = ((128, 64), CROP)
Embed = Callable[[Frame, Sequence[Tensor]], list[Tensor]]
"""Embeddings at each of several tables of boxes in a frame."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to embed.

    Attributes:
        name: in the table.
        embed: see `Embed`.
        boxes: how many tables of boxes its cost is of: proposals and support, or objects alone.
    """

    name: str
    embed: Embed
    crops: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame: picture, true boxes with their ids, and a detector's proposals elsewhere."""

    image: Frame
    boxes: Tensor
    ids: list[int]
    elsewhere: Tensor


def main() -> None:
    """Print a line a way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("roots", nargs="+")
    parser.add_argument("--windows", type=int, default=2, help="of each sequence")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="ways whose name has it")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    windows = list(_windows(arguments.roots, arguments.windows))
    print(f"{len(windows)} windows of {len(arguments.roots)} sequences")
    with tempfile.TemporaryDirectory() as folder:
        for way in _ways([window[0].image for window in windows], Path(folder)):
            if arguments.only and not any(word in way.name for word in arguments.only):
                continue
            own, margin, count = _ranks(way, windows)
            cost = _cost(way, windows)
            print(f"{way.name:44}{cost:7.1f} ms{own:8.1%}{margin:7.2f}  of {count}", flush=True)


def _windows(roots: list[str], count: int) -> Iterator[list[Seen]]:
    """Frames of each window: those learnt from, then the later ones."""
    detector = load_model(device="cpu").detector
    for folder in folders(roots):
        (video,) = open_dataset(f"mot:{folder}").videos
        last = len(video) - LEARNT - LATER[-1]
        begins = np.linspace(0, max(last, 0), count + 1, dtype=int)[: -1 if last > 0 else 0]
        wanted = {
            int(begin): [*range(begin, begin + LEARNT), *(begin + LEARNT - 1 + n for n in LATER)]
            for begin in begins
        }
        needed = {frame for frames in wanted.values() for frame in frames}
        seen: dict[int, Seen] = {}
        for index, image in video.images():
            if index in needed:
                truth = video.frame(index)
                counted = ~truth.ignore
                boxes = torch.from_numpy(truth.boxes[counted]).float()
                (base,) = detector.detect([image])
                free = (box_iou(base.proposals, boxes) < 0.5).all(dim=1)
                ids = truth.track_ids[counted].tolist()
                seen[index] = Seen(image, boxes, ids, base.proposals[free])
        yield from ([seen[frame] for frame in frames] for frames in wanted.values())


def _ranks(way: Way, windows: list[list[Seen]]) -> tuple[float, float, int]:
    """Share of identifiers whose own object comes first, mean margin, and of how many."""
    first, margins = [], []
    for window in windows:
        learnt = [_looked(way, frame) for frame in window[:LEARNT]]
        for number in set.intersection(*(set(frame.ids) for frame in window[:LEARNT])):
            gram, moment = torch.zeros(()), torch.zeros(())
            for frame, (own, support, rest) in zip(window[:LEARNT], learnt, strict=True):
                place = frame.ids.index(number)
                others = torch.cat([own[:place], own[place + 1 :], rest]).double()
                weight = min(1.0, VIDEO.negatives / max(len(others), 1))
                positive = support[place].double()
                gram = gram + positive.mT @ positive + weight * others.mT @ others
                moment = moment + positive.sum(dim=0)
            identifier = solve(gram, moment, VIDEO.ridge)
            for frame in window[LEARNT:]:
                if number in frame.ids and len(frame.ids) > 1:
                    (seen,) = way.embed(frame.image, [frame.boxes])
                    known = seen.double() @ identifier
                    place = frame.ids.index(number)
                    margin = known[place] - torch.cat([known[:place], known[place + 1 :]]).max()
                    first.append(bool(margin > 0))
                    margins.append(float(margin))
    return float(np.mean(first)), float(np.mean(margins)), len(first)


def _looked(way: Way, frame: Seen) -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings at true boxes, at their shifted copies, and elsewhere."""
    copies = positive_boxes(frame.boxes, VIDEO.positives)
    rest = frame.elsewhere[:8] if way.crops else frame.elsewhere
    own, support, others = way.embed(frame.image, [frame.boxes, copies.flatten(0, 1), rest])
    return own, support.view(*copies.shape[:2], -1), others


def _cost(way: Way, windows: list[list[Seen]]) -> float:
    """Milliseconds of CPU a frame, median."""
    spent = []
    for window in windows:
        frame = window[0]
        grid = torch.rand(300, 2) * torch.tensor(frame.image.shape[1::-1]) * 0.8
        boxes = torch.cat([grid, grid + 60], dim=1)
        asked = [boxes[:8]] if way.crops else [boxes, boxes[:48]]
        for _ in range(3):
            started = process_time()
            way.embed(frame.image, asked)
            spent.append(process_time() - started)
    return 1000 * median(spent)


def _ways(frames: list[Frame], folder: Path) -> Iterator[Way]:
    graph = embedder_file().with_suffix(".onnx")
    for side in (640, 512, 416):
        yield Way(
            f"identify network, {side} pixels", _of(load_identify(embedder_file(), max_side=side))
        )
    yield Way(
        "the same, 640, backbone in int8",
        _of(_with(Engine(Session(in_int8(graph, frames, folder))))),
    )
    with suppress(ImportError):
        yield Way("the same, 640, backbone by OpenVINO", _of(_with(OpenVino(graph))))
    for name, place in (("8, 128 channels", 0), ("16, 256 channels", 1)):
        yield Way(
            f"the detector's features at stride {name}", partial(_of_detector, _detector(), place)
        )
    for size in CROPS:
        yield Way(
            f"crops of {size[0]} × {size[1]}, 8 objects",
            partial(_of_crops, _with(None), size),
            crops=True,
        )


def _of(embedder: IdentifyEmbedder) -> Embed:
    def embed(frame: Frame, tables: Sequence[Tensor]) -> list[Tensor]:
        features = embedder.features(frame)
        return [embedder.embed(features, boxes) for boxes in tables]

    return embed


def _with(engine: Any) -> IdentifyEmbedder:
    """The bundled network with another backbone."""
    weights = read_safetensors(embedder_file())[1]
    engine = engine or Engine(Session(embedder_file().with_suffix(".onnx")))
    return IdentifyEmbedder(EngineIdentify(engine, weights["head.weight"], weights["head.bias"]))


def _detector() -> PictureNanoDet:
    path = detector_file(DEFAULT_MODEL)
    metadata, tensors = read_safetensors(path)
    return PictureNanoDet(read_nanodet(path, len(load_classes(metadata)), tensors)).eval()


@torch.no_grad()
def _of_detector(
    network: PictureNanoDet, place: int, frame: Frame, tables: Sequence[Tensor]
) -> list[Tensor]:
    """Cells of the detector's own features as they are; what the network costs counts too here."""
    height, width = frame.shape[:2]
    scale = 416 / max(height, width)
    size = [round(side * scale / 32) * 32 for side in (height, width)]
    picture = torch.from_numpy(frame).permute(2, 0, 1)[None].float()
    picture = interpolate(picture, size, mode="bilinear", antialias=True)
    found = network.model.backbone(((picture - network.mean) / network.std).flip(1))[place]
    ratio = torch.tensor([size[1] / width, size[0] / height]).repeat(2) / (8, 16)[place]
    regions = [torch.cat([t.new_zeros(len(t), 1), t * ratio], dim=1) for t in tables]
    cut = operators().roi_align
    return [unit(cut(found, rows, 1.0, 4, 2, 2, True).flatten(1)) for rows in regions]


@torch.no_grad()
def _of_crops(
    embedder: IdentifyEmbedder, size: tuple[int, int], frame: Frame, tables: Sequence[Tensor]
) -> list[Tensor]:
    """Each box cut out, made of one size, and looked at alone."""
    network: Any = embedder.network
    crops = [equal_crops(frame, boxes, size) for boxes in tables]
    cells = [avg_pool2d(network.look(each), size[0] // CROP[0]) for each in crops]
    return [network.embedded(each) for each in cells]


if __name__ == "__main__":
    main()
