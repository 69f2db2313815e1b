"""Which frames of a source a run looks at, as its options have it."""

from fractions import Fraction

from minet_core.options import DetectOptions
from minet_core.video.info import VideoInfo
from minet_core.video.part import Part, Position


def part_of(options: DetectOptions, next_frame: int = 0) -> Part:
    """Which frames the options ask for, from a frame on, as readers take it."""
    return Part(
        start=options.start,
        end=options.end,
        stride=options.stride,
        max_frames=options.max_frames,
        skip=next_frame,
    )


def folder_rate(options: DetectOptions) -> Fraction:
    """Pictures a second of a folder."""
    rate = 30 if options.rate is None else options.rate
    return Fraction(rate).limit_denominator(1_000_000)


def expected_frames(info: VideoInfo, options: DetectOptions) -> int | None:
    """About how many frames of a video will be looked at; None when nothing tells."""

    def index(position: Position | None, default: int | None) -> int | None:
        if position is None:
            return default
        return position if isinstance(position, int) else round(position * info.frame_rate)

    start, end = index(options.start, 0) or 0, index(options.end, info.frames)
    if end is not None and info.frames is not None:
        end = min(end, info.frames)
    wanted = None if end is None else max(0, -(-(end - start) // options.stride))
    return min((n for n in (wanted, options.max_frames) if n is not None), default=None)
