"""A run around what a person has said: first everything is seen, then tracks are found.

What was seen is a file, so that paths can be looked for in both directions, and so that a later
run begins with it.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from minet_core.config import PRESETS
from minet_core.detections.anchor_file import anchors_text
from minet_core.detections.corrections import read_corrections
from minet_core.detections.edited_result import Corrections
from minet_core.detections.of_video import picture_order, remarks, with_boxes_of
from minet_core.detections.prompts import read_prompts
from minet_core.errors import InputError
from minet_core.inference.anchors import FIRST, Anchors
from minet_core.inference.completing import LeftRow, left_rows, with_left, without_hidden
from minet_core.inference.from_options import online_detector
from minet_core.inference.online import OnlineDetector
from minet_core.inference.paths import PathFinder, Paths
from minet_core.inference.planting import Planting, planting
from minet_core.inference.sights import Eyes, Sight
from minet_core.inference.timings import StageClock
from minet_core.inference.windows import windows
from minet_core.models.detector import BaseDetections
from minet_core.models.zoo import Model, model_of
from minet_core.options import CORRECTIONS, FORMATS, SIGHTS, DetectOptions
from minet_core.publishing import replace_bytes
from minet_core.results import FrameDetections
from minet_core.runs.before import GoneOn, begin_edits, keep_before
from minet_core.runs.manifest import Manifest
from minet_core.runs.preflight import Standing, check, check_finished, settled
from minet_core.runs.producer import prefetch
from minet_core.runs.recorder import check_unchanged
from minet_core.runs.sight_file import SightFile, SightWriter, Stamp, is_kept
from minet_core.runs.spool import Frames, open_spool, write_linked
from minet_core.runs.stages import QUEUE_DEPTH, decoded
from minet_core.runs.summary import Summary, summary_of
from minet_core.runs.unfinished import clear, finish_publishing, open_unfinished, publish
from minet_core.runs.video_run import reader_of
from minet_core.scores import ScoreKind
from minet_core.text import shown
from minet_core.video import FrameReader, VideoInfo
from minet_core.video.remote.cache import fetched

Progress = Callable[[FrameDetections, VideoInfo], None]

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

    It begins with the first frame: what a stopped run of this kind has done is not gone on from.
    """
    options = settled(asked, source, folder)
    standing = check(source, folder, options, options.model if model is None else model.name)
    if options.video and standing.manifest.of_stream:
        raise InputError(f"{shown(source)}: is read once, and drawn on at the end: --no-video")
    model = model_of(options) if model is None else model
    clock, started = StageClock(), time.perf_counter()
    if options.detections is not None:
        model = with_boxes_of(Path(options.detections), model, options.classes)
    with open_unfinished(folder) as place:
        finish_publishing(place)
        # Looked at again, now that no other run can come in between.
        standing = Standing(check(source, folder, options, model.name).manifest)
        clear(place, None)
        with (
            fetched(source, options.cache_bytes),
            reader_of(source, options, model, standing) as reader,
        ):
            work = _Work(place, source, options, model, standing.manifest, reader, clock, progress)
            made = _go_on(work)
        check_unchanged(standing.manifest)
        if not options.overwrite:
            check_finished(folder, standing.manifest)
        keep_before(folder, options)
        publish(place, replace(standing.manifest, files=made.names))
        begin_edits(made, folder, options)
    given = remarks(model, made.outputs.totals.frames, options)
    given += picture_order(reader.info, options)
    return summary_of(
        *(folder, made.names, made.outputs),
        info=reader.info,
        frames_before=0,
        classes=made.classes,
        seconds=time.perf_counter() - started,
        shares=clock.shares(),
        warnings=(*reader.warnings, *made.warnings, *made.outputs.warnings, *given),
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """One video on its way to its results."""

    place: Path
    source: str | Path
    options: DetectOptions
    model: Model
    manifest: Manifest
    reader: FrameReader
    clock: StageClock
    progress: Progress | None


def _go_on(work: _Work) -> GoneOn:
    """See everything, unless that was kept, find the tracks, and write them."""
    place, options, key = work.place, work.options, work.manifest.sight_key
    folder, info = place.parent, work.reader.info
    said = corrections_of(options, folder, info)
    kept = is_kept(folder / SIGHTS, key)
    path = (folder if kept else place) / SIGHTS
    if not kept:
        _see(path, work)
    with closing(SightFile(path)) as sights:
        anchors, notes = _of_frames(said.anchors, sights)
        model = work.model if options.prompts else _knowing(work.model, said)
        plan, paths = _plan(sights, anchors, said, model, options)
        online = online_detector(model, options, work.clock, plan)
        _judge(sights, online, work, tell=kept)
        left = left_rows(said.tracks, paths)
        finish = partial(_finished, said=said, left=left)
        outputs = write_linked(
            *(place, work.source, options, info, model, online.linker, work.clock, sights.end),
            finish,
        )
    replace_bytes(place / CORRECTIONS, anchors_text(anchors).encode())
    names = (*outputs.names, CORRECTIONS, *_kept_names(path, options))
    return GoneOn(outputs, names, (*notes, *online.warnings), model.classes, said)


def _judge(sights: SightFile, online: OnlineDetector, work: _Work, *, tell: bool) -> None:
    """Let the memory go through all that was seen."""
    with open_spool(work.place, None) as spool:
        for place, stamp in enumerate(sights.stamps):
            sight = _padded(sights.sight(place), online.model)
            seen = online.judge(sight, **stamp._asdict())
            now = online.reported(seen)
            empty = np.broadcast_to(np.uint8(0), (sight.size[1], sight.size[0], 3))
            spool.write(empty, seen.detections if online.linker else now, work.clock)
            if tell and work.progress is not None:
                work.progress(now, work.reader.info)
        spool.complete(work.clock)


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


def _see(path: Path, work: _Work) -> None:
    """Look at every frame once, and write what was seen.

    Raises:
        InputError: the source cannot be read.
        OutputError: the file cannot be written.
    """
    model, reader, clock = work.model, work.reader, work.clock
    motion = PRESETS[work.options.preset].motion
    follows = motion is not None and motion.camera
    eyes = Eyes(model, clock, remembers=True, follows=follows)
    with closing(SightWriter(path, work.manifest.sight_key)) as writer:
        with closing(prefetch(decoded(reader, clock), QUEUE_DEPTH)) as frames:
            for frame, before, after in windows(frames, lambda each: each.image, model.window):
                model.surround(frame.image, before, after)
                stamp = Stamp(frame.index, frame.pts, frame.time)
                writer.write(stamp, eyes.see(frame.image, frame.index))
                if work.progress is not None:
                    work.progress(_nothing(stamp, model), reader.info)
        writer.complete(reader.end)


def _plan(
    sights: SightFile, anchors: Anchors, said: Corrections, model: Model, options: DetectOptions
) -> tuple[Planting, Paths]:
    """What is planted in the memory: the person's boxes, and the tracks between them."""
    plan = planting(anchors, model, only=options.prompts is not None)
    config, seen = PRESETS[options.preset], _Padded(sights, model)
    paths = PathFinder(seen, anchors, model, config, said.tracks).paths()
    planted = {frame: dict(row) for frame, row in paths.items()}
    for number, track in said.tracks.items():
        own = track.keyframes
        for frame, (a, b, c, d) in zip(
            track.frames[own].tolist(), track.boxes[own].tolist(), strict=True
        ):
            planted.setdefault(frame, {})[number] = (a, b, c, d)
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
        raise InputError("all boxes of the person are of frames that are not looked at")
    notes = [f"boxes of frames that are not looked at, left out: {left}"] if left else []
    return replace(anchors, boxes=own), [*anchors.notes, *notes]


class _MoreClasses:
    """A detector that knows a person's classes beside its own; it is asked for nothing else."""

    def __init__(self, own: Model, more: tuple[str, ...]) -> None:
        self.classes: tuple[str, ...] = (*own.classes, *more)
        self.score_kind: ScoreKind = own.score_kind

    def detect(self, frames: object) -> list[BaseDetections]:
        raise NotImplementedError("everything was seen already")


def _knowing(model: Model, said: Corrections) -> Model:
    """The model with the classes that a person has named and it does not know."""
    named = *said.anchors.labels.values(), *(track.label for track in said.tracks.values())
    more = tuple(dict.fromkeys(label for label in named if label not in model.classes))
    return replace(model, detector=_MoreClasses(model, more), stored=None) if more else model


def _padded(sight: Sight, model: Model) -> Sight:
    """The sight with a score of 0 for classes that the model did not know."""
    base = sight.base
    columns = len(model.classes) + (model.score_kind is ScoreKind.SOFTMAX)
    if columns == base.scores.shape[1]:
        return sight
    more = torch.zeros(len(base), columns - base.scores.shape[1])
    return replace(sight, base=replace(base, scores=torch.cat([base.scores, more], dim=1)))


@dataclass(frozen=True, slots=True)
class _Padded:
    """Sights for a detector with more classes."""

    sights: SightFile
    model: Model

    @property
    def frames(self) -> list[int]:
        return self.sights.frames

    def sight(self, place: int) -> Sight:
        return _padded(self.sights.sight(place), self.model)


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
