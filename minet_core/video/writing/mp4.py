"""An mp4 being written: packets of pictures, wherever they come from, and sound in step."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from minet_core.errors import InputError, OutputError
from minet_core.text import shown
from minet_core.video.opening import StrPath, ffmpeg_url, reason
from minet_core.video.writing.audio import CopiedSound, EncodedSound, Sound

AddPictures = Callable[[OutputContainer], VideoStream]
"""Adds the stream of the pictures to a container that has not been started yet."""


class Mp4File:
    """The file under its temporary name.

    Args:
        path: where to write.
        add_pictures: adds their stream, which becomes `stream`.
        sound: goes with them, or None.
        warnings: gets a line where the sound turns out to be damaged.

    Raises:
        FFmpegError, ValueError: the file cannot be made, or cannot hold this sound.
    """

    def __init__(
        self, path: Path, add_pictures: AddPictures, sound: Sound | None, warnings: list[str]
    ) -> None:
        self._path = path
        self._sound = sound
        self._warnings = warnings
        # The index goes to the front, so that a browser can start before it has all.
        self._container = av.open(
            ffmpeg_url(path), "w", format="mp4", container_options={"movflags": "+faststart"}
        )
        try:
            self.stream = add_pictures(self._container)
            if sound is not None:
                sound.attach(self._container)
            self._container.start_encoding()
        except BaseException:
            self.discard()
            raise

    def mux(self, packets: "Iterable[Packet[VideoStream]]", until: float) -> None:
        """Add pictures, and the sound up to `until` seconds from the first one."""
        self._container.mux(list(packets))
        if self._sound is None:
            return
        try:
            for packet in self._sound.packets(until):
                self._container.mux(packet)
        except ValueError as error:  # what FFmpeg says of the packet, not of the disk
            self._warnings.append(
                f"the sound ends before {until:.2f} s: it is damaged ({reason(error)})"
            )
            self._sound.close()
            self._sound = None

    def complete(self, path: Path) -> None:
        """Write the index, and give the file its name."""
        self._container.close()
        self._path.replace(path)

    def discard(self) -> None:
        """Let everything go and remove the file if it is still under its temporary name."""
        if self._sound is not None:
            self._sound.close()
        with suppress(FFmpegError):
            self._container.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def open_mp4(
    path: Path,
    add_pictures: AddPictures,
    warnings: list[str],
    *,
    audio_from: StrPath | None = None,
    start: float = 0.0,
    stream: int | None = None,
) -> Mp4File:
    """Begin the file that `complete` will give the name `path`, with sound if there is some.

    Args:
        path: of the mp4; until it is complete it has a temporary name beside that.
        add_pictures: adds the pictures' stream.
        warnings: gets a line for each thing that could not be done as asked.
        audio_from: a file whose sound is copied, or encoded again where mp4 cannot hold it.
        start: seconds of the first picture in that file.
        stream: number of the video stream there that the pictures are of, None for the usual one.

    Raises:
        FFmpegError: the file cannot be made.
    """
    part = path.with_name(f".{path.name}.part")
    if audio_from is not None:
        try:
            return _with_sound(part, add_pictures, warnings, (audio_from, start, stream))
        except InputError as error:
            warnings.append(f"the sound is left out: {error}")
        except (FFmpegError, ValueError) as error:
            warnings.append(f"the sound is left out: it is damaged ({reason(error)})")
    return Mp4File(part, add_pictures, None, warnings)


def _with_sound(
    part: Path,
    add_pictures: AddPictures,
    warnings: list[str],
    source: tuple[StrPath, float, int | None],
) -> Mp4File:
    """The file with the source's sound: copied, or encoded again where it has to be."""
    copied = CopiedSound(*source)
    try:
        return Mp4File(part, add_pictures, copied, warnings)
    except (FFmpegError, ValueError):
        file = Mp4File(part, add_pictures, EncodedSound(*source), warnings)
    warnings.append(f"the sound is encoded again, as AAC: mp4 cannot hold {copied.codec}")
    return file


@contextmanager
def writing_errors(path: Path) -> Iterator[None]:
    """Turn what FFmpeg or the system refuses into one line.

    Raises:
        OutputError: in place of either's errors.
    """
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise OutputError(f"{shown(path)}: cannot be written ({reason(error)})") from None
