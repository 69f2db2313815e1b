"""Open existing results for scoring, and check that they can be scored."""

from dataclasses import replace
from pathlib import Path

from minet_core.datasets.dataset import Dataset, VideoTruth
from minet_core.datasets.vocabulary import Table
from minet_core.detections.locating import RESULTS
from minet_core.detections.of_dataset import StoredOf, open_stored
from minet_core.errors import InputError
from minet_core.inference.candidates import PAIR_FLOOR
from minet_core.models.stored_detections import StoredBoxes


def open_results(
    place: Path,
    data: str,
    dataset: Dataset,
    *,
    table: Table | None = None,
    allow_cut: bool = False,
) -> StoredOf:
    """A function from a video's name to its results.

    Args:
        place: a result file, a folder of them, or one text file in the format of ImageNet VID.
        data: the dataset's `kind:path`.
        dataset: to score on.
        table: names of classes, as for `map_classes`.
        allow_cut: whether to score results without low scores.

    Raises:
        InputError: on opening or for a video: results are missing or malformed, of only some of the
            frames, or cut at a score.
    """
    stored_of = open_stored(place, data, dataset, RESULTS, table)
    videos = {video.name: video for video in dataset.videos}
    return lambda name: _checked(stored_of(name), videos[name], allow_cut=allow_cut)


def _checked(stored: StoredBoxes, video: VideoTruth, *, allow_cut: bool) -> StoredBoxes:
    if stored.looked_at not in (None, len(video)):
        raise InputError(
            f"{stored.source}: made from {stored.looked_at} frames, but the video {video.name} "
            f"has {len(video)}; the others would count as misses"
        )
    if stored.cut is None or stored.cut <= PAIR_FLOOR:
        return stored
    if not allow_cut:
        raise InputError(
            f"{stored.source}: cut at a score of {stored.cut}, so its average precision would be "
            f"too low; make it with --score {PAIR_FLOOR}, or pass --allow-cut"
        )
    return replace(stored, notes=(*stored.notes, f"cut at a score of {stored.cut}"))
