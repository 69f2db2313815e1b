"""Writes checkpoints while a run goes on, and puts a run back to one."""

import io
import time
from pathlib import Path
from typing import Any

import torch

from minet_core.errors import InputError
from minet_core.inference.online import OnlineDetector
from minet_core.runs.manifest import Manifest, source_facts
from minet_core.runs.outputs import Outputs
from minet_core.runs.spool import Spool
from minet_core.runs.unfinished import Checkpoint, save_checkpoint, versions
from minet_core.text import shown


class Recorder:
    """Saves what a run has come to, at the first border after so many seconds.

    Args:
        place: the hidden folder.
        manifest: of the run. One that reads a stream is not recorded: nobody can go on with it.
        outputs: whose state is saved.
        seconds: between two checkpoints.
    """

    def __init__(
        self, place: Path, manifest: Manifest, outputs: Outputs | Spool, seconds: float
    ) -> None:
        self._place = place
        self._manifest = manifest
        self._outputs = outputs
        self._seconds = seconds
        self._saved_at = time.monotonic()

    def at_border(self, last_frame: int, memory: dict[str, Any]) -> None:
        """Save a checkpoint if it is time.

        Args:
            last_frame: index of the last frame that was written.
            memory: the detector's state after that frame.

        Raises:
            InputError: the source has changed.
            OutputError: the checkpoint cannot be written.
        """
        if self._manifest.of_stream or time.monotonic() - self._saved_at < self._seconds:
            return
        # What was read from a disk that has gone away must not be gone on from.
        check_unchanged(self._manifest)
        state, lengths = self._outputs.save()
        checkpoint = Checkpoint(
            manifest=self._manifest,
            frames=self._outputs.totals.frames,
            last_frame=last_frame,
            outputs=state,
            lengths=lengths,
            versions=versions(),
        )
        buffer = io.BytesIO()
        torch.save(memory, buffer)
        save_checkpoint(self._place, checkpoint, buffer.getvalue())
        self._saved_at = time.monotonic()


def restore(place: Path, checkpoint: Checkpoint, online: OnlineDetector) -> None:
    """Put a detector, made with the same settings, back to where a checkpoint was taken."""
    online.restore(torch.load(place / checkpoint.memory_file, weights_only=True))


def check_unchanged(manifest: Manifest) -> None:
    """See that the source is still what it was when the run began.

    Raises:
        InputError: it has vanished or changed.
    """
    path = manifest.source["path"]
    if source_facts(path) != manifest.source:
        raise InputError(f"{shown(path)}: vanished or changed while it was read")
