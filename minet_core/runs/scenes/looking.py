"""One scene, from its first frame to what its part of the joined result is made of."""

import io
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import torch

from minet_core.boxes import NO_TRACK
from minet_core.models.zoo import Model
from minet_core.publishing import replace_bytes
from minet_core.results import FrameDetections
from minet_core.runs.manifest import Manifest, manifest_of, read_manifest
from minet_core.runs.scenes.cutting import VideoScene
from minet_core.runs.spool import SPOOL
from minet_core.runs.video_run import Run, open_run
from minet_core.video import VideoInfo
from minet_core.video.opening import StrPath

STATE = "scene.pt"
"""Name of the file with all that is known of a scene beside its frames."""

FILES = (SPOOL, STATE)
"""Files of a scene that is complete."""


def look_at_scene(
    source: StrPath,
    folder: Path,
    model: Model,
    scene: VideoScene,
    progress: Callable[[FrameDetections, VideoInfo], None] | None = None,
) -> int:
    """Look at a scene, and keep what was found in its folder.

    Args:
        source: the video.
        folder: for the scene; what is complete there stays.
        model: of the run.
        scene: of this video.
        progress: called after each frame.

    Returns:
        How many of its frames an earlier run had looked at.

    Raises:
        MinetError: as `minet_core.annotate`.
    """
    if is_complete(folder, manifest_of(source, model.name, scene.options)):
        return scene.frames
    with open_run(source, folder, model, scene.options, mark=scene.mark, waits=True) as run:
        with closing(run.frames()) as frames:
            for looked in frames:
                found = run.write(looked)
                if progress is not None:
                    progress(found, run.info)
        _keep(run)
    return run.video.standing.frames_before


def is_complete(folder: Path, wanted: Manifest) -> bool:
    """Whether a folder has just this scene."""
    made = read_manifest(folder)
    if made is None or not made.is_same(wanted):
        return False
    return all((folder / name).exists() for name in FILES)


def read_state(folder: Path) -> dict[str, Any]:
    """What `look_at_scene` has kept beside the frames.

    `linker` is None where tracks are as they were known at once; `last_id` is the highest id that
    the memory gave, `tentative` the number of its tentative tracks; `end` is as `FrameReader.end`;
    `seconds` are those of each stage.
    """
    state: dict[str, Any] = torch.load(folder / STATE, weights_only=True)
    return state


def _keep(run: Run) -> None:
    online, video = run.online, run.video
    video.check_unchanged()
    run.outputs.complete(video.clock, video.reader.end)
    unusable, online.unusable = online.unusable, 0  # told for all scenes together
    state = {
        "linker": online.linker.save() if online.linker else None,
        "last_id": online.memory.next_id - 1 if online.memory else 0,
        "tentative": NO_TRACK - online.memory.tentative.last_id if online.memory else 0,
        "unusable": unusable,
        "warnings": online.warnings,
        "end": video.reader.end,
        "seconds": video.clock.save(),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    replace_bytes(video.place / STATE, buffer.getvalue())
    video.publish(FILES)
