"""What a format does not keep: what an annotation tool's file had beside boxes, and marks."""

from collections import Counter
from collections.abc import Iterator

from minet_core.formats.annotations import VideoAnnotations

_CALLED = {"z_order": "z-order", "group_id": "group"}


def lost(video: VideoAnnotations) -> Iterator[str]:
    """A line for each kind of thing, with how many there are of it."""
    shapes = Counter(track.kind for track in video.kept.tracks)
    attributes = [one for track in video.tracks for one in track.attributes]
    turned = sum(track.is_turned for track in video.tracks)
    names = Counter(
        one.name if one.place == "attribute" else _CALLED[one.name]
        for one in attributes
        if one.place == "attribute" or one.name in _CALLED
    )
    if shapes:
        yield f"tracks of other shapes than boxes, left out: {_listed(shapes)}"
    if names:
        yield f"attributes that this format does not keep, by tracks: {_listed(names)}"
    if turned:
        yield f"tracks with turned boxes, which are read as if they were upright: {turned}"


def unmarked(video: VideoAnnotations) -> Iterator[str]:
    """A line where there are interpolated boxes, for a format that cannot mark them."""
    if count := sum(int((~track.keyframes).sum()) for track in video.tracks):
        yield f"interpolated boxes, which look like the others in this format: {count}"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
