"""Which of a file's video streams is read, and how the others are named to the user."""

import re
from collections.abc import Collection, Iterable
from typing import Any, cast

import av
import av.container
import av.logging
from av.stream import Disposition
from av.video.stream import VideoStream

from minet_core.errors import VideoOpenError

_UNKNOWN = re.compile(r"Stream #0:(\d+)\S*: Video: none(?: \((\S+) / \w+\))?")


def video_stream(
    container: av.container.InputContainer,
    name: str,
    number: int | None = None,
    dead: Collection[int] = (),
) -> VideoStream:
    """The stream to read.

    Of several that can be decoded it is the one that the file marks as its default, or else the one
    with the most pixels in all its frames. A single picture is read only where nothing moves, and
    the cover of a music album never.

    Args:
        container: just opened.
        name: of the file, for messages.
        number: of a stream, as FFmpeg counts them from 0, to read that one.
        dead: numbers of streams of which no frame could be decoded.

    Raises:
        VideoOpenError: there is none, none of a known codec, or none of this number.
    """
    if number is not None:
        return _numbered(container, name, number)
    streams = _moving(container)
    known = [stream for stream in streams if _is_known(stream) and stream.index not in dead]
    if not known:
        raise VideoOpenError(f"{name}: {_why_none(container, streams)}")
    known = [stream for stream in known if _frames(stream, container) > 1] or known
    default = [stream for stream in known if stream.disposition & Disposition.default]
    return max(default or known, key=lambda stream: _content(stream, container))


def passed_over(
    container: av.container.InputContainer, chosen: VideoStream, dead: Collection[int] = ()
) -> str:
    """A line about the streams that `video_stream` has left; empty where there is no other."""
    others = [stream for stream in _moving(container) if stream.index != chosen.index]
    if not others:
        return ""
    return (
        f"stream {_listed(container, [chosen])} is read, not {_listed(container, others, dead)}; "
        "--stream chooses"
    )


def _numbered(container: av.container.InputContainer, name: str, number: int) -> VideoStream:
    for stream in container.streams.video:
        if stream.index == number and _is_known(stream):
            return stream
        if stream.index == number:
            raise VideoOpenError(f"{name}: stream {_listed(container, [stream])} cannot be decoded")
    has = _listed(container, container.streams.video) or "none"
    raise VideoOpenError(f"{name}: has no video stream {number}; it has {has}")


def _moving(container: av.container.InputContainer) -> list[VideoStream]:
    streams = container.streams.video
    return [stream for stream in streams if not stream.disposition & Disposition.attached_pic]


def _is_known(stream: VideoStream) -> bool:
    # PyAV gives a stream whose codec FFmpeg does not know no context, whatever its types say.
    return getattr(stream, "codec_context", None) is not None


def _why_none(container: av.container.InputContainer, streams: list[VideoStream]) -> str:
    if streams:
        return f"its video cannot be decoded: {_listed(container, streams)}"
    has = "has audio only" if container.streams.audio else "has no video stream"
    return f"not a video ({has})"


def _frames(stream: VideoStream, container: av.container.InputContainer) -> int:
    """How many frames a stream has, or may have; 2 where nothing tells."""
    seconds = float((stream.duration or 0) * (stream.time_base or 0))
    seconds = seconds or (container.duration or 0) / av.time_base
    return stream.frames or round(seconds * (stream.average_rate or 0)) or 2


def _content(stream: VideoStream, container: av.container.InputContainer) -> int:
    return stream.width * stream.height * _frames(stream, container)


def _listed(
    container: av.container.InputContainer,
    streams: Iterable[VideoStream],
    dead: Collection[int] = (),
) -> str:
    """Numbers of streams, and what they hold: `0 (mjpeg, 64×36, 1 frame)`."""
    parts = []
    for stream in streams:
        if not _is_known(stream):
            parts.append(f"{stream.index} ({_unknown_codec(container, stream.index)})")
            continue
        facts = [stream.codec_context.name, f"{stream.width}×{stream.height}"]
        if stream.frames:
            facts.append("1 frame" if stream.frames == 1 else f"{stream.frames} frames")
        if stream.index in dead:
            facts.append("no frame of it can be decoded")
        parts.append(f"{stream.index} ({', '.join(facts)})")
    return ", ".join(parts)


def _unknown_codec(container: av.container.InputContainer, index: int) -> str:
    """What the container calls a codec that FFmpeg does not know, which FFmpeg only prints."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)  # no decoder of this file has begun
    try:
        printed = cast("Any", container).dumps_format()
    finally:
        av.logging.set_level(level)
    names = {int(number): tag for number, tag in _UNKNOWN.findall(printed)}
    return f"unknown codec {names[index]}" if names.get(index) else "unknown codec"
