"""High dynamic range (PQ, HLG) as the usual picture that detectors know and screens show.

Taken for a usual one, such a picture is grey and dark. FFmpeg's scaler can map its tones, but
computes for seven seconds before the first frame of each video; a curve takes nothing.
"""

from functools import lru_cache

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc, VideoReformatter
from numpy.typing import NDArray

from minet_core.video.info import Image

_BT2020 = 9
"""AVColorSpace of its matrix."""

_WHITE = 203.0
"""Candelas a square metre of a white sheet (BT.2408); what shines can be a lot brighter."""

_KNEE = 0.5
"""Up to this share of white, light stays as it is; from there on it nears the brightest slowly."""

_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2
"""Of the screen that BT.2100 refers HLG to."""

_DISPLAY_GAMMA = 2.4
"""Of usual screens (BT.1886)."""

_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
"""Light of BT.2020's primaries to that of BT.709's (BT.2087)."""

_LEVELS = 1 << 16


def is_hdr(frame: av.VideoFrame) -> bool:
    """Whether a frame says that it is PQ or HLG."""
    return frame.color_trc in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)


def tone_mapped(frame: av.VideoFrame, reformatter: VideoReformatter) -> Image:
    """The (height, width, 3) picture in BT.709 of a frame for which `is_hdr` holds."""
    deep = reformatter.reformat(
        frame, format="rgb48le", src_colorspace=_BT2020, dst_colorspace=_BT2020
    )
    light = _light(frame.color_trc)[deep.to_ndarray()]
    if frame.color_primaries in (ColorPrimaries.BT2020, ColorPrimaries.UNSPECIFIED):
        light = light @ _TO_BT709.T
    np.clip(light, 0, 1, out=light)
    light *= _LEVELS - 1
    return _display()[light.astype(np.uint16)]


@lru_cache
def _light(transfer: int) -> NDArray[np.float32]:
    """Of each level of the signal, how much light a usual screen is to give, from 0 to 1."""
    signal = np.linspace(0, 1, _LEVELS)
    nits = _pq(signal) if transfer == ColorTrc.SMPTE2084 else _hlg(signal)
    bright = nits / _WHITE
    room = 1 - _KNEE
    over = np.maximum(bright - _KNEE, 0) / room
    return (np.minimum(bright, _KNEE) + room * over / (1 + over)).astype(np.float32)


def _pq(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Candelas a square metre by SMPTE ST 2084."""
    root = signal ** (32 / 2523)
    share = np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)
    return np.asarray(10_000 * share ** (16384 / 2610))


def _hlg(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Candelas a square metre by BT.2100, each colour for itself."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return np.asarray(_HLG_PEAK * scene**_HLG_GAMMA)


@lru_cache
def _display() -> NDArray[np.uint8]:
    """Of each level of light, the 8-bit value that a usual screen needs for it."""
    return np.rint(255 * np.linspace(0, 1, _LEVELS) ** (1 / _DISPLAY_GAMMA)).astype(np.uint8)
