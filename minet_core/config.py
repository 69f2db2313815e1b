"""Every setting and its default, with the section of the paper it comes from.

The CLI reads its defaults and help texts here. A setting that the paper fixes carries its
section; the others say why they are as they are.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """Settings of the dynamic memory. The defaults are the preset `paper`.

    Where a field is None, the rule it steers is off.

    Attributes:
        scale: μ of Eq. 5 (§IV-B.3).
        shift: η of Eq. 5 (§IV-B.3); it cancels in the softmax.
        empty_association: association of every box with slot 0 (§IV-B.3).
        decay: σ of Eq. 8 (§IV-B.3, Table V).
        ridge: λ of Eq. 1 (§IV-B.2).
        write_threshold: base foreground score above which a box may write (§IV-B.3).
        nms: IoU of the class-wise suppression after re-weighting (§IV-B.3).
        positives: most positive support samples of a matched box (§III-D.2).
        negatives: negative support samples of a matched box (§III-D.2).
        buffer: matched boxes whose samples a slot keeps (§IV-B.3).
        match_threshold: association under which a pair is discarded before the assignment; the
            paper gives no figure.
        duplicate_iou: an unmatched box that overlaps a better one by more opens no slot.
        max_absence: seconds after which an unmatched slot retires.
        max_slots: most slots; the longest unmatched retires first.
        match_cap: largest f_num of Eq. 8; without it π freezes on long footage.
    """

    scale: float = 20.0
    shift: float = -10.0
    empty_association: float = 0.5
    decay: float = 0.95
    ridge: float = 0.1
    write_threshold: float = 0.1
    nms: float = 0.45
    positives: int = 32
    negatives: int = 96
    buffer: int = 30
    match_threshold: float = 0.5
    duplicate_iou: float = 0.7
    max_absence: float | None = None
    max_slots: int | None = None
    match_cap: int | None = None


PAPER = MemoryConfig()
"""As the paper has it: no ageing, no cap, no prior, appearance alone. For `minet eval`."""

VIDEO = MemoryConfig(max_absence=2.0, max_slots=100, match_cap=30)
"""For long footage. For `minet detect`."""

PRESETS = {"paper": PAPER, "video": VIDEO}


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """Settings of `minet detect`, and of `minet_core.annotate`.

    Attributes:
        model: name of a model, or a weights file.
        preset: name of the memory's settings: video or paper.
        memory: whether to use the memory at all; without it there are no track ids.
        formats: result files to write: json, csv, mot.
        score: detections below this score are not reported.
        classes: class names to report; empty for all.
        device: auto, cpu, cuda or mps.
        size: longer side of the picture the detector sees, a multiple of 32.
        start: first frame (an int) or second (a float).
        end: where to stop, likewise; not included.
        stride: look at every n-th frame.
        max_frames: look at no more than this many frames.
        trails: frames of past motion to draw behind each object.
        video: whether to write the annotated video.
        overwrite: whether results that are there may be replaced.
    """

    model: str = "minet-nano"
    preset: str = "video"
    memory: bool = True
    formats: tuple[str, ...] = ("json", "csv", "mot")
    score: float = 0.3
    classes: tuple[str, ...] = ()
    device: str = "auto"
    size: int = 416
    start: int | float | None = None
    end: int | float | None = None
    stride: int = 1
    max_frames: int | None = None
    trails: int = 0
    video: bool = True
    overwrite: bool = False
