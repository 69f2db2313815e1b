"""MINet beside SORT, ByteTrack, OC-SORT and BoT-SORT: the same detections, in the same run.

    python benchmarks/trackers_side_by_side.py mot:MOT17/train --detections public

Three kinds of detections. `bundled` are those of the bundled detector, `public` those of
det/det.txt in each sequence, and `true` the true boxes at a score of 0.9, where nothing is left to
be wrong but identities. Every tracker is given the boxes that reach --given, and has the settings
it comes with and the video's frame rate. What counts are rows with a track id that reach --score;
MINet changes scores, the others do not. The metrics are those of `minet eval`.

The peers are those of the package `trackers` (pip install trackers); without it MINet runs alone.
On one core of a small server it takes about 0.2 s a frame of 640 × 480, for each kind.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minet_core.config import PRESETS, MemoryConfig
from minet_core.datasets.base import Dataset, VideoTruth
from minet_core.datasets.open import open_dataset
from minet_core.datasets.vocabulary import map_classes
from minet_core.errors import MinetError
from minet_core.evaluation.eval_config import EvalOptions
from minet_core.evaluation.found import Found, nothing, pairs, true_boxes
from minet_core.evaluation.frames import FoundBoxes
from minet_core.evaluation.passes import Remembering, every_frame
from minet_core.evaluation.scorer import Scorer, Scores
from minet_core.evaluation.tracking import TrackingScores
from minet_core.formats.stored import read_stored, table_for
from minet_core.inference.online import OnlineDetector
from minet_core.models.detections import StoredBoxes, StoredDetector
from minet_core.models.detector import BaseDetections, Detector
from minet_core.models.files import embedder_file
from minet_core.models.identify import load_identify
from minet_core.models.zoo import Model, load_model
from minet_core.video.info import Image

PEERS = {
    "SORT": "SORTTracker",
    "ByteTrack": "ByteTrackTracker",
    "OC-SORT": "OCSORTTracker",
    "BoT-SORT": "BoTSORTTracker",
}
"""Name in the tables → class of the package `trackers`."""
WANTS_PICTURES = {"BoT-SORT"}
"""Peers that follow the camera's motion."""

PLAIN = "no memory"
MINET: Mapping[str, MemoryConfig | None] = {
    **{f"MINet, {name}": config for name, config in PRESETS.items()},
    PLAIN: None,
}

TRUE_SCORE = 0.9
PUBLIC = "det/det.txt"

MakeTracker = Callable[[float], Any]
"""From frames per second to a peer's tracker before its first frame."""
DetectorOf = Callable[[VideoTruth], Detector]


class Settings(NamedTuple):
    """What was asked for: the floors, and the embeddings of MINet."""

    given: float
    score: float
    model: Model


def peers() -> dict[str, MakeTracker]:
    """The trackers to compare with, each with its own defaults; none without their package."""
    try:
        import trackers
    except ImportError:
        say("the package `trackers` is missing, so MINet runs alone: pip install trackers")
        return {}
    return {name: partial(_tracker, getattr(trackers, kind)) for name, kind in PEERS.items()}


def _tracker(kind: Any, frame_rate: float) -> Any:
    return kind(frame_rate=frame_rate)


def detectors(kind: str, dataset: Dataset, root: Path, model: Model) -> DetectorOf:
    """From a video to the detector whose boxes every tracker is given."""
    if kind == "bundled":
        return lambda _: model.detector
    if kind == "true":
        return lambda video: StoredDetector(stored_truth(dataset, video))
    places = {video.name: public_file(root, video.name) for video in dataset.videos}
    return lambda video: StoredDetector(read_stored(places[video.name], dataset.classes))


def public_file(root: Path, video: str) -> Path:
    """The public detections of a sequence, in its folder; the root may be a sequence itself."""
    path = root / video / PUBLIC
    return path if path.exists() else root / PUBLIC


