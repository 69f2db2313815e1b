"""What `minet eval` was asked for, and what follows from that before anything is read."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minet_core.config import PRESETS
from minet_core.errors import ConfigError
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS, aggregates
from minet_core.models.weight_files import FC6, architecture_of
from minet_core.options import MOST_TILES

if TYPE_CHECKING:
    from minet_core.evaluation.eval_config import EvalOptions, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was typed, option by option."""

    data: str
    split: str
    output: Path
    overwrite: bool
    report: bool
    model: str
    identify: str | None
    preset: str
    size: int | None
    tiles: int | None
    device: str
    memory: bool
    detections: Path | None
    results: Path | None
    allow_cut: bool
    class_table: Path | None
    protocol: str
    motion: bool
    motion_rule: str
    tracking: bool
    score: float
    bidirectional: bool
    seq_nms: bool
    tube_link: bool
    sweep: str | None
    ablation: bool
    trained: str | None
    paper: bool

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
            raise ConfigError("--trained is about --ablation and --paper: rows (b) and (d)")
        if self.paper and self.trained is None:
            raise ConfigError(
                "--paper needs two models: --model, trained without the meta loss, and --trained"
            )
        if self.paper and (self.bidirectional or self.seq_nms or self.tube_link):
            raise ConfigError("--paper has --bidirectional, --seq-nms and --tube-link in its rows")
        if self.allow_cut and not self.results:
            raise ConfigError("--allow-cut is about --results")


def options_of(request: Request) -> "EvalOptions":
    """The metrics that were asked for.

    Raises:
        ConfigError: they do not go together, or a number is out of its range.
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


def variants_of(request: Request) -> "tuple[Variant, ...]":
    """The variants of the memory to compare.

    Raises:
        ConfigError: the sweep names no setting, or no value of one.
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


def identify_of(request: Request, *, trained: bool) -> str | None:
    """What tells objects apart beside a model; None for what the model itself has for it.

    Beside a Faster R-CNN that had no meta loss stands a head of random weights, so row (c) of
    Table III takes fc6, as the paper does, and fc6 is never of the model that had one.
    """
    if trained:
        return None if request.identify == FC6 else request.identify
    untrained = request.trained is not None and request.identify is None
    if untrained and architecture_of(Path(request.model)) in RCNN_CONFIGS:
        return FC6
    return request.identify


def settings_of(request: Request) -> dict[str, Any]:
    """What metrics.json says of what was asked for; null where it played no part."""
    settings = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(request).items()
        if name not in {"output", "overwrite", "report"}
    }
    if request.results is not None:
        settings |= dict.fromkeys(_OF_MODEL)
    return settings


_OF_MODEL = ("model", "identify", "preset", "size", "tiles", "device", "memory")
