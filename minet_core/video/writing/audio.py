"""Sound from the source beside pictures of our own: copied, or encoded again."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import chain

import av
import av.container
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet

from minet_core.errors import VideoOpenError
from minet_core.text import shown
from minet_core.video.opening import StrPath, open_input
from minet_core.video.reading.streams import video_stream

_AAC_FRAME = 1024
_USUAL_RATE = 48_000

# The latter is how PyAV ends where a stream was added midway.
_ENDS = (FFmpegError, IndexError)


class Sound(ABC):
    """Packets of a file's first sound track, ready for another container.

    Of a part of a video the same part of the sound is taken, in step with the pictures. Sound
    that is damaged ends early: the pictures are what matters.

    Args:
        source: the file that the pictures come from.
        start: seconds of the first picture from the start of that file's video stream.
        stream: number of that stream, None for the one that is read unasked.

    Raises:
        InputError: there is no such file, or it has no sound.
    """

    def __init__(self, source: StrPath, start: float, stream: int | None = None) -> None:
        self._input = open_input(source)
        try:
            self._stream = _sound_stream(self._input, shown(source))
            video = video_stream(self._input, shown(source), stream)
        except BaseException:
            self._input.close()
            raise
        # Counted in samples: a tick of AVI can be as long as a packet.
        self._sample = Fraction(1, self._stream.rate)
        self._tick = self._stream.time_base or self._sample
        self._start = (video.start_time or 0) * (video.time_base or 0) + Fraction(start)
        self._packets = self._read()
        self._next: Packet[AudioStream] | None = None

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec it comes in."""
        return self._stream.codec_context.name

    def attach(self, output: av.container.OutputContainer) -> None:
        """Add a sound stream to a container that has not been started yet.

        Raises:
            ValueError: this kind of container cannot hold this kind of sound.
            FFmpegError: likewise, or the sound cannot be encoded.
        """
        self._add_to(output)
        self._next = next(self._packets, None)

    def packets(self, until: float) -> "Iterator[Packet[AudioStream]]":
        """The next packets, up to `until` seconds from the first picture, ready to be written."""
        while self._next is not None and _seconds(self._next) < until:
            yield self._next
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Let the source go."""
        self._packets.close()
        self._input.close()

    def _samples(self, ticks: int) -> int:
        """Samples from the first picture to a time of the source."""
        return round((ticks * self._tick - self._start) / self._sample)

    @abstractmethod
    def _add_to(self, output: av.container.OutputContainer) -> None: ...

    @abstractmethod
    def _read(self) -> "Generator[Packet[AudioStream], None, None]":
        """Packets from the first picture on, their times counted from there."""


class CopiedSound(Sound):
    """The packets as they are, not decoded."""

    def _add_to(self, output: av.container.OutputContainer) -> None:
        self._copy = output.add_stream_from_template(self._stream)

    def _read(self) -> "Generator[Packet[AudioStream], None, None]":
        last = None
        try:
            for packet in self._input.demux(self._stream):
                if packet.pts is None or packet.dts is None or self._samples(packet.pts) < 0:
                    continue
                if last is not None and packet.dts <= last:
                    continue  # times that fall back, which a container refuses
                last = packet.dts
                packet.pts, packet.dts = self._samples(packet.pts), self._samples(packet.dts)
                packet.time_base = self._sample
                packet.stream = self._copy
                yield packet
        except _ENDS:
            return


class EncodedSound(Sound):
    """The sound decoded, and encoded as AAC."""

    def _add_to(self, output: av.container.OutputContainer) -> None:
        rate = self._stream.rate
        self._rate = rate if rate in (av.Codec("aac", "w").audio_rates or ()) else _USUAL_RATE
        layout = "mono" if self._stream.channels == 1 else "stereo"
        self._encoder = output.add_stream("aac", rate=self._rate, layout=layout)
        self._resampler = av.AudioResampler("fltp", layout, self._rate, frame_size=_AAC_FRAME)

    def _read(self) -> "Generator[Packet[AudioStream], None, None]":
        for frame in chain(self._frames(), [None]):
            for piece in self._resampler.resample(frame):
                yield from self._encoder.encode(piece)
        yield from self._encoder.encode(None)

    def _frames(self) -> Iterator[av.AudioFrame]:
        try:
            for frame in self._input.decode(self._stream):
                if frame.pts is not None and self._samples(frame.pts) >= 0:
                    frame.pts, frame.time_base = self._samples(frame.pts), self._sample
                    yield frame
        except _ENDS:
            return


def _sound_stream(container: av.container.InputContainer, name: str) -> AudioStream:
    if not container.streams.audio:
        raise VideoOpenError(f"{name}: has no sound")
    stream = container.streams.audio[0]
    # PyAV gives a stream whose codec FFmpeg does not know no codec context, whatever its types say.
    if not getattr(stream, "codec_context", None) or not stream.rate:
        raise VideoOpenError(f"{name}: has sound of an unknown kind")
    return stream


def _seconds(packet: "Packet[AudioStream]") -> Fraction:
    return (packet.pts or 0) * packet.time_base
