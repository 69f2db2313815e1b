import base64
import io
import math
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from evaluation_frames import at, frame
from PIL import Image
from train_data import dataset, truth, video

from minet_core.datasets import Problems
from minet_core.errors import ConfigError, OutputError
from minet_core.evaluation.frames import EvalFrame
from minet_core.evaluation.precision.average_precision import ApAccumulator
from minet_core.evaluation.precision.curve import curve
from minet_core.evaluation.precision.motion_precision import MotionApAccumulator
from minet_core.evaluation.report import figures, plots
from minet_core.evaluation.report.html_report import ReportData, RunScores, Sweep, write_report
from minet_core.evaluation.report.moments import as_html, moments
from minet_core.evaluation.tracks.identities import IdentityConfusion, identity_confusion
from minet_core.evaluation.tracks.metrics import TrackingAccumulator
from minet_core.evaluation.tracks.score_curves import (
    TrackScoreAccumulator,
    TrackScores,
    longest_tracks,
)
from minet_core.evaluation.tracks.steadiness import TemporalAccumulator

CLASSES = ("cat", "dog", "owl")
SWEEP = Sweep("decay", "mAP (voc50)", (1.0, 0.95, 0.0), (0.8022, 0.8024, 0.784), default=0.95)


def seen(*scores: float, video: str = "v") -> list[EvalFrame]:
    """A still cat 1 and a dog 2 beside it; the cat has these scores, the dog is never found."""
    truth = [(at(0), 0, 1), (at(100), 1, 2)]
    return [frame(truth, [(at(0), 0, s, 5)], n, video) for n, s in enumerate(scores)]


def run(name: str, frames: list[EvalFrame]) -> RunScores:
    precision, motion = ApAccumulator(CLASSES), MotionApAccumulator(CLASSES)
    temporal, tracking = TemporalAccumulator(CLASSES), TrackingAccumulator(CLASSES)
    for one in frames:
        precision.add(one)
        motion.add(one, np.ones(len(one.truth.label_ids)))
        temporal.add(one)
    tracking.add_video("v", frames)
    return RunScores(
        name=name,
        ap=precision.result(),
        motion=motion.result(),
        temporal=temporal.result(),
        tracking=tracking.result(),
    )


def track_scores(name: str, frames: list[EvalFrame]) -> dict[tuple[str, int], TrackScores]:
    accumulator = TrackScoreAccumulator(CLASSES)
    for one in frames:
        accumulator.add(one)
    return accumulator.result(name)


@pytest.fixture(scope="module")
def everything() -> ReportData:
    steady, shaky = seen(0.9, 0.8, 0.9), seen(0.9, 0.1, 0.9)
    return ReportData(
        title="All <of> it",
        facts={"dataset": "toy & more"},
        warnings=("1 frame <left> out",),
        runs=(run("with memory", steady), run("without", shaky)),
        covered=frozenset({"cat"}),
        tracks=longest_tracks([track_scores("with", steady), track_scores("without", shaky)]),
        sweep=SWEEP,
        identities=[identity_confusion("$v$", steady)],
    )


def written(data: ReportData, path: Path) -> str:
    write_report(path, data)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(everything: ReportData, tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(everything, tmp_path_factory.mktemp("report") / "report.html")


def headings(page: str) -> list[str]:
    return re.findall("<h2>(.*?)</h2>", page)


def row(page: str, name: str) -> list[str]:
    """The cells of a table's row, tags and small notes taken off."""
    found = re.search(rf"<tr><th>{re.escape(name)}(?:<small>.*?)?</th>(.*?)</tr>", page)
    assert found, f"no row {name}"
    return [re.sub("<small>.*", "", cell) for cell in re.findall("<td>(.*?)</td>", found[1])]


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter() if "text" in e.tag]


def test_every_part_has_its_section(page: str) -> None:
    assert headings(page) == [
        "Scores",
        "Average precision by class",
        "Average precision by motion",
        "Scores along true tracks",
        "mAP (voc50) over decay",
        "Identities",
    ]
    assert "<dt>dataset</dt><dd>toy &amp; more</dd>" in page
    assert "<li>1 frame &lt;left&gt; out</li>" in page
    assert "<title>All &lt;of&gt; it</title>" in page


