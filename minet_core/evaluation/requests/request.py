"""Settings of `minet eval`, and what follows from them before anything is read."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minet_core.config import PRESETS
from minet_core.errors import ConfigError
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS, aggregates
from minet_core.models.weight_files import FC6, architecture_of
from minet_core.options import MIN_SCORE, MOST_TILES, of_detect, setting

if TYPE_CHECKING:
    from minet_core.evaluation.eval_config import EvalOptions, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalRequest:
    """What to evaluate: settings of `minet eval`, and of `minet_core.evaluate`.

    Raises:
        ConfigError: settings exclude each other, or are out of range.
    """

    data: str = field(
        metadata={"help": "imagenet-vid:ROOT, mot:ROOT, coco-vid:FILE or toy:DIR."},
    )
    split: str = setting("val", "Part of the dataset.")
    output: Path = setting(Path("minet-eval"), "Folder for metrics.json and metrics.csv.")
    overwrite: bool = setting(False, "Replace the metrics of an earlier run.")
    report: bool = setting(False, "Also write report.html; needs matplotlib.")
    model: str = of_detect("model")
    identify: str | None = of_detect("identify")
    preset: str = setting("paper", "Memory settings: paper or video.")
    size: int | None = of_detect("size")
    tiles: int | None = of_detect("tiles")
    device: str = of_detect("device")
    memory: bool = setting(True, "Compare with and without memory. Off: the plain detector alone.")
    detections: Path | None = setting(
        None,
        "Use boxes from a file instead of a detector: det.txt, result.json, detections.csv, COCO "
        "results.",
    )
    results: Path | None = setting(
        None,
        "Score existing results: result.json, detections.csv, MOTChallenge text, masks "
        "(MOTS, pictures, COCO), or the text format of ImageNet VID.",
    )
    allow_cut: bool = setting(False, "Accept results without their low scores.")
    class_table: Path | None = setting(
        None, "Map the model's classes to the dataset's: a file with lines `model,dataset`."
    )
    protocol: str = setting("voc50", "How to compute average precision.")
    motion: bool = setting(False, "Score slow, medium and fast objects separately.")
    motion_rule: str = setting("mega", "Rule that assigns false positives to motion groups.")
    tracking: bool = setting(False, "Compute HOTA, MOTA and IDF1.")
    score: float = setting(MIN_SCORE, "Minimum score of tracks, 0–1; average precision ignores it.")
    bidirectional: bool = setting(False, "Also run the memory backwards, and merge both passes.")
    seq_nms: bool = setting(False, "Rescore each video by Seq-NMS.")
    tube_link: bool = setting(False, "Rescore each video by tubes.")
    sweep: str | None = setting(
        None, "Vary a setting of the memory, such as decay=1,0.95,0.9 (Table V)."
    )
    ablation: bool = setting(False, "Compute the rows of Table III.")
    paper: bool = setting(
        False,
        "Compute Tables II to V of the paper from --model and --trained, beside its figures.",
    )
    trained: str | None = setting(
        None,
        "For --ablation and --paper: the model trained with the meta loss; --model was trained "
        "without.",
    )

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ConfigError(f"unknown preset {self.preset!r} (known: {', '.join(PRESETS)})")
        chosen = {
            "--results": self.results is not None,
            "--ablation": self.ablation,
            "--sweep": self.sweep is not None,
            "--no-memory": not self.memory,
            "--paper": self.paper,
        }
        given = [name for name, is_given in chosen.items() if is_given]
        if len(given) > 1:
            raise ConfigError(f"{given[0]} and {given[1]} do not go together")
        if self.results and self.detections:
            raise ConfigError("--results and --detections do not go together")
        if self.tiles is not None and not 2 <= self.tiles <= MOST_TILES:
            raise ConfigError(f"the tiles must be from 2 to {MOST_TILES}, not {self.tiles}")
        if self.tiles is not None and self.detections:
            raise ConfigError("--tiles and --detections do not go together")
        if self.results and self.bidirectional:
            raise ConfigError("--results and --bidirectional do not go together")
        if self.trained is not None and not (self.ablation or self.paper):
            raise ConfigError("--trained needs --ablation or --paper: it gives rows (b) and (d)")
        if self.paper and self.trained is None:
            raise ConfigError(
                "--paper needs two models: --model, trained without the meta loss, and --trained"
            )
        if self.paper and (self.bidirectional or self.seq_nms or self.tube_link):
            raise ConfigError("--paper includes --bidirectional, --seq-nms and --tube-link")
        if self.allow_cut and not self.results:
            raise ConfigError("--allow-cut needs --results")


def options_of(request: EvalRequest) -> "EvalOptions":
    """The requested metrics.

    Raises:
        ConfigError: metrics exclude each other, or a number is out of range.
    """
    from minet_core.evaluation.eval_config import EvalOptions, Offline
    from minet_core.evaluation.matching import ApProtocol
    from minet_core.evaluation.precision.motion_precision import MotionRule

    return EvalOptions(
        protocol=ApProtocol(request.protocol),
        motion=request.motion or (request.paper and request.protocol != "coco"),
        motion_rule=MotionRule(request.motion_rule),
        tracking=request.tracking,
        score=request.score,
        offline=Offline(request.bidirectional, request.seq_nms, request.tube_link),
    )


def variants_of(request: EvalRequest) -> "tuple[Variant, ...]":
    """The variants of the memory to compare.

    Raises:
        ConfigError: the sweep names an unknown setting or value.
    """
    from minet_core.evaluation.eval_config import ablation, sweep, with_and_without, without
    from minet_core.evaluation.paper import paper_variants

    memory = PRESETS[request.preset]
    if request.sweep is not None:
        return sweep(request.sweep, memory)
    if request.ablation or request.paper:
        fc6 = identify_of(request, trained=False) == FC6
        fgfa = aggregates(architecture_of(Path(request.model)))
        if request.paper:
            return paper_variants(memory, fc6=fc6, fgfa=fgfa)
        return ablation(memory, trained=request.trained is not None, fc6=fc6, fgfa=fgfa)
    return with_and_without(memory) if request.memory else (without(),)


def identify_of(request: EvalRequest, *, trained: bool) -> str | None:
    """The identify network for a model; None for the model's own.

    A Faster R-CNN trained without the meta loss has an identify head of random weights. So row (c)
    of Table III uses fc6, as in the paper. A model trained with the meta loss never uses fc6.
    """
    if trained:
        return None if request.identify == FC6 else request.identify
    untrained = request.trained is not None and request.identify is None
    if untrained and architecture_of(Path(request.model)) in RCNN_CONFIGS:
        return FC6
    return request.identify


def settings_of(request: EvalRequest) -> dict[str, Any]:
    """The settings that metrics.json records; null for those without effect."""
    settings = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(request).items()
        if name not in {"output", "overwrite", "report"}
    }
    if request.results is not None:
        settings |= dict.fromkeys(_OF_MODEL)
    return settings


_OF_MODEL = ("model", "identify", "preset", "size", "tiles", "device", "memory")
