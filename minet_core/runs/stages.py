"""Decoding and the model, each in a thread of its own, with short queues between.

State lives in the model's thread only.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from minet_core.inference.online import OnlineDetector
from minet_core.inference.reporting import Observed
from minet_core.inference.sights import NOTHING_KNOWN, Eyes, Sight
from minet_core.inference.timings import StageClock
from minet_core.inference.windows import windows
from minet_core.memory.identifier import load_lapack
from minet_core.runs.outputs import is_border
from minet_core.runs.producer import prefetch
from minet_core.runs.sight_file import SightWriter, Stamp
from minet_core.video import FrameReader, VideoFrame

QUEUE_DEPTH = 4
"""Frames that wait between two threads: enough to even out hiccups, little memory in 4K."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """A frame that was looked at.

    Attributes:
        frame: the picture.
        observed: what was found in it.
        memory: at borders what the detector knew by then, else None.
    """

    frame: VideoFrame
    observed: Observed
    memory: dict[str, Any] | None


def look(
    reader: FrameReader,
    online: OnlineDetector,
    clock: StageClock,
    done: int,
    begin: int,
    keeper: SightWriter | None = None,
    batch: int = 1,
) -> Generator[Inferred, None, None]:
    """Frames with what was found in them. Both threads have ended when this is closed.

    Args:
        reader: of the video.
        online: detector and memory.
        clock: where to count time.
        done: how many frames an earlier run has looked at.
        begin: index of the first frame that it has not.
        keeper: keeps what is seen, if that is wanted.
        batch: frames that the networks see in one call.
    """
    seen = sights(reader, online.eyes, clock, batch, begin)
    return prefetch(_infer(seen, online, done, keeper), QUEUE_DEPTH, load_lapack)


def sights(
    reader: FrameReader, eyes: Eyes, clock: StageClock, batch: int, begin: int = 0
) -> Generator[tuple[VideoFrame, Sight], None, None]:
    """Frames with what is seen in them; a thread reads them.

    Args:
        reader: of the video.
        eyes: that look.
        clock: where to count time.
        batch: frames that the networks see in one call; 1 for a model that wants neighbours.
        begin: frames before this index are neighbours, and no more.
    """
    model = eyes.model
    with closing(prefetch(_decoded(reader, clock), max(QUEUE_DEPTH, batch))) as frames:
        around = windows(frames, lambda frame: frame.image, model.window)
        new = (each for each in around if each[0].index >= begin)
        while group := list(islice(new, batch)):
            known = [NOTHING_KNOWN] * len(group)
            if batch > 1:
                known = eyes.ask(
                    [frame.image for frame, *_ in group], [frame.index for frame, *_ in group]
                )
            for (frame, before, after), said in zip(group, known, strict=True):
                model.surround(frame.image, before, after)
                yield frame, eyes.see(frame.image, frame.index, said)


def _decoded(reader: FrameReader, clock: StageClock) -> Generator[VideoFrame, None, None]:
    """Frames as they are read, and the time that this takes."""
    frames = iter(reader)
    while True:
        with clock.stage("decode"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _infer(
    seen: Generator[tuple[VideoFrame, Sight], None, None],
    online: OnlineDetector,
    done: int,
    keeper: SightWriter | None,
) -> Generator[Inferred, None, None]:
    with closing(seen):
        for count, (frame, sight) in enumerate(seen, done + 1):
            if keeper is not None:
                keeper.write(Stamp(frame.index, frame.pts, frame.time), sight)
            found = online.judge(sight, frame=frame.index, pts=frame.pts, time=frame.time)
            yield Inferred(frame, found, online.save() if is_border(count) else None)
