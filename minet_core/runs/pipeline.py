"""decode → infer → write: one video in, its output folder out.

Decoding and the model each run in a thread of their own, with bounded queues between; drawing,
encoding and result files are the caller's thread.
"""

import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from minet_core.config import PRESETS, DetectOptions, MemoryConfig
from minet_core.datasets.vocabulary import DEFAULT_TABLE
from minet_core.detections.of_video import picture_order, remarks, with_boxes_of
from minet_core.errors import ConfigError
from minet_core.inference.online import OnlineDetector
from minet_core.inference.planting import NO_PLANTING, Planting, planting
from minet_core.inference.prompts import following, read_first_boxes
from minet_core.inference.timings import StageClock
from minet_core.models.zoo import Model
from minet_core.results import Tracklet
from minet_core.runs.before import begin_edits, keep_before
from minet_core.runs.going_on import go_on, is_around_person
from minet_core.runs.preflight import (
    ONCE,
    check,
    check_finished,
    folder_rate,
    linked_if_read_twice,
    part_of,
    settled,
)
from minet_core.runs.recorder import check_unchanged
from minet_core.runs.review_page import write_report
from minet_core.runs.streaming import Progress, Run, look_through
from minet_core.runs.unfinished import clear, finish_publishing, open_unfinished, publish
from minet_core.suggest import did_you_mean
from minet_core.video import VideoInfo, open_video


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run made.

    Attributes:
        folder: where the files are.
        files: the files, the annotated video first.
        info: the source.
        frames: frames looked at.
        frames_before: those of them that an earlier run had done.
        rows: detections reported.
        rows_without_track: those that belong to no tracklet.
        rows_interpolated: those that were not detected, but fill a gap.
        tracklets: all tracklets, by id.
        classes: class names, by label id.
        seconds: how long it took.
        shares: stage → share of busy time, in the order of the work.
        warnings: what went wrong without stopping the run, a line each.
    """

    folder: Path
    files: tuple[Path, ...]
    info: VideoInfo
    frames: int
    frames_before: int
    rows: int
    rows_without_track: int
    rows_interpolated: int
    tracklets: tuple[Tracklet, ...]
    classes: tuple[str, ...]
    seconds: float
    shares: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def tracklets_by_class(self) -> dict[str, int]:
        """Class name → how many tracklets, the most frequent first."""
        counts = Counter(self.classes[tracklet.label_id] for tracklet in self.tracklets)
        return dict(counts.most_common())

    @property
    def frames_per_second(self) -> float:
        """Frames looked at in a second of the run."""
        return (self.frames - self.frames_before) / self.seconds


def annotate(
    source: str | Path,
    folder: str | Path,
    model: Model,
    options: DetectOptions | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Detect objects in one video and write the results into `folder`.

    Args:
        source: a video file, a URL, `-` for standard input, or pictures: a folder of them, or a
            pattern such as `cam/*.jpg`.
        folder: made if missing; files appear there, all together, when they are complete.
        model: from `load_model`. Results are known by its name, and by the weights of that name.
        options: what to do.
        progress: called after each frame.

    Raises:
        AlreadyDoneError: the folder has these very results, and `overwrite` is not set.
        InputError: the source cannot be read, or changes while it is read.
        ConfigError: a setting is not valid.
        OutputError: the results cannot be written, others are there that may not be replaced, or
            another process is writing there.
        MinetError: a video is to be drawn, and OpenCV does not load.
    """
    folder = Path(folder)
    asked = options or DetectOptions()
    options = settled(asked, source, folder)
    check(source, folder, options, model.name)
    clock, started = StageClock(), time.perf_counter()
    if options.detections is not None:
        model = with_boxes_of(Path(options.detections), model, options.classes)
    with open_unfinished(folder) as place:
        finish_publishing(place)
        # Looked at again, now that no other run can come in between.
        standing = check(source, folder, options, model.name)
        clear(place, standing.checkpoint)
        again = model.window[0] * options.stride  # neighbours of the next frame
        part = part_of(options, max(0, standing.next_frame - again))
        with open_video(
            source, folder_rate=folder_rate(options), stream=options.stream, **part
        ) as reader:
            run = Run(place, source, options, model, standing, reader, clock, progress)
            begin = partial(online_detector, options=options, clock=clock)
            made = go_on(run, begin) if is_around_person(options) else look_through(run, begin)
            check_unchanged(standing.manifest)
            outputs = made.outputs
            given = remarks(model, outputs.totals.frames, options)
            given += picture_order(reader.info, options)
            warnings = *reader.warnings, *made.warnings, *outputs.warnings, *given
            if asked.link and linked_if_read_twice(asked, source):
                warnings = *warnings, ONCE
        if not options.overwrite:
            check_finished(folder, standing.manifest)
        keep_before(made, folder, options)
        publish(place, replace(standing.manifest, files=made.names))
        begin_edits(made, folder, options)
    report = (write_report(folder),) if options.report else ()
    totals = outputs.totals
    return Summary(
        folder=folder,
        files=(*(folder / name for name in made.names), *report),
        info=reader.info,
        frames=totals.frames,
        frames_before=standing.frames_before,
        rows=totals.rows,
        rows_without_track=totals.rows_without_track,
        rows_interpolated=totals.rows_interpolated,
        tracklets=tuple(totals.table.tracklets()),
        classes=made.classes,
        seconds=time.perf_counter() - started,
        shares=clock.shares(),
        warnings=warnings,
    )


def online_detector(
    model: Model,
    plan: Planting = NO_PLANTING,
    *,
    options: DetectOptions,
    clock: StageClock | None = None,
) -> OnlineDetector:
    """The model with the memory that the options ask for, before its first frame.

    Raises:
        ConfigError: the model lacks a class that is asked for.
        InputError: the file of first boxes cannot be read.
    """
    config = reporting(PRESETS[options.preset], options.score)
    if options.first_boxes is not None:
        drawn = read_first_boxes(options.first_boxes).anchors
        plan = planting(drawn, model.detector, only=True)
    if plan.only:
        config = following(config)
    return OnlineDetector(
        model,
        config if options.memory else None,
        # What the user drew is there, however unsure the detector is of it.
        score=0.0 if plan.only else options.score,
        keep=label_ids(options.classes, model.detector.classes),
        clock=clock,
        vectors=options.score_vectors,
        plan=plan,
        link=options.link,
    )


def reporting(config: MemoryConfig, score: float) -> MemoryConfig:
    """The settings for a user who wants to see boxes from this score on.

    Who asks for weaker boxes than by default gets weaker tracks too; else a detector that is
    never sure would have none.
    """
    rule = config.existence
    if rule is None:
        return config
    wanted = rule.threshold * score / DetectOptions().score
    return replace(config, existence=replace(rule, threshold=min(rule.threshold, wanted)))


def label_ids(names: tuple[str, ...], known: tuple[str, ...]) -> frozenset[int] | None:
    """Label ids of class names, None for no names.

    Raises:
        ConfigError: the model has no such class; the nearest is suggested.
    """
    for name in names:
        if name not in known:
            same = [other for other in DEFAULT_TABLE.get(name, ()) if other in known]
            hint = f"; it says {same[0]!r}" if same else did_you_mean(name, known)
            raise ConfigError(f"the model has no class {name!r}{hint}")
    return frozenset(known.index(name) for name in names) if names else None
