"""A run around what a person has said: first everything is seen, then tracks are found.

What was seen is a file, so that paths can be looked for in both directions, and so that a later
run begins with it.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from minet_core.config import PRESETS
from minet_core.detections.anchor_file import anchors_text
from minet_core.detections.corrections import read_corrections
from minet_core.detections.edited_result import Corrections
from minet_core.detections.prompt_files import read_prompts
from minet_core.errors import InputError
from minet_core.inference.from_options import online_detector
from minet_core.inference.online import OnlineDetector
from minet_core.inference.prompted.anchors import FIRST, Anchors
from minet_core.inference.prompted.completing import LeftRow, left_rows, with_left, without_hidden
from minet_core.inference.prompted.paths import PathFinder, Paths, rows_of
from minet_core.inference.prompted.planting import Planting, planting
from minet_core.inference.sights import Eyes
from minet_core.models.zoo import Model
from minet_core.options import CORRECTIONS, FORMATS, SIGHTS, DetectOptions
from minet_core.publishing import replace_bytes
from minet_core.results import FrameDetections
from minet_core.runs.corrected.before import GoneOn, begin_edits, keep_before
from minet_core.runs.corrected.more_classes import PaddedSights, knowing, padded
from minet_core.runs.opened_video import OpenedVideo, opened_video
from minet_core.runs.sight_file import SightFile, SightWriter, Stamp, is_kept
from minet_core.runs.spool import Frames, open_spool, write_linked
from minet_core.runs.stages import sights
from minet_core.runs.summary import Progress, Summary
from minet_core.video import VideoInfo

MOST_KEPT = 4 << 30
"""Bytes of sights that stay beside a result, if nobody has asked for them."""


def corrections_of(options: DetectOptions, folder: Path, info: VideoInfo) -> Corrections:
    """What the options' file says of a video.

    Raises:
        InputError: it cannot be read, or says nothing.
    """
    if options.prompts is not None:
        return Corrections(read_prompts(Path(options.prompts), lambda _: info))
    assert options.corrections is not None
    result = folder / FORMATS["json"]
    return read_corrections(Path(options.corrections), result, lambda _: info)


def annotate_around(
    source: str | Path,
    folder: Path,
    model: Model | None,
    asked: DetectOptions,
    progress: Progress | None,
) -> Summary:
    """Make all results of one video around what a person has said; see `minet_core.annotate`.

    It begins with the first frame, whatever a stopped run of this kind has done.
    """
    with opened_video(source, folder, model, asked, resumes=False) as video:
        made = _go_on(video, progress)
        video.check_unchanged()
        keep_before(folder, video.options)
        video.publish(made.names)
        begin_edits(made, folder, video.options)
    looked_at = made.outputs.totals.frames
    return video.summary(
        made.names, made.outputs, looked_at, classes=made.classes, warnings=made.warnings
    )


def _go_on(video: OpenedVideo, progress: Progress | None) -> GoneOn:
    """See everything, unless that was kept, find the tracks, and write them."""
    place, options, key = video.place, video.options, video.standing.manifest.sight_key
    folder, info = place.parent, video.info
    said = corrections_of(options, folder, info)
    kept = is_kept(folder / SIGHTS, key)
    path = (folder if kept else place) / SIGHTS
    if not kept:
        _see(path, video, progress)
    with closing(SightFile(path)) as sights:
        anchors, notes = _of_frames(said.anchors, sights)
        model = video.model if options.prompts else knowing(video.model, said)
        plan, paths = _plan(sights, anchors, said, model, options)
        online = online_detector(model, options, video.clock, plan)
        _judge(sights, online, video, progress if kept else None)
        finish = partial(_finished, said=said, left=left_rows(said.tracks, paths))
        outputs = write_linked(
            *(place, video.source, options, info, model, online.linker, video.clock, sights.end),
            finish,
        )
    replace_bytes(place / CORRECTIONS, anchors_text(anchors).encode())
    names = (*outputs.names, CORRECTIONS, *_kept_names(path, options))
    return GoneOn(outputs, names, (*notes, *online.warnings), model.classes, said)


def _judge(
    sights: SightFile, online: OnlineDetector, video: OpenedVideo, progress: Progress | None
) -> None:
    """Let the memory go through all that was seen."""
    with open_spool(video.place, None) as spool:
        for place, stamp in enumerate(sights.stamps):
            sight = padded(sights.sight(place), online.model)
            seen = online.judge(sight, **stamp._asdict())
            now = online.reported(seen)
            empty = np.broadcast_to(np.uint8(0), (sight.size[1], sight.size[0], 3))
            spool.write(empty, seen.detections if online.linker else now, video.clock)
            if progress is not None:
                progress(now, video.info)
        spool.complete(video.clock)


def _finished(
    joined: Callable[[], Frames],
    without_gaps: Callable[[Frames], Frames],
    *,
    said: Corrections,
    left: dict[int, list[LeftRow]],
) -> Frames:
    whole = joined()
    if said.tracks:
        whole = with_left(whole, left, said.tracks.keys(), more=said.more)
    return without_hidden(without_gaps(whole), said.anchors.hidden)


def _kept_names(path: Path, options: DetectOptions) -> tuple[str, ...]:
    wanted = options.keep or (options.corrections and path.stat().st_size <= MOST_KEPT)
    return (SIGHTS,) if wanted else ()


def _see(path: Path, video: OpenedVideo, progress: Progress | None) -> None:
    """Look at every frame once, and write what was seen.

    Raises:
        InputError: the source cannot be read.
        OutputError: the file cannot be written.
    """
    model, reader, clock = video.model, video.reader, video.clock
    motion = PRESETS[video.options.preset].motion
    follows = motion is not None and motion.camera
    eyes = Eyes(model, clock, remembers=True, follows=follows)
    with closing(SightWriter(path, video.standing.manifest.sight_key)) as writer:
        with closing(sights(reader, eyes, clock, video.options.batch)) as seen:
            for frame, sight in seen:
                stamp = Stamp(frame.index, frame.pts, frame.time)
                writer.write(stamp, sight)
                if progress is not None:
                    progress(_nothing(stamp, model), reader.info)
        writer.complete(reader.end)


def _plan(
    sights: SightFile, anchors: Anchors, said: Corrections, model: Model, options: DetectOptions
) -> tuple[Planting, Paths]:
    """What is planted in the memory, the person's boxes and tracks; and what was found of them."""
    plan = planting(anchors, model, only=options.prompts is not None)
    config, seen = PRESETS[options.preset], PaddedSights(sights, model)
    paths = PathFinder(seen, anchors, model, config, said.tracks).paths()
    planted = {frame: dict(row) for frame, row in paths.items()}
    for number, track in said.tracks.items():
        for frame, box in rows_of(track, track.keyframes):
            planted.setdefault(frame, {})[number] = box
    return replace(plan, paths=planted, above=max(said.tracks, default=0)), paths


def _of_frames(anchors: Anchors, sights: SightFile) -> tuple[Anchors, list[str]]:
    """What is said of frames that were looked at, and a line if there is more.

    Raises:
        InputError: nothing is.
    """
    looked_at = sights.frames
    boxes = {looked_at[0] if f == FIRST and looked_at else f: r for f, r in anchors.boxes.items()}
    own = {frame: row for frame, row in sorted(boxes.items()) if frame in set(looked_at)}
    left = sum(len(row) for frame, row in boxes.items() if frame not in own)
    if boxes and not own:
        raise InputError("all annotated boxes are in frames that are not processed")
    notes = [f"boxes in frames that are not processed, left out: {left}"] if left else []
    return replace(anchors, boxes=own), [*anchors.notes, *notes]


def _nothing(stamp: Stamp, model: Model) -> FrameDetections:
    """A frame of whose tracks nothing is known yet."""
    none, floats = np.zeros(0, np.int64), np.zeros(0)
    return FrameDetections(
        *stamp,
        boxes=np.zeros((0, 4)),
        scores=floats,
        base_scores=floats,
        label_ids=none,
        track_ids=none,
        track_labels=none,
        classes=model.classes,
    )