def stored_truth(dataset: Dataset, video: VideoTruth) -> StoredBoxes:
    """The true boxes that count, as if a detector had found them."""
    truths = [video.frame(index) for index in range(len(video))]
    boxes = [true_boxes(truth, inclusive=dataset.inclusive) for truth in truths]
    counts = [int((~entry.ignore).sum()) for entry in boxes]
    scores = np.full(sum(counts), TRUE_SCORE)
    return StoredBoxes(
        source=f"true boxes of {video.name}",
        classes=dataset.classes,
        frames=np.repeat(np.arange(len(truths)), counts),
        boxes=np.concatenate([entry.boxes[~entry.ignore] for entry in boxes]),
        label_ids=np.concatenate([entry.label_ids[~entry.ignore] for entry in boxes]),
        scores=scores,
        base_scores=scores,
        track_ids=np.full(len(scores), -1),
        covered=frozenset(range(len(dataset.classes))),
    )


def compare(
    dataset: Dataset,
    detector_of: DetectorOf,
    trackers: Mapping[str, MakeTracker],
    settings: Settings,
) -> dict[str, Scores]:
    """Run every tracker over every video; tracker → its numbers, MINet first."""
    options = EvalOptions(tracking=True, score=settings.score)
    tracking = {name: config for name, config in MINET.items() if config}
    memories = {**tracking, **dict.fromkeys(trackers), PLAIN: None}
    scorers = {
        name: Scorer(dataset.classes, options, memory=memory, tracks=name != PLAIN)
        for name, memory in memories.items()
    }
    for video in dataset.videos:
        model = replace(settings.model, detector=detector_of(video))
        for index, found in look(dataset, video, model, trackers, settings.given):
            truth = video.frame(index)
            if truth.annotated:
                boxes = true_boxes(truth, inclusive=dataset.inclusive)
                for name, scorer in scorers.items():
                    scorer.add(video.name, index, boxes, found.get(name, nothing()), None)
        for scorer in scorers.values():
            scorer.end_video(video.name)
        say(f"{video.name}: {len(video)} frames")
    return {name: scorer.result() for name, scorer in scorers.items()}


def look(
    dataset: Dataset,
    video: VideoTruth,
    model: Model,
    trackers: Mapping[str, MakeTracker],
    given: float,
) -> Iterator[tuple[int, dict[str, Found]]]:
    """(frame, tracker → what it found) of every frame; nothing where there is no picture."""
    classes = model.detector.classes
    names = map_classes(classes, dataset.classes, table_for(classes, dataset.classes, None))
    model = replace(model, embedder=Remembering(model.embedder))
    minet = {name: OnlineDetector(model, config) for name, config in MINET.items()}
    others = {name: make(float(video.frame_rate)) for name, make in trackers.items()}
    for index, image in every_frame(video):
        found: dict[str, Found] = {}
        if image is not None:
            base = detect(model.detector, index, image, given)
            time = float(index / video.frame_rate)
            for name, online in minet.items():
                frame = online.step(image, frame=index, time=time, base=base)
                nms = (MINET[name] or MemoryConfig()).nms
                found[name] = pairs(frame, names, len(dataset.classes), nms)
            boxes = best(found[PLAIN], given)
            for name, tracker in others.items():
                found[name] = update(tracker, boxes, image if name in WANTS_PICTURES else None)
        yield index, found


def detect(detector: Detector, index: int, image: Image, given: float) -> BaseDetections:
    """What the detector says of a frame, where scores below `given` are 0."""
    if isinstance(detector, StoredDetector):
        detector.next = index
    (base,) = detector.detect([image])
    return replace(base, scores=base.scores.where(base.scores >= given, 0.0))


def best(found: Found, given: float) -> FoundBoxes:
    """Each box once, under its best class."""
    rows = found.shown & (found.boxes.scores >= given)
    boxes = found.boxes
    return FoundBoxes.of(boxes.boxes[rows], boxes.label_ids[rows], boxes.scores[rows])


def update(tracker: Any, boxes: FoundBoxes, image: Image | None) -> Found:
    """Show a peer the next frame; what it has given a track id."""
    import supervision

    detections = supervision.Detections(
        xyxy=boxes.boxes, confidence=boxes.scores, class_id=boxes.label_ids
    )
    # Their pictures are BGR.
    pictures = {} if image is None else {"frame": np.ascontiguousarray(image[..., ::-1])}
    rows = tracker.update(detections, **pictures)
    if not len(rows):
        return nothing()
    rows = rows[rows.tracker_id >= 0]
    found = FoundBoxes.of(rows.xyxy, rows.class_id, rows.confidence, rows.tracker_id)
    return Found(found, np.ones(len(rows), dtype=bool))


