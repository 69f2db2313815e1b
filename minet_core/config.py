"""Every setting and its default, with the section of the paper it comes from.

The CLI reads its defaults and help texts here. A setting that the paper fixes carries its
section; the others say why they are as they are.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeVar

from minet_core.errors import ConfigError
from minet_core.suggest import did_you_mean

NOISE = (0.01, 0.05, 0.1, 0.2, 0.3)
"""The five numbers of the noise of meta-training (§III-D.1)."""

NOISE_READINGS = ("deviation", "variance")
"""What they may be taken for; see `minet_core.memory.support.noisy_boxes`."""


@dataclass(frozen=True, slots=True)
class Motion:
    """How objects move, and how well a detector places its boxes; see `minet_core.memory.motion`.

    Attributes:
        measurement: deviation of a detector's box from the true one, each of centre and size, in
            √area of the box.
        drift: deviation that a position gathers in a frame beside its velocity, likewise.
        acceleration: deviation that a velocity gathers in a frame, likewise.
        camera: whether positions follow the camera's motion.
    """

    measurement: float = 0.08
    drift: float = 0.04
    acceleration: float = 0.015
    camera: bool = True


@dataclass(frozen=True, slots=True)
class Existence:
    """When a slot counts as an object; see `Slot.existence`.

    Attributes:
        sightings: how many boxes vouch for a slot: its existence is the mean of the log-odds of
            its so many best boxes, and of a doubtful one for each that is missing.
        threshold: existence from which on a slot's boxes are reported as a track.
        patience: frames that a slot is kept unmatched once it has reached the threshold.
        first_patience: frames that it is kept before.
    """

    sightings: int = 3
    threshold: float = 0.5
    patience: float = 45.0
    first_patience: float = 2.0


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """Settings of the dynamic memory. The defaults are the preset `paper`.

    Where a field is None, the term or the rule it steers is off.

    Attributes:
        scale: μ of Eq. 5 (§IV-B.3).
        shift: η of Eq. 5 (§IV-B.3); it cancels in the softmax.
        empty_association: association of every box with the empty slot (§IV-B.3).
        decay: σ of Eq. 8 (§IV-B.3, Table V).
        ridge: λ of Eq. 1 (§IV-B.2).
        write_threshold: base foreground score above which a box may write (§IV-B.3).
        open_threshold: base foreground score above which an unmatched box opens a slot
            (§IV-B.3: the same); not below `write_threshold`.
        nms: IoU of the class-wise suppression after re-weighting (§IV-B.3).
        positives: most positive support samples of a matched box (§III-D.2).
        negatives: negative support samples of a matched box (§III-D.2).
        buffer: matched boxes whose samples a slot keeps (§IV-B.3).
        gate: log-odds against the empty slot below which a pair is discarded before the
            assignment. The paper gives no figure; 0 is the association of the empty slot.
        duplicate_iou: an unmatched box that overlaps a better one by more opens no slot.
        match_cap: largest f of Eq. 8; without it π freezes on long footage.
        max_slots: most slots; the longest unmatched retires first.
        overlap: log-odds that a box loses for overlapping a surer one entirely: two boxes on one
            object share its evidence. It decides what matches and opens, not what is reported.
        motion: position as a term of Eq. 5; None links by appearance alone.
        existence: existence in the place of π in Eq. 6, and as the rule by which slots are
            reported and retire; None reports every slot and keeps it for good.
        return_gate: log-odds from which on a slot that has some boxes turns out to be an older one,
            whose object has come back; see `minet_core.memory.returns`.
    """

    scale: float = 20.0
    shift: float = -10.0
    empty_association: float = 0.5
    decay: float = 0.95
    ridge: float = 0.1
    write_threshold: float = 0.1
    open_threshold: float = 0.1
    nms: float = 0.45
    positives: int = 32
    negatives: int = 96
    buffer: int = 30
    gate: float = 0.0
    duplicate_iou: float = 0.7
    match_cap: int | None = None
    max_slots: int | None = None
    overlap: float = 0.0
    motion: Motion | None = None
    existence: Existence | None = None
    return_gate: float | None = None


PAPER = MemoryConfig()
"""As the paper has it: no ageing, no cap, appearance alone. For `minet eval`."""

VIDEO = MemoryConfig(
    scale=10.0,
    empty_association=0.4,
    ridge=0.025,
    write_threshold=0.05,
    open_threshold=0.3,
    positives=8,
    negatives=24,
    gate=2.0,
    match_cap=30,
    max_slots=100,
    overlap=4.0,
    motion=Motion(),
    existence=Existence(),
    return_gate=-1.0,
)
"""For long footage. For `minet detect`. benchmarks/README.md shows what each term earns, and on
which sequences. A quarter of the paper's support samples at a quarter of its λ gives the same
identifiers but for the choice of shifts, in less time."""

PRESETS = {"paper": PAPER, "video": VIDEO}


FORMATS = {"json": "result.json", "csv": "detections.csv", "mot": "mot.txt"}
"""Result format → name of its file in a video's output folder."""