@pytest.mark.parametrize(
    ("part", "heading"),
    [
        ({"runs": ()}, "Scores"),
        ({"runs": ()}, "Average precision by class"),
        ({"tracks": ()}, "Scores along true tracks"),
        ({"sweep": None}, "mAP (voc50) over decay"),
        ({"identities": ()}, "Identities"),
    ],
)
def test_absent_parts_are_left_out(
    everything: ReportData, tmp_path: Path, part: dict[str, Any], heading: str
) -> None:
    page = written(replace(everything, **part), tmp_path / "report.html")
    assert heading not in headings(page)
    assert len(headings(page)) >= 3


def test_scores_stand_beside_each_other_with_their_difference(page: str) -> None:
    # The cat is always found and the dog never; nothing is said of the owl.
    assert row(page, "mAP (voc50)") == ["50.0", "50.0", "0.0"]
    assert row(page, "mAP, covered classes") == ["100.0", "100.0", "0.0"]
    assert row(page, "mAP, slow") == ["50.0", "50.0", "0.0"]
    assert row(page, "mAP, fast") == ["–", "–", "–"]
    assert row(page, "score jitter") == ["0.050", "0.400", "−0.350"]
    assert row(page, "fragmentations") == ["0", "1", "−1"]
    assert row(page, "track recall, 80%") == ["50.0", "0.0", "+50.0"]
    assert row(page, "id switches") == ["0", "0", "0"]
    assert row(page, "cat") == ["100.0", "100.0", "3", "3"]
    assert row(page, "dog") == ["0.0", "0.0", "3", "0"]
    assert row(page, "owl") == ["–", "–", "0", "0"]
    assert row(page, "mAP (voc50) (%)") == ["80.22", "80.24", "78.40"]
    assert "<th>0.95*</th>" in page


def test_a_single_run_has_no_difference(everything: ReportData, tmp_path: Path) -> None:
    page = written(replace(everything, runs=everything.runs[:1]), tmp_path / "report.html")
    assert row(page, "mAP (voc50)") == ["50.0"]
    assert "difference" not in page


def test_runs_may_have_different_metrics(everything: ReportData, tmp_path: Path) -> None:
    runs = (
        everything.runs[0],
        RunScores(name="tracking only", tracking=everything.runs[1].tracking),
    )
    page = written(ReportData(title="t", runs=runs), tmp_path / "report.html")
    assert row(page, "mAP (voc50)") == ["50.0", "–", "–"]
    assert row(page, "score jitter") == ["0.050", "–", "–"]
    assert row(page, "HOTA")[2] == "0.0"


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    sources = re.findall(r'(?:src|srcset|href)="(.*?)"', page)
    assert len(sources) == 2 * 5
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert "http" not in page.replace("".join(sources), "")
    pictures = [base64.b64decode(source.partition(",")[2]).decode() for source in sources]
    # A dark and a light one in turn, each in its own colours.
    for dark, light in zip(pictures[::2], pictures[1::2], strict=True):
        assert texts(dark) == texts(light)
        assert figures.NIGHT.muted in dark
        assert figures.DAY.muted not in dark
        assert figures.DAY.muted in light


def test_the_same_data_give_the_same_file(
    everything: ReportData, page: str, tmp_path: Path
) -> None:
    assert written(everything, tmp_path / "again.html") == page


def test_without_matplotlib_there_is_one_clear_line(
    everything: ReportData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("an earlier report")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match="pip install matplotlib"):
        write_report(path, everything)
    assert path.read_text() == "an earlier report"


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write_report(tmp_path / "missing" / "report.html", ReportData(title="t"))


def test_curves_of_classes_with_true_boxes_are_drawn(everything: ReportData) -> None:
    results = [(r.name, r.ap) for r in everything.runs if r.ap]
    written_in = texts(plots.precision_recall(results))
    assert {"cat 100.0 / 100.0", "dog 0.0 / 0.0", "with memory", "without"} <= set(written_in)
    assert not [text for text in written_in if "owl" in text]


