"""The track of an object between a person's boxes: the best path through the detector's boxes.

An identifier is learnt from all boxes of the person (Eq. 2). From one of them a search goes on,
frame by frame, with what the memory asks of a box: appearance and place (Eq. 5), and how sure it
is. It keeps the best paths, so that the one that fits the next box of the person best is at once
the track found forwards and the track found backwards, joined where that costs least. Before the
first box it goes backwards, after the last one forwards; without a result to begin with, the memory
goes forwards by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from minet_core.box_tensors import box_iou
from minet_core.config import MemoryConfig, Motion
from minet_core.formats.annotations import Track
from minet_core.inference.prompted.anchors import Anchors, Box
from minet_core.inference.prompted.path_trust import Step, plausible, recognised, unrolled
from minet_core.inference.sights import Sights
from minet_core.memory import motion
from minet_core.memory.association import sureness
from minet_core.memory.identifier import FrameSamples, RunningRidge, identifiers, update
from minet_core.memory.support import positive_boxes, support_samples
from minet_core.models.zoo import Model
from minet_core.scores import best_class_rows, classwise_nms, foreground

_WIDTH, _PATIENCE = 24, 45
"""Paths kept in mind; frames without a box after which a search that no box awaits is over."""

_MOST_ANCHORS = 30
"""Maximum boxes of a person to learn an identifier from."""

_SAME, _FLOOR = 0.5, 0.001

Paths = dict[int, dict[int, Box]]
"""Frame → id → box."""


class _Boxes(NamedTuple):
    """Candidates in a frame: (M, 4) boxes, (M,) their probabilities, (M, D) embeddings."""

    boxes: Tensor
    sure: Tensor
    embeddings: Tensor


@dataclass(frozen=True, slots=True)
class _Beam:
    """K paths: predicted position, value, last box, and that box's scene."""

    track: motion.TrackState
    worth: Tensor
    steps: list[Step]
    scenes: list[int]

    def chosen(self, rows: list[int]) -> "_Beam":
        return _Beam(
            self.track[rows],
            self.worth[rows],
            [self.steps[k] for k in rows],
            [self.scenes[k] for k in rows],
        )


