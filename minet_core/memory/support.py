"""Support samples: the boxes that an identifier learns from (§III-D).

Boxes are xyxy in pixels.
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from minet_core.box_tensors import box_iou, from_centres, to_centres
from minet_core.config import NOISE
from minet_core.errors import ConfigError
from minet_core.memory.identifier import FrameSamples, SupportSamples

_ROUNDS = 50

_GRID = range(-4, 5)
_STEPS_PER_SIDE = 12
_MIN_IOU = 0.5


@cache
def shift_grid(limit: int) -> Tensor:
    """The best shifts of §III-D.2 as fractions of width and height, (≤ limit, 2), best first.

    The 81 candidates are (kx·w/12, ky·h/12), k = −4..4. The best are chosen by IoU with the box (at
    least 0.5; ties by |kx|, |ky|, kx, ky). This IoU is the same for all boxes, so they are chosen
    once.
    """
    candidates = [(kx, ky) for kx in _GRID for ky in _GRID if _shift_iou(kx, ky) >= _MIN_IOU]
    candidates.sort(key=lambda k: (-_shift_iou(*k), abs(k[0]), abs(k[1]), k))
    return torch.tensor(candidates[:limit], dtype=torch.float32) / _STEPS_PER_SIDE


def _shift_iou(kx: int, ky: int) -> float:
    shared = (1 - abs(kx) / _STEPS_PER_SIDE) * (1 - abs(ky) / _STEPS_PER_SIDE)
    return shared / (2 - shared)


def positive_boxes(boxes: Tensor, limit: int) -> Tensor:
    """(K, P, 4) shifted copies of (K, 4) boxes, P ≤ limit; the first copy is the box itself."""
    shifts = shift_grid(limit).to(boxes)
    size = boxes[:, 2:] - boxes[:, :2]
    offset = shifts[None] * size[:, None]
    return boxes[:, None] + torch.cat([offset, offset], dim=-1)


def own_proposals(boxes: Tensor, proposals: Tensor, threshold: float = 0.5) -> Tensor:
    """(K, N) bool: proposals that cover a slot's own box, and so are not its negatives.

    All other proposals are negatives. Those on other objects are the hard negatives.
    """
    return box_iou(boxes, proposals) >= threshold


def support_samples(
    boxes: Tensor, proposals: Tensor, frame: FrameSamples, positives: Tensor, negatives: int
) -> list[SupportSamples]:
    """Support samples of K slots in one frame (§III-D.2).

    Args:
        boxes: (K, 4) boxes of the slots.
        proposals: (N, 4) of the frame.
        frame: samples at the proposals.
        positives: (K, P, D) embeddings at `positive_boxes`.
        negatives: number of negatives of a slot, as a sum of weights.
    """
    excluded = own_proposals(boxes, proposals)
    eligible = (~excluded).sum(dim=1).tolist()
    return [
        SupportSamples(frame, own.nonzero().flatten(), support, min(1.0, negatives / max(n, 1)))
        for own, support, n in zip(excluded, positives, eligible, strict=True)
    ]


def perturb(
    box: Tensor,
    positives: int,
    negatives: int,
    generator: torch.Generator,
    *,
    positive_iou: float = 0.7,
    negative_iou: float = 0.5,
    noise: Sequence[float] = NOISE,
    reading: str = "deviation",
) -> tuple[Tensor, Tensor]:
    """Meta-training samples around a ground-truth box (§III-B.1, §III-D.1).

    `noisy_boxes` are drawn until both counts are met. For a sliver almost no sample is positive;
    the box itself replaces missing positives.

    Args:
        box: (4,) xyxy of positive area.
        positives: number of samples with IoU > `positive_iou` (label 1).
        negatives: number of samples with IoU < `negative_iou` (label 0).
        generator: source of randomness, on the CPU.
        positive_iou: the positive threshold.
        negative_iou: the negative threshold.
        noise: see `noisy_boxes`.
        reading: likewise.

    Returns:
        (positives + negatives, 4) boxes, positives first, and their float labels.

    Raises:
        ConfigError: the noise is too small for negatives.
        ValueError: the box has no area.
    """
    if not bool((box[2:] > box[:2]).all()):
        raise ValueError(f"box without area: {box.tolist()}")
    found: dict[int, list[Tensor]] = {1: [], 0: []}
    missing = {1: positives, 0: negatives}
    for _ in range(_ROUNDS):
        if missing[1] <= 0 and missing[0] <= 0:
            break
        samples = noisy_boxes(box, 4 * (positives + negatives), noise, generator, reading=reading)
        overlap = box_iou(box[None], samples)[0]
        for label, chosen in ((1, overlap > positive_iou), (0, overlap < negative_iou)):
            rows = samples[chosen][: max(missing[label], 0)]
            found[label].append(rows)
            missing[label] -= len(rows)
    if missing[0] > 0:
        raise ConfigError(f"noise {list(noise)} moves no box under an overlap of {negative_iou}")
    found[1].append(box.expand(max(missing[1], 0), 4))
    boxes = torch.cat(found[1] + found[0])
    labels = torch.cat([torch.ones(positives), torch.zeros(negatives)])
    return boxes, labels


def noisy_boxes(
    box: Tensor,
    count: int,
    noise: Sequence[float],
    generator: torch.Generator,
    *,
    reading: str = "deviation",
) -> Tensor:
    """Boxes with Gaussian noise on centre and size; each draws its σ from `noise` (§III-D.1).

    The paper calls its numbers variances, and says that the boxes are made "as in" ATOM. In
    ATOM's code the same numbers are factors of the deviation, which is σ·√(w·h) for centre and
    sides: the reading `deviation`. The reading `variance` follows the printed word: the deviation
    is √σ·w across and √σ·h down, up to ten times as wide.

    Args:
        box: (4,) xyxy of positive area.
        count: number of boxes.
        noise: the σ to draw from.
        generator: source of randomness, on the CPU.
        reading: one of `NOISE_READINGS`.

    Returns:
        (count, 4) xyxy of positive area.
    """
    sigma = torch.tensor(noise)[torch.randint(len(noise), (count, 1), generator=generator)]
    centre_size = to_centres(box[None])
    size = centre_size[:, 2:]
    if reading == "variance":
        spread = sigma.sqrt() * size.repeat(1, 2)
    else:
        spread = sigma * size.prod(dim=1, keepdim=True).sqrt()
    samples = centre_size + torch.randn(count, 4, generator=generator) * spread
    samples[:, 2:] = samples[:, 2:].maximum(1e-3 * size)
    return from_centres(samples)