def test_a_curve_of_many_points_is_thinned(everything: ReportData) -> None:
    ap = everything.runs[0].ap
    assert ap
    random = np.random.default_rng(0)
    outcomes = np.where(random.random(50_000) < 0.7, 1.0, -1.0)
    long = replace(ap.classes[0], curve=curve(random.random(50_000), outcomes, 40_000))
    drawn = plots.precision_recall([("one", replace(ap, classes=(long,)))])
    assert len(drawn) < 40_000


def test_a_line_of_scores_breaks_where_the_annotation_does() -> None:
    def strokes(*frames: int) -> int:
        scores = np.linspace(0.2, 0.9, len(frames)) ** 2
        track = TrackScores("v", 1, "cat", np.array(frames), {"a": scores})
        svg = ElementTree.fromstring(plots.track_scores([track]))
        paths = [e for e in svg.iter() if figures.DAY.series[0] in e.get("style", "")]
        return sum(path.get("d", "").count("M") for path in paths)

    assert strokes(0, 1, 2, 3, 4, 5) == 1
    assert strokes(0, 5, 10, 15, 20, 25) == 1
    assert strokes(0, 1, 2, 30, 31, 32) == 2


def test_the_default_of_a_sweep_is_ringed() -> None:
    colour = figures.DAY.series[1]
    assert colour in plots.sweep(SWEEP)
    assert colour not in plots.sweep(replace(SWEEP, default=None))
    assert {"80.22", "80.24", "78.40", "0.95"} <= set(texts(plots.sweep(SWEEP)))


def test_names_are_written_as_they_are() -> None:
    track = TrackScores("$a_b$ 猫", 1, "cat", np.array([0, 1]), {"a": np.array([0.5, 0.6])})
    assert "cat 1 in $a_b$ 猫" in texts(plots.track_scores([track]))


def test_scores_along_a_track_are_0_where_it_is_not_found() -> None:
    tracks = track_scores("a", seen(0.9, 0.4))
    cat, dog = tracks["v", 1], tracks["v", 2]
    assert (cat.label, cat.frames.tolist(), cat.scores["a"].tolist()) == ("cat", [0, 1], [0.9, 0.4])
    assert dog.scores["a"].tolist() == [0, 0]


def test_frames_show_hits_in_red_and_misses_dashed_in_blue(tmp_path: Path) -> None:
    """At a sixth, a half and five sixths of a track; a picture that is not there is left out."""
    truths = [truth(i, [[4, 6, 24, 30]], tracks=[7]) for i in range(6)]
    made = dataset(video(tmp_path, truths, problems := Problems(), broken=(5,)), problems=problems)
    scores = {"with": np.array([0, 0.9, 0, 0.3, 0, 0.5]), "without": np.full(6, 0.1)}
    track = TrackScores("street", 7, "thing", np.arange(6), scores)
    found = moments(made, [track])
    assert [each.name for each in found] == [
        "thing 7 in street, frame 1",
        "thing 7 in street, frame 3",
    ]
    page = as_html(found, 2)
    assert page.count('stroke="#d62728"') == 2
    assert page.count("stroke-dasharray") == page.count('stroke="#1f77b4"') == 2
    assert page.count('<rect x="4" y="6" width="20" height="24"') == 4
    assert "with: 0.90" in page
    assert "without: missed" in page
    picture = base64.b64decode(page.partition("base64,")[2].partition('"')[0])
    assert Image.open(io.BytesIO(picture)).size == (64, 48)


def test_the_longest_tracks_come_first_with_all_runs() -> None:
    frames = [*seen(0.9, 0.8), *seen(0.5, 0.4, 0.3, video="w")]
    twice = [track_scores("a", frames), track_scores("b", frames)]
    first, *_, last = longest_tracks(twice, 3)
    assert (first.video, last.video) == ("w", "v")
    assert list(first.scores) == ["a", "b"]
    assert len(longest_tracks(twice, 10)) == 4
    assert longest_tracks([]) == []


