import json
import shlex
from pathlib import Path

import pytest
from eval_data import CAR, FRAMES, mot_line, person, write_sequence
from stub_model import StubDetector, StubEmbedder, stub_model

import minet_core
from minet_cli.main import run
from minet_core.datasets import make_toy, open_dataset
from minet_core.models.detector import BaseDetections
from minet_core.models.zoo import Model
from minet_core.options import DetectOptions
from minet_core.runs.annotate import annotate


@pytest.fixture(autouse=True)
def data(monkeypatch, tmp_path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(minet_core, "load_model", lambda *_, **__: pytest.fail("no model needed"))
    return write_sequence(Path("data/seq"))


def evaluate(arguments: str) -> int:
    return run(["eval", "--data", "mot:data", *shlex.split(arguments)])


def scores() -> dict:
    document = json.loads(Path("minet-eval/metrics.json").read_text())
    assert document["settings"]["model"] is None
    (only,) = document["variants"]
    return only


def detect(clip: Path, **options) -> None:
    annotate(clip, "out", stub_model(empty=[3, 4]), DetectOptions(video=False, fill=0, **options))


class TestResultJson:
    def test_cut_results_are_refused(self, clip, capsys):
        detect(clip)
        assert evaluate("--results out") == 2
        error = capsys.readouterr().err
        assert "cut at a score of 0.3" in error
        assert "--allow-cut" in error

    def test_or_scored_with_a_warning(self, clip, capsys):
        detect(clip)
        assert evaluate("--results out --allow-cut --tracking") == 0
        assert scores()["ap"]["map_all"] == pytest.approx(0.8)
        assert scores()["tracking"]["overall"]["mota"] == pytest.approx(0.8)
        out = capsys.readouterr().out
        assert scores()["tracking"]["ids"] == "as given"
        assert "known at once" not in out
        assert "voc50; cut at a score of 0.3, so too low" in out
        assert "warning: cut at a score of 0.3" in out

    def test_whole_results(self, clip, capsys):
        detect(clip, score=0.0)
        assert evaluate("--results out/result.json") == 0
        assert scores()["ap"]["map_all"] == pytest.approx(0.8)
        assert "cut at" not in capsys.readouterr().out

    def test_results_of_some_frames(self, clip, capsys):
        detect(clip, score=0.0, stride=2)
        assert evaluate("--results out") == 2
        assert "made from 5 frames, but the video seq has 10" in capsys.readouterr().err

    def test_nan(self, clip, capsys):
        detect(clip, score=0.0)
        path = Path("out/result.json")
        path.write_text(path.read_text().replace("0.6,", "NaN,", 1))
        assert evaluate("--results out") == 2
        assert "result.json, frame 0: a number is missing or not finite" in capsys.readouterr().err


class TestText:
    def test_mot(self):
        lines = [mot_line(i, 7, person(i), 0.9, 1) for i in range(FRAMES)]
        lines += [mot_line(i, 8 if i < 5 else 9, CAR, 0.9, 2) for i in range(FRAMES)]
        Path("seq.txt").write_text("\n".join(lines))
        assert evaluate("--results . --tracking") == 0
        assert scores()["ap"]["map_all"] == pytest.approx(1)
        assert scores()["tracking"]["overall"]["id_switches"] == 1
        assert scores()["tracking"]["classes"]["person"]["idf1"] == 1

    def test_detections_csv(self, clip):
        detect(clip, score=0.0)
        assert evaluate("--results out/detections.csv") == 0
        assert scores()["ap"]["map_all"] == pytest.approx(0.8)

    def test_names_by_a_table(self, clip, capsys):
        detect(clip, score=0.0)
        Path("data/seq/gt/labels.txt").write_text("walker\ncar\nsofa")
        Path("names.csv").write_text("person,walker\n")
        assert evaluate("--results out/result.json") == 0
        assert scores()["ap"]["map_all"] == pytest.approx(0.4)
        assert "classes that the dataset does not have, left out: " in capsys.readouterr().out
        assert evaluate("--results out/result.json --class-table names.csv --overwrite") == 0
        assert scores()["ap"]["map_all"] == pytest.approx(0.8)

    def test_names_that_the_dataset_has_are_not_changed(self):
        """`person` is a pedestrian only where the dataset has no persons."""
        Path("data/seq/gt/labels.txt").write_text("pedestrian\nperson\nsofa")
        rows = ["frame,pts,time,track_id,label,label_id,score,base_score,x1,y1,x2,y2"]
        corners = ",".join(map(str, CAR))
        rows += [f"{i},,{i / 25},,person,1,0.5,0.5,{corners}" for i in range(FRAMES)]
        Path("boxes.csv").write_text("\n".join(rows))
        assert evaluate("--results boxes.csv") == 0
        by_class = scores()["ap"]["classes"]
        assert (by_class["person"]["ap"], by_class["pedestrian"]["false_positives"]) == (1, 0)

    def test_nothing_there(self, capsys):
        assert evaluate("--results data") == 2
        assert "nothing for the video seq" in capsys.readouterr().err


class TestVidText:
    """`frame_id class score xmin ymin xmax ymax`, all videos in one file."""

    @pytest.fixture
    def toy(self) -> str:
        make_toy(Path("toy"), train=1, val=2, frames=8, size=96)
        return "toy:toy"

    def lines(self, toy: str) -> list[str]:
        """The truth as results."""
        lines, start = [], 1
        for video in open_dataset(toy).videos:
            for truth in video.frames():
                for label, box in zip(truth.label_ids, truth.boxes, strict=True):
                    corners = " ".join(f"{v:g}" for v in box)
                    lines.append(f"{start + truth.index} {label + 1} 0.5 {corners}")
            start += len(video)
        return lines

    def test_truth_scores_100(self, toy):
        Path("vid.txt").write_text("\n".join(self.lines(toy)))
        assert run(["eval", "--data", toy, "--results", "vid.txt", "--quiet"]) == 0
        assert scores()["ap"]["map_all"] == pytest.approx(1)

    @pytest.mark.parametrize(
        ("row", "complaint"),
        [
            ("17 1 0.5 1 1 5 5", "row 2: frames count from 1 to 16"),
            ("0 1 0.5 1 1 5 5", "row 2: frames count from 1 to 16"),
            ("1 31 0.5 1 1 5 5", "row 2: classes are 1 to"),
            ("1 1 nan 1 1 5 5", "row 2: numbers must be finite"),
            ("1 1 0.5 9 1 5 5", "a box is inverted"),
            ("1 1 0.5 9 1 5", "cannot be read"),
        ],
    )
    def test_bad_rows(self, toy, capsys, row, complaint):
        Path("vid.txt").write_text("1 1 0.5 1 1 5 5\n" + row)
        assert run(["eval", "--data", toy, "--results", "vid.txt"]) == 2
        assert complaint in capsys.readouterr().err


class TestCocoResults:
    """One list for all videos, by the image ids of the dataset's file."""

    def coco(self, results: list[dict]) -> str:
        images = [
            {"id": 100 + 10 * v + f, "video_id": v, "frame_id": f, "file_name": "none.jpg"}
            for v in (1, 2)
            for f in (0, 1)
        ]
        annotations = [
            {"id": i, "image_id": image["id"], "category_id": 7, "bbox": BOX, "instance_id": 1}
            for i, image in enumerate(images)
        ]
        document = {
            "videos": [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}],
            "categories": [{"id": 7, "name": "owl"}],
            "images": images,
            "annotations": annotations,
        }
        Path("truth.json").write_text(json.dumps(document))
        Path("results.json").write_text(json.dumps(results))
        return "coco-vid:truth.json"

    def test_three_of_four(self):
        data = self.coco([result(image) for image in (121, 110, 111)])
        assert run(["eval", "--data", data, "--results", "results.json", "--tracking"]) == 0
        assert scores()["ap"]["map_all"] == pytest.approx(0.75)
        assert scores()["tracking"]["overall"]["misses"] == 1

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            ({"image_id": 5}, "results.json, result 1: no image, category or column 5"),
            ({"category_id": 1}, "result 1: no image, category or column 1"),
            ({"bbox": [1, 2, 3]}, "result 1: it does not read"),
            ({"bbox": [1, 2, -3, 4]}, "results.json, one, frame 0: a box is inverted"),
            ({"score": float("nan")}, "frame 0: a number is missing or not finite"),
        ],
    )
    def test_bad_results(self, capsys, wrong, complaint):
        data = self.coco([result(110) | wrong])
        assert run(["eval", "--data", data, "--results", "results.json"]) == 2
        assert complaint in capsys.readouterr().err

    def test_for_another_kind_of_data(self, capsys):
        Path("results.json").write_text("[]")
        assert evaluate("--results results.json") == 2
        assert "COCO results need a dataset coco-vid:FILE" in capsys.readouterr().err


