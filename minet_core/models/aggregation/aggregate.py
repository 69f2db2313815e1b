"""The aggregation itself: neighbours warped to a frame, weighed place by place, and summed.

X. Zhu, Y. Wang, J. Dai, L. Yuan, Y. Wei: Flow-Guided Feature Aggregation for Video Object
Detection. ICCV 2017. The weight of a neighbour at a place is the softmax over the window, frame
included, of the cosine of its embedding with the frame's.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from minet_core.errors import ConfigError
from minet_core.models.aggregation.seen import Seen
from minet_core.models.aggregation.warps import CorrelationWarp, DisWarp, RaftWarp, warped
from minet_core.models.faster_rcnn.rcnn_config import RcnnConfig


class Aggregation(nn.Module):
    """From a window of frames to the features of one of them.

    Args:
        config: of the network.
        channels: of conv5.

    Raises:
        ConfigError: there is no such warp.
    """

    def __init__(self, config: RcnnConfig, channels: int) -> None:
        super().__init__()
        hidden, width = config.aggregation_widths
        self._embed = nn.Sequential(
            nn.Conv2d(channels, hidden, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, width, 1),
        )
        self.warp = _warp(config, channels)

    def see(self, picture: Tensor, conv4: Tensor, conv5: Tensor) -> Seen:
        """What is kept of a frame: each frame is embedded once, and its embedding warped."""
        return Seen(picture, conv4, conv5, self._embed(conv5), self.warp.key(conv5))

    def forward(self, target: Seen, others: Sequence[Seen]) -> tuple[Tensor, Tensor]:
        """conv4 and conv5 of a frame with what its neighbours add; without any, as they are.

        Args:
            target: the frame.
            others: its neighbours; those on another grid are left out.
        """
        others = [other for other in others if other.fits(target)]
        if not others:
            return target.conv4, target.conv5
        kind = torch.promote_types(target.embedding.dtype, torch.float32)
        own = target.embedding.to(kind)
        most = own.new_ones(()).exp()  # a frame resembles itself by 1
        total = most.expand(1, 1, *own.shape[-2:])
        conv4, conv5 = most * target.conv4.to(kind), most * target.conv5.to(kind)
        for other, flow in zip(others, self.warp.flows(target, others), strict=True):
            there = warped(other.embedding.to(kind), flow)
            weight = cosine_similarity(there, own, dim=1)[:, None].exp()
            conv4 = conv4 + weight * warped(other.conv4.to(kind), flow)
            conv5 = conv5 + weight * warped(other.conv5.to(kind), flow)
            total = total + weight
        return conv4 / total, conv5 / total


def _warp(config: RcnnConfig, channels: int) -> CorrelationWarp | DisWarp | RaftWarp:
    if config.aggregation == "correlation":
        return CorrelationWarp(channels, config.aggregation_keys, config.aggregation_reach)
    if config.aggregation == "dis":
        return DisWarp()
    if config.aggregation == "raft":
        return RaftWarp()
    raise ConfigError(f"there is no warp {config.aggregation!r}")
