"""How many threads compute: the one place that decides.

Networks have as many threads as PyTorch takes for itself: OMP_NUM_THREADS, or one a core; each
process of `--jobs` has its share so. Whatever is small beside them has one, as a second one would
mostly wait, and do that busily: the memory's systems, the boxes, and all of PyTorch where ONNX
Runtime computes the networks. Decoding and encoding have threads of their own, which wait quietly.
"""

import os
from functools import cache
from typing import Any

SHARE = "OMP_NUM_THREADS"
"""The variable that says how many threads a process may compute with."""


def prepare() -> None:
    """Set what libraries read when they are loaded, where the user has not; before NumPy is."""
    # Decoder and encoder share the cores with torch, whose idle threads would otherwise spin.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Systems so small gain nothing by a second thread, which waits busily for them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def of_networks() -> int:
    """Of a network that another library than PyTorch computes."""
    import torch

    return torch.get_num_threads()


def settle(model: Any) -> None:
    """Give PyTorch one thread where it computes no network of a `Model`, which is loaded."""
    import torch

    parts = [model.embedder] if model.stored is not None else [model.detector, model.embedder]
    if not any(getattr(part, "in_torch", True) for part in parts):
        torch.set_num_threads(1)


@cache
def limit_opencv(cv2: Any) -> None:
    """Give OpenCV no more threads than a network has, where the user says how many."""
    if (share := os.environ.get(SHARE, "")).isdigit():
        cv2.setNumThreads(int(share))
