"""`minet detect --detections` and `--score-vectors`."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from eval_data import CAR, mot_line, person
from stub_model import CAR_SCORE, CLASSES, PERSON_SCORE, StubDetector, StubEmbedder, stub_model
from video_factory import write_grey_video

from minet_cli.main import run
from minet_core.errors import ConfigError, InputError, OutputError
from minet_core.formats import read_json, read_score_vectors
from minet_core.inference.offline import seq_nms
from minet_core.inference.score_frames import read_scored_frames
from minet_core.models import zoo
from minet_core.models.zoo import Model
from minet_core.options import DetectOptions
from minet_core.runs import outputs
from minet_core.runs.annotate import annotate
from minet_core.runs.manifest import read_manifest
from minet_core.runs.summary import Summary

FRAMES = 12


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(zoo, "load_model", lambda *_, **__: blind())
    monkeypatch.setattr(outputs, "BORDER", 5)
    write_grey_video(Path("clip.mp4"), FRAMES)


def blind() -> Model:
    """The stub's embeddings beside a detector that fails when it is asked."""
    return Model("minet-nano", StubDetector(fail_at=0), StubEmbedder())


def run_on(detections: str, folder: str = "out", **changes) -> Summary:
    options = DetectOptions(
        **{"detections": detections, "video": False, "checkpoint": 0.0, **changes}
    )
    return annotate("clip.mp4", folder, blind(), options)


def rows(folder: str = "out"):
    return read_json(Path(folder, "result.json")).rows


def write_mot(path: str, car: float = 0.8, frames: int = FRAMES, label: int | None = None) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lines = [mot_line(i, -1, person(i), 0.9, label) for i in range(frames)]
    lines += [mot_line(i, -1, CAR, car, label and label + 1) for i in range(frames)]
    Path(path).write_text("\n".join(lines))
    return path


