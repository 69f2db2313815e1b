"""Tiny videos that tests make for themselves; the grey of a frame tells its index."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

GREY_STEP = 5
"""Between the greys of two frames: more than twice what a lossy codec shifts a flat picture."""

MOST_FRAMES = 45


def grey_of(index: int) -> int:
    return 20 + GREY_STEP * index


def index_of(image: Image) -> int:
    """The index that a frame's grey encodes, read at its centre."""
    height, width = image.shape[:2]
    centre = image[height // 4 : -(height // 4), width // 4 : -(width // 4)]
    return round((float(centre.mean()) - 20) / GREY_STEP)


def grey_images(count: int, width: int = 64, height: int = 48) -> list[Image]:
    assert count <= MOST_FRAMES
    return [np.full((height, width, 3), grey_of(i), np.uint8) for i in range(count)]


def write_video(
    path: Path,
    images: Sequence[Image],
    *,
    rate: Fraction | int = 25,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    rotation: int | None = None,
    hflip: bool = False,
    pixel_aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    audio_seconds: float = 0.0,
    audio_codec: str = "aac",
) -> Path:
    """Encode RGB pictures; `pts` are in `time_base`, by default one frame apart."""
    with av.open(path, "w", container_options=container_options or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixel_format
        if time_base is not None:
            stream.codec_context.time_base = time_base
        if rotation is not None:
            stream.set_display_rotation(rotation, hflip=hflip)
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        sound = _add_audio(container, audio_codec) if audio_seconds else None
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = i if pts is None else pts[i]
            frame.time_base = time_base or 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _mux_tone(container, sound, audio_seconds)
    return path


def write_grey_video(path: Path, count: int = 10, **options: Any) -> Path:
    """`count` frames of 64×48 pixels, whose index `index_of` reads back."""
    return write_video(path, grey_images(count), **options)


def write_audio(path: Path, seconds: float = 0.5) -> Path:
    """A file with sound and no pictures."""
    with av.open(path, "w") as container:
        _mux_tone(container, _add_audio(container, "aac"), seconds)
    return path


def write_picture(path: Path, image: Image) -> Path:
    codec = {".png": "png", ".bmp": "bmp"}.get(path.suffix.lower(), "mjpeg")
    with av.open(path, "w", format="image2", container_options={"update": "1"}) as container:
        stream: Any = container.add_stream(codec, rate=1)
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = {"png": "rgb24", "bmp": "bgr24"}.get(codec, "yuvj444p")
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def damage_packets(path: Path, numbers: Sequence[int]) -> Path:
    """Overwrite packets of a video with zeros, the container left whole."""
    with av.open(path) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for number in numbers:
        start, size = places[number]
        assert start is not None
        data[start : start + size] = bytes(size)
    path.write_bytes(data)
    return path


def _add_audio(container: Any, codec: str) -> Any:
    return container.add_stream(codec, rate=16_000, layout="mono")


def _mux_tone(container: Any, stream: Any, seconds: float) -> None:
    """A tone that grows louder from silence, so that a place in it can be told."""
    count = int(seconds * 16_000)
    ramp = np.linspace(0, 1, count)
    tone = (ramp * np.sin(np.arange(count) * 0.3) * 20_000).astype(np.int16)
    for at in range(0, count, 1024):
        frame = av.AudioFrame.from_ndarray(tone[None, at : at + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 16_000, at
        frame.time_base = Fraction(1, 16_000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def loudness(path: Path) -> list[tuple[float, float]]:
    """(time in seconds, loudness) of each piece of a file's sound."""
    with av.open(path) as container:
        return [
            (float(frame.time or 0), float(np.abs(frame.to_ndarray()).mean()))
            for frame in container.decode(audio=0)
        ]
