"""What a detector finds in one picture, drawn: the quickest way to see a wrong setting."""

from pathlib import Path

import numpy as np

from minet_core.config import MemoryConfig
from minet_core.errors import ConfigError, InputError, OutputError
from minet_core.models.detector import Detector, Frame
from minet_core.publishing import check_place, replace_bytes
from minet_core.scores import best_class_rows, classwise_nms, foreground
from minet_core.video import Overlay, open_video
from minet_core.video.drawing.lettering import load_opencv

_SUFFIXES = (".png", ".jpg", ".jpeg")
_FLOOR = 0.001


def check_drawing(path: Path, *, replace: bool) -> None:
    """See that a drawing can be written there.

    Raises:
        ConfigError: the name is none of a picture.
        OutputError: something is there that may not be replaced, or nothing can be written.
        MinetError: OpenCV cannot be loaded.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise ConfigError(f"{path}: a picture ends in {', '.join(_SUFFIXES)}")
    if path.exists() and not replace:
        raise OutputError(f"{path} exists already; --overwrite replaces it")
    check_place(path.parent, [path.name])
    load_opencv()


def draw_found(detector: Detector, source: str, path: Path, score: float) -> int:
    """Draw what a detector finds in a picture, or in the first frame of a video.

    Args:
        detector: of any kind.
        source: the picture or video.
        path: of the drawing, which is replaced.
        score: minimum score of what is drawn.

    Returns:
        How many boxes were drawn.

    Raises:
        InputError: the source cannot be read.
        OutputError: the drawing cannot be written.
    """
    frame = first_frame(source)
    base = detector.detect([frame])[0].finite()
    scores = foreground(base.scores.double(), detector.score_kind)
    rows, labels = classwise_nms(base.boxes, scores, MemoryConfig().nms, _FLOOR)
    kept = best_class_rows(rows, labels, scores)
    best = scores[kept].max(dim=1)
    shown = best.values >= score
    names = [detector.classes[label] for label in best.indices[shown].tolist()]
    boxes = base.boxes[kept[shown]].double().numpy()
    drawn = Overlay().draw(frame, boxes, names, best.values[shown].numpy(), np.full(len(names), -1))
    _, content = load_opencv().imencode(path.suffix, drawn[..., ::-1])
    replace_bytes(path, content.tobytes())
    return len(names)


def first_frame(source: str) -> Frame:
    """The picture, or the first of a video.

    Raises:
        InputError: there is none.
    """
    with open_video(source, max_frames=1) as video:
        for frame in video:
            return frame.image
    raise InputError(f"{source}: no picture in it")
