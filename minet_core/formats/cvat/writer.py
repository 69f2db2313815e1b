"""CVAT for video 1.1: one xml file a video, which an empty CVAT task of that video takes as it is.

    <track id="3" label="dog" source="auto">
      <box frame="0" keyframe="1" outside="0" occluded="0" xtl="10.00" ytl="20.00" .../>

Frames count from 0. CVAT keeps keyframes only and draws lines between them, so keyframes are all
that is written; and it shows a box until a keyframe says `outside`, so one follows after the last
box of a track and at every gap. Scores are an attribute, if asked for. A box of no track becomes a
track of one frame, as in CVAT's own files. What a file of CVAT had beside boxes is written again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import Track, VideoAnnotations
from minet_core.formats.attributes import after_changes
from minet_core.formats.cvat.extras_xml import (
    box_marks,
    children,
    label_lines,
    other_lines,
    track_marks,
)
from minet_core.formats.dataset_view import names_in
from minet_core.formats.xml_text import check_xml, repaired
from minet_core.publishing import complete_text

_LONGEST_LABEL = 64
"""Characters; CVAT takes no longer name for a label."""


def write_cvat(
    annotations: Sequence[VideoAnnotations],
    place: Path,
    options: ExportOptions,
) -> list[Path]:
    """Write one video.

    Raises:
        ConfigError: a class name has characters that XML cannot hold, or too many.
        OutputError: it cannot be written.
    """
    (video,) = annotations
    check_names(video)
    with complete_text(place) as file:
        for line in _document(video, scores=options.scores):
            file.write(line + "\n")
    return [place]


def check_names(video: VideoAnnotations) -> None:
    """See that CVAT can have the classes of a video.

    Raises:
        ConfigError: a name has characters that XML cannot hold, or too many.
    """
    labels = names_in(video)
    check_xml(labels)
    for label in labels:
        if len(label) > _LONGEST_LABEL:
            raise ConfigError(
                f"CVAT's labels have at most {_LONGEST_LABEL} characters, and {label!r} has "
                f"{len(label)}; --label-map renames it"
            )


def _document(video: VideoAnnotations, *, scores: bool) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield "<annotations>"
    yield "  <version>1.1</version>"
    yield from _meta(video, scores=scores)
    stop = video.looked_at.stop if video.frames is None else video.frames
    tracks = (*video.tracks, *_tracks_of_loose(video))
    for track in tracks:
        yield from _track(track, video.step, stop, scores=scores)
    yield from other_lines(video.kept.tracks, max((track.id for track in tracks), default=0) + 1)
    yield "</annotations>"


def _meta(video: VideoAnnotations, *, scores: bool) -> Iterator[str]:
    """What CVAT itself writes of a task; its importer looks past it, other readers need it."""
    frames = video.looked_at
    yield "  <meta>"
    yield "    <task>"
    yield f"      <name>{escape(repaired(video.name))}</name>"
    yield f"      <size>{len(frames)}</size>"
    yield f"      <mode>{'annotation' if video.by_name else 'interpolation'}</mode>"
    yield f"      <start_frame>{frames.start}</start_frame>"
    if frames:
        yield f"      <stop_frame>{frames[-1]}</stop_frame>"
    yield f"      <frame_filter>{f'step={video.step}' if video.step > 1 else ''}</frame_filter>"
    yield "      <labels>"
    for line in label_lines(video.classes, video.kept, scores=scores):
        yield f"        {line}"
    yield "      </labels>"
    yield "      <original_size>"
    yield f"        <width>{video.width}</width>"
    yield f"        <height>{video.height}</height>"
    yield "      </original_size>"
    yield "    </task>"
    if video.source is not None:
        yield f"    <source>{escape(repaired(video.source))}</source>"
    yield "  </meta>"


def _track(track: Track, step: int, stop: int, *, scores: bool) -> Iterator[str]:
    marks = _marks(track_marks(track.attributes))
    yield f'  <track id="{track.id}" label={quoteattr(track.label)}{marks}>'
    ends = np.append(np.diff(track.frames) > step, True)
    written = track.keyframes | ends | np.append(True, ends[:-1])
    written |= after_changes(track.frames, track.attributes)
    columns = (track.frames, track.boxes, track.scores, track.occluded, ends)
    rows = zip(*(column[written].tolist() for column in columns), strict=True)
    for frame, box, score, occluded, last in rows:
        known = score if scores else None
        yield _box(track, frame, box, known, occluded=occluded, outside=False)
        if last and frame + step < stop:
            yield _box(track, frame + step, box, known, occluded=False, outside=True)
    yield "  </track>"


def _box(
    track: Track,
    frame: int,
    box: Iterable[float],
    score: float | None,
    *,
    occluded: bool,
    outside: bool,
) -> str:
    x1, y1, x2, y2 = box
    return (
        f'    <box frame="{frame}" keyframe="1" outside="{outside:d}" occluded="{occluded:d}" '
        f'xtl="{x1:.2f}" ytl="{y1:.2f}" xbr="{x2:.2f}" ybr="{y2:.2f}"'
        f"{_marks(box_marks(track.attributes, frame))}>"
        f"{children(track.attributes, frame, score)}</box>"
    )


def _marks(attributes: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())


def _tracks_of_loose(video: VideoAnnotations) -> Iterator[Track]:
    following = max((track.id for track in video.tracks), default=0) + 1
    loose, yes, no = video.loose, np.ones(1, np.bool_), np.zeros(1, np.bool_)
    for i, label in enumerate(loose.labels):
        one = slice(i, i + 1)
        columns = loose.frames[one], loose.boxes[one], loose.scores[one]
        yield Track(following + i, label, *columns, keyframes=yes, occluded=no)
