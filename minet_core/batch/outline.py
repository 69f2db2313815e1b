"""What there is to know of many results: a few numbers of each, and where a person should look.

Of a result nothing stays but these, so that thousands can be gone through. Nothing here imports
torch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minet_core.batch.process import Tell, Work
from minet_core.boxes import box_iou
from minet_core.errors import InputError
from minet_core.formats import StoredResult, read_json
from minet_core.options import FORMATS
from minet_core.results import Tracklet
from minet_core.runs.review.report import REPORT, write_report
from minet_core.text import shown

SURE = 0.5
"""Mean score from which on a track is not doubtful for its score."""
SECONDS = 1.0
"""Time between two tracks within which they may be one object."""
OVERLAP = 0.3
"""IoU of a track's last box with another's first from which on they may be one object."""
PLACES = 20
"""Most doubtful places that are kept of a video; all are counted."""


@dataclass(frozen=True, slots=True, order=True)
class DoubtfulPlace:
    """Where a person should look.

    Attributes:
        doubt: 0 to 1. Of two tracks that may be one it is the IoU of the boxes where one ends and
            the other begins; of a weak track 1 − its mean score; of a gap the share of the
            track's frames that it is.
        frame: index.
        track: id.
        what: in a few words.
    """

    doubt: float
    frame: int
    track: int
    what: str


@dataclass(frozen=True, slots=True)
class Outline:
    """One result.

    Attributes:
        folder: that it is in.
        name: of the video.
        frames: looked at.
        seconds: that it lasts, None where nothing tells.
        boxes: in all frames.
        tracks: class → how many, the most frequent first.
        score: mean of the tracks' scores, by their boxes; None without tracks.
        doubtful: how many places.
        places: the most doubtful of them, at most `PLACES`, the worst first.
        page: whether it has a review page.
    """

    folder: Path
    name: str
    frames: int
    seconds: float | None
    boxes: int
    tracks: dict[str, int]
    score: float | None
    doubtful: int
    places: tuple[DoubtfulPlace, ...]
    page: bool

    @property
    def doubt_rate(self) -> float:
        """Doubtful places in a thousand frames."""
        return 1000 * self.doubtful / max(1, self.frames)


def results_in(folders: Iterable[Path]) -> list[Path]:
    """Folders with a result.json: those given, or the folders in them.

    Raises:
        InputError: one has none.
    """
    found: dict[Path, Path] = {}
    for folder in folders:
        inside = sorted(folder.glob(f"*/{FORMATS['json']}"))
        files = [own] if (own := folder / FORMATS["json"]).is_file() else inside
        if not files:
            raise InputError(f"{shown(folder)}: no {own.name} in it or in a folder of it")
        for file in files:
            found.setdefault(file.resolve(), file.parent)
    return list(found.values())


def outline(folder: Path, *, pages: bool = False) -> Outline:
    """What there is to know of one result.

    Args:
        folder: with a result.json.
        pages: whether to write its review page, if it has none.

    Raises:
        InputError: the result cannot be read.
        OutputError: the page cannot be written.
    """
    result = read_json(folder / FORMATS["json"])
    header, tracklets = result.header, result.tracklets
    classes, counts = header["classes"], header["counts"]
    labels = [classes[each.label_id] for each in tracklets]
    boxes = sum(each.boxes for each in tracklets)
    weighted = sum(each.score * each.boxes for each in tracklets)
    places = sorted(
        (*_weak(tracklets, labels), *_gaps(tracklets, labels), *_broken(result, labels)),
        key=lambda place: (-place.doubt, place.frame, place.track),
    )
    if pages and not (folder / REPORT).exists():
        write_report(folder)
    return Outline(
        folder=folder,
        name=folder.resolve().name,
        frames=counts["frames"],
        seconds=header.get("end") or header["video"].get("duration"),
        boxes=counts["rows"],
        tracks={name: labels.count(name) for name in sorted(set(labels), key=_by_count(labels))},
        score=weighted / boxes if boxes else None,
        doubtful=len(places),
        places=tuple(places[:PLACES]),
        page=(folder / REPORT).exists(),
    )


def _by_count(labels: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    return lambda name: (-labels.count(name), name)


def _weak(tracklets: Sequence[Tracklet], labels: Sequence[str]) -> Iterator[DoubtfulPlace]:
    for each, label in zip(tracklets, labels, strict=True):
        if each.score < SURE:
            what = f"{label} {each.id} has a mean score of {each.score:.2f}"
            yield DoubtfulPlace(1 - each.score, each.first_frame, each.id, what)


def _gaps(tracklets: Sequence[Tracklet], labels: Sequence[str]) -> Iterator[DoubtfulPlace]:
    for each, label in zip(tracklets, labels, strict=True):
        length = each.last_frame - each.first_frame + 1
        for first, last in each.gaps:
            missing = last - first + 1
            what = f"{label} {each.id} is not seen for {missing} frame{'s' if missing > 1 else ''}"
            yield DoubtfulPlace(missing / length, first, each.id, what)


def _broken(result: StoredResult, labels: Sequence[str]) -> Iterator[DoubtfulPlace]:
    """Tracks of one class of which one begins where and soon after another has ended."""
    tracklets: Sequence[Tracklet] = result.tracklets
    if len(tracklets) < 2:
        return
    first, last = _ends(result)
    times = result.rows.groupby("frame")["time"].first()
    begins = np.array([times[each.first_frame] for each in tracklets])
    ends = np.array([times[each.last_frame] for each in tracklets])
    for i, each in enumerate(tracklets):
        after = begins - ends[i]
        same = np.array([label == labels[i] for label in labels])
        later = np.flatnonzero(same & (after > 0) & (after <= SECONDS))
        if not len(later):
            continue
        overlaps = box_iou(last[i : i + 1], first[later])[0]
        for j, overlap in zip(later.tolist(), overlaps, strict=True):
            if overlap >= OVERLAP:
                other = tracklets[j]
                what = f"{labels[i]} {each.id} may go on as {other.id}"
                yield DoubtfulPlace(float(overlap), other.first_frame, other.id, what)


def _ends(result: StoredResult) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(T, 4) first and last boxes of the tracklets, in their order."""
    rows = result.rows.dropna(subset=["track_id"])
    groups = rows.sort_values("frame", kind="stable").groupby("track_id")
    ids = [each.id for each in result.tracklets]
    sides = ["x1", "y1", "x2", "y2"]
    first, last = groups[sides].first(), groups[sides].last()
    return first.loc[ids].to_numpy(np.float64), last.loc[ids].to_numpy(np.float64)


def work(*, pages: bool) -> Work:
    """What a process of a pool does with folders of results; it returns an `Outline`."""
    return Work(_outliner, (pages,))


def _outliner(pages: bool, number: int) -> tuple[None, Callable[[Path, Tell], Outline]]:  # noqa: ARG001
    return None, lambda folder, _: outline(folder, pages=pages)
