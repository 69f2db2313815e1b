"""Video annotation with tracklets: a detector, instance identifiers and a dynamic memory.

    from minet_core import VideoDetector, open_video

    detector = VideoDetector()
    with open_video("street.mp4") as video:
        for frame in video:
            for row in detector.detect(frame.image, time=frame.time).rows():
                print(row)

Names are imported when they are first used, so that `import minet_core` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from minet_core._version import __version__

if TYPE_CHECKING:
    from minet_core.config import MemoryConfig
    from minet_core.errors import MinetError
    from minet_core.evaluation.evaluate import EvalResult
    from minet_core.evaluation.requests.request import EvalRequest
    from minet_core.evaluation.requests.run import evaluate
    from minet_core.export_options import ExportOptions
    from minet_core.exports.job import Exported, export
    from minet_core.models.zoo import Model, load_model
    from minet_core.options import DetectOptions
    from minet_core.results import FrameDetections, Tracklet, VideoResult
    from minet_core.runs.annotate import annotate
    from minet_core.runs.api import VideoDetector, iterate_video
    from minet_core.runs.summary import Summary
    from minet_core.training.settings import TrainConfig, recipe
    from minet_core.training.train import TrainingSummary, train
    from minet_core.video import open_video

_HOMES = {
    "DetectOptions": "options",
    "EvalRequest": "evaluation.requests.request",
    "EvalResult": "evaluation.evaluate",
    "ExportOptions": "export_options",
    "Exported": "exports.job",
    "FrameDetections": "results",
    "MemoryConfig": "config",
    "MinetError": "errors",
    "Model": "models.zoo",
    "Summary": "runs.summary",
    "Tracklet": "results",
    "TrainConfig": "training.settings",
    "TrainingSummary": "training.train",
    "VideoDetector": "runs.api",
    "VideoResult": "results",
    "annotate": "runs.annotate",
    "evaluate": "evaluation.requests.run",
    "export": "exports.job",
    "iterate_video": "runs.api",
    "load_model": "models.zoo",
    "open_video": "video",
    "recipe": "training.settings",
    "train": "training.train",
}

__all__ = [
    "DetectOptions",
    "EvalRequest",
    "EvalResult",
    "ExportOptions",
    "Exported",
    "FrameDetections",
    "MemoryConfig",
    "MinetError",
    "Model",
    "Summary",
    "Tracklet",
    "TrainConfig",
    "TrainingSummary",
    "VideoDetector",
    "VideoResult",
    "__version__",
    "annotate",
    "evaluate",
    "export",
    "iterate_video",
    "load_model",
    "open_video",
    "recipe",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
