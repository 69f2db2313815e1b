"""The benchmark of identities, with trackers made up for it."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from eval_data import CAR, FRAMES, SharpEmbedder, mot_line, person, write_sequence
from stub_model import StubDetector

from minet_core.config import PAPER, VIDEO
from minet_core.evaluation.frames import FoundBoxes
from minet_core.models.zoo import Model

ROOT = Path(__file__).parents[2]


@dataclass
class Detections:
    """What the package `supervision` calls so, as far as it is used."""

    xyxy: np.ndarray
    confidence: np.ndarray
    class_id: np.ndarray
    tracker_id: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows) -> "Detections":
        columns = (self.xyxy, self.confidence, self.class_id, self.tracker_id)
        return Detections(*(column[rows] for column in columns))


class Tracker:
    """Names objects by their class, from its third frame on."""

    def __init__(self, **settings) -> None:
        self.settings, self.frames, self.seen = settings, 0, []

    def update(self, detections: Detections, frame: np.ndarray | None = None) -> Detections:
        self.frames += 1
        self.seen.append((len(detections), None if frame is None else frame.shape))
        unsure = self.frames <= 2
        detections.tracker_id = np.where(unsure, -1, detections.class_id)
        return detections


@pytest.fixture
def bench(monkeypatch, tmp_path) -> SimpleNamespace:
    monkeypatch.syspath_prepend(ROOT)
    modules = {}
    for name in ("data", "kept", "precision", "replicates", "runs", "scores"):
        modules[name] = pytest.importorskip(f"benchmarks.identities.{name}")
    folder = write_sequence(tmp_path / "data/seq")
    (folder / "det").mkdir()
    boxes = [(i, person(i), 0.9, 1) for i in range(FRAMES)]
    boxes += [(i, CAR, 0.2, 2) for i in range(FRAMES)]
    lines = [mot_line(i, -1, box, score, label) for i, box, score, label in boxes]
    (folder / "det/det.txt").write_text("\n".join(lines))
    model = Model("stub", StubDetector(), SharpEmbedder())
    monkeypatch.setattr(modules["data"], "load_model", lambda *_, **__: model)
    (sequence,) = modules["data"].sequences([str(tmp_path / "data")], tmp_path / "cache")
    return SimpleNamespace(model=model, sequence=sequence, cache=tmp_path, **modules)


@pytest.fixture
def made(monkeypatch) -> list[Tracker]:
    """Peers that were made, with a package `trackers` of nothing else."""
    peers: list[Tracker] = []

    def make(**settings) -> Tracker:
        peers.append(Tracker(**settings))
        return peers[-1]

    trackers, supervision = ModuleType("trackers"), ModuleType("supervision")
    for name in ("SORTTracker", "ByteTrackTracker", "OCSORTTracker", "BoTSORTTracker"):
        setattr(trackers, name, make)
    setattr(supervision, "Detections", Detections)  # noqa: B010
    monkeypatch.setitem(sys.modules, "trackers", trackers)
    monkeypatch.setitem(sys.modules, "supervision", supervision)
    return peers


def test_networks_run_once(bench, monkeypatch):
    monkeypatch.setattr(bench.data, "load_model", lambda *_, **__: pytest.fail("looked at again"))
    (again,) = bench.data.sequences([str(bench.cache / "data")], bench.cache / "cache")
    assert np.array_equal(again.images, bench.sequence.images)
    assert len(again.bundled) == len(again.features) == FRAMES


def test_a_run_with_the_same_code_settings_and_data_is_read(bench, tmp_path):
    figures = {"online": bench.scores.Figures(60.1, 50.2, 70.3, 40.4, 1.5)}
    known = (bench.kept.code_of_minet(), bench.sequence.key, bench.replicates.PLAIN, VIDEO)
    made = bench.kept.kept(tmp_path / "runs", known, lambda: figures)
    again = bench.kept.kept(tmp_path / "runs", known, lambda: pytest.fail("made again"))
    assert made == again == figures
    others = {"online": bench.scores.Figures(1, 2, 3, 4, 5)}
    for other in (("another code", *known[1:]), (*known[:3], PAPER)):
        assert bench.kept.kept(tmp_path / "runs", other, lambda: others) == others


def test_what_is_kept_hangs_on_the_boxes(bench):
    det = bench.cache / "data/seq/det/det.txt"
    det.write_text(det.read_text().replace("0.9", "0.8"))
    (again,) = bench.data.sequences([str(bench.cache / "data")], bench.cache / "cache")
    assert again.key != bench.sequence.key


@pytest.mark.parametrize("kind", ["bundled", "foreign", "true"])
def test_minet_follows_what_can_be_followed(bench, kind):
    for replicate in bench.replicates.REPLICATES:
        found = bench.runs.minet(bench.sequence, replicate, kind, bench.model, VIDEO)
        figures = bench.scores.score(bench.sequence, replicate, found["linked"])
        assert figures.idf1 > 60
        assert figures.ids <= 1


def test_the_paper_links_nothing(bench):
    found = bench.runs.minet(bench.sequence, bench.replicates.PLAIN, "true", bench.model, PAPER)
    assert list(found) == ["online"]


def test_true_boxes_under_their_true_names_have_full_marks(bench):
    plain = bench.replicates.PLAIN
    found = [
        FoundBoxes.of(t.boxes, t.label_ids, np.ones(len(t.boxes)), t.track_ids)
        for t in bench.sequence.truth
    ]
    figures = bench.scores.score(bench.sequence, plain, found)
    assert figures.row() == pytest.approx((100, 100, 100, 100, 1))


def test_replicates_show_what_they_say(bench):
    by_name = {replicate.name: replicate for replicate in bench.replicates.REPLICATES}
    frames = list(range(FRAMES))
    assert by_name["every 3rd"].frames(bench.sequence).tolist() == frames[::3]
    assert by_name["backwards"].frames(bench.sequence).tolist() == frames[::-1]
    assert by_name["half pace"].time(bench.sequence, 5) == 2 * by_name["as it is"].time(
        bench.sequence, 5
    )
    boxes = np.array([[0.0, 0.0, 100.0, 200.0]])
    moved = [by_name[f"jitter {seed}"].moved(boxes, 3) - boxes for seed in (1, 2)]
    assert np.abs(moved).max() < 10
    assert not np.array_equal(*moved)
    assert np.array_equal(by_name["jitter 1"].moved(boxes, 3) - boxes, moved[0])


def test_peers_get_the_boxes_as_they_are(bench, made):
    plain, settings = bench.replicates.PLAIN, bench.runs.PeerSettings
    run = bench.runs.peer
    found = run("SORT", settings(0.1), bench.sequence, plain, "foreign", bench.model)
    run("BoT-SORT", settings(0.3, rated=True), bench.sequence, plain, "foreign", bench.model)
    sort, botsort = made
    assert sort.settings == {}
    assert sort.seen == [(2, None)] * FRAMES
    assert botsort.settings == {"frame_rate": 25.0}
    assert botsort.seen == [(1, (48, 64, 3))] * FRAMES
    assert [len(boxes.boxes) for boxes in found] == [0, 0] + [2] * (FRAMES - 2)


def test_reliability_puts_scores_beside_the_share_that_is_right(bench):
    outcomes = np.array([[0.92, 1], [0.98, 0], [1.0, 1], [0.25, 0]])
    assert bench.precision.reliability(outcomes) == [
        pytest.approx((0.2, 0.3, 1, 0.25, 0)),
        pytest.approx((0.9, 1.0, 3, 2.9 / 3, 2 / 3)),
    ]


def test_boxes_that_are_all_right_have_full_precision(bench):
    found = bench.precision.precision(bench.sequence, "true", bench.model)
    assert (found.without, found.memory, found.linked) == pytest.approx((100, 100, 100))
    assert found.base[:, 1].tolist() == found.reported[:, 1].tolist() == [1] * 2 * FRAMES
    assert (found.reported[:, 0] >= found.base[:, 0]).all()


def test_made_up_scenes_show_what_they_say(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    made = pytest.importorskip("benchmarks.made_scenes.sightings")
    perfect, _, poor = made.LEVELS
    frames = list(zip(made.sightings("dogs", 0, perfect), range(3), strict=False))
    for sighting, _ in frames:
        assert np.array_equal(sighting.boxes, sighting.true_boxes)
        assert np.array_equal(sighting.owners + 1, sighting.true_ids)
    for (once, _), again in zip(frames, made.sightings("dogs", 0, poor), strict=False):
        assert np.array_equal(once.true_boxes, again.true_boxes)
        assert again.scores.min() > 0.05
        assert ((again.seen > 0) & (again.seen <= 1)).all()


def test_minet_follows_made_up_dogs(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    made = pytest.importorskip("benchmarks.made_scenes.sightings")
    scenes = pytest.importorskip("benchmarks.made_scenes.__main__")
    frames = zip(made.sightings("dogs", 0, made.TRUE), range(25), strict=False)
    shown = [sighting for sighting, _ in frames]
    for boxes in scenes.minet(shown, 0).values():
        assert scenes.score(shown, boxes).idf1 > 90