@pytest.mark.parametrize("others", [seen(0.9), seen(0.9, 0.8, video="w")])
def test_runs_over_other_tracks_are_not_compared(others: list[EvalFrame]) -> None:
    with pytest.raises(ConfigError, match="the same true"):
        longest_tracks([track_scores("a", seen(0.9, 0.8)), track_scores("b", others)])


def test_identities_are_counted_in_boxes() -> None:
    left, right = (at(0), 0, 1), (at(100), 0, 2)
    frames = [
        frame([left, right], [(at(0), 0, 0.9, 8), (at(100), 0, 0.9, 7)], 0),
        frame([left, right], [(at(0), 0, 0.9, 7), (at(100), 0, 0.9, 8)], 1),
        frame([left, right], [(at(0), 0, 0.9, 8), (at(100), 0, 0.9)], 2),
        frame([left, (at(100), 0, 2, True)], [(at(300), 0, 0.9, 9)], 3),
    ]
    confusion = identity_confusion("v", frames)
    assert confusion.true_ids.tolist() == [1, 2]
    assert confusion.found_ids.tolist() == [8, 7]
    assert confusion.boxes.tolist() == [[2, 1], [1, 1]]
    assert confusion.nameless.tolist() == [1, 1]


def test_detections_that_are_not_shown_give_no_name() -> None:
    confusion = identity_confusion("v", seen(0.9, 0.1), shown=0.3)
    assert confusion.boxes.tolist() == [[1], [0]]
    assert confusion.nameless.tolist() == [1, 2]


def test_a_video_without_any_id_can_be_drawn() -> None:
    frames = [frame([(at(0), 0, 1)], [(at(0), 0, 0.9)])]
    assert "none" in texts(plots.identities(identity_confusion("v", frames)))


def test_many_ids_leave_no_room_for_numbers() -> None:
    ids = np.arange(60)
    boxes = np.diag(np.full(60, 777))
    confusion = IdentityConfusion("v", ids, ids, boxes, np.zeros(60, np.int64))
    assert "777" not in texts(plots.identities(confusion))
    few = IdentityConfusion("v", ids[:3], ids[:3], boxes[:3, :3], np.zeros(3, np.int64))
    assert texts(plots.identities(few)).count("777") == 3


def test_figures_show_as_many_runs_as_one_can_tell_apart(
    everything: ReportData, tmp_path: Path
) -> None:
    runs = tuple(replace(everything.runs[0], name=f"run {i}") for i in range(6))
    track = replace(everything.tracks[0], scores={r.name: np.zeros(3) for r in runs})
    page = written(ReportData(title="t", runs=runs, tracks=[track]), tmp_path / "report.html")
    assert "Figures show the first 4 of these 6 runs." in page
    assert row(page, "mAP (voc50)") == ["50.0"] * 6
    for source in re.findall(r'src="data:.*?,(.*?)"', page):
        written_in = texts(base64.b64decode(source).decode())
        assert "run 3" in written_in
        assert "run 4" not in written_in


def test_rare_ids_share_a_column() -> None:
    boxes = np.array([[*range(10, 72)]])
    confusion = IdentityConfusion("v", np.array([4]), np.arange(62), boxes, np.array([3]))
    written_in = texts(plots.identities(confusion))
    assert {"12 others", "none", "12", "61"} <= set(written_in)
    assert "11" not in written_in


def test_an_empty_report_is_a_page_all_the_same(tmp_path: Path) -> None:
    page = written(ReportData(title="Nothing"), tmp_path / "report.html")
    assert headings(page) == []
    assert "<h1>Nothing</h1>" in page


def test_videos_without_true_tracks_are_not_drawn(tmp_path: Path) -> None:
    empty = identity_confusion("v", [frame([], [(at(0), 0, 0.9, 1)])])
    assert math.prod(empty.boxes.shape) == 0
    page = written(ReportData(title="t", identities=[empty]), tmp_path / "report.html")
    assert "<img" not in page