class TestBoxes:
    def test_memory_follows_the_boxes_of_a_file(self):
        run_on(write_mot("det.txt"))
        found = rows()
        assert len(found) == 2 * FRAMES
        assert found.groupby("track_id").frame.apply(list).tolist() == [list(range(FRAMES))] * 2
        walker = found[found.track_id == 1]
        np.testing.assert_allclose(walker.x1, [person(i)[0] for i in range(FRAMES)], atol=0.01)
        np.testing.assert_allclose(walker.base_score, 0.9, atol=1e-6)
        assert set(found.label) == {"object"}
        assert read_json("out/result.json").header["settings"]["detections"] == "det.txt"

    def test_frames_that_are_skipped_shift_nothing(self):
        run_on(write_mot("det.txt"), start=3, stride=4)
        found = rows()
        walker = found[found.x1 < 20]
        assert walker.frame.tolist() == [3, 7, 11]
        np.testing.assert_allclose(walker.x1, [person(i)[0] for i in (3, 7, 11)], atol=0.01)

    def test_a_result_given_back_gives_the_same_result(self):
        first = DetectOptions(video=False)
        annotate("clip.mp4", "first", stub_model(), first)
        for name in ("result.json", "detections.csv"):
            run_on(f"first/{name}", name)
            columns = ["frame", "track_id", "label", "base_score", "x1", "y1", "x2", "y2"]
            assert rows(name)[columns].equals(rows("first")[columns])

    def test_interpolated_rows_of_a_result_are_no_detections(self):
        annotate("clip.mp4", "first", stub_model(empty=[5, 6]), DetectOptions(video=False))
        assert rows("first").interpolated.sum() == 4
        for name in ("result.json", "detections.csv"):
            run_on(f"first/{name}", name, fill=0)
            assert sorted(set(range(FRAMES)) - set(rows(name).frame)) == [5, 6]

    def test_coco_results_count_frames_from_0(self):
        left, top, right, bottom = CAR
        entry = {"category_id": 2, "bbox": [left, top, right - left, bottom - top], "score": 0.7}
        Path("coco.json").write_text(json.dumps([{**entry, "image_id": 5}]))
        Path("classes.txt").write_text("person\ncar\n")
        run_on("coco.json")
        assert rows()[["frame", "label", "x1"]].values.tolist() == [[5, "car", CAR[0]]]

    def test_coco_results_with_a_category_0_count_categories_from_0(self):
        left, top, right, bottom = CAR
        entry = {"bbox": [left, top, right - left, bottom - top], "score": 0.7}
        entries = [{**entry, "image_id": i, "category_id": i} for i in (0, 1)]
        Path("coco.json").write_text(json.dumps(entries))
        summary = run_on("coco.json", "numbers", memory=False)
        assert rows("numbers").label.tolist() == ["class 0", "class 1"]
        assert len(summary.warnings) == 1
        assert "category 0, so its categories are counted from 0" in summary.warnings[0]
        Path("classes.txt").write_text("person\ncar\n")
        run_on("coco.json", "names", memory=False)
        assert rows("names").label.tolist() == ["person", "car"]
        Path("classes.txt").write_text("person\n")
        with pytest.raises(InputError, match="classes must be from 0 to 0"):
            run_on("coco.json", "few", memory=False)

    def test_shares_of_the_picture_are_refused(self):
        entry = {"image_id": 0, "category_id": 1, "bbox": [0.2, 0.2, 0.5, 0.4], "score": 0.7}
        Path("coco.json").write_text(json.dumps([entry]))
        Path("det.txt").write_text("1,-1,0.2,0.2,0.5,0.4,0.7\n")
        for name in ("coco.json", "det.txt"):
            with pytest.raises(InputError, match=f"{name}.* shares of the picture; pixels are"):
                run_on(name)
        assert not Path("out").exists()

    def test_names_of_classes(self):
        write_mot("seq/det/det.txt", label=1)
        run_on("seq/det/det.txt", "numbers")
        assert set(rows("numbers").label) == {"class 1", "class 2"}
        Path("seq/classes.txt").write_text("person\ncar\n")
        run_on("seq/det/det.txt", "names", classes=("car",))
        assert set(rows("names").label) == {"car"}
        run_on(write_mot("det.txt"), "one", classes=("pedestrian",))
        assert set(rows("one").label) == {"pedestrian"}

    def test_other_boxes_are_another_result(self):
        run_on(write_mot("det.txt"))
        key = read_manifest(Path("out")).key
        write_mot("det.txt", car=0.7)
        with pytest.raises(OutputError, match=r"\(another file for --detections\)"):
            run_on("det.txt")
        run_on("det.txt", overwrite=True)
        assert read_manifest(Path("out")).key != key

    def test_what_is_wrong_with_the_boxes_is_told(self):
        summary = run_on(write_mot("det.txt", car=1.5, frames=FRAMES + 2))
        assert summary.warnings == (
            f"det.txt: scores outside 0 … 1, clipped: {FRAMES + 2}",
            "det.txt: boxes of frames after the last, left out: 4",
        )

    def test_a_stopped_run_goes_on_at_its_boxes(self):
        write_mot("det.txt")
        run_on("det.txt", "whole", score_vectors=True)

        def stop(found, _):
            if found.frame == 7:
                raise KeyboardInterrupt

        options = DetectOptions(
            detections="det.txt", video=False, checkpoint=0.0, score_vectors=True, resume=True
        )
        with pytest.raises(KeyboardInterrupt):
            annotate("clip.mp4", "out", blind(), options, stop)
        summary = annotate("clip.mp4", "out", blind(), options)
        assert summary.frames_before == 5
        for file in summary.files:
            assert file.read_bytes() == Path("whole", file.name).read_bytes()


class TestCommand:
    def test_a_folder_with_a_file_for_each_video(self):
        write_grey_video(Path("other.mp4"), 4)
        write_mot("dets/clip.txt")
        write_mot("dets/other/det/det.txt", car=0.1, frames=4)
        assert detect("clip.mp4 other.mp4 --detections dets --no-video -o out") == 0
        assert len(rows("out/clip")) == 2 * FRAMES
        assert len(rows("out/other")) == 4
        # Done, and not done again.
        assert detect("clip.mp4 other.mp4 --detections dets --no-video -o out") == 0

    def test_mistakes_end_in_one_line(self, capfd):
        write_grey_video(Path("other.mp4"), 4)
        write_mot("dets/clip.txt")
        for arguments, line in {
            "clip.mp4 other.mp4 --detections dets": "dets: no detections for other there",
            "clip.mp4 --detections none.txt": "none.txt: no such file or folder",
            "clip.mp4 other.mp4 --detections dets/clip.txt": "with clip.txt and other.txt",
            "clip.mp4 --score-vectors --format csv": "add json to the formats",
        }.items():
            assert detect(arguments) != 0
            assert line in capfd.readouterr().err
        assert not Path("minet-output").exists()