SCORE_VECTORS = "scores.f32"
"""Name of the file with every row's score vector, beside result.json."""

SIGHTS = "sights.bin"
"""Name of the file with what was seen in each frame, kept so that a run can go on."""

CORRECTIONS = "corrections.json"
"""Name of the file, beside result.json, with what a person has said of the video."""

MOT_PICTURES = "mot.pictures.csv"
"""Name of the table, beside mot.txt, that tells the pictures of a folder."""

PICTURES = ("jpg", "png")
"""What pictures of frames can be written as."""

ORDERS = ("names", "natural")
"""Of pictures in a task of CVAT."""

SPLITS = ("train", "val")
"""Parts of a dataset."""

MOST_TILES = 8
"""Crops along a frame's longer side; beside a shorter one of 9/16 they are 40."""

PERSONS = ("first_boxes", "prompts", "corrections")
"""Options that name a file of what a person has said of one video."""

T = TypeVar("T")


def setting(default: T, help_text: str) -> T:
    """A dataclass field with its help text, which `--help` shows."""
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """Settings of `minet detect`, and of `minet_core.annotate`; beside each, its help text.

    Raises:
        ConfigError: a name is unknown, or a number out of its range.
    """

    model: str = setting(
        "minet-nano", "Name of a model, a .safetensors or .onnx file, or a Python function."
    )
    identify: str | None = setting(
        None,
        "Network that tells objects apart, in place of the model's own: a .safetensors file of "
        "`minet train`, or an .onnx file from crops or boxes to vectors; fc6 for the detect head's "
        "features of a Faster R-CNN (Table III, c).",
    )
    preset: str = setting(
        "video", "Settings of the memory: video for any footage, paper as published."
    )
    memory: bool = setting(True, "Link detections over time; off: no track ids.")
    link: bool = setting(
        True,
        "Join the tracklets of one object when the video has ended; off: ids as they are known at "
        "once.",
    )
    fill: int = setting(
        8,
        "With --link: longest gap of a track, in frames, that is filled with interpolated boxes; 0 "
        "fills none.",
    )
    formats: tuple[str, ...] = setting(
        tuple(FORMATS),
        "Result files to write, separated by commas: json, csv, mot, and all of minet export.",
    )
    score: float = setting(0.3, "Minimum score to report, 0–1.")
    classes: tuple[str, ...] = setting((), "Classes to report, such as person,car; by default all.")
    device: str = setting("auto", "Where to compute: auto, cpu, cuda or mps.")
    size: int | None = setting(
        None,
        "Longer side of the picture the detector sees, a multiple of 32. auto: the model's own, "
        "for minet-nano half the frame's, from 416 to 960.",
    )
    tiles: int | None = setting(
        None,
        "Overlapping crops along the longer side of a frame that the detector sees beside the "
        "whole: for small objects in large pictures; a multiple of the time.",
    )
    start: int | float | None = setting(None, "First frame (120) or time (4.5s, 01:30).")
    end: int | float | None = setting(None, "Frame or time to stop before.")
    stream: int | None = setting(
        None, "Number of the video stream to read, from 0, of a file that has several."
    )
    stride: int = setting(1, "Look at every N-th frame only.")
    max_frames: int | None = setting(None, "Stop after so many frames.")
    rate: float | None = setting(
        None, "Pictures a second, for a folder of pictures (25, 30000/1001, 1/60); by default 30."
    )
    trails: int = setting(0, "Frames of past motion to draw behind each object.")
    first_boxes: str | None = setting(
        None,
        "File with boxes of the first frame: follow these objects whatever their score, and no "
        "others.",
    )
    prompts: str | None = setting(
        None,
        "File with boxes of any frames, each with the id of its object and perhaps a class: follow "
        "these objects, forwards and backwards, and no others.",
    )
    corrections: str | None = setting(
        None,
        "What a person has mended: edits.json of minet review, or annotations of CVAT, Label "
        "Studio or MOT. It is kept as it is, and the rest is found anew around it.",
    )
    keep: bool = setting(
        False,
        "Keep what was seen in each frame, sights.bin, with which --corrections takes a fraction "
        "of the time; about 250 KB a frame.",
    )
    detections: str | None = setting(
        None,
        "Boxes and scores from a file in place of the detector: det.txt, result.json, "
        "detections.csv, COCO results; or a folder with a file for each video.",
    )
    score_vectors: bool = setting(
        False, "Keep the scores of every class beside result.json, in scores.f32."
    )
    video: bool = setting(True, "Write the annotated video.")
    report: bool = setting(
        False, "Write report.html too, a page to review the results in a browser."
    )
    overwrite: bool = setting(False, "Replace the results of an earlier run.")
    resume: bool = setting(False, "Resume a stopped run.")
    checkpoint: float = setting(30.0, "Seconds between two places where --resume can begin.")

    def __post_init__(self) -> None:
        _check_name("preset", self.preset, PRESETS)
        for name in self.formats:
            _check_name("format", name, FORMATS)
        # Each is written so that NaN fails too.
        if not 0 <= self.score <= 1:
            raise ConfigError(f"the score must be from 0 to 1, not {self.score}")
        if self.size is not None and not (self.size > 0 and self.size % 32 == 0):
            raise ConfigError(f"the size must be a positive multiple of 32, not {self.size}")
        if self.tiles is not None and not 2 <= self.tiles <= MOST_TILES:
            raise ConfigError(f"the tiles must be from 2 to {MOST_TILES}, not {self.tiles}")
        if self.tiles is not None and self.detections is not None:
            raise ConfigError("--tiles is about a detector; --detections has its boxes already")
        if self.rate is not None and not 0 < self.rate <= 1000:
            raise ConfigError(f"the rate must be over 0 and up to 1000 a second, not {self.rate}")
        if not self.trails >= 0:
            raise ConfigError(f"the trails must be 0 frames or more, not {self.trails}")
        if not self.fill >= 0:
            raise ConfigError(f"the longest gap to fill must be 0 frames or more, not {self.fill}")
        said = [name for name in PERSONS if getattr(self, name) is not None]
        if self.first_boxes is not None and not self.memory:
            raise ConfigError("without memory no object can be followed from its first box")
        if (said or self.keep) and not self.memory:
            raise ConfigError("without memory no object can be followed, and nothing be kept")
        if len(said) > 1:
            raise ConfigError(f"{' and '.join(map(_option, said))} exclude each other")
        if self.score_vectors and "json" not in self.formats:
            raise ConfigError("--score-vectors goes with result.json: add json to the formats")
        if self.report and "json" not in self.formats:
            raise ConfigError("--report is made from result.json: add json to the formats")
        if not self.checkpoint >= 0:
            raise ConfigError(f"the checkpoint must be 0 seconds or more, not {self.checkpoint}")
        if not (self.formats or self.video):
            raise ConfigError("there is nothing to write: no format and no video")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Settings of `minet export`; beside each, its help text.

    Raises:
        ConfigError: a number is out of its range, or a name unknown.
    """

    min_score: float = setting(0.0, "Leave out tracks with a lower mean score, and loose boxes.")
    min_length: int = setting(1, "Leave out tracks with fewer boxes.")
    classes: tuple[str, ...] = setting(
        (), "Classes to write, by their new names if there is a label map."
    )
    max_gap: int = setting(10, "Longest gap, in frames, that --interpolate closes.")
    interpolate: bool = setting(
        False,
        "Close short gaps of the detector with interpolated boxes; those that a person made stay.",
    )
    keyframes: str = setting(
        "auto", "For annotation tools, the boxes to drag: auto, all, or every N-th."
    )
    label_map: str | None = setting(None, "File with a line `old=new` for each class to rename.")
    edits: str | None = setting(
        None, "What was mended in the review page: edits.json, of this very result."
    )
    constant_rate: float | None = setting(
        None, "Count frames as a copy of the video with so many frames a second has them."
    )
    frames: str | None = setting(None, "Write the pictures too, where the format has them.")
    overlay: bool = setting(
        False, "Draw the annotated video again too, from what is written: NAME-annotated.mp4."
    )
    split: str = setting("train", "Part of a dataset that the videos are to be: train or val.")
    order: str = setting(
        "names", "How a CVAT task of pictures is sorted: names, its default, or natural."
    )
    video: tuple[str, ...] = setting((), "Where a video is now; its name tells whose it is.")
    media: str | None = setting(
        None,
        "For Label Studio: what its server has before a video's file name; by default local files, "
        "in the folder that the video is in.",
    )
    annotator: str | None = setting(
        None, "Of Label Studio's tasks, whose annotations to read: an id or e-mail address."
    )
    scores: bool = setting(
        False, "For CVAT: write scores too, as the attribute `score`, which labels need to have."
    )
    zip: bool = setting(False, "Write one zip file in place of a folder or file.")
    overwrite: bool = setting(False, "Replace what an earlier export wrote.")

    def __post_init__(self) -> None:
        # Each is written so that NaN fails too.
        if not 0 <= self.min_score <= 1:
            raise ConfigError(f"the least score must be from 0 to 1, not {self.min_score}")
        if not self.min_length >= 1:
            raise ConfigError(f"the least length must be 1 box or more, not {self.min_length}")
        if not self.max_gap >= 0:
            raise ConfigError(f"the longest gap must be 0 frames or more, not {self.max_gap}")
        if self.constant_rate is not None and not 0 < self.constant_rate <= 1000:
            raise ConfigError(f"the rate must be over 0 and up to 1000, not {self.constant_rate}")
        if self.frames not in (None, *PICTURES):
            raise ConfigError(f"pictures are written as {' or '.join(PICTURES)}, not {self.frames}")
        _check_name("split", self.split, SPLITS)
        _check_name("order", self.order, ORDERS)
        if not (self.keyframes in ("auto", "all") or re.fullmatch("[1-9][0-9]*", self.keyframes)):
            raise ConfigError(f"keyframes are auto, all or a number, not {self.keyframes!r}")


def _check_name(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        hint = did_you_mean(name, known) or f" (known: {', '.join(known)})"
        raise ConfigError(f"unknown {kind} {name!r}{hint}")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
