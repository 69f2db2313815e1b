"""Settings of `minet detect`, each with its default and the help text that `--help` shows."""

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
"""Name of the file with what was seen in each frame, which later runs reuse."""

CORRECTIONS = "corrections.json"
"""Name of the file, beside result.json, with a person's annotations of the video."""

MOT_PICTURES = "mot.pictures.csv"
"""Name of the table, beside mot.txt, that names the picture of each frame."""

MOST_TILES = 8
"""Maximum crops along a frame's longer side: 40 in all at 16:9."""

MIN_SCORE = 0.3
"""Detections with lower scores are not reported by default."""

PERSONS = ("first_boxes", "prompts", "corrections")
"""Options that name a file with a person's annotations of one video."""

T = TypeVar("T")


def setting(default: T, help_text: str) -> T:
    """A dataclass field with its help text, which `--help` shows."""
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class Options:
    """A group of settings."""

    def part(self, *kinds: type["Options"]) -> dict[str, Any]:
        """The settings that belong to some groups, by name."""
        names = (each.name for kind in kinds for each in fields(kind))
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class ModelOptions(Options):
    """Which model computes, and where. A result identifies its model by the weights."""

    model: str = setting(
        "minet-nano", "Model name, .safetensors or .onnx file, or Python function."
    )
    device: str = setting("auto", "Where to compute: auto, cpu, cuda or mps.")


@dataclass(frozen=True)
class InputOptions(Options):
    """Which pictures a source has. A result records them under `video`."""

    stream: int | None = setting(None, "Which video stream of a file to read, counted from 0.")
    rate: float | None = setting(
        None, "For a folder of pictures: pictures per second (25, 30000/1001, 1/60); default 30."
    )


@dataclass(frozen=True)
class RowOptions(Options):
    """What the rows of a result depend on, apart from the model and the pictures."""

    identify: str | None = setting(
        None,
        "Another identify network: a .safetensors file of `minet train`, an .onnx file that turns "
        "crops or boxes into vectors, or fc6: features of a Faster R-CNN's detect head.",
    )
    preset: str = setting(
        "video", "Memory settings: video, for any footage, or paper, as published."
    )
    memory: bool = setting(True, "Track objects over time. Off: no track ids.")
    link: bool = setting(
        True,
        "Join tracklets of the same object at the end of the video. Off: ids are final at once.",
    )
    fill: int = setting(
        8,
        "With --link: interpolate boxes in gaps of up to N frames; 0: no interpolation.",
    )
    score: float = setting(MIN_SCORE, "Minimum score to report, 0–1.")
    classes: tuple[str, ...] = setting((), "Classes to report, such as person,car; default all.")
    size: int | None = setting(
        None,
        "Longer side of the detector's input, a multiple of 32. auto: the model's own; for "
        "minet-nano, half the frame's, 416 to 960.",
    )
    tiles: int | None = setting(
        None,
        "For small objects in large frames: also detect in N overlapping crops along the longer "
        "side; several times slower.",
    )
    half: bool = setting(
        False, "On an NVIDIA GPU: backbones compute in half precision. Not tried on a GPU yet."
    )
    start: int | float | None = setting(None, "First frame (120) or time (4.5s, 01:30).")
    end: int | float | None = setting(None, "Frame or time to stop before.")
    stride: int = setting(1, "Use every N-th frame only.")
    max_frames: int | None = setting(None, "Maximum number of frames.")
    first_boxes: str | None = setting(
        None,
        "Track only the objects in this file of boxes in the first frame, whatever their score.",
    )
    prompts: str | None = setting(
        None,
        "File of boxes in any frames, each with an object id and optionally a class: track only "
        "these objects, forwards and backwards.",
    )
    corrections: str | None = setting(
        None,
        "Corrections by a person: edits.json of minet review, or annotations of CVAT, Label "
        "Studio or MOT. They are kept as they are; everything else is tracked again.",
    )
    detections: str | None = setting(
        None,
        "Use boxes from a file instead of a detector: det.txt, result.json, detections.csv, COCO "
        "results; or a folder with a file for each video.",
    )


@dataclass(frozen=True)
class SceneOptions(Options):
    """Whether scenes are looked at apart. A result tells where they begin, if there are several."""

    split_at_cuts: bool = setting(
        False,
        "Process the scenes of each video in parallel, with --jobs or --ray; identities end at "
        "cuts.",
    )


