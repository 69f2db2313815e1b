"""Where a remembered object can be now: a Kalman filter per slot, and the likelihood of a box.

The state of a box is its centre, width and height, each with a velocity. The four move
independently, with a velocity that decays. All deviations are in √area of the box and in frames, so
neither the size of the frame nor the pace of its timestamps matters.

The alternative is an unknown object, which may be anywhere near. The ratio of the two likelihoods
falls with the distance from the prediction. The longer a slot is missing, the weaker its
prediction. Birds and dogs leap more than cars: each track learns from its own matches how much its
object exceeds the expected motion (unrest).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from minet_core.box_tensors import from_centres, to_centres
from minet_core.config import Motion

_KEPT_VELOCITY = 0.95
"""Share of a velocity that remains after a frame."""

_FIRST_VELOCITY = 0.12
"""Deviation of a new object's velocity; a third of it for width and height."""

_TAIL = 6.0
"""Degrees of freedom of the likelihood's tails: boxes leap more often than under a Gaussian."""

_SPREAD = (5.0, 5.0, 1.0, 1.0)
"""Range of an unknown object, in √area: x, y, w, h."""


@dataclass(frozen=True, slots=True)
class TrackState:
    """The positions of K slots.

    Attributes:
        mean: (K, 4, 2) centre x, centre y, width, height in pixels, each with its velocity in
            pixels per frame.
        covariance: (K, 4, 2, 2) of position and velocity, for motion as in the settings.
        unrest: (K,) factor of the covariance, 1 or more; high for an object that leaps.
        origin: (K, 2) the first centre; it follows the camera, as if the object stood still.
    """

    mean: Tensor
    covariance: Tensor
    unrest: Tensor
    origin: Tensor

    @property
    def parts(self) -> tuple[Tensor, ...]:
        """Its tensors, in order."""
        return self.mean, self.covariance, self.unrest, self.origin

    @property
    def boxes(self) -> Tensor:
        """(K, 4) xyxy."""
        return from_centres(self.mean[..., 0])

    @property
    def way(self) -> Tensor:
        """(K,) distance of the centre from its origin, in √area."""
        way: Tensor = (self.mean[:, :2, 0] - self.origin).norm(dim=1) / _size(self.mean)[:, 0]
        return way

    def __getitem__(self, rows: "int | list[int]") -> "TrackState":
        return TrackState(*(part[rows] for part in self.parts))


def begin(boxes: Tensor, motion: Motion) -> TrackState:
    """Tracks of K new objects at (K, 4) xyxy boxes, with unknown velocity."""
    state = to_centres(boxes.double())
    mean = torch.stack([state, torch.zeros_like(state)], dim=-1)
    size = _size(mean)
    covariance = mean.new_zeros(*mean.shape, 2)
    covariance[..., 0, 0] = (motion.measurement * size) ** 2
    speed = mean.new_tensor([1, 1, 1 / 3, 1 / 3]) * _FIRST_VELOCITY
    covariance[..., 1, 1] = (speed * size) ** 2
    return TrackState(mean, covariance, mean.new_ones(len(mean)), state[:, :2])


def stack(tracks: list[TrackState]) -> TrackState:
    """Stack K tracks of one slot each, without a leading dimension."""
    if not tracks:
        none = torch.zeros(0, 4, 2, dtype=torch.float64)
        return TrackState(none, none.new_zeros(0, 4, 2, 2), none.new_zeros(0), none[:, :2, 0])
    return TrackState(*map(torch.stack, zip(*(track.parts for track in tracks), strict=True)))


def predict(track: TrackState, frames: float, camera: Tensor | None, motion: Motion) -> TrackState:
    """The tracks after `frames` frames.

    Args:
        track: of K slots.
        frames: 1 or more; not whole after a pause.
        camera: (2, 3) affine map from pixels of the frame before to pixels of this frame.
        motion: the settings.
    """
    if camera is not None:
        track = _seen_from(track, camera)
    step = track.mean.new_tensor([[1.0, frames], [0.0, _KEPT_VELOCITY**frames]])
    mean = track.mean @ step.mT
    mean[:, 2:, 0] = mean[:, 2:, 0].clamp_min(1.0)  # a box keeps a pixel of width
    size = _size(mean)
    covariance = step @ track.covariance @ step.mT
    covariance[..., 0, 0] += frames * (motion.drift * size) ** 2
    covariance[..., 1, 1] += frames * (motion.acceleration * size) ** 2
    return TrackState(mean, covariance, track.unrest, track.origin)


def correct(track: TrackState, boxes: Tensor, motion: Motion) -> TrackState:
    """The tracks of K slots after each matched one of the (K, 4) xyxy boxes.

    Unrest is a mean of squared surprises over their variance, with more weight on recent ones: the
    scale of a normal distribution of known shape (West and Harrison, 1997, §4.5).
    """
    found = to_centres(boxes.double())
    variance = track.covariance[..., 0, 0] + _measured(track.mean, motion)
    gain = track.covariance[..., :, 0] / variance[..., None]
    surprise = found - track.mean[..., 0]
    mean = track.mean + gain * surprise[..., None]
    covariance = track.covariance - gain[..., :, None] * track.covariance[..., 0:1, :]
    leap = (surprise**2 / variance).mean(dim=-1)
    unrest = track.unrest + motion.learning * (leap - track.unrest)
    return TrackState(mean, covariance, unrest.clamp_min(1.0), track.origin)


def log_ratio(boxes: Tensor, track: TrackState, motion: Motion) -> Tensor:
    """(N, K) log-likelihood ratio of N boxes: slot k's object against an unknown object.

    Args:
        boxes: (N, 4) xyxy.
        track: predicted to this frame.
        motion: the settings.
    """
    found = to_centres(boxes.double())
    variance = track.covariance[..., 0, 0] + _measured(track.mean, motion)
    variance = variance * track.unrest[:, None]
    distance = ((found[:, None] - track.mean[None, ..., 0]) ** 2 / variance).sum(dim=-1)
    anywhere = _size(track.mean) * track.mean.new_tensor(_SPREAD)
    # A position less certain than a new object's says nothing.
    peak = (anywhere / (2 * math.pi * variance).sqrt()).log().clamp_min(0).sum(dim=-1)
    return peak - (_TAIL + 4) / 2 * torch.log1p(distance / _TAIL)


def _seen_from(track: TrackState, camera: Tensor) -> TrackState:
    """The tracks after a camera motion: an affine map rotates, scales and shifts them."""
    linear, shift = camera[:, :2].double(), camera[:, 2].double()
    scale = linear.det().abs().sqrt()
    centres = track.mean[:, :2].mT @ linear.mT  # (K, 2, xy): positions, velocities
    centres[:, 0] += shift
    mean = torch.cat([centres.mT, track.mean[:, 2:] * scale], dim=1)
    origin = track.origin @ linear.mT + shift
    return TrackState(mean, track.covariance * scale**2, track.unrest, origin)


def _size(mean: Tensor) -> Tensor:
    """(K, 1) √area of the boxes."""
    return mean[:, 2:, 0].clamp_min(1.0).prod(dim=1, keepdim=True).sqrt()


def _measured(mean: Tensor, motion: Motion) -> Tensor:
    """(K, 1) variance of a detector's box around the true box."""
    return (motion.measurement * _size(mean)) ** 2
