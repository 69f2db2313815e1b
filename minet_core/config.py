"""Settings of the method and their defaults.

A setting from the paper names its section.
"""

from dataclasses import dataclass

NOISE = (0.01, 0.05, 0.1, 0.2, 0.3)
"""Noise levels of meta-training (§III-D.1)."""

NOISE_READINGS = ("deviation", "variance")
"""Meanings of the noise levels; see `minet_core.memory.support.noisy_boxes`."""


@dataclass(frozen=True, slots=True)
class Motion:
    """How objects move, and how well a detector places its boxes; see `minet_core.memory.motion`.

    Attributes:
        measurement: deviation of a detector's box from the true box, in centre and size, in
            √area of the box.
        drift: deviation that a position gains per frame in addition to its velocity, likewise.
        acceleration: deviation that a velocity gains per frame, likewise.
        camera: whether positions follow the camera's motion.
        learning: weight of each match in the estimate of an object's unrest; 0 treats all objects
            as equally calm.
    """

    measurement: float = 0.08
    drift: float = 0.04
    acceleration: float = 0.015
    camera: bool = True
    learning: float = 0.12


@dataclass(frozen=True, slots=True)
class Existence:
    """When a slot counts as an object; see `minet_core.memory.evidence`.

    Attributes:
        sightings: minimum number of a slot's best boxes that count: its existence is the mean of
            their log-odds, with a doubtful score for each missing box.
        threshold: minimum existence to report a slot's boxes as a track.
        moved: log-odds of existence that an object gains which has moved.
        doubtful: minimum existence to keep a slot for `patience`.
        patience: frames that a slot is kept without a match once it has reached `doubtful`.
        first_patience: frames that it is kept before.
    """

    sightings: int = 3
    threshold: float = 0.6
    moved: float = 1.7
    doubtful: float = 0.2
    patience: float = 45.0
    first_patience: float = 2.0


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """Settings of the dynamic memory. The defaults are the preset `paper`.

    A field of None turns its term or rule off.

    Attributes:
        scale: μ of Eq. 5 (§IV-B.3).
        shift: η of Eq. 5 (§IV-B.3); it cancels in the softmax.
        empty_association: association of every box with the empty slot (§IV-B.3).
        decay: σ of Eq. 8 (§IV-B.3, Table V).
        ridge: λ of Eq. 1 (§IV-B.2).
        write_threshold: base foreground score above which a box may write (§IV-B.3).
        open_threshold: base foreground score above which an unmatched box opens a slot
            (§IV-B.3: the same); not below `write_threshold`.
        tentative: whether unmatched boxes above `write_threshold` that are too weak to open a slot
            begin tentative tracks; see `minet_core.memory.tentative`.
        nms: IoU of the class-wise suppression after re-weighting (§IV-B.3).
        positives: maximum positive support samples of a matched box (§III-D.2).
        negatives: negative support samples of a matched box (§III-D.2).
        buffer: matched boxes whose samples a slot keeps (§IV-B.3).
        gate: minimum log-odds of a pair against the empty slot; lower pairs are discarded before
            the assignment. The paper gives no figure; 0 is the association of the empty slot.
        duplicate_iou: an unmatched box that overlaps a better box by more opens no slot.
        match_cap: maximum f of Eq. 8; without it π freezes on long footage.
        max_slots: maximum number of slots; the slot unmatched for longest retires first.
        overlap: log-odds that a box loses if a higher-scoring box covers it entirely: two boxes on
            one object share its evidence. It affects matching and new slots, not reported scores.
            Before it opens a slot, a box loses the same if a known object of its class covers it.
        motion: position as a term of Eq. 5; None links by appearance alone.
        existence: existence instead of π in Eq. 6, and as the rule by which slots are reported and
            retire; None reports every slot and keeps it for good.
        crops: whether an embedder that can is shown crops of the boxes that may be matched, and no
            other proposals; see `minet_core.models.detector.Cropping`. The paper embeds all.
        return_gate: minimum log-odds that a slot with a few boxes has the object of an older slot,
            which has reappeared; see `minet_core.memory.returns`.
    """

    scale: float = 20.0
    shift: float = -10.0
    empty_association: float = 0.5
    decay: float = 0.95
    ridge: float = 0.1
    write_threshold: float = 0.1
    open_threshold: float = 0.1
    tentative: bool = False
    nms: float = 0.45
    positives: int = 32
    negatives: int = 96
    buffer: int = 30
    gate: float = 0.0
    duplicate_iou: float = 0.7
    match_cap: int | None = None
    max_slots: int | None = None
    overlap: float = 0.0
    motion: Motion | None = None
    existence: Existence | None = None
    crops: bool = False
    return_gate: float | None = None


PAPER = MemoryConfig()
"""The paper's settings: no ageing, no cap, appearance alone. For `minet eval`."""

VIDEO = MemoryConfig(
    scale=10.0,
    write_threshold=0.05,
    open_threshold=0.3,
    tentative=True,
    positives=8,
    negatives=24,
    match_cap=30,
    max_slots=100,
    overlap=4.0,
    motion=Motion(),
    existence=Existence(),
    crops=True,
    return_gate=-3.0,
)
"""For long footage. For `minet detect`. benchmarks/README.md shows the effect of each term, and on
which sequences. A quarter of the paper's support samples gives the same identifiers except for the
choice of shifts, in less time; of crops, the box itself stands for its shifted copies. An
association of one half speaks neither for a slot nor against it; without appearance, position alone
decides."""

PRESETS = {"paper": PAPER, "video": VIDEO}
