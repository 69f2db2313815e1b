"""What a file of CVAT has beside tracks of boxes: definitions of labels, tracks of other shapes."""

from collections.abc import Callable, Collection
from typing import NamedTuple


class LabelSpec(NamedTuple):
    """How a label is defined.

    Attributes:
        name: of the label.
        parent: of a part of a skeleton, the skeleton's label; otherwise None.
        xml: what else the definition has: type, colour, attributes, the drawing of a skeleton.
    """

    name: str
    parent: str | None
    xml: str


class OtherTrack(NamedTuple):
    """A track of polygons, skeletons and the like, as it is in the file.

    Attributes:
        label: of the track.
        kind: of its shapes, such as `polygon`.
        marks: further attributes of the track's element, such as its group.
        frames: of its keyframes, increasing.
        shapes: xml of each, without the number of its frame.
    """

    label: str
    kind: str
    marks: tuple[tuple[str, str], ...]
    frames: tuple[int, ...]
    shapes: tuple[str, ...]

    def moved(self, frame_of: Callable[[int], int], stop: int) -> "OtherTrack":
        """The same where frames have other numbers and end before one of them.

        Of two shapes that come into one frame the later is kept.
        """
        shapes = {frame_of(f): shape for f, shape in zip(self.frames, self.shapes, strict=True)}
        inside = {frame: shape for frame, shape in shapes.items() if frame < stop}
        return self._replace(frames=tuple(inside), shapes=tuple(inside.values()))


class Kept(NamedTuple):
    """All of it, of one video.

    Attributes:
        labels: definitions, in the order of the file.
        tracks: of other shapes than boxes.
    """

    labels: tuple[LabelSpec, ...] = ()
    tracks: tuple[OtherTrack, ...] = ()

    @property
    def parts(self) -> frozenset[str]:
        """Labels that are parts of skeletons, and no class of anything by itself."""
        whole = {label.name for label in self.labels if label.parent is None}
        return frozenset(label.name for label in self.labels if label.parent) - whole

    def renamed(self, rename: Callable[[str], str | None]) -> "Kept":
        """The same under other labels, without those that have no new name."""
        tracks = [(track, rename(track.label)) for track in self.tracks]
        labels: dict[tuple[str, str | None], LabelSpec] = {}
        for label in self.labels:
            new = rename(label.parent or label.name)
            name, parent = (label.name, new) if label.parent else (new, None)
            if new is not None and name is not None:
                # Where two labels become one, the first tells how it is defined.
                labels.setdefault((name, parent), label._replace(name=name, parent=parent))
        return Kept(
            tuple(labels.values()),
            tuple(track._replace(label=name) for track, name in tracks if name is not None),
        )

    def of(self, classes: Collection[str]) -> "Kept":
        """What belongs to some classes."""
        return self.renamed(lambda name: name if name in classes else None)

    def moved(self, frame_of: Callable[[int], int], stop: int) -> "Kept":
        """The same where frames have other numbers, in the same order, and end before one."""
        tracks = (track.moved(frame_of, stop) for track in self.tracks)
        return self._replace(tracks=tuple(track for track in tracks if track.frames))


NOTHING = Kept()
"""Of a video that does not come from CVAT."""