@dataclass(frozen=True)
class OutputOptions(Options):
    """Which files are written, and how they look."""

    formats: tuple[str, ...] = setting(
        tuple(FORMATS),
        "Result files to write: json, csv, mot, or any format of minet export.",
    )
    trails: int = setting(0, "Draw the path of each object over the last N frames.")
    score_vectors: bool = setting(
        False, "Also write the scores of all classes: scores.f32, beside result.json."
    )
    video: bool = setting(True, "Write the annotated video.")


@dataclass(frozen=True)
class RunOptions(Options):
    """How a run behaves. They change no file of the result."""

    batch: int = setting(
        1,
        "Frames per call of the networks, for GPUs: slower on a CPU. The results are the same.",
    )
    report: bool = setting(
        False, "Also write report.html, a page to review the result in a browser."
    )
    keep: bool = setting(
        False,
        "Keep each frame's detections and features in sights.bin, about 250 KB per frame: "
        "--corrections then takes a fraction of the time.",
    )
    overwrite: bool = setting(False, "Replace the results of an earlier run.")
    resume: bool = setting(False, "Resume a stopped run.")
    checkpoint: float = setting(30.0, "Save the state every N seconds, for --resume.")
    cache: float = setting(
        20.0, "Maximum GB on disk for copies of videos from buckets and servers."
    )


@dataclass(frozen=True)
class DetectOptions(
    RunOptions, OutputOptions, SceneOptions, RowOptions, InputOptions, ModelOptions
):
    """Settings of `minet detect`, and of `minet_core.annotate`.

    Raises:
        ConfigError: a name is unknown, or a number out of its range.
    """

    @property
    def cache_bytes(self) -> int:
        """Maximum bytes on disk for copies of videos."""
        return int(self.cache * 1e9)

    @property
    def result_formats(self) -> tuple[str, ...]:
        """Formats of `FORMATS` to write, frame by frame; all others are made from result.json."""
        own = tuple(name for name in self.formats if name in FORMATS)
        return own if "json" in own or not self.export_formats else (*own, "json")

    @property
    def export_formats(self) -> tuple[str, ...]:
        """Formats of `minet export` to write once the result is complete."""
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
            raise ConfigError("--tiles needs a detector; it does not go with --detections")
        if self.rate is not None and not 0 < self.rate <= 1000:
            raise ConfigError(f"the rate must be over 0 and up to 1000 a second, not {self.rate}")
        if not self.trails >= 0:
            raise ConfigError(f"the trails must be 0 frames or more, not {self.trails}")
        if not self.fill >= 0:
            raise ConfigError(f"the longest gap to fill must be 0 frames or more, not {self.fill}")
        given = [name for name in PERSONS if getattr(self, name) is not None]
        if (given or self.keep) and not self.memory:
            option = _option(given[0] if given else "keep")
            raise ConfigError(f"{option} needs the memory; it does not go with --no-memory")
        if len(given) > 1:
            raise ConfigError(f"{' and '.join(map(_option, given))} exclude each other")
        if self.split_at_cuts and (given or self.keep):
            other = _option([*given, "keep"][0])
            raise ConfigError(f"--split-at-cuts and {other} exclude each other")
        if self.score_vectors and "json" not in self.result_formats:
            raise ConfigError("--score-vectors needs result.json: add json to the formats")
        if self.report and "json" not in self.result_formats:
            raise ConfigError("--report needs result.json: add json to the formats")
        if not self.batch >= 1:
            raise ConfigError(f"the batch must be 1 frame or more, not {self.batch}")
        if not self.checkpoint >= 0:
            raise ConfigError(f"the checkpoint must be 0 seconds or more, not {self.checkpoint}")
        if not self.cache > 0:
            raise ConfigError(f"the cache must have more than 0 GB, not {self.cache}")
        if not (self.formats or self.video):
            raise ConfigError("there is nothing to write: no format and no video")


def of_detect(name: str) -> Any:
    """A field with the default and help text of a field of `DetectOptions`."""
    known = next(each for each in fields(DetectOptions) if each.name == name)
    return setting(known.default, known.metadata["help"])


def is_around_person(options: DetectOptions) -> bool:
    """Whether the run tracks around a person's annotations, forwards and backwards."""
    return options.prompts is not None or options.corrections is not None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def check_name(kind: str, name: str, known: Collection[str]) -> None:
    """Raise ConfigError, with a suggestion, unless a setting's name is known."""
    if name not in known:
        hint = did_you_mean(name, known) or f" (known: {', '.join(known)})"
        raise ConfigError(f"unknown {kind} {name!r}{hint}")