def detect(arguments: str) -> int:
    return run(["detect", "--quiet", *shlex.split(arguments)])


class TestScoreVectors:
    def test_they_stand_beside_the_rows(self):
        options = DetectOptions(video=False, score_vectors=True, memory=False, score=0.1)
        annotate("clip.mp4", "out", stub_model(empty=(3,)), options)
        vectors = read_score_vectors("out/result.json")
        assert vectors.shape == (len(rows()), len(CLASSES))
        np.testing.assert_array_equal(vectors[0], np.array([PERSON_SCORE, 0, 0], np.float32))
        np.testing.assert_allclose(vectors.max(axis=1), rows().score, atol=1e-6)
        np.testing.assert_array_equal(vectors.argmax(axis=1), rows().label_id)
        assert not vectors.flags.writeable
        assert "scores.f32" in read_manifest(Path("out")).files

    def test_frames_for_the_offline_methods(self):
        """Alike in every frame, a tube has the mean of what its boxes had."""
        options = DetectOptions(video=False, score_vectors=True, score=0.0)
        annotate("clip.mp4", "out", stub_model(empty=(3,)), options)
        frames = read_scored_frames("out/result.json")
        assert [frame.frame for frame in frames] == sorted(set(rows().frame))
        assert frames[0].base.tolist() == [[PERSON_SCORE, 0, 0], [0, CAR_SCORE, 0]]
        assert frames[0].track_ids.tolist() == [1, 2]
        persons = [frame.scores[0, 0] for frame in frames]
        linked = [frame.scores[0, 0] for frame in seq_nms(frames)]
        np.testing.assert_allclose(linked, np.mean(persons))

    def test_the_page_says_how_to_read_them(self, monkeypatch):
        annotate("clip.mp4", "out", stub_model(), DetectOptions(video=False, score_vectors=True))
        monkeypatch.chdir("out")
        page = (Path(__file__).parents[2] / "docs/result-format.md").read_text(encoding="utf-8")
        _, section = page.split("## scores.f32")
        scope: dict = {}
        for example in re.findall(r"```python\n(.*?)```", section.split("\n## ")[0], re.DOTALL):
            exec(example, scope)
        assert scope["scores"].shape == (2 * FRAMES, len(CLASSES))
        assert len(scope["frames"]) == FRAMES

    def test_no_rows(self):
        options = DetectOptions(video=False, score_vectors=True, score=1.0)
        annotate("clip.mp4", "out", stub_model(), options)
        assert read_score_vectors("out/result.json").shape == (0, len(CLASSES))
        assert read_scored_frames("out/result.json") == []

    def test_they_go_with_their_result(self):
        annotate("clip.mp4", "out", stub_model(), DetectOptions(video=False, score_vectors=True))
        annotate("clip.mp4", "out", stub_model(), DetectOptions(video=False, overwrite=True))
        assert not Path("out/scores.f32").exists()
        with pytest.raises(InputError, match="made without --score-vectors"):
            read_score_vectors("out/result.json")

    def test_a_file_that_does_not_fit_is_refused(self):
        annotate("clip.mp4", "out", stub_model(), DetectOptions(video=False, score_vectors=True))
        Path("out/scores.f32").write_bytes(b"1234")
        with pytest.raises(InputError, match="4 bytes do not fit 24 rows of 3 classes"):
            read_score_vectors("out/result.json")

    def test_they_need_a_result(self):
        with pytest.raises(ConfigError, match="add json"):
            DetectOptions(score_vectors=True, formats=("csv",))
