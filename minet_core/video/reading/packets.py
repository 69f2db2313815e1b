"""From a container's packets to frames, losing as few as can be."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import chain

import av
import av.container
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

# Ten seconds of a usual video: a damaged stretch is bridged, a hopeless file is not read forever.
_MOST_FAILURES = 300

# What decoder threads and reordering can hold back between them, and so lose, at the end.
_LONGEST_TAIL = 64


@dataclass(slots=True)
class PacketCounts:
    """What became of the packets of a stream.

    Attributes:
        packets: those the container meant to be shown.
        frames: decoded.
        corrupt: packets that could not be read or decoded, and were skipped.
        failures: how many of those since the last frame.
        end: the tick at which the last packet ends, as the container has it; None when it does not.
    """

    packets: int = 0
    frames: int = 0
    corrupt: int = 0
    failures: int = 0
    end: int | None = None

    def fail(self) -> None:
        """Count a packet that was of no use."""
        self.corrupt += 1
        self.failures += 1

    @property
    def gave_up(self) -> bool:
        """Whether too many packets in a row failed for the rest to be tried."""
        return self.failures >= _MOST_FAILURES

    @property
    def lost_tail(self) -> bool:
        """Whether frames vanished that no error accounts for.

        When a decoder that works in several threads meets a bad packet while it empties itself at
        the end, the good frames behind it are dropped without a word. (Some codecs have packets
        that are never shown; a long list of missing frames means those.)
        """
        return 0 < self.packets - self.corrupt - self.frames <= _LONGEST_TAIL


def decode(
    container: av.container.InputContainer, stream: VideoStream, tally: PacketCounts, threads: str
) -> Generator[av.VideoFrame, None, None]:
    """Frames in display order, to the last one the decoder holds.

    Args:
        container: just opened, or put to another place.
        stream: one of its streams.
        tally: counts along.
        threads: FFmpeg's kind of threading: "AUTO" (frames in parallel) or "SLICE". A decoder that
            has begun keeps its own.
    """
    if not stream.codec_context.is_open:
        stream.thread_type = threads
    # None empties the decoder: with B-frames it holds the last few until told to.
    for packet in chain(_packets(container, stream, tally), [None]):
        try:
            frames = stream.decode(packet)
        except FFmpegError:
            tally.fail()
            continue
        for frame in frames:
            tally.frames += 1
            tally.failures = 0
            yield frame


def _packets(
    container: av.container.InputContainer, stream: VideoStream, tally: PacketCounts
) -> "Iterator[Packet[VideoStream]]":
    demuxer = container.demux(stream)
    while not tally.gave_up:
        try:
            packet = next(demuxer)
        except (StopIteration, IndexError):
            return  # the latter is how PyAV ends where a stream was added midway
        except FFmpegError:
            tally.fail()
            demuxer = container.demux(stream)  # the old one ended; this one reads on
            continue
        # An empty packet would end the decoding; PyAV's last one is such, damaged files have more.
        if packet.size:
            tally.packets += not packet.is_discard
            start = packet.dts if packet.pts is None else packet.pts
            tally.end = None if start is None else start + (packet.duration or 0)
            yield packet
