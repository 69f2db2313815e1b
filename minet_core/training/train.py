"""A whole training: from settings and data to weights.

data ─ Draws ─ samples ─ Loop.step ─ metrics.csv
                            ├─ every so many steps: measured on --val, best.safetensors
                            └─ every so many steps: checkpoint.pt, last.safetensors
"""

from dataclasses import dataclass
from pathlib import Path

from minet_core.training.data.sampling import Draws
from minet_core.training.data.sources import Sources, open_datasets, pair_up
from minet_core.training.data.video_frames import extracted
from minet_core.training.distributed import ProcessGroup
from minet_core.training.networks import build_task, check_model
from minet_core.training.output_folder import FRAMES, prepare
from minet_core.training.settings import TrainConfig
from minet_core.training.step_log import require_tensorboard
from minet_core.training.steps import TrainingRun, Unwatched, Watcher
from minet_core.training.validation import Validation, open_validation


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """How a training ended.

    Attributes:
        steps: that are done.
        stopped: number of the signal that stopped it, None where it reached its end.
        best: highest measurement, None without any.
        notes: what was left out of the data, a line each.
    """

    steps: int
    stopped: int | None
    best: float | None
    notes: tuple[str, ...]


def train(
    config: TrainConfig,
    out: str | Path,
    watcher: Watcher | None = None,
    *,
    device: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
) -> TrainingSummary:
    """Train a network.

    Under torchrun each process calls this, and the first one writes.

    Args:
        config: of the training.
        out: folder for the results.
        watcher: told how it goes; None for nobody.
        device: where to compute.
        resume: go on with the training that is there, if there is one.
        overwrite: replace the training that is there.

    Raises:
        MinetError: model, data, device or checkpoint are not what they should be, the results
            cannot be written, or a loss is not finite. Checkpoints from before stay.
    """
    out, watcher = Path(out), watcher or Unwatched()
    check_model(config.model)
    if config.tensorboard:
        require_tensorboard()
    with ProcessGroup.of_environment(device) as processes:
        processes.share(config.batch)  # a batch that is too small is told before anything is made
        sources, validation = _data(config, out, watcher, processes, resume, overwrite)
        task = build_task(config, sources.classes, watcher.note)
        draws = Draws(sources.weighted, config)
        run = TrainingRun(config, sources.classes, task, out, processes, watcher, validation)
        stopped = run.go(draws, resume=resume)
    notes = (*sources.notes, *(f"drawn again: {reason}" for reason in draws.skipped))
    return TrainingSummary(run.progress.step, stopped, run.progress.best, notes)


def _data(
    config: TrainConfig,
    out: Path,
    watcher: Watcher,
    processes: ProcessGroup,
    resume: bool,
    overwrite: bool,
) -> tuple[Sources, Validation | None]:
    """What to learn from and to measure on; the folder is made when both are known to be there."""
    validation = open_validation(config, processes.device)
    datasets = open_datasets(config)
    if processes.first:
        for dataset in datasets:
            for line in dataset.notes:
                watcher.note(f"{dataset.name}: {line}")
        prepare(out, resume=resume, overwrite=overwrite)
        extracted(datasets, out / FRAMES, watcher.note)
    processes.wait()
    return pair_up(extracted(datasets, out / FRAMES, watcher.note), config), validation
