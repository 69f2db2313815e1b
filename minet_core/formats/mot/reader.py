"""MOTChallenge's text files, read as annotations.

SEQUENCE/gt/gt.txt     ground truth, with the classes of gt/labels.txt; boxes to ignore left out
anything else          results: 10 columns, no classes
"""

from pathlib import Path

import numpy as np

from minet_core.datasets.mot.challenge import open_mot
from minet_core.datasets.mot.rows import read_mot_rows
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.from_dataset import from_dataset
from minet_core.formats.gathering import BoxRows, gather

LABEL = "object"
"""Class of results, which have none; `--label-map` renames it."""


def read_mot(path: Path) -> list[VideoAnnotations]:
    """Read one sequence; the size of frames is 0, 0 where there are results only.

    Ground truth has it in seqinfo.ini or as pictures, if at all; results do not tell either when
    the video ends.

    Raises:
        InputError: it cannot be read, or a line is no such row.
    """
    if path.parent.name == "gt":
        return list(from_dataset(open_mot(path.parent.parent)))
    rows = read_mot_rows(path)
    always = np.ones(len(rows), np.bool_)
    labels = np.zeros(len(rows), np.int64)
    scores = rows.conf.clip(0, 1)
    columns = BoxRows(rows.frames, rows.ids, labels, rows.boxes, scores, always, ~always)
    gathered = gather(columns, (LABEL,))
    name = path.resolve().parent.name if path.name == "mot.txt" else path.stem
    return [
        VideoAnnotations(
            name=name,
            source=None,
            width=0,
            height=0,
            frames=None,
            frame_rate=None,
            variable_rate=False,
            step=1,
            classes=(LABEL,),
            tracks=gathered.tracks,
            loose=gathered.loose,
            notes=gathered.notes,
        )
    ]
