"""Frame numbers of a copy of a video that has been made to a constant rate."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from minet_core.errors import ConfigError
from minet_core.exports.editing import close_gaps
from minet_core.formats.annotations import LooseBoxes, Track, VideoAnnotations

Frames = NDArray[np.int64]

_ROUNDING = 1e-6
"""Of a frame: a time that is half-way is rounded up, however it is stored."""


def at_constant_rate(video: VideoAnnotations, rate: float) -> VideoAnnotations:
    """Annotations of the copy that FFmpeg makes with `ffmpeg_options`.

    A frame of the copy shows the last frame of the video whose time, to the nearest frame of the
    copy, has come. So frames are repeated or left out, and their boxes with them. The copy begins
    where the file does: while its sound is ahead of the pictures, it shows the first one. Where
    frames were looked at in steps, boxes between are on straight lines.

    Raises:
        ConfigError: nothing tells when the frames are shown, or how many there are; or the copy
            would have none, of a video that is shorter than half its frame.
    """
    shown = _shown(video, rate)
    start, stop = np.searchsorted(shown, [video.looked_at.start, video.looked_at.stop]).tolist()
    tracks = (close_gaps(track, 1, video.step - 1)[0] for track in video.tracks)
    return replace(
        video,
        frames=len(shown),
        frame_rate=Fraction(rate).limit_denominator(1001),
        variable_rate=False,
        step=1,
        tracks=tuple(again for track in tracks if (again := _retimed(track, shown)) is not None),
        loose=_repeated(video.loose, shown),
        start=start,
        stop=stop,
        times=None,
        vectors=None,  # they are of frames as they were
        kept=video.kept.moved(lambda frame: int(np.searchsorted(shown, frame)), len(shown)),
        start_time=0.0,
        delay=0.0,
        end=None,
        stream=None,
    )


def ffmpeg_options(video: VideoAnnotations, rate: float) -> str:
    """Options for the command line of FFmpeg, to make a copy with so many frames a second.

    The filter `fps` alone leaves to the program where the pictures begin and end: FFmpeg 5.1 counts
    the lead of some sounds (AAC in Matroska), and leaves out last frames. So the first frame is put
    where it belongs, and the last one repeated until there are as many frames as counted here.
    """
    filters = f"setpts=round(PTS-STARTPTS+{video.delay:g}/TB),fps={rate:g}:start_time=0"
    if video.times is None or video.end is None:  # nothing tells exactly where it ends
        return f"-vf '{filters}'"
    # First, as `setpts` takes the rate away by which `tpad` repeats.
    filters = f"tpad=stop=-1:stop_mode=clone,{filters}"
    return f"-vf '{filters}' -frames:v {len(_shown(video, rate))}"


def _shown(video: VideoAnnotations, rate: float) -> Frames:
    """The frame of the video that each frame of the copy shows."""
    times = video.times
    if times is None and video.frames and video.frame_rate and not video.variable_rate:
        times = np.arange(video.frames) / float(video.frame_rate)
    if times is None or not len(times):
        raise ConfigError(f"{video.name}: the times of its frames are unknown")
    due = _due(times, video.delay, rate)
    count = int(_due(np.array([_end(video, times)]), video.delay, rate)[0])
    if count < 1:
        raise ConfigError(f"{video.name}: too short for a copy at {rate:g} frames a second")
    # Up to the first frame that is due, the first of all is repeated.
    return (np.searchsorted(due, np.arange(count), side="right") - 1).clip(min=0)


def _due(times: NDArray[np.float64], delay: float, rate: float) -> Frames:
    """The frames of the copy (N,) that are nearest to times (N,)."""
    return np.floor((times + delay) * rate + 0.5 + _ROUNDING).astype(np.int64)


def _end(video: VideoAnnotations, times: NDArray[np.float64]) -> float:
    """Seconds at which the last frame ends."""
    if video.end is not None and video.end > times[-1]:
        return video.end
    return float(times[-1] + 1 / video.frame_rate) if video.frame_rate else float(times[-1])


def _retimed(track: Track, shown: Frames) -> Track | None:
    rows = np.searchsorted(track.frames, shown).clip(max=len(track) - 1)
    frames = np.flatnonzero(track.frames[rows] == shown)
    rows = rows[frames]
    if not len(frames):
        return None  # the copy leaves out every frame it was seen in
    columns = ("boxes", "scores", "keyframes", "occluded")
    values = (
        one.moved(lambda frame: int(np.searchsorted(shown, frame))) for one in track.attributes
    )
    changed = {name: getattr(track, name)[rows] for name in columns}
    track = replace(track, drawn=_marked(track.drawn, shown), hidden=_marked(track.hidden, shown))
    return replace(track, frames=frames, attributes=tuple(values), **changed)


def _marked(frames: frozenset[int], shown: Frames) -> frozenset[int]:
    """The frames of the copy that show some of the video."""
    return frozenset(np.flatnonzero(np.isin(shown, list(frames))).tolist())


def _repeated(loose: LooseBoxes, shown: Frames) -> LooseBoxes:
    first = np.searchsorted(shown, loose.frames)
    counts = np.searchsorted(shown, loose.frames, side="right") - first
    rows = np.repeat(np.arange(len(loose)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    frames = first[rows] + within
    order = np.argsort(frames, kind="stable")
    rows = rows[order]
    labels = tuple(loose.labels[i] for i in rows)
    return LooseBoxes(frames[order], labels, loose.boxes[rows], loose.scores[rows])
