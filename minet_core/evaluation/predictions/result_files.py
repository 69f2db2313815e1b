"""Results that exist, for scoring: whether they may be scored."""

from dataclasses import replace
from pathlib import Path

from minet_core.datasets.dataset import Dataset, VideoTruth
from minet_core.datasets.vocabulary import Table
from minet_core.detections.locating import RESULTS
from minet_core.detections.of_dataset import StoredOf, open_stored
from minet_core.errors import InputError
from minet_core.inference.online import PAIR_FLOOR
from minet_core.models.stored_detections import StoredBoxes


def open_results(
    place: Path,
    data: str,
    dataset: Dataset,
    *,
    table: Table | None = None,
    allow_cut: bool = False,
) -> StoredOf:
    """From a video's name to its results.

    Args:
        place: a result file, a folder of them, or one text file in the format of ImageNet VID.
        data: what the dataset was opened as, `kind:path`.
        dataset: that they are for.
        table: names of classes, as for `map_classes`.
        allow_cut: whether to score results that lack what is below a score.

    Raises:
        InputError: on opening or when a video is asked for: results are missing or malformed, of
            some of the frames only, or cut at a score.
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
