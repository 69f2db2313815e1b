"""The doubts of a stored result."""

from pathlib import Path

import numpy as np

from minet_core.formats.doubts import Doubt, SeenTrack, doubts_of, worth_asking
from minet_core.formats.minet.reader import columns_of, looked_at_by
from minet_core.formats.minet.result_doubts import DOUBTS, carried
from minet_core.formats.minet.result_json import StoredResult, read_json


def read_doubts(path: str | Path) -> list[Doubt]:
    """Places of a result.json that may be wrong, the likeliest to be wrong first.

    Those that the file carries; of a file of an earlier minet, which has none, those of its rows.

    Raises:
        InputError: the file is missing or incomplete, is something else, or has another version
            of the schema.
    """
    return stored_doubts(read_json(path))


def stored_doubts(result: StoredResult) -> list[Doubt]:
    """The same of a result that was read."""
    header, rows, _ = result
    if DOUBTS in header:
        return list(carried(header[DOUBTS]))
    columns = columns_of(rows)
    looked_at = looked_at_by(header, columns)
    order = np.lexsort((columns["frames"], columns["tracks"]))
    ids, starts = np.unique(columns["tracks"][order], return_index=True)
    names = ("frames", "boxes", "scores", "labels")
    tracks = {
        track: SeenTrack(*(columns[name][own] for name in names))
        for track, own in zip(ids.tolist(), np.split(order, starts[1:]), strict=len(ids) > 0)
        if track > 0
    }
    size = header["video"]["width"], header["video"]["height"]
    last = looked_at[-1] if looked_at else looked_at.start
    return worth_asking(doubts_of(tracks, size, last, looked_at.step))
