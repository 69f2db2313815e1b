"""Boxes from files, for every video of a dataset."""

from collections.abc import Callable, Sequence
from pathlib import Path

from minet_core.datasets.dataset import Dataset
from minet_core.datasets.vocabulary import Table
from minet_core.detections.coco_results import is_coco_results, read_coco_results
from minet_core.detections.locating import RESULTS, find_stored
from minet_core.detections.masks import mask_folder, read_mask_folder
from minet_core.detections.reading import read_stored
from minet_core.detections.vid_text import is_vid_text, read_vid_text
from minet_core.errors import InputError
from minet_core.models.stored_detections import StoredBoxes
from minet_core.text import shown

StoredOf = Callable[[str], StoredBoxes]
"""From a video's name to its boxes."""


def open_stored(
    place: Path, data: str, dataset: Dataset, names: Sequence[str], table: Table | None = None
) -> StoredOf:
    """From a video's name to its boxes in a file, or in one file for all videos.

    Args:
        place: a file or folder.
        data: what the dataset was opened as, `kind:path`.
        dataset: that the boxes are for.
        names: files looked for in a video's folder.
        table: names of classes, as for `map_classes`.

    Raises:
        InputError: on opening or when a video is asked for: boxes are missing, malformed, or of
            frames that do not exist.
    """
    if names is RESULTS and place.is_file() and is_vid_text(place):
        return read_vid_text(place, dataset).__getitem__
    if place.is_file() and is_coco_results(place):
        kind, _, path = data.partition(":")
        if kind != "coco-vid":
            raise InputError(f"{shown(place)}: COCO results need a dataset coco-vid:FILE")
        return read_coco_results(place, Path(path)).__getitem__
    lengths = {video.name: len(video) for video in dataset.videos}

    def stored_of(name: str) -> StoredBoxes:
        single = len(lengths) == 1
        if names is RESULTS and (folder := mask_folder(place, name, single=single)):
            return read_mask_folder(folder, dataset.classes)
        path = find_stored(place, name, names, single=single)
        stored = read_stored(path, dataset.classes, table)
        stored.check_length(lengths[name])
        return stored

    return stored_of
