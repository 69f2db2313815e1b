"""A video written in pieces, each a whole mp4, that are joined without encoding again.

A piece that is complete survives whatever happens later. Pieces end after a fixed number of
pictures, whatever the time is: a run that was killed and went on encodes the very same pieces as
one that was left alone.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from minet_core.video.info import Image
from minet_core.video.opening import StrPath, ffmpeg_url
from minet_core.video.writing.mp4 import Mp4File, open_mp4, writing_errors
from minet_core.video.writing.video_writer import VideoWriter


class PieceWriter:
    """Writes pictures into pieces; a context manager that completes the last one.

    Args:
        folder: for the pieces, `000000.mp4` and so on; made if missing.
        starts: when each piece that is there already begins, in seconds.
        frame_rate: as of `VideoWriter`.
        time_base: likewise.
        pixel_aspect: likewise.

    Attributes:
        starts: when each piece begins, in seconds.
        warnings: what could not be done as asked, a line each.

    Raises:
        OutputError: a piece cannot be completed.
    """

    def __init__(
        self,
        folder: Path,
        starts: Sequence[float] = (),
        *,
        frame_rate: Fraction,
        time_base: Fraction,
        pixel_aspect: Fraction = Fraction(1),
    ) -> None:
        self.starts = list(starts)
        self.warnings: list[str] = []
        self._folder = folder
        self._settings = (frame_rate, time_base, pixel_aspect)
        self._piece: VideoWriter | None = None
        self._open = ExitStack()

    @property
    def paths(self) -> list[Path]:
        """The pieces in order; the last one may not be complete."""
        return [self._folder / f"{number:06}.mp4" for number in range(len(self.starts))]

    def write(self, image: Image, time: float) -> None:
        """Add a picture, as `VideoWriter.write` has it.

        Raises:
            OutputError: it cannot be written.
        """
        if self._piece is None:
            with writing_errors(self._folder):
                self._folder.mkdir(exist_ok=True)
            self.starts.append(time)
            self._piece = self._open.enter_context(self._new_piece())
        self._piece.write(image, time)

    def cut(self) -> None:
        """Complete the piece; the next picture begins another.

        Raises:
            OutputError: it cannot be completed.
        """
        self._piece = None
        self._open.close()

    def join(
        self,
        path: Path,
        audio_from: StrPath | None,
        end: float | None = None,
        stream: int | None = None,
    ) -> None:
        """Make one mp4 of all pieces, with the sound of a file, and complete it.

        Args:
            path: of the mp4.
            audio_from: as of `join_pieces`.
            end: likewise.
            stream: likewise.

        Raises:
            OutputError: it cannot be written.
        """
        frame_rate, *_ = self._settings
        with writing_errors(path):
            warnings = join_pieces(
                self.paths, self.starts, path, frame_rate, audio_from, end, stream
            )
        self.warnings += warnings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._piece = None
        self._open.__exit__(exc_type, exc, traceback)

    def _new_piece(self) -> VideoWriter:
        frame_rate, time_base, pixel_aspect = self._settings
        piece = VideoWriter(
            self.paths[-1],
            frame_rate=frame_rate,
            time_base=time_base,
            pixel_aspect=pixel_aspect,
        )
        self.warnings += [line for line in piece.warnings if line not in self.warnings]
        return piece


def join_pieces(
    pieces: Sequence[Path],
    starts: Sequence[float],
    path: Path,
    frame_rate: Fraction,
    audio_from: StrPath | None,
    end: float | None = None,
    stream: int | None = None,
) -> list[str]:
    """Copy the packets of pieces into one mp4, one piece after the other.

    Args:
        pieces: of one encoder with the same settings, each beginning with a key frame.
        starts: when each begins, in seconds.
        path: of the mp4.
        frame_rate: decides how long the last picture is shown.
        audio_from: a file whose sound goes with the pictures, the first of which is at
            `starts[0]` of it.
        end: when the last picture ends, in seconds, where it is held for longer.
        stream: number of the video stream in that file that the pictures are of.

    Returns:
        What could not be done as asked, a line each.

    Raises:
        FFmpegError, OSError: a piece cannot be read, or the file not be written.
    """
    warnings: list[str] = []
    with av.open(ffmpeg_url(pieces[0])) as first:
        template = first.streams.video[0]

        def add_copy(output: OutputContainer) -> VideoStream:
            copy = output.add_stream_from_template(template)
            copy.time_base = template.time_base
            return copy

        file = open_mp4(
            path, add_copy, warnings, audio_from=audio_from, start=starts[0], stream=stream
        )
    try:
        joint = _Joint(file)
        for piece, start in zip(pieces, starts, strict=True):
            joint.add(piece, start - starts[0])
        usual = joint.seconds + float(1 / frame_rate)
        until = usual if end is None else max(usual, end - starts[0])
        joint.finish(until if until > usual else None)
        file.mux([], until=until)
        file.complete(path)
    finally:
        file.discard()
    return warnings


class _Joint:
    """Puts the packets of one piece after those of another; `finish` writes the last one.

    Attributes:
        seconds: when the last picture is shown.
    """

    def __init__(self, file: Mp4File) -> None:
        self._file = file
        self._last_pts = -1
        self._last_dts: int | None = None
        self._last: Packet[VideoStream] | None = None
        self._tick = Fraction(1)
        self.seconds = 0.0

    def add(self, piece: Path, start: float) -> None:
        with av.open(ffmpeg_url(piece)) as container:
            stream = container.streams.video[0]
            assert stream.time_base is not None
            offset = max(round(start / stream.time_base), self._last_pts + 1)
            for packet in container.demux(stream):
                if packet.size:
                    self._copy(packet, offset, stream.time_base)

    def _copy(self, packet: "Packet[VideoStream]", offset: int, tick: Fraction) -> None:
        assert packet.pts is not None
        assert packet.dts is not None
        packet.pts += offset
        packet.dts += offset
        if self._last_dts is not None:
            # Reordered pictures are decoded before they are shown. Where frames come ever slower,
            # that can be before the piece in front has ended.
            packet.dts = max(packet.dts, self._last_dts + 1)
        self._last_dts = packet.dts
        self._last_pts = max(self._last_pts, packet.pts)
        self.seconds = float(self._last_pts * tick)
        packet.stream = self._file.stream
        self.finish(None)
        self._last, self._tick = packet, tick

    def finish(self, until: float | None) -> None:
        """Write the packet that was held back, shown until so many seconds if they are given."""
        packet, self._last = self._last, None
        if packet is None:
            return
        assert packet.pts is not None
        if until is not None:
            packet.duration = round(until / self._tick) - packet.pts
        self._file.mux([packet], until=float(packet.pts * self._tick))
