"""The folder of a training: what is in it, and what may become of what is there already."""

import shutil
from pathlib import Path

from minet_core.errors import OutputError
from minet_core.files import one_line
from minet_core.publishing import check_place, complete_text
from minet_core.text import shown
from minet_core.training.checkpoint import CHECKPOINT
from minet_core.training.settings import TrainConfig
from minet_core.training.settings_file import CONFIG, to_toml
from minet_core.training.step_log import METRICS, TENSORBOARD

LAST = "last.safetensors"
BEST = "best.safetensors"
FRAMES = "frames"
"""Frames of video files; may be deleted when the training is done."""

FILES = (CONFIG, CHECKPOINT, METRICS, LAST, BEST)
_FOLDERS = (FRAMES, TENSORBOARD)


def prepare(out: Path, *, resume: bool, overwrite: bool) -> None:
    """Make the folder of a training, and clear it of an earlier one where that is asked for.

    Raises:
        OutputError: it cannot be made, or has a training that may be neither resumed nor
            replaced.
    """
    check_place(out, FILES)
    there = [name for name in FILES if (out / name).exists()]
    if there and not (resume or overwrite):
        raise OutputError(
            f"{shown(out)} already has a training ({', '.join(there)}); --resume continues it, "
            "--overwrite replaces it"
        )
    with one_line(out):
        out.mkdir(parents=True, exist_ok=True)
        if not resume:
            for name in FILES:
                (out / name).unlink(missing_ok=True)
            for name in _FOLDERS:
                shutil.rmtree(out / name, ignore_errors=True)


def save_config(out: Path, config: TrainConfig) -> None:
    """Write the settings beside what they lead to.

    Raises:
        OutputError: they cannot be written.
    """
    with complete_text(out / CONFIG) as file:
        file.write(to_toml(config))
