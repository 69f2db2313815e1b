"""What is left out of tracks, closed and smoothed before they are written."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.exports.keyframes import thin
from minet_core.formats.annotations import LooseBoxes, Track, VideoAnnotations, limits
from minet_core.formats.interpolation import between
from minet_core.suggest import did_you_mean


@dataclass(slots=True)
class EditCounts:
    """What editing has done to one video.

    Attributes:
        name: of the video.
        labels: class → tracks and boxes of no track that are left.
        tracks: that are left.
        boxes: that are left, interpolated ones among them.
        keyframes: boxes of tracks that were not left to interpolation.
        loose: boxes of no track that are left.
        dropped: reason → how many tracks were left out for it.
        outside: boxes that had no part inside the picture.
        gaps: that are left.
        closed: gaps that were closed.
        kept_open: short gaps that were not closed, as a person has made them.
    """

    name: str = ""
    labels: Counter[str] = field(default_factory=Counter)
    tracks: int = 0
    boxes: int = 0
    keyframes: int = 0
    loose: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    outside: int = 0
    gaps: int = 0
    closed: int = 0
    kept_open: int = 0


def check_classes(names: Sequence[str], known: Iterable[str]) -> None:
    """See that each name is a class.

    Raises:
        ConfigError: one is not; the nearest is suggested.
    """
    known = tuple(known)
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no class {name!r}{did_you_mean(name, known)}")


def edit(
    video: VideoAnnotations,
    options: ExportOptions,
    *,
    keyframes: str | None,
    keeps_turned: bool = False,
) -> tuple[VideoAnnotations, EditCounts]:
    """The video's annotations as the options want them, and what that has changed.

    Args:
        video: with classes that are named as in the output.
        options: which boxes to leave out, what to do about gaps.
        keyframes: as `ExportOptions.keyframes`; None leaves boxes and keyframes as they are.
        keeps_turned: whether turned boxes stay turned. They are then not cut off at the border of
            the picture, as their sides are those of before they were turned.
    """
    tally = EditCounts()
    tracks = _kept(video.tracks, options, tally)
    tracks = _inside(tracks, video, tally, keeps_turned=keeps_turned)
    edited = []
    for track in tracks:
        if options.interpolate:
            filled, closed = close_gaps(track, video.step, options.max_gap)
            if video.drawn_gaps:
                tally.kept_open += closed
            else:
                track, tally.closed = filled, tally.closed + closed
        if keyframes is not None:
            track = _with_keyframes(track, video, keyframes)
        tally.gaps += int((np.diff(track.frames) > video.step).sum())
        tally.keyframes += int(track.keyframes.sum())
        edited.append(track)
    loose, kept = _loose(video, options), video.kept
    if options.classes:
        kept = kept.of(options.classes)
        if others := len(video.kept.tracks) - len(kept.tracks):
            tally.dropped["of other classes"] += others
    result = replace(
        video, tracks=tuple(edited), loose=loose, classes=_classes(video, options), kept=kept
    )
    tally.tracks, tally.boxes, tally.loose = len(edited), result.boxes, len(loose)
    return result, tally


def _classes(video: VideoAnnotations, options: ExportOptions) -> tuple[str, ...]:
    wanted = options.classes
    return tuple(name for name in video.classes if not wanted or name in wanted)


def _kept(tracks: Iterable[Track], options: ExportOptions, tally: EditCounts) -> Iterator[Track]:
    for track in tracks:
        if options.classes and track.label not in options.classes:
            tally.dropped["of other classes"] += 1
        elif len(track) < options.min_length:
            tally.dropped["too short"] += 1
        elif track.scores.mean() < options.min_score:
            tally.dropped["too weak"] += 1
        else:
            yield track


def _inside(
    tracks: Iterable[Track], video: VideoAnnotations, tally: EditCounts, *, keeps_turned: bool
) -> Iterator[Track]:
    """Tracks cut off at the border of the picture; a box of which nothing is left makes a gap."""
    for track in tracks:
        if keeps_turned and track.is_turned:
            yield track
            continue
        boxes, seen = _clipped(track.boxes, track.frames, video)
        tally.outside += int((~seen).sum())
        if seen.any():
            columns = ("frames", "scores", "keyframes", "occluded")
            rows = {name: getattr(track, name)[seen] for name in columns}
            yield replace(track, boxes=boxes[seen], **rows)
        else:
            tally.dropped["outside the picture"] += 1


def _clipped(
    boxes: NDArray[np.float64], frames: NDArray[np.int64], video: VideoAnnotations
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Boxes (N, 4) inside the pictures of N frames, and which of them (N,) have an area there."""
    if video.width and video.height:
        boxes = boxes.clip(0, limits(frames, (video.width, video.height), video.sizes))
    return boxes, np.asarray((boxes[:, 2:] > boxes[:, :2]).all(axis=1))


def close_gaps(track: Track, step: int, longest: int) -> tuple[Track, int]:
    """The track with its short gaps filled by boxes on straight lines, which are no keyframes.

    Args:
        track: with or without gaps.
        step: frames between two rows, there and in the gaps.
        longest: most frames of a gap that is closed.

    Returns:
        The track, and how many gaps were closed.
    """
    apart = np.diff(track.frames)
    short = np.flatnonzero((apart > step) & (apart - step <= longest))
    if track.hidden:
        seen = [track.hidden.isdisjoint(range(*track.frames[i : i + 2].tolist())) for i in short]
        short = short[np.array(seen, np.bool_)]
    if not len(short):
        return track, 0
    missing = [np.arange(track.frames[i] + step, track.frames[i + 1], step) for i in short]
    frames = np.sort(np.concatenate([track.frames, *missing]))
    before = np.searchsorted(track.frames, frames, side="right") - 1
    filled = replace(
        track,
        frames=frames,
        boxes=between(frames, track.frames, track.boxes),
        scores=np.interp(frames, track.frames, track.scores),
        keyframes=track.keyframes[before] & (track.frames[before] == frames),
        occluded=track.occluded[before],
    )
    return filled, len(short)


def _with_keyframes(track: Track, video: VideoAnnotations, keyframes: str) -> Track:
    if keyframes == "all":
        return replace(track, keyframes=np.ones(len(track), np.bool_))
    size = (video.width, video.height) if video.width and video.height else None
    return thin(track, video.step, None if keyframes == "auto" else int(keyframes), size)


def _loose(video: VideoAnnotations, options: ExportOptions) -> LooseBoxes:
    loose, wanted = video.loose, options.classes
    boxes, seen = _clipped(loose.boxes, loose.frames, video)
    named = [not wanted or label in wanted for label in loose.labels]
    kept = seen & np.array(named, np.bool_) & (loose.scores >= options.min_score)
    if options.min_length > 1:
        kept[:] = False  # a box of no track is a track of one box
    return replace(loose, boxes=boxes)[kept]
