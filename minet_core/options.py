"""Settings of `minet detect`: beside each, its default and the help text that `--help` shows."""

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

SIGHTS = "sights.bin"
"""Name of the file with what was seen in each frame, kept so that a run can go on."""

CORRECTIONS = "corrections.json"
"""Name of the file, beside result.json, with what a person has said of the video."""

MOT_PICTURES = "mot.pictures.csv"
"""Name of the table, beside mot.txt, that tells the pictures of a folder."""

MOST_TILES = 8
"""Crops along a frame's longer side; beside a shorter one of 9/16 they are 40."""

MIN_SCORE = 0.3
"""Detections below are not shown, unless asked for."""

PERSONS = ("first_boxes", "prompts", "corrections")
"""Options that name a file of what a person has said of one video."""

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

    stream: int | None = setting(None, "Which video stream of a file to read, counted from 0.")
    rate: float | None = setting(
        None, "For a folder of pictures: pictures a second (25, 30000/1001, 1/60); default 30."
    )


@dataclass(frozen=True)
class RowOptions(Options):
    """What the rows of a result depend on, beside the model and the pictures."""

    identify: str | None = setting(
        None,
        "Another identify network: a .safetensors file of `minet train`, an .onnx file that turns "
        "crops or boxes into vectors, or fc6, the detect head's features of a Faster R-CNN.",
    )
    preset: str = setting(
        "video", "Settings of the memory: video, for any footage, or paper, as published."
    )
    memory: bool = setting(True, "Follow objects over time. Off: no track ids.")
    link: bool = setting(
        True,
        "Join the tracklets of one object at the end of the video. Off: ids are final at once.",
    )
    fill: int = setting(
        8,
        "With --link: interpolate boxes in gaps of up to N frames; 0: in none.",
    )
    score: float = setting(MIN_SCORE, "Minimum score to report, 0–1.")
    classes: tuple[str, ...] = setting((), "Classes to report, such as person,car; default all.")
    size: int | None = setting(
        None,
        "Longer side of the picture the detector sees, a multiple of 32. auto: the model's own; "
        "for minet-nano, half the frame's, 416 to 960.",
    )
    tiles: int | None = setting(
        None,
        "For small objects in large frames: detect in so many overlapping crops along the longer "
        "side too; takes a multiple of the time.",
    )
    half: bool = setting(
        False, "On an NVIDIA GPU: backbones compute in half precision. No GPU was there to try it."
    )
    start: int | float | None = setting(None, "First frame (120) or time (4.5s, 01:30).")
    end: int | float | None = setting(None, "Frame or time to stop before.")
    stride: int = setting(1, "Use every N-th frame only.")
    max_frames: int | None = setting(None, "Maximum number of frames.")
    first_boxes: str | None = setting(
        None,
        "Follow only the objects in this file of boxes in the first frame, whatever their score.",
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
    detections: str | None = setting(
        None,
        "Use boxes from a file, not a detector: det.txt, result.json, detections.csv, COCO "
        "results; or a folder with a file for each video.",
    )


@dataclass(frozen=True)
class OutputOptions(Options):
    """Which files a result is made of, and how they look."""

    formats: tuple[str, ...] = setting(
        tuple(FORMATS),
        "Result files to write: json, csv, mot, and any format of minet export.",
    )
    trails: int = setting(0, "Draw the path of each object over the last N frames.")
    score_vectors: bool = setting(
        False, "Write the scores of all classes too: scores.f32, beside result.json."
    )
    video: bool = setting(True, "Write the annotated video.")


@dataclass(frozen=True)
class RunOptions(Options):
    """How a run behaves. They change no file of the result."""

    batch: int = setting(
        1,
        "Frames that the networks see in one call. For GPUs: a CPU gains nothing. Results come "
        "later by as many frames, and are the same.",
    )
    report: bool = setting(
        False, "Write report.html too, a page to review the result in a browser."
    )
    keep: bool = setting(
        False,
        "Keep what was seen in each frame, sights.bin, with which --corrections takes a fraction "
        "of the time; about 250 KB a frame.",
    )
    overwrite: bool = setting(False, "Replace the results of an earlier run.")
    resume: bool = setting(False, "Resume a stopped run.")
    checkpoint: float = setting(30.0, "Save the state every N seconds, for --resume.")
    cache: float = setting(
        20.0, "GB that copies of videos from buckets and servers may take on this disk."
    )


@dataclass(frozen=True)
class DetectOptions(RunOptions, OutputOptions, RowOptions, InputOptions, ModelOptions):
    """Settings of `minet detect`, and of `minet_core.annotate`.

    Raises:
        ConfigError: a name is unknown, or a number out of its range.
    """

    @property
    def cache_bytes(self) -> int:
        """Bytes that copies of videos may take."""
        return int(self.cache * 1e9)

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
        check_name("preset", self.preset, PRESETS)
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
        said = [name for name in PERSONS if getattr(self, name) is not None]
        if (said or self.keep) and not self.memory:
            raise ConfigError("without memory no object can be followed, and nothing be kept")
        if len(said) > 1:
            raise ConfigError(f"{' and '.join(map(_option, said))} exclude each other")
        if self.score_vectors and "json" not in self.result_formats:
            raise ConfigError("--score-vectors goes with result.json: add json to the formats")
        if self.report and "json" not in self.result_formats:
            raise ConfigError("--report is made from result.json: add json to the formats")
        if not self.batch >= 1:
            raise ConfigError(f"the batch must be 1 frame or more, not {self.batch}")
        if not self.checkpoint >= 0:
            raise ConfigError(f"the checkpoint must be 0 seconds or more, not {self.checkpoint}")
        if not self.cache > 0:
            raise ConfigError(f"the cache must have more than 0 GB, not {self.cache}")
        if not (self.formats or self.video):
            raise ConfigError("there is nothing to write: no format and no video")


def of_detect(name: str) -> Any:
    """A field of other options that has default and help text of one of `DetectOptions`."""
    known = next(each for each in fields(DetectOptions) if each.name == name)
    return setting(known.default, known.metadata["help"])


def is_around_person(options: DetectOptions) -> bool:
    """Whether they ask for a run around what a person has said, forwards and backwards."""
    return options.prompts is not None or options.corrections is not None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def check_name(kind: str, name: str, known: Collection[str]) -> None:
    """Raise ConfigError, with a suggestion, unless a setting's name is known."""
    if name not in known:
        hint = did_you_mean(name, known) or f" (known: {', '.join(known)})"
        raise ConfigError(f"unknown {kind} {name!r}{hint}")