class PathFinder:
    """Finds the tracks of a person's objects.

    Args:
        sights: of the video.
        anchors: the person's annotations.
        model: gives the embedder.
        config: the memory's settings.
        tracks: as the person has left them: where a track has a box, no other can take it.
    """

    def __init__(
        self,
        sights: Sights,
        anchors: Anchors,
        model: Model,
        config: MemoryConfig,
        tracks: Mapping[int, Track] | None = None,
    ) -> None:
        self._tracks = tracks or {}
        self._sights = sights
        self._anchors = anchors
        self._model = model
        self._config = config
        self._motion = config.motion or Motion()
        self._places = {frame: place for place, frame in enumerate(sights.frames)}
        self._known: dict[int, _Boxes] = {}
        self._taken: set[tuple[int, Box]] = set()
        self._others = self._boxes_of_others()

    def paths(self) -> Paths:
        """The boxes of each object in frames where the person has drawn none."""
        found: Paths = {}
        for number in sorted(self._anchors.ids):
            known = self._known_of(number)
            steps = [Step(self._places[frame], box, None) for frame, box in known]
            for place, box in self._of(number, steps) if steps else ():
                frame = self._sights.frames[place]
                found.setdefault(frame, {})[number] = box
                self._taken.add((place, box))
        return found

    def _boxes_of_others(self) -> dict[int, list[Box]]:
        """Frame → boxes that are somebody's, drawn lines of tracks that are looked for excepted."""
        boxes: dict[int, list[Box]] = {}
        for number, track in self._tracks.items():
            own = track.keyframes | (number not in self._anchors.ids)
            for frame, box in rows_of(track, own):
                boxes.setdefault(frame, []).append(box)
        return boxes

    def _known_of(self, number: int) -> list[tuple[int, Box]]:
        """Frames and boxes in which an object is, in order; a person's own come before others."""
        track = self._tracks.get(number)
        known = {} if track is None else dict(rows_of(track, track.keyframes))
        known |= dict(self._anchors.of(number))
        return sorted((frame, box) for frame, box in known.items() if frame in self._places)

    def _of(self, number: int, drawn: list[Step]) -> Iterator[tuple[int, Box]]:
        identifier = self._identifier(drawn)
        for one, two in pairwise(drawn):
            if two.place == one.place + 1:
                continue
            yield from self._search(number, identifier, one, range(one.place + 1, two.place), two)
        ends = {self._places.get(frame) for frame, _ in self._anchors.of(number)}
        # Where a track ends in a detector's box, a memory has looked for more already.
        if drawn[0].place in ends:
            yield from self._search(number, identifier, drawn[0], range(drawn[0].place - 1, -1, -1))
        if drawn[-1].place in ends and self._tracks:
            after = range(drawn[-1].place + 1, len(self._places))
            yield from self._search(number, identifier, drawn[-1], after)

    def _identifier(self, drawn: list[Step]) -> Tensor:
        """(D,) γ, learnt from boxes that a person drew, or some of many."""
        config, embed = self._config, self._model.embedder.embed
        ridge = RunningRidge(self._model.embedder.dim, _MOST_ANCHORS)
        for step in drawn[:: -(-len(drawn) // _MOST_ANCHORS)]:
            sight, box = self._sights.sight(step.place), torch.tensor([step.box])
            assert sight.features is not None
            proposals = sight.base.proposals
            frame = FrameSamples.of(embed(sight.features, proposals))
            copies = embed(sight.features, positive_boxes(box, config.positives)[0])[None]
            update([ridge], support_samples(box, proposals, frame, copies, config.negatives))
        return identifiers([ridge], config.ridge)[0]

    def _search(
        self, number: int, identifier: Tensor, start: Step, places: range, end: Step | None = None
    ) -> Iterator[tuple[int, Box]]:
        """Boxes of the best path from a person's box, to the person's next box if any."""
        begun = motion.begin(torch.tensor([start.box]), self._motion)
        beam = _Beam(begun, torch.zeros(1, dtype=torch.float64), [start], [0])
        scene, last, ahead = 0, start.place, places.step > 0
        for place in places:
            awaited = end is not None or last - _PATIENCE <= place <= last + _PATIENCE
            if not awaited:
                break
            scene += self._is_cut(place, ahead=ahead)
            beam = self._moved(beam, place, ahead=ahead)
            grown = self._grown(beam, number, identifier, place, scene)
            last = place if grown is not beam else last
            beam = grown
        worth = beam.worth
        if end is not None:
            beam = self._moved(beam, end.place, ahead=True)
            scene += self._is_cut(end.place, ahead=True)
            position = self._position(torch.tensor([end.box]), beam, scene)[0]
            worth = worth + position
        found = unrolled(beam.steps[int(worth.argmax())])
        if end is not None:
            found = plausible(start, found, end, seen=bool(self._tracks))
        elif self._tracks:
            beside = [self._others.get(self._sights.frames[step.place], ()) for step in found]
            found = recognised(start, found, beside)
        yield from ((step.place, step.box) for step in found)

    def _grown(self, beam: _Beam, number: int, identifier: Tensor, place: int, scene: int) -> _Beam:
        """The paths, extended by boxes of this frame."""
        found = self._boxes(place, number)
        if not len(found.boxes):
            return beam
        config = self._config
        odds = config.scale * (found.embeddings.double() @ identifier - config.empty_association)
        position = self._position(found.boxes, beam, scene)
        gain = (odds - config.gate + torch.logit(found.sure.double(), eps=1e-6))[:, None] + position
        allowed = (gain >= 0) & (odds[:, None] + position >= config.gate)
        total = torch.where(allowed, gain + beam.worth, -torch.inf)
        best = total.max(dim=1)
        rows = best.values.isfinite().nonzero().flatten().tolist()
        if not rows:
            return beam
        parents = best.indices[rows].tolist()
        boxes = found.boxes[rows]
        before = beam.track[parents]
        after = motion.correct(before, boxes, self._motion)
        new = motion.begin(boxes, self._motion)
        fresh = torch.tensor([beam.scenes[k] != scene for k in parents])
        tracks = [
            torch.where(fresh.view(-1, *[1] * (begun.dim() - 1)), begun, gone_on)
            for begun, gone_on in zip(new.parts, after.parts, strict=True)
        ]
        sides = boxes.tolist()
        steps = [
            Step(place, (x1, y1, x2, y2), beam.steps[k], float(odds[row]))
            for (x1, y1, x2, y2), k, row in zip(sides, parents, rows, strict=True)
        ]
        both = _Beam(
            motion.TrackState(
                *map(torch.cat, zip(tracks, beam.track.parts, strict=True)),
            ),
            torch.cat([best.values[rows], beam.worth]),
            steps + beam.steps,
            [scene] * len(rows) + beam.scenes,
        )
        return both.chosen(both.worth.argsort(descending=True, stable=True)[:_WIDTH].tolist())

    def _moved(self, beam: _Beam, place: int, *, ahead: bool) -> _Beam:
        """The paths moved by one frame, forwards or backwards."""
        camera = self._sights.sight(place if ahead else place + 1).camera
        if camera is not None and not ahead:
            camera = _inverse(camera)
        track = motion.predict(beam.track, 1.0, camera, self._motion)
        return _Beam(track, beam.worth, beam.steps, beam.scenes)

    def _position(self, boxes: Tensor, beam: _Beam, scene: int) -> Tensor:
        """(M, K) position term of M boxes for each path; 0 for paths of other scenes."""
        here = torch.tensor([one == scene for one in beam.scenes])
        return torch.where(here, motion.log_ratio(boxes, beam.track, self._motion), 0.0)

    def _is_cut(self, place: int, *, ahead: bool) -> bool:
        return self._sights.sight(place if ahead else place + 1).cut

    def _boxes(self, place: int, number: int) -> _Boxes:
        """The candidates for an object in a frame."""
        frame = self._sights.frames[place]
        if number in self._anchors.hidden.get(frame, ()):
            none = torch.zeros(0, 4)
            return _Boxes(none, none[:, 0], none)
        if place not in self._known:
            self._known[place] = self._offered(place, frame)
        known = self._known[place]
        free = [(place, (a, b, c, d)) not in self._taken for a, b, c, d in known.boxes.tolist()]
        if all(free):
            return known
        chosen = torch.tensor(free)
        return _Boxes(*(column[chosen] for column in known))

    def _offered(self, place: int, frame: int) -> _Boxes:
        sight, config = self._sights.sight(place), self._config
        assert sight.features is not None
        base = sight.base
        classes = foreground(base.scores.double(), self._model.score_kind)
        rows, labels = classwise_nms(base.boxes, classes, config.nms, _FLOOR)
        rows = torch.arange(len(base)) if base.final else best_class_rows(rows, labels, classes)
        boxes = base.boxes[rows]
        sure = sureness(boxes, classes[rows].amax(dim=1), config) if len(rows) else classes[:0, 0]
        drawn = [anchor.box for anchor in self._anchors.boxes.get(frame, ())]
        drawn += self._others.get(frame, ())
        gone = torch.tensor([*drawn, *self._anchors.gone.get(frame, ())]).reshape(-1, 4)
        free = (box_iou(gone, boxes) < _SAME).all(dim=0) & (sure > config.write_threshold)
        rows, boxes = rows[free], boxes[free]
        embeddings = self._model.embedder.embed(sight.features, base.proposals[rows])
        return _Boxes(boxes, sure[free], embeddings)


def rows_of(track: Track, chosen: NDArray[np.bool_]) -> Iterator[tuple[int, Box]]:
    """Frames and boxes of some rows (N,) of a track."""
    for frame, (a, b, c, d) in zip(track.frames[chosen], track.boxes[chosen].tolist(), strict=True):
        yield int(frame), (a, b, c, d)


def _inverse(camera: Tensor) -> Tensor:
    """(2, 3) the inverse affine map."""
    linear, shift = camera[:, :2].double(), camera[:, 2:].double()
    back = torch.linalg.inv(linear)
    return torch.cat([back, -back @ shift], dim=1)
