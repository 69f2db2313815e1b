"""Boxes around masks, as programs that segment videos write them.

    VIDEO/00000.png …        one picture a frame, in its order; a pixel is the id of its object
                             and 0 none (DAVIS, YouTube-VOS, SAM 2)
    VIDEO.txt                frame id class height width rle, with spaces between (MOTS)
    {"counts": …, "size": …} a mask in COCO results, in the place of a box

Masks of pictures and of MOTS have no scores: each counts as sure.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from minet_core.errors import InputError
from minet_core.models.stored_detections import StoredBoxes
from minet_core.text import read_text, shown

NO_SCORES = "masks have no scores, so average precision says little; --tracking compares them"
_MOTS_COLUMNS = 6
_IGNORED = 10
"""The class of MOTS's regions to ignore."""


def box_of_rle(mask: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    """x1, y1, x2, y2 by edges around a COCO mask; None around nothing.

    Args:
        mask: `size` (height, width), and `counts`: runs of 0 and 1 by columns, a list or COCO's
            text.

    Raises:
        ValueError: it is no such mask.
    """
    height, width = (int(side) for side in mask["size"])
    counts = mask["counts"]
    runs = np.array(_runs(counts) if isinstance(counts, str | bytes) else counts, np.int64)
    ends = np.cumsum(runs)
    if (runs < 0).any() or not len(ends) or ends[-1] != height * width:
        raise ValueError(f"runs that do not fill a mask of {width}×{height}")
    pixels = np.repeat(np.arange(len(runs)) % 2, runs).reshape(width, height)
    columns, rows = np.nonzero(pixels)
    if not len(columns):
        return None
    return (
        float(columns.min()),
        float(rows.min()),
        float(columns.max() + 1),
        float(rows.max() + 1),
    )


def _runs(text: str | bytes) -> list[int]:
    """COCO's text of a mask: numbers of five bits a character, from the third on differences."""
    runs: list[int] = []
    number = shift = 0
    for code in text if isinstance(text, bytes) else text.encode("ascii"):
        bits = code - 48
        if not 0 <= bits < 64:
            raise ValueError("a mask with characters that are none of COCO's")
        number |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            number -= 1 << shift
        runs.append(number + runs[-2] if len(runs) > 2 else number)
        number = shift = 0
    if shift:
        raise ValueError("a mask that ends within a number")
    return runs


def mask_folder(place: Path, video: str, *, single: bool) -> Path | None:
    """The folder of pictures with a video's masks; None where there is none."""
    stems = dict.fromkeys((video, video.rpartition("/")[2]))
    folders = [place / stem for stem in stems] + ([place] if single else [])
    return next((folder for folder in folders if any(folder.glob("*.png"))), None)


def read_mask_folder(folder: Path, classes: tuple[str, ...]) -> StoredBoxes:
    """Boxes around the objects of a folder of pictures, whose files are frames in their order.

    Raises:
        InputError: a picture cannot be read or has colours, or the dataset has several classes,
            of which pictures tell nothing.
    """
    from scipy.ndimage import find_objects

    if len(classes) != 1:
        raise InputError(f"{shown(folder)}: pictures of masks need a dataset of one class")
    files = sorted(folder.glob("*.png"))
    rows = []
    for frame, file in enumerate(files):
        for place, found in enumerate(find_objects(_pixels(file)), 1):
            if found is not None:
                down, right = found
                box = right.start, down.start, right.stop, down.stop
                rows.append((frame, place, 1, *map(float, box)))
    return _stored(shown(folder), rows, classes, looked_at=len(files))


def _pixels(file: Path) -> NDArray[np.int64]:
    try:
        with Image.open(file) as picture:
            values = np.array(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise InputError(f"{shown(file)}: cannot be read ({error})") from None
    if values.ndim != 2:
        raise InputError(f"{shown(file)}: a picture of masks has one number a pixel, not colours")
    return values.astype(np.int64)


def is_mots(path: Path) -> bool:
    """Whether a text file has masks: six columns, of which the last is no number."""
    if path.suffix.lower() != ".txt":
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        words = file.readline().split()
    return len(words) == _MOTS_COLUMNS and not words[-1].lstrip("-").replace(".", "").isdigit()


def read_mots(path: Path, classes: tuple[str, ...]) -> StoredBoxes:
    """Boxes around the masks of a MOTS file.

    Frames count from 1, as MOTSChallenge's do; from 0 where there is a frame 0, as KITTI's.
    Classes count from 1 in the dataset's order; with one class, all are of it. Regions to ignore
    are left out.

    Raises:
        InputError: a line is no such row, or of a class that the dataset does not have.
    """
    rows: list[tuple[float, ...]] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            frame, track, label, height, width, rle = line.split()
            box = box_of_rle({"size": (int(height), int(width)), "counts": rle})
            row = int(frame), int(track), int(label)
        except ValueError as error:
            raise InputError(f"{shown(path)}, line {number}: no row of MOTS ({error})") from None
        if box is None or row[2] == _IGNORED:
            continue
        if len(classes) > 1 and not 1 <= row[2] <= len(classes):
            raise InputError(f"{shown(path)}, line {number}: classes are 1 to {len(classes)}")
        rows.append((*row, *box))
    first = min((row[0] for row in rows), default=1) and 1
    rows = [(row[0] - first, *row[1:]) for row in rows]
    if len(classes) == 1:
        rows = [(frame, track, 1, *box) for frame, track, _, *box in rows]
    return _stored(shown(path), rows, classes)


def _stored(
    source: str,
    rows: Sequence[tuple[float, ...]],
    classes: tuple[str, ...],
    looked_at: int | None = None,
) -> StoredBoxes:
    """From rows of frame, track, class from 1, and a box."""
    table = np.array(rows, np.float64).reshape(-1, 7)
    table = table[np.argsort(table[:, 0], kind="stable")]
    sure = np.ones(len(table))
    return StoredBoxes(
        source=source,
        classes=classes,
        frames=table[:, 0].astype(np.int64),
        boxes=table[:, 3:],
        label_ids=table[:, 2].astype(np.int64) - 1,
        scores=sure,
        base_scores=sure,
        track_ids=table[:, 1].astype(np.int64),
        covered=frozenset(range(len(classes))),
        notes=(NO_SCORES,),
        looked_at=looked_at,
    )