def show(kind: str, results: Mapping[str, Scores]) -> None:
    """Print the tables of one kind of detections."""
    levels = {name: s.tracking for name, s in results.items() if s.tracking is not None}
    videos = next(iter(levels.values())).videos
    out(f"\n{kind} detections")
    for video in videos if len(videos) > 1 else ():
        _tracking_table(video, {name: level.videos[video] for name, level in levels.items()})
    title = "all" if len(videos) > 1 else next(iter(videos))
    _tracking_table(title, {name: level.overall for name, level in levels.items()})
    _detection_table({name: results[name] for name in MINET})


def _tracking_table(title: str, rows: Mapping[str, TrackingScores]) -> None:
    heads = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "switches", "breaks")
    out(f"\n  {title:<20}" + "".join(f"{head:>9}" for head in heads))
    for name, s in rows.items():
        shares = (s.hota, s.det_a, s.ass_a, s.idf1, s.mota)
        cells = [*(f"{100 * share:.1f}" for share in shares), s.id_switches, s.fragmentations]
        out(f"  {name:<20}" + "".join(f"{cell:>9}" for cell in cells))


def _detection_table(rows: Mapping[str, Scores]) -> None:
    """Average precision, and jitter with its interval and that of its difference to no memory."""
    plain = rows[PLAIN].temporal
    heads = f"{'AP50':>9}{'jitter':>9}{'95 %':>18}{'less no memory':>20}"
    out(f"\n  {'scores':<20}{heads}")
    for name, scores in rows.items():
        interval = _interval(scores.temporal.jitter_interval())
        less = "" if name == PLAIN else _interval(scores.temporal.jitter_difference(plain))
        ap, jitter = f"{100 * scores.ap.mean:.1f}", f"{scores.temporal.jitter:.4f}"
        out(f"  {name:<20}{ap:>9}{jitter:>9}{interval:>18}{less:>20}")


def _interval(interval: Any) -> str:
    return f"{interval.low:.4f} … {interval.high:.4f}"


def out(line: str) -> None:
    """Print a line of the result."""
    print(line)


def say(line: str) -> None:
    """Print a line about the run."""
    print(line, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="mot:ROOT, or another dataset that `minet eval` takes")
    kinds = ("bundled", "public", "true")
    parser.add_argument("--detections", nargs="+", choices=kinds, default=kinds)
    help_text = "embeddings of MINet, a .safetensors file (default: the bundled ones)"
    parser.add_argument("--identify", type=Path, metavar="FILE", help=help_text)
    help_text = "least score of the boxes that every tracker is given (default: 0.1)"
    parser.add_argument("--given", type=float, default=0.1, help=help_text)
    help_text = "least score of what counts as found (default: 0.3)"
    parser.add_argument("--score", type=float, default=0.3, help=help_text)
    parser.add_argument("--device", default="auto", help="where MINet computes (default: auto)")
    return parser.parse_args()


def main() -> None:
    """Print the tables of each kind of detections."""
    asked = arguments()
    dataset = open_dataset(asked.data)
    model = load_model(device=asked.device)
    weights = asked.identify or embedder_file()
    model = replace(model, embedder=load_identify(weights))
    settings = Settings(asked.given, asked.score, model)
    root = Path(asked.data.partition(":")[2])
    trackers = peers()
    out(f"{asked.data}: {len(dataset.videos)} videos; embeddings of {weights}")
    out(f"given: boxes with a score of {asked.given} or more; counted: {asked.score} or more")
    for kind in asked.detections:
        if kind == "public" and not all(public_file(root, v.name).exists() for v in dataset.videos):
            say(f"not every sequence has {PUBLIC}, so there are no public detections")
            continue
        detector_of = detectors(kind, dataset, root, model)
        show(kind, compare(dataset, detector_of, trackers, settings))


if __name__ == "__main__":
    try:
        main()
    except MinetError as error:
        sys.exit(f"error: {error}")
