"""The paper's Tables II to V from one pass of the detectors, with the paper's figures beside ours.

Its figures are mean AP on ImageNet VID's validation set, of networks trained as in §IV-B. They are
shown for any dataset, but compare only with the same data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from minet_core.config import MemoryConfig
from minet_core.evaluation.eval_config import Offline, Variant, ablation
from minet_core.evaluation.scorer import Scores

DECAYS = {
    1.0: 80.22,
    0.95: 80.24,
    0.9: 80.17,
    0.8: 80.07,
    0.7: 80.07,
    0.5: 79.95,
    0.25: 79.83,
    0.0: 78.4,
}
"""Table V: σ → mean AP in percent."""

_ROWS = {"(a)": 75.6, "(b)": 77.6, "(c)": 77.5, "(d)": 80.2}
_FGFA = {"(a)": 72.6, "(d)": 74.1}
_OFFLINE = {
    "(d) + Seq-NMS": (Offline(seq_nms=True), 80.4),
    "(d) + tube linking": (Offline(tube_link=True), 80.2),
}
_BOTH_WAYS = "(d) forward and backward"


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A row of a table of the paper.

    Attributes:
        table: its name.
        row: its name in the paper.
        variant: variant of the evaluation with this row.
        paper: mean AP in percent; None if the paper has no such row.
    """

    table: str
    row: str
    variant: str
    paper: float | None


def paper_variants(
    memory: MemoryConfig, *, fc6: bool = False, fgfa: bool = False
) -> tuple[Variant, ...]:
    """All variants that the tables need, of two models trained without and with the meta loss.

    Args:
        memory: settings of the memory.
        fc6: as for `ablation`.
        fgfa: likewise.
    """
    rows = ablation(memory, trained=True, fc6=fc6, fgfa=fgfa)
    whole = rows[-1]
    more = [replace(whole, name=name, offline=offline) for name, (offline, _) in _OFFLINE.items()]
    both = replace(whole, name=_BOTH_WAYS, offline=Offline(bidirectional=True))
    decays = [
        replace(whole, name=_decay_name(value), memory=replace(memory, decay=value))
        for value in DECAYS
        if value != memory.decay
    ]
    return (*rows, both, *more, *decays)


def paper_rows(names: tuple[str, ...]) -> list[PaperRow]:
    """The rows of the tables, from the names of `paper_variants`."""
    more = {_BOTH_WAYS, *_OFFLINE, *map(_decay_name, DECAYS)}
    of_letter = {name[:3]: name for name in names if name not in more}
    fgfa = "FGFA" in of_letter.get("(a)", "")
    whole = of_letter["(d)"]
    known = _FGFA if fgfa else _ROWS
    rows = [] if fgfa else [PaperRow("Table II", "MINet, online", whole, 80.2)]
    rows.append(PaperRow("Table II", "MINet, both ways", _BOTH_WAYS, None if fgfa else 80.6))
    table = "§IV-H" if fgfa else "Table III"
    rows += [PaperRow(table, name, name, known.get(mark)) for mark, name in of_letter.items()]
    rows += [
        PaperRow("Table IV", name, name, None if fgfa else figure)
        for name, (_, figure) in _OFFLINE.items()
    ]
    for value, figure in DECAYS.items():
        name = _decay_name(value)
        variant = name if name in names else whole
        rows.append(PaperRow("Table V", f"σ = {value:g}", variant, None if fgfa else figure))
    return rows


def beside(variants: Mapping[str, Scores]) -> list[tuple[PaperRow, float]]:
    """Each row with our mean AP over all classes, from 0 to 1."""
    return [(row, variants[row.variant].ap.mean) for row in paper_rows(tuple(variants))]


def _decay_name(value: float) -> str:
    return f"(d) σ={value:g}"
