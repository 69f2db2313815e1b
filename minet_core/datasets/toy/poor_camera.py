"""The toy's poor camera: flicker, fog, darkness, bad focus and grain."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from minet_core.datasets.toy.actors import REFERENCE, Bgr, swing

_ROOM = 64
"""Pixels by which the sheet of grain is larger than a frame, so that each frame cuts its own."""


@dataclass(frozen=True, slots=True)
class Light:
    """How the camera sees one frame.

    Attributes:
        gain: of brightness.
        contrast: share of it that the fog leaves.
        blur: standard deviation in pixels of what is out of focus.
        noisy: whether the sensor is at its limit.
    """

    gain: float = 1.0
    contrast: float = 1.0
    blur: float = 0.0
    noisy: bool = False


def lights(rng: np.random.Generator, frames: int, unit: float) -> list[Light]:
    """Flickering light, with bad moments of a few frames, a quarter of the time."""
    slow = swing(rng, 1.0, 0.12, 60)
    gains = [slow(frame) + rng.normal(0, 0.04) for frame in range(frames)]
    moments = [Light(gain) for gain in gains]
    frame = int(rng.integers(3, 15))
    while frame < frames:
        length = int(rng.integers(2, 7))
        kind, strength = int(rng.integers(3)), rng.uniform(0.5, 1)
        for at in range(frame, min(frame + length, frames)):
            moments[at] = (
                Light(gains[at], blur=4.5 * strength * unit),
                Light(gains[at], contrast=1 - 0.75 * strength, noisy=True),
                Light(gains[at] * (1 - 0.75 * strength), noisy=True),
            )[kind]
        frame += length + int(rng.integers(6, 20))
    return moments


class Camera:
    """Makes pictures of a scene worse, frame by frame.

    Args:
        cv2: OpenCV.
        rng: all that is random comes from here, now.
        frames: length of the video.
        width: of a frame in pixels.
        height: of a frame in pixels.
    """

    def __init__(
        self, cv2: ModuleType, rng: np.random.Generator, frames: int, width: int, height: int
    ) -> None:
        self._cv2 = cv2
        self._lights = lights(rng, frames, width / REFERENCE)
        sheet = rng.standard_normal((height + _ROOM, width + _ROOM, 3), np.float32)
        self._fine, self._coarse = (
            (sheet * strength).round().astype(np.int8) for strength in (4, 10)
        )
        self._cuts = rng.integers(0, _ROOM, (frames, 2))

    def take(self, frame: int, picture: Bgr) -> Bgr:
        """What the camera makes of what is there."""
        cv2, light = self._cv2, self._lights[frame]
        if light.blur:
            picture = cv2.GaussianBlur(picture, (0, 0), light.blur)
        # Fog is grey: what it takes of the contrast comes back as brightness.
        fog = 150 * (1 - light.contrast)
        seen = cv2.convertScaleAbs(picture, None, light.gain * light.contrast, light.gain * fog)
        height, width = picture.shape[:2]
        down, right = self._cuts[frame]
        grain = self._coarse if light.noisy else self._fine
        cut = grain[down : down + height, right : right + width]
        exposed: Bgr = cv2.add(seen, cut, dtype=cv2.CV_8U)
        return exposed
