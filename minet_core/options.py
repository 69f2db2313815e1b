"""Settings of the commands: beside each, its default and the help text that `--help` shows."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from minet_core.config import PRESETS
from minet_core.errors import ConfigError
from minet_core.suggest import did_you_mean

FORMATS = {"json": "result.json", "csv": "detections.csv", "mot": "mot.txt"}
"""Result format → name of its file in a video's output folder."""

SCORE_VECTORS = "scores.f32"
"""Name of the file with every row's score vector, beside result.json."""

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

MIN_SCORE = 0.3
"""Detections below are not shown, unless asked for."""

T = TypeVar("T")


def setting(default: T, help_text: str) -> T:
    """A dataclass field with its help text, which `--help` shows."""
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class Options:
    """Settings with a meaning in common."""

    def part(self, *kinds: type["Options"]) -> dict[str, Any]:
        """The settings of some of the kinds that these are made of, by name."""
        names = (each.name for kind in kinds for each in fields(kind))
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class ModelOptions(Options):
    """Which model computes, and where. A result knows its model by the weights."""

    model: str = setting(
        "minet-nano", "Name of a model, a .safetensors or .onnx file, or a Python function."
    )
    device: str = setting("auto", "Where to compute: auto, cpu, cuda or mps.")


@dataclass(frozen=True)
class InputOptions(Options):
    """Which pictures a source has. A result tells of them with its video."""

    stream: int | None = setting(
        None, "Number of the video stream to read, from 0, of a file that has several."
    )
    rate: float | None = setting(
        None, "Pictures a second, for a folder of pictures (25, 30000/1001, 1/60); by default 30."
    )


@dataclass(frozen=True)
class RowOptions(Options):
    """What the rows of a result depend on, beside the model and the pictures."""

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
    score: float = setting(MIN_SCORE, "Minimum score to report, 0–1.")
    classes: tuple[str, ...] = setting((), "Classes to report, such as person,car; by default all.")
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
    stride: int = setting(1, "Look at every N-th frame only.")
    max_frames: int | None = setting(None, "Stop after so many frames.")
    first_boxes: str | None = setting(
        None,
        "File with boxes of the first frame: follow these objects whatever their score, and no "
        "others.",
    )
    detections: str | None = setting(
        None,
        "Boxes and scores from a file in place of the detector: det.txt, result.json, "
        "detections.csv, COCO results; or a folder with a file for each video.",
    )


@dataclass(frozen=True)
class OutputOptions(Options):
    """Which files a result is made of, and how they look."""

    formats: tuple[str, ...] = setting(
        tuple(FORMATS),
        "Result files to write, separated by commas: json, csv, mot, and all of minet export.",
    )
    trails: int = setting(0, "Frames of past motion to draw behind each object.")
    score_vectors: bool = setting(
        False, "Keep the scores of every class beside result.json, in scores.f32."
    )
    video: bool = setting(True, "Write the annotated video.")


@dataclass(frozen=True)
class RunOptions(Options):
    """How a run behaves. They change no file of the result."""

    report: bool = setting(
        False, "Write report.html too, a page to review the results in a browser."
    )
    overwrite: bool = setting(False, "Replace the results of an earlier run.")
    resume: bool = setting(False, "Resume a stopped run.")
    checkpoint: float = setting(30.0, "Seconds between two places where --resume can begin.")


@dataclass(frozen=True)
class DetectOptions(RunOptions, OutputOptions, RowOptions, InputOptions, ModelOptions):
    """Settings of `minet detect`, and of `minet_core.annotate`.

    Raises:
        ConfigError: a name is unknown, or a number out of its range.
    """

    @property
    def result_formats(self) -> tuple[str, ...]:
        """Those of `FORMATS` to write, frame by frame; all others are made from result.json."""
        own = tuple(name for name in self.formats if name in FORMATS)
        return own if "json" in own or not self.export_formats else (*own, "json")

    @property
    def export_formats(self) -> tuple[str, ...]:
        """The formats of `minet export` to write, when the result is there."""
        return tuple(name for name in self.formats if name not in FORMATS)

    def __post_init__(self) -> None:
        _check_name("preset", self.preset, PRESETS)
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
        if self.first_boxes is not None and not self.memory:
            raise ConfigError("without memory no object can be followed from its first box")
        if self.score_vectors and "json" not in self.result_formats:
            raise ConfigError("--score-vectors goes with result.json: add json to the formats")
        if self.report and "json" not in self.result_formats:
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


def of_detect(name: str) -> Any:
    """A field of other options that has default and help text of one of `DetectOptions`."""
    known = next(each for each in fields(DetectOptions) if each.name == name)
    return setting(known.default, known.metadata["help"])


def _check_name(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        hint = did_you_mean(name, known) or f" (known: {', '.join(known)})"
        raise ConfigError(f"unknown {kind} {name!r}{hint}")
