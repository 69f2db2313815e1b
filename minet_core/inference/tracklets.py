"""Join tracklets of the same object at the end of the video.

Online, an object that was hidden for long reappears under a new id. With the whole video known,
`same_object` decides which tracklets to join. A joined track is kept if it counts as an object (see
`Evidence.existence`), with all its boxes, including early weak ones.

Memory for a tracklet does not grow with its length.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.config import Existence
from minet_core.inference.ground import Ground
from minet_core.inference.held_tracklet import Held, Vector, from_plain, plain
from minet_core.inference.same_object import FEWEST, joined
from minet_core.memory.evidence import Evidence, together
from minet_core.memory.slots import HELD
from minet_core.results import FrameDetections

_TIDY = 100
"""Frames between two removals of useless tracklets."""


class JoinedTrack(NamedTuple):
    """A track of the whole video.

    Attributes:
        id: of its first slot.
        label: id of the class with the highest sum of scores.
        existence: probability that the object exists; see `Evidence.existence`.
    """

    id: int
    label: int
    existence: float


class TrackletLinker:
    """Collects tracklets during a video, and joins them at its end.

    Args:
        rule: when a track counts as an object.

    Attributes:
        cuts: positions of the processed frames that begin a new scene.
        held: ids of objects that a person has marked: certain, and never joined to each other.
    """

    def __init__(self, rule: Existence) -> None:
        self._rule = rule
        self.cuts: list[int] = []
        self.held: frozenset[int] = frozenset()
        self._held: dict[int, Held] = {}
        self._promoted: dict[int, int] = {}
        self._frame = self._scene = 0
        self._ground = Ground()

    def add(
        self,
        scene: int,
        ids: NDArray[np.int64],
        boxes: NDArray[np.float64],
        labels: NDArray[np.int64],
        scores: NDArray[np.float64],
        embeddings: Vector,
        identifiers: Mapping[int, Vector],
        moved: Collection[int] = (),
        promoted: Mapping[int, int] = MappingProxyType({}),
        camera: NDArray[np.float64] | None = None,
    ) -> None:
        """Add the next processed frame.

        Args:
            scene: its number.
            ids: (N,) ids of slots or tentative tracks, NO_TRACK for boxes without.
            boxes: (N, 4) xyxy.
            labels: (N,) label ids.
            scores: (N,) base scores.
            embeddings: (N, D).
            identifiers: slot id → (D,) γ, of each current slot.
            moved: ids of the slots that have moved; see `Slot.moved`.
            promoted: id of each slot that has taken a tentative track over → the track's id.
            camera: (2, 3) affine map from pixels of the frame before to this frame, if known.
        """
        if scene != self._scene:
            self.cuts.append(self._frame)
            self._scene = scene
            self._ground.begin()
        else:
            self._ground.follow(camera)
        for slot, tentative in promoted.items():
            self._promoted[tentative] = slot
            if tentative in self._held:
                self._held[slot] = replace(self._held.pop(tentative), id=slot)
        now = (self._frame, scene)
        for row in np.flatnonzero(ids != NO_TRACK):
            number = int(ids[row])
            held = self._held.setdefault(number, Held(number, now, now))
            held.sample(embeddings[row])
            held.pass_by(self._frame, self._ground.place(boxes[row]))
            held.last = now
            held.boxes += 1
            held.evidence.add(float(scores[row]))
            label = int(labels[row])
            held.votes[label] = held.votes.get(label, 0.0) + float(scores[row])
            held.identifier = identifiers.get(number, held.identifier)
            held.moved = number in moved
        self._frame += 1
        if self._frame % _TIDY == 0:
            self._forget(identifiers)

    def _forget(self, living: Mapping[int, Vector]) -> None:
        """Remove ended tracklets that are neither a track nor long enough to be joined.

        Tentative tracks have ended a little after their last box.
        """
        recent = self._frame - self._rule.first_patience - 1
        self._held = {
            number: held
            for number, held in self._held.items()
            if number in living
            or (number < NO_TRACK and held.last[0] >= recent)
            or (number > NO_TRACK and held.boxes >= FEWEST)
            or number in self.held
            or (number > NO_TRACK and self._counts(held))
        }

    def tracks(self) -> "dict[int, JoinedTrack]":
        """Id of a slot or a promoted tentative track → track of its boxes, if it is an object."""
        slots = (one for one in self._held.values() if one.id > NO_TRACK)
        rule, held = self._rule, sorted(slots, key=lambda one: one.first)
        root = self._roots(held)
        evidence: dict[int, list[Evidence]] = {}
        votes: dict[int, dict[int, float]] = {}
        for one in held:
            evidence.setdefault(root[one.id], []).append(one.evidence)
            own = votes.setdefault(root[one.id], {})
            for label, vote in one.votes.items():
                own[label] = own.get(label, 0.0) + vote
        moved = {root[one.id] for one in held if one.moved}
        sure = {
            track: together(own).existence(rule, rule.threshold, moved=track in moved)
            for track, own in evidence.items()
        }
        sure |= dict.fromkeys(self.held & sure.keys(), HELD)
        tracks = {
            one: JoinedTrack(track, max(votes[track], key=votes[track].__getitem__), sure[track])
            for one, track in root.items()
            if sure[track] >= rule.threshold
        }
        weak = self._promoted.items()
        return tracks | {one: tracks[slot] for one, slot in weak if slot in tracks}

    def _counts(self, held: Held) -> bool:
        rule = self._rule
        return held.evidence.existence(rule, rule.threshold, moved=held.moved) >= rule.threshold

    def _roots(self, held: list[Held]) -> dict[int, int]:
        """Slot id → id of its track: the person's id if any, else that of its first slot."""
        root = {one.id: one.id for one in held}
        for before, after in sorted(joined(held), key=lambda pair: pair[1].first):
            one, two = root[before.id], root[after.id]
            if one in self.held and two in self.held:
                continue
            keep, gone = (two, one) if two in self.held else (one, two)
            root = {slot: keep if track == gone else track for slot, track in root.items()}
        return root

    def save(self) -> dict[str, Any]:
        """The whole state, as plain values that `torch.save` can write."""
        held = [plain(one) for one in self._held.values()]
        return {
            "frame": self._frame,
            "scene": self._scene,
            "cuts": [*self.cuts],
            "ground": self._ground.affine.tolist(),
            "held": held,
            "promoted": {**self._promoted},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Replace the state by one of `save`."""
        self._frame, self._scene = state["frame"], state["scene"]
        self.cuts = [*state["cuts"]]
        self._ground.affine = np.array(state["ground"])
        self._held = {entry["id"]: from_plain(entry) for entry in state["held"]}
        self._promoted = {**state["promoted"]}

    def follow_with(self, state: dict[str, Any], above: int, below: int) -> None:
        """Add what another one has gathered of the frames that come next, over a cut.

        Args:
            state: of its `save`.
            above: what the ids of its slots grow by.
            below: what the ids of its tentative tracks shrink by.
        """
        frames, scenes = self._frame, self._scene
        if frames:
            self.cuts.append(frames)
            scenes += 1
        self.cuts += [frames + cut for cut in state["cuts"]]
        self._frame, self._scene = frames + state["frame"], scenes + state["scene"]
        self._ground.affine = np.array(state["ground"])
        for one in map(from_plain, state["held"]):
            one.id += above if one.id > NO_TRACK else -below
            one.first = one.first[0] + frames, one.first[1] + scenes
            one.last = one.last[0] + frames, one.last[1] + scenes
            self._held[one.id] = one
        promoted = state["promoted"].items()
        self._promoted |= {one - below: slot + above for one, slot in promoted}


def linked(
    found: FrameDetections, tracks: Mapping[int, JoinedTrack], score: float
) -> FrameDetections:
    """A frame's result once the whole video is known.

    The score of a track's box is Eq. 7 once more, with the final existence of the track: later
    boxes raise the scores of the first ones.

    Args:
        found: every box that has a slot or reaches the score; track ids are slot ids.
        tracks: output of `TrackletLinker.tracks`.
        score: minimum score to report.
    """
    own = [tracks.get(int(slot)) for slot in found.track_ids]
    ids = np.array([NO_TRACK if track is None else track.id for track in own], np.int64)
    votes = zip(own, found.label_ids, strict=True)
    labels = np.array([label if track is None else track.label for track, label in votes], np.int64)
    sure = np.array([0.5 if track is None else max(0.5, track.existence) for track in own])
    both, neither = found.base_scores * sure, (1 - found.base_scores) * (1 - sure)
    again = both / np.fmax(both + neither, np.finfo(np.float64).tiny)
    agreed = (ids != NO_TRACK) & (labels == found.label_ids)
    scores = np.where(agreed, np.fmax(found.scores, again), found.scores)
    vectors = found.score_vectors
    if vectors is not None:
        vectors = vectors.copy()
        vectors[np.arange(len(scores)), found.label_ids] = scores
    named = replace(found, track_ids=ids, track_labels=labels, scores=scores, score_vectors=vectors)
    order = np.argsort(-scores, kind="stable")
    return named[order[scores[order] >= score]]
