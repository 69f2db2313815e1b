"""Sound from the source beside pictures of our own."""

from collections.abc import Generator, Iterator
from fractions import Fraction

import av.container
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet

from minet_core.errors import VideoOpenError
from minet_core.video.source import StrPath, open_input, shown, video_stream


class AudioCopier:
    """Copies the packets of a file's first sound track, without decoding them.

    Of a part of a video the same part of the sound is kept, in step with the pictures.

    Args:
        source: the file that the pictures come from.
        start: seconds of the first picture from the start of that file's video stream.

    Raises:
        InputError: there is no such file, or it has no sound.
    """

    def __init__(self, source: StrPath, start: float) -> None:
        self._input = open_input(source)
        if not self._input.streams.audio:
            self._input.close()
            raise VideoOpenError(f"{shown(source)}: has no sound")
        self._stream = self._input.streams.audio[0]
        self._tick = self._stream.time_base or Fraction(1, self._stream.rate)
        video = video_stream(self._input, shown(source))
        video_start = (video.start_time or 0) * (video.time_base or 0)
        self._offset = round((video_start + Fraction(start)) / self._tick)
        self._copy: AudioStream | None = None
        self._packets = self._read()
        self._next: Packet[AudioStream] | None = None

    @property
    def codec(self) -> str:
        """FFmpeg's name of the sound's codec."""
        return self._stream.codec_context.name

    def attach(self, output: av.container.OutputContainer) -> None:
        """Add a sound stream to a container that has not been started yet.

        Raises:
            ValueError: this kind of container cannot hold this kind of sound.
        """
        self._copy = output.add_stream_from_template(self._stream)
        self._next = next(self._packets, None)

    def packets(self, until: float) -> "Iterator[Packet[AudioStream]]":
        """The next packets, up to `until` seconds from the first picture, ready to be written."""
        while self._next is not None and (self._next.pts or 0) * self._tick < until:
            yield self._next
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Let the source go."""
        self._packets.close()
        self._input.close()

    def _read(self) -> "Generator[Packet[AudioStream], None, None]":
        """Packets from the first picture on, their times counted from there."""
        try:
            for packet in self._input.demux(self._stream):
                if packet.pts is None or packet.dts is None or packet.pts < self._offset:
                    continue
                packet.pts -= self._offset
                packet.dts -= self._offset
                if self._copy is not None:
                    packet.stream = self._copy
                yield packet
        except FFmpegError:
            return  # the pictures are what matters: damaged sound ends early