BOX = [10, 10, 20, 20]


def result(image: int) -> dict:
    return {"image_id": image, "category_id": 7, "bbox": BOX, "score": 0.9, "track_id": 4}


class DoubtfulDetector(StubDetector):
    """Takes the person for a car too, the more so the later the frame."""

    def _detect(self, index: int) -> BaseDetections:
        found = super()._detect(index)
        found.scores[0, 1] = 0.05 * index
        return found


class TestScoreVectors:
    @pytest.fixture(autouse=True)
    def results(self, monkeypatch, clip) -> None:
        model = Model("doubtful", DoubtfulDetector(empty=[3, 4]), StubEmbedder())
        options = DetectOptions(video=False, memory=False, score=0.001, score_vectors=True)
        annotate(clip, "out", model, options)
        monkeypatch.setattr(minet_core, "load_model", lambda *_, **__: model)

    def test_every_pair_is_scored(self):
        assert evaluate("--results out") == 0
        false = scores()["ap"]["classes"]["car"]["false_positives"]
        assert false == 9  # the first frame has no doubt
        Path("out/scores.f32").rename("away")
        assert evaluate("--results out --overwrite") == 2

    @pytest.mark.parametrize("how", ["", "--seq-nms", "--tube-link"])
    def test_the_numbers_are_those_of_the_model(self, how):
        assert evaluate(f"--results out {how}") == 0
        of_results = scores()
        assert evaluate(f"--no-memory {how} --overwrite") == 0
        (of_model,) = json.loads(Path("minet-eval/metrics.json").read_text())["variants"]
        assert of_results["ap"] == of_model["ap"]
        assert of_results["temporal"]["jitter"] == of_model["temporal"]["jitter"]

    def test_linking_needs_them(self, clip, capsys):
        options = DetectOptions(video=False, score=0.0, overwrite=True)
        annotate(clip, "out", stub_model(), options)
        assert evaluate("--results out --seq-nms") == 2
        assert "make it with --score-vectors" in capsys.readouterr().err
