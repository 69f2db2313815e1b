"""A MOTChallenge sequence on which the stub model's numbers can be worked out by hand."""

from collections.abc import Sequence
from pathlib import Path

import torch
from stub_model import StubDetector
from torch import Tensor
from torchvision.ops import box_iou
from video_factory import grey_images, write_picture

from minet_core.models.detector import FeatureMap, Frame
from minet_core.models.zoo import Model

FRAMES = 10
CAR = (40.0, 20.0, 60.0, 36.0)
SOFA = (2.0, 42.0, 12.0, 47.0)
CLASSES = ("person", "car", "sofa")


def person(index: int) -> tuple[float, float, float, float]:
    """Where the stub's person is."""
    left = 4 + index / 4
    return (left, 8.0, left + 12, 40.0)


def write_sequence(
    folder: Path,
    *,
    sofa: bool = False,
    pictures: Sequence[int] = range(FRAMES),
    classes: Sequence[str] = CLASSES,
) -> Path:
    """Person (track 1), car (track 2) and perhaps a sofa (track 3) in each of ten frames."""
    (folder / "gt").mkdir(parents=True)
    (folder / "img1").mkdir()
    for index, image in enumerate(grey_images(FRAMES)):
        if index in pictures:
            write_picture(folder / f"img1/{index + 1:06d}.png", image)
    (folder / "gt/labels.txt").write_text("\n".join(classes))
    (folder / "seqinfo.ini").write_text(f"[Sequence]\nseqLength={FRAMES}\nframeRate=25\n")
    lines = []
    for index in range(FRAMES):
        boxes = {1: person(index), 2: CAR} | ({3: SOFA} if sofa else {})
        lines += [mot_line(index, label, box, 1, label) for label, box in boxes.items()]
    (folder / "gt/gt.txt").write_text("\n".join(lines))
    return folder


def mot_line(
    index: int, track: int, box: Sequence[float], conf: float, label: int | None = None
) -> str:
    """A row; without a class it has ten columns."""
    left, top, right, bottom = box
    last = "-1,-1,-1" if label is None else f"{label},1"
    return f"{index + 1},{track},{left},{top},{right - left},{bottom - top},{conf},{last}"


class SharpEmbedder:
    """Tells the person, the car, and everything beside them apart."""

    dim = 3

    def features(self, frame: Frame) -> FeatureMap:  # noqa: ARG002
        return FeatureMap(torch.zeros(1, 1, 1, 1), 1.0)

    def embed(self, features: FeatureMap, boxes: Tensor) -> Tensor:  # noqa: ARG002
        places = torch.tensor([person(FRAMES // 2), CAR])
        overlaps = box_iou(boxes.float(), places)
        which = torch.where(overlaps.amax(dim=1) > 0.4, overlaps.argmax(dim=1) + 1, 0)
        return torch.eye(self.dim)[which]


def sharp_model() -> Model:
    """The stub's detector, which fails when it is asked, beside embeddings that tell more."""
    return Model("sharp", StubDetector(fail_at=0), SharpEmbedder())
