"""Greedy suppression that stops as soon as it has enough boxes: a quarter of the time.

It is ONNX Runtime's, in a graph of one node that scripts/make_engines.py writes. Without ONNX
Runtime or the graph torchvision suppresses all boxes, with the same result.
"""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from minet_core.box_tensors import nms
from minet_core.errors import MinetError
from minet_core.models.onnx.session import Session
from minet_core.models.weight_files import weights_folder

GRAPH = "suppression.onnx"
"""Its file among the bundled weights."""


def best_apart(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], iou: float, limit: int
) -> NDArray[np.int64]:
    """Rows that greedy suppression leaves, the best `limit` of them, best first.

    Args:
        boxes: (N, 4) xyxy.
        scores: (N,).
        iou: overlap above which the lower of two goes.
        limit: most rows.
    """
    session = _session()
    if session is None:
        every = nms(torch.from_numpy(boxes), torch.from_numpy(scores), iou)
        return every[:limit].numpy()
    given = {
        "boxes": boxes[None],
        "scores": scores[None, None],
        "limit": np.array([limit]),
        "iou": np.array([iou], np.float32),
    }
    return session.run(given)["rows"][:, 2]


@cache
def _session() -> Session | None:
    try:
        # A second thread would make it take several times as long.
        return Session(Path(weights_folder(), GRAPH), threads=1)
    except MinetError:
        return None
