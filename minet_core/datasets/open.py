"""From what a user types, such as `mot:ROOT` or `toy:DIR`, to a dataset."""

from collections.abc import Callable
from pathlib import Path

from minet_core.datasets.coco.cocovid import open_coco_vid
from minet_core.datasets.dataset import Dataset
from minet_core.datasets.imagenet.det import open_imagenet_det
from minet_core.datasets.imagenet.vid import open_imagenet_vid
from minet_core.datasets.mot.challenge import open_mot
from minet_core.datasets.toy.generator import open_toy
from minet_core.datasets.yolo import open_yolo
from minet_core.datasets.zips import unpacked_for_good
from minet_core.errors import ConfigError, InputError
from minet_core.suggest import did_you_mean
from minet_core.text import shown

_OPENERS: dict[str, Callable[[Path, str], Dataset]] = {
    "imagenet-vid": open_imagenet_vid,
    "mot": open_mot,
    "coco-vid": lambda path, _: open_coco_vid(path),
    "toy": open_toy,
    "imagenet-det": open_imagenet_det,
    "coco": lambda path, _: open_coco_vid(path, stills=True),
    "yolo": open_yolo,
}

_ZIPPED = ("mot", "yolo")
"""Kinds of which a zip is opened too, as CVAT exports them."""

KINDS = {
    **{"imagenet-vid": "ROOT", "mot": "ROOT", "coco-vid": "FILE", "toy": "DIR"},
    **{"imagenet-det": "ROOT", "coco": "FILE", "yolo": "DIR"},
}
"""Kind of dataset → what comes after its colon."""


def open_dataset(spec: str, split: str = "val") -> Dataset:
    """Open a dataset by `kind:path`.

    Args:
        spec: a kind of KINDS and a path, such as `mot:MOT17/train`.
        split: which part of it, where it has parts: a CocoVID file is one split.

    Raises:
        ConfigError: the kind is missing or unknown.
        InputError: the dataset is not there or malformed.
    """
    kind, colon, path = spec.partition(":")
    if not colon or not path or kind not in _OPENERS:
        known = ", ".join(f"{name}:{what}" for name, what in KINDS.items())
        raise ConfigError(
            f"{spec!r} names no dataset{did_you_mean(kind, KINDS)}; give one of {known}"
        )
    place = Path(path)
    if not place.exists():
        raise InputError(f"{shown(path)}: no such file or folder")
    if kind in _ZIPPED and place.suffix.lower() == ".zip" and place.is_file():
        place = unpacked_for_good(place)
    return _OPENERS[kind](place, split)
