"""Where a place of one frame lies in another: three ways to say it.

A flow is (1, 2, h, w) in cells of the backbone's grid, x before y: what is at p in the frame
lies at p + flow(p) in its neighbour.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample, interpolate, normalize, pad
from torchvision.models.optical_flow import Raft_Small_Weights, raft_small

from minet_core.models.aggregation.seen import Seen
from minet_core.models.pretrained import load_pretrained
from minet_core.video.drawing.lettering import load_opencv

_LEAST_RAFT = 128
"""Pixels that a side of a picture must have for RAFT."""


class Warp(Protocol):
    """A way to find flows."""

    def key(self, conv5: Tensor) -> Tensor | None:
        """What a frame's places are known by, made once a frame; None for nothing."""
        ...

    def flows(self, target: Seen, others: Sequence[Seen]) -> Iterator[Tensor]:
        """The flow from a frame to each of its neighbours."""
        ...


def warped(values: Tensor, flow: Tensor) -> Tensor:
    """(1, C, h, w) values of a neighbour at the places of the frame, bilinear.

    Beyond the neighbour's border is what is at the border.
    """
    height, width = values.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device, dtype=flow.dtype),
        torch.arange(width, device=flow.device, dtype=flow.dtype),
        indexing="ij",
    )
    places = torch.stack([x, y]) + flow[0]
    size = torch.tensor([width, height], device=flow.device, dtype=flow.dtype).view(2, 1, 1)
    grid = ((2 * places + 1) / size - 1).permute(1, 2, 0)[None]
    return grid_sample(
        values, grid.to(values.dtype), mode="bilinear", padding_mode="border", align_corners=False
    )


class CorrelationWarp(nn.Module):
    """Flows by a local correlation of learnt keys; needs no weights of anybody.

    The flow is the mean displacement within `reach`, each weighed by the softmax of how well the
    neighbour's key there fits the frame's. A frame compared with itself has such a mean too,
    which says nothing of motion: it is taken off, so that equal frames have no flow at all.
    """

    def __init__(self, channels: int, keys: int, reach: int) -> None:
        super().__init__()
        self._reach = reach
        self._keys = nn.Conv2d(channels, keys, 1, bias=False)
        self._scale = nn.Parameter(torch.tensor(20.0))

    def key(self, conv5: Tensor) -> Tensor:
        """(B, keys, h, w) unit vectors, of what sets a place apart from the frame's mean."""
        own = conv5 - conv5.mean(dim=(2, 3), keepdim=True)
        unit: Tensor = normalize(self._keys(own), dim=1)
        return unit

    def flows(self, target: Seen, others: Sequence[Seen]) -> Iterator[Tensor]:
        """See `Warp`."""
        assert target.key is not None
        still = self.displacement(target.key, target.key)
        for other in others:
            assert other.key is not None
            yield self.displacement(target.key, other.key) - still

    def displacement(self, key: Tensor, other: Tensor) -> Tensor:
        """(1, 2, h, w) mean displacement from (1, K, h, w) keys to others'."""
        height, width = key.shape[-2:]
        reach = self._reach
        around = pad(other, (reach,) * 4)
        outside = pad(torch.zeros_like(other[:, 0]), (reach,) * 4, value=1).bool()
        shifts = [(dy, dx) for dy in range(2 * reach + 1) for dx in range(2 * reach + 1)]
        fits, beyond = [], []
        for dy, dx in shifts:
            rows, columns = slice(dy, dy + height), slice(dx, dx + width)
            fits.append((key * around[..., rows, columns]).sum(dim=1))
            beyond.append(outside[..., rows, columns])
        logits = (self._scale * torch.stack(fits)).masked_fill(torch.stack(beyond), float("-inf"))
        weights = logits.softmax(dim=0)
        offsets = torch.tensor([(dx - reach, dy - reach) for dy, dx in shifts]).to(weights)
        return torch.einsum("sbhw,sc->bchw", weights, offsets)


class DisWarp(nn.Module):
    """Flows by OpenCV's dense inverse search, between the pictures, on the CPU."""

    def key(self, conv5: Tensor) -> None:
        """See `Warp`: pictures are enough."""

    def flows(self, target: Seen, others: Sequence[Seen]) -> Iterator[Tensor]:
        """See `Warp`."""
        cv2 = load_opencv()
        finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        frame = _grey(target.picture)
        for other in others:
            pixels = finder.calc(frame, _grey(other.picture), None)
            found = torch.from_numpy(pixels).permute(2, 0, 1)[None]
            yield _in_cells(found.to(target.conv5.device), target)


class RaftWarp(nn.Module):
    """Flows by torchvision's small RAFT, which does not learn; its weights stay with the model."""

    def __init__(self) -> None:
        super().__init__()
        self.network = raft_small(weights=None)
        self.network.requires_grad_(False)

    def load(self) -> None:
        """torchvision's weights, downloaded when first needed.

        Raises:
            WeightsError: they cannot be downloaded, or are damaged.
        """
        load_pretrained(self.network, Raft_Small_Weights.DEFAULT)

    def key(self, conv5: Tensor) -> None:
        """See `Warp`: pictures are enough."""

    @torch.no_grad()
    def flows(self, target: Seen, others: Sequence[Seen]) -> Iterator[Tensor]:
        """See `Warp`."""
        height, width = target.picture.shape[-2:]
        margin = (0, _missing(width), 0, _missing(height))
        frame = pad(target.picture, margin, mode="replicate") * 2 - 1
        for other in others:
            picture = pad(other.picture, margin, mode="replicate") * 2 - 1
            flow = self.network(frame.float(), picture.float())[-1]
            yield _in_cells(flow[..., :height, :width], target)


def _missing(side: int) -> int:
    """Pixels that RAFT wants beside these: a multiple of eight, and not too few."""
    return max(_LEAST_RAFT, side + -side % 8) - side


def _grey(picture: Tensor) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """(H, W) bytes of a (1, 3, H, W) picture."""
    weights = picture.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    grey = (picture * weights).sum(dim=1)[0].clamp(0, 1) * 255
    return grey.round().byte().cpu().numpy()


def _in_cells(flow: Tensor, target: Seen) -> Tensor:
    """A flow in pixels of the picture, (1, 2, H, W), as one in cells on the maps' grid."""
    grid = target.conv5.shape[-2:]
    stride = target.picture.shape[-1] / grid[1]
    mean: Tensor = interpolate(flow, size=grid, mode="area") / stride
    return mean
