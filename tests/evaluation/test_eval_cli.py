import csv
import json
import math
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from eval_data import CAR, FRAMES, mot_line, person, sharp_model, write_sequence
from stub_model import CAR_SCORE, PERSON_SCORE, StubDetector, stub_model

import minet_core
from minet_cli.main import run
from minet_core.models.detector import BaseDetections
from minet_core.models.faster_rcnn.network import build_rcnn
from minet_core.models.faster_rcnn.rcnn_config import RCNN_CONFIGS
from minet_core.models.network_file import save_model
from minet_core.models.zoo import load_model
from minet_core.options import DetectOptions
from minet_core.runs.annotate import annotate

HALVES = {3, 4}
"""Frames in which the stub's scores are 0."""


@pytest.fixture(autouse=True)
def data(monkeypatch, tmp_path) -> Path:
    monkeypatch.chdir(tmp_path)
    use(monkeypatch, empty=HALVES)
    return write_sequence(Path("data/seq"))


def use(monkeypatch, **options) -> None:
    monkeypatch.setattr(minet_core, "load_model", lambda *_, **__: stub_model(**options))


def evaluate(arguments: str) -> int:
    return run(["eval", *shlex.split(arguments)])


def metrics(folder: str = "minet-eval") -> dict:
    return json.loads(Path(folder, "metrics.json").read_text())


def table() -> list[dict[str, str]]:
    return list(csv.DictReader(Path("minet-eval/metrics.csv").read_text().splitlines()))


def variant(name: str, folder: str = "minet-eval") -> dict:
    return next(v for v in metrics(folder)["variants"] if v["name"] == name)


class TestModel:
    def test_numbers_by_hand(self, capsys):
        """8 of 10 boxes found, nothing else: precision 1 up to recall 0.8."""
        assert evaluate("--data mot:data --tracking --quiet") == 0
        assert capsys.readouterr() == ("", "")
        without = variant("without memory")
        assert without["memory"] is None
        assert without["ap"]["map_all"] == pytest.approx(0.8)
        assert without["ap"]["classes"]["person"]["true_positives"] == 8
        assert without["temporal"]["jitter"] == pytest.approx(
            (2 * PERSON_SCORE + 2 * CAR_SCORE) / 18, abs=1e-6
        )
        assert without["temporal"]["fragmentations"] == 2
        assert without["tracking"] is None
        with_memory = variant("with memory")
        assert with_memory["memory"]["decay"] == 0.95
        assert with_memory["tracking"]["ids"] == "online"
        overall = with_memory["tracking"]["overall"]
        assert (overall["id_switches"], overall["misses"], overall["true_boxes"]) == (0, 4, 20)
        assert overall["mota"] == pytest.approx(0.8)
        assert overall["idf1"] == pytest.approx(2 * 16 / 36, abs=1e-6)

    def test_memory_changes_the_scores_of_the_same_boxes(self):
        assert evaluate("--data mot:data --quiet") == 0
        one, other = variant("with memory"), variant("without memory")
        assert one["temporal"]["jitter"] > other["temporal"]["jitter"]  # it is surer than the stub
        assert one["ap"]["classes"] == other["ap"]["classes"]

    def test_classes_that_the_model_cannot_say(self, capsys):
        write_sequence(Path("more/seq"), sofa=True)
        assert evaluate("--data mot:more --no-memory") == 0
        ap = variant("without memory")["ap"]
        assert ap["map_covered"] == pytest.approx(0.8)
        assert ap["map_all"] == pytest.approx(1.6 / 3, abs=1e-6)
        assert metrics()["dataset"]["not_covered"] == ["sofa"]
        out = capsys.readouterr().out
        assert "are not covered: sofa" in out
        assert "│            80.0 │        53.3 │" in out

    def test_a_table_of_the_users_own(self):
        write_sequence(Path("more/seq"), classes=("walker", "car", "sofa"))
        Path("names.csv").write_text("person,walker\n")
        assert evaluate("--data mot:more --no-memory -o plain") == 0
        assert variant("without memory", "plain")["ap"]["map_all"] == pytest.approx(0.4)
        assert evaluate("--data mot:more --no-memory --class-table names.csv") == 0
        assert variant("without memory")["ap"]["map_all"] == pytest.approx(0.8)

    @pytest.mark.parametrize("protocol", ["voc50", "devkit", "coco"])
    def test_protocol_stands_beside_every_number(self, capsys, protocol):
        assert evaluate(f"--data mot:data --no-memory --protocol {protocol}") == 0
        out = capsys.readouterr().out
        assert f"at 50 % ({protocol})" in out
        assert f"by class ({protocol})" in out
        assert variant("without memory")["ap"]["protocol"] == protocol
        rows = table()
        assert {r["protocol"] for r in rows if r["metric"].startswith(("map", "ap"))} == {protocol}

    def test_motion_groups(self, capsys):
        """The car stands; the person has overlaps from 0.87 (ten frames off) to 0.96."""
        assert evaluate("--data mot:data --no-memory --motion") == 0
        motion = variant("without memory")["motion"]
        assert motion["rule"] == "mega"
        assert motion["slow"]["classes"]["car"]["truths"] == FRAMES
        assert motion["fast"]["map_all"] is None
        assert "by speed, all classes (voc50, rule of mega)" in capsys.readouterr().out

    def test_csv_has_the_numbers_of_the_json(self):
        assert evaluate("--data mot:data --tracking --quiet") == 0
        rows = table()
        by_key = {(r["variant"], r["metric"], r["class"]): r["value"] for r in rows}
        assert len(by_key) == len(rows)
        for entry in metrics()["variants"]:
            assert float(by_key[entry["name"], "map_all", ""]) == entry["ap"]["map_all"]
            jitter = entry["temporal"]["jitter_interval"]
            assert float(by_key[entry["name"], "temporal_jitter_interval_low", ""]) == jitter[0]
        assert (
            float(by_key["with memory", "tracking_hota", "car"])
            == (variant("with memory")["tracking"]["classes"]["car"]["hota"])
        )

    def test_tables_fit_80_columns(self, capsys):
        assert evaluate("--data mot:data --tracking --motion") == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= 80
        assert any("ids as known at once, not linked" in line for line in lines)


class TestVariants:
    def test_sweep_has_a_row_for_each_value(self, capsys):
        assert evaluate("--data mot:data --sweep decay=1,0.5 --tracking") == 0
        assert [v["name"] for v in metrics()["variants"]] == [
            "without memory",
            "decay=1",
            "decay=0.5",
        ]
        assert variant("decay=0.5")["memory"]["decay"] == 0.5
        assert "decay=0.5" in capsys.readouterr().out

    def test_a_variant_beside_others_is_as_it_is_alone(self):
        assert evaluate("--data mot:data --tracking --quiet -o pair") == 0
        assert evaluate("--data mot:data --tracking --quiet --sweep decay=1,0.95") == 0
        alone = variant("with memory", "pair")
        beside = variant("decay=0.95")
        assert {**alone, "name": ""} == {**beside, "name": ""}

    def test_ablation(self):
        assert evaluate("--data mot:data --ablation --quiet") == 0
        assert [v["name"] for v in metrics()["variants"]] == [
            "(a) no memory",
            "(c) memory, untrained",
        ]
        (difference,) = metrics()["map_differences"]
        assert (difference["of"], difference["less"]) == ("(c) memory, untrained", "(a) no memory")
        assert difference["interval"] == [None, None]  # one video says nothing of others

    def test_ablation_of_two_models(self, monkeypatch, capsys):
        """The trained one misses nothing, the other one misses two frames in each video."""
        write_sequence(Path("data/other"), pictures=(0, 3, 4))
        models = {"plain": stub_model(empty=HALVES), "meta": stub_model()}
        monkeypatch.setattr(minet_core, "load_model", lambda name, **_: models[name])
        assert evaluate("--data mot:data --ablation --model plain --trained meta") == 0
        rows = {v["name"][:3]: v["ap"]["map_all"] for v in metrics()["variants"]}
        assert list(rows) == ["(a)", "(b)", "(c)", "(d)"]
        assert rows["(a)"] == rows["(c)"] == pytest.approx(9 / 20)
        assert rows["(b)"] == rows["(d)"] == pytest.approx(13 / 20)
        differences = {(d["of"][:3], d["less"][:3]): d for d in metrics()["map_differences"]}
        assert set(differences) == {
            ("(b)", "(a)"),
            ("(c)", "(a)"),
            ("(d)", "(b)"),
            ("(d)", "(a)"),
        }
        assert differences["(c)", "(a)"]["interval"] == [0, 0]
        # Either video alone gains two frames of ten.
        assert differences["(b)", "(a)"]["interval"] == pytest.approx([0.2, 0.2])
        lines = capsys.readouterr().out
        for row in ("(b) no memory, trained", "(d) memory, trained"):
            assert f"{row} minus (a) no memory: +20.0" in lines

    def test_row_c_takes_fc6_of_a_detector_without_the_meta_loss(self, monkeypatch):
        """As if it had been asked for; row (d) takes the identify head."""
        monkeypatch.setattr(minet_core, "load_model", load_model)
        for seed in (0, 1):
            torch.manual_seed(seed)
            small = replace(RCNN_CONFIGS["minet-tiny"], shorter=72, longer=96, proposals=40)
            network = build_rcnn(small, ("person", "car", "dog"))
            save_model(Path(f"{seed}.safetensors"), network)
        data = "--data mot:data --device cpu --quiet"
        both = f"{data} --ablation --model 0.safetensors --trained 1.safetensors"
        assert evaluate(f"{both} -o default") == 0
        assert evaluate(f"{both} --embed fc6 -o both") == 0
        assert evaluate(f"{data} --model 0.safetensors --identify fc6 -o untrained") == 0
        assert evaluate(f"{data} --model 1.safetensors -o trained") == 0
        assert evaluate(f"{data} --model 0.safetensors -o random") == 0
        alone = {
            name: {**variant("with memory", name), "name": ""}
            for name in ("untrained", "trained", "random")
        }
        assert alone["untrained"] != alone["random"]
        for folder in ("default", "both"):
            assert {**variant("(c) memory, fc6", folder), "name": ""} == alone["untrained"]
            assert {**variant("(d) memory, trained", folder), "name": ""} == alone["trained"]

    def test_the_tables_of_the_paper(self, monkeypatch, capsys):
        """One pass gives what each option alone gives, and the paper's figures stand beside."""
        models = {"plain": stub_model(empty=HALVES), "meta": stub_model(empty=(5,))}
        looks = []
        detector = models["meta"].detector
        detect = detector.detect

        def counted(frames):
            looks.append(len(frames))
            return detect(frames)

        monkeypatch.setattr(detector, "detect", counted)
        monkeypatch.setattr(minet_core, "load_model", lambda name, **_: models[name])
        write_sequence(Path("data/other"), pictures=(0, 3, 4))
        assert evaluate("--data mot:data --paper --model plain --trained meta") == 0
        assert sum(looks) == 13  # pictures; no frame is looked at twice
        out = capsys.readouterr().out
        rows = {(r["table"], r["row"]): r for r in metrics()["paper"]}
        assert [r["paper"] for r in metrics()["paper"]] == [
            *(80.2, 80.6, 75.6, 77.6, 77.5, 80.2, 80.4, 80.2),
            *(80.22, 80.24, 80.17, 80.07, 80.07, 79.95, 79.83, 78.4),
        ]
        for options, row in (
            ("--no-memory", ("Table III", "(b) no memory, trained")),
            ("", ("Table III", "(d) memory, trained")),
            ("--bidirectional", ("Table II", "MINet, both ways")),
            ("--seq-nms", ("Table IV", "(d) + Seq-NMS")),
            ("--sweep decay=0.25", ("Table V", "σ = 0.25")),
        ):
            assert evaluate(f"--data mot:data --model meta {options} --overwrite -o alone") == 0
            variants = metrics("alone")["variants"]
            alone = next(v for v in variants if v["memory"] or options == "--no-memory")
            assert rows[row]["map"] == pytest.approx(100 * alone["ap"]["map_all"])
            assert f"{rows[row]['map']:.2f}" in out
        assert "slow" in out
        assert "Table V" in out

    def test_pictures_of_what_an_identifier_chooses(self, monkeypatch):
        """Fig. 5: the stub's embeddings tell left from right, so each object is found again."""
        models = {"plain": stub_model(), "meta": stub_model()}
        monkeypatch.setattr(minet_core, "load_model", lambda name, **_: models[name])
        assert evaluate("--data mot:data --paper --model plain --trained meta --report") == 0
        page = Path("minet-eval/report.html").read_text(encoding="utf-8")
        section = page.partition("<h2>Association by an identifier</h2>")[2].partition("<h2>")[0]
        words = re.findall("<figcaption>(.*?)</figcaption>", section)
        assert [each.partition(", ")[2] for each in words] == [
            "true box",
            *["overlap 1.00"] * 3,
        ] * 2

    def test_networks_that_aggregate_have_the_rows_of_fgfa(self, monkeypatch):
        """Every frame is seen with its neighbours, and once by each model."""
        monkeypatch.setattr(minet_core, "load_model", load_model)
        tiny = RCNN_CONFIGS["minet-fgfa-tiny"]
        small = replace(tiny, shorter=36, longer=48, proposals=20, window=(1, 1))
        for seed in (0, 1):
            torch.manual_seed(seed)
            save_model(Path(f"{seed}.safetensors"), build_rcnn(small, ("person", "car", "dog")))
        models = "--model 0.safetensors --trained 1.safetensors --device cpu"
        assert evaluate(f"--data mot:data --ablation {models} --bidirectional --quiet") == 0
        assert [v["name"] for v in metrics()["variants"]] == [
            "(a) FGFA",
            "(b) FGFA, trained",
            "(c) FGFA + memory",
            "(d) FGFA + MINet",
        ]

    def test_two_models_must_know_the_same_classes(self, monkeypatch, capfd):
        other = stub_model()
        monkeypatch.setattr(other.detector, "classes", ("person", "car", "cat"))
        models = {"plain": stub_model(), "meta": other}
        monkeypatch.setattr(minet_core, "load_model", lambda name, **_: models[name])
        assert evaluate("--data mot:data --ablation --model plain --trained meta") == 3
        assert "do not know the same classes" in capfd.readouterr().err

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("decoy=1", "no setting 'decoy'"),
            ("decay=", "needs values"),
            ("decay", "needs values"),
            ("decay=much", "'much' is not a value of the setting decay"),
            ("decay=nan", "'nan' is not a value"),
            ("buffer=1.5", "'1.5' is not a value of the setting buffer"),
        ],
    )
    def test_sweeps_that_make_no_sense(self, capsys, text, complaint):
        assert evaluate(f"--data mot:data --sweep {text}") == 3
        assert complaint in capsys.readouterr().err

    def test_values_of_every_type(self):
        assert evaluate("--data mot:data --quiet --sweep max_slots=none,1 -o a") == 0
        assert variant("max_slots=none", "a")["memory"]["max_slots"] is None
        assert variant("max_slots=1", "a")["memory"]["max_slots"] == 1
        assert evaluate("--data mot:data --quiet --sweep gate=-0.5,2 -o b") == 0
        found = [v["memory"] and v["memory"]["gate"] for v in metrics("b")["variants"]]
        assert found == [None, -0.5, 2]


class TestReport:
    @pytest.mark.parametrize("extra", ["", "--sweep decay=1,0.5", "--sweep max_slots=none,3"])
    def test_a_page_beside_the_metrics(self, capsys, extra):
        assert evaluate(f"--data mot:data --tracking --report {extra}") == 0
        assert capsys.readouterr().out.endswith("minet-eval/report.html\n")
        page = Path("minet-eval/report.html").read_text()
        assert "Evaluation on mot data" in page
        assert "without memory" in page
        assert "classes that are not covered: sofa" in page
        assert ("decay" in page.partition("</dl>")[2]) == ("decay" in extra)

    def test_a_page_of_an_earlier_run_does_not_stay(self):
        assert evaluate("--data mot:data --no-memory --quiet --report") == 0
        assert evaluate("--data mot:data --no-memory --quiet --overwrite") == 0
        assert not Path("minet-eval/report.html").exists()


class TestOffline:
    @pytest.mark.parametrize("method", ["--seq-nms", "--tube-link"])
    def test_linked_boxes_have_one_score(self, monkeypatch, capsys, method):
        """The stub's scores stand still, but those with memory rise; a path has one score."""
        use(monkeypatch)
        assert evaluate("--data mot:data --quiet -o online") == 0
        assert variant("with memory", "online")["temporal"]["jitter"] > 0
        assert evaluate(f"--data mot:data --tracking {method}") == 0
        assert variant("with memory")["temporal"]["jitter"] == pytest.approx(0, abs=1e-6)
        assert variant("with memory")["tracking"]["overall"]["mota"] == 1
        assert "scores are of whole videos, not online" in capsys.readouterr().out

    def test_the_backward_pass_knows_the_first_frame(self, monkeypatch):
        """Online the person has 0.8 in the first frame and more later; both passes together are
        over 0.85 throughout, the car never."""
        use(monkeypatch)
        assert evaluate("--data mot:data --quiet --tracking --score 0.85 -o online") == 0
        assert evaluate("--data mot:data --quiet --tracking --score 0.85 --bidirectional") == 0
        online, both = (variant("with memory", f) for f in ("online", "minet-eval"))
        assert online["tracking"]["classes"]["person"]["misses"] == 1
        assert both["tracking"]["classes"]["person"]["misses"] == 0
        plain = [variant("without memory", f) for f in ("online", "minet-eval")]
        assert plain[0] == plain[1]

    def test_missing_pictures_stay_empty(self):
        write_sequence(Path("holes/seq"), pictures=[0, 1, 2, 6, 7])
        assert evaluate("--data mot:holes --bidirectional --tube-link --quiet") == 0
        assert variant("with memory")["ap"]["map_all"] == pytest.approx(0.5)


class TestDetections:
    def test_boxes_of_a_file_replace_the_detector(self, monkeypatch):
        monkeypatch.setattr(minet_core, "load_model", lambda *_, **__: sharp_model())
        lines = [mot_line(i, -1, person(i), 0.5, 1) for i in range(5)]
        Path("data/seq/det").mkdir()
        Path("data/seq/det/det.txt").write_text("\n".join(lines))
        assert evaluate("--data mot:data --detections data --quiet --tracking") == 0
        ap = variant("without memory")["ap"]["classes"]
        assert ap["person"]["ap"] == pytest.approx(0.5)
        assert (ap["car"]["ap"], ap["person"]["false_positives"]) == (0, 0)
        assert variant("with memory")["tracking"]["classes"]["person"]["id_switches"] == 0

    def test_result_of_detect_gives_its_base_scores(self, clip):
        annotate(clip, "det/seq", stub_model(), DetectOptions(video=False, score=0.0))
        assert evaluate("--data mot:data --detections det --quiet") == 0
        assert variant("without memory")["temporal"]["jitter"] == 0  # as the stub's own
        assert variant("without memory")["ap"]["map_all"] == pytest.approx(1)

    def test_scores_outside_0_to_1_are_clipped_and_told(self, capsys):
        Path("det.txt").write_text(mot_line(0, -1, CAR, 12.5, 2))
        assert evaluate("--data mot:data --detections det.txt") == 0
        assert "scores outside 0 … 1, clipped: 1" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            (mot_line(0, -1, CAR, math.nan, 2), "line 1: numbers must be finite"),
            (mot_line(40, -1, CAR, 1, 2), "frame 40: the video has 10 frames only"),
            (mot_line(0, -1, (60, 20, 40, 36), 1, 2), "frame 0: a box is inverted"),
            (mot_line(0, -1, CAR, 1), "no column of classes, but the dataset has 3"),
            (mot_line(0, -1, CAR, 1, 9), "classes must be from 1 to 3"),
        ],
    )
    def test_bad_rows(self, capsys, line, complaint):
        Path("det.txt").write_text(line)
        assert evaluate("--data mot:data --detections det.txt") == 2
        assert complaint in capsys.readouterr().err

    def test_a_video_without_a_file(self, capsys):
        Path("empty").mkdir()
        assert evaluate("--data mot:data --detections empty") == 2
        assert "nothing for the video seq" in capsys.readouterr().err


class TestBadInput:
    def test_nan_of_the_model_is_dropped_and_told(self, monkeypatch, capsys):
        class Broken(StubDetector):
            def _detect(self, index: int) -> BaseDetections:
                found = super()._detect(index)
                if index == 2:
                    found.scores[0] = torch.nan
                return found

        monkeypatch.setattr("stub_model.StubDetector", Broken)
        assert evaluate("--data mot:data") == 0
        assert variant("without memory")["ap"]["classes"]["person"]["true_positives"] == 7
        assert "NaN or infinity: 1 (seq)" in capsys.readouterr().out

    def test_missing_pictures_count_as_empty_and_are_told(self, capsys):
        write_sequence(Path("holes/seq"), pictures=[0, 1, 2, 5, 6, 7])
        assert evaluate("--data mot:holes --no-memory") == 0
        assert variant("without memory")["ap"]["map_all"] == pytest.approx(0.6)
        assert metrics()["dataset"]["frames"] == FRAMES
        assert "nothing can be detected there: 4" in capsys.readouterr().out

    def test_no_picture_at_all(self, capsys):
        write_sequence(Path("blind/seq"), pictures=[])
        Path("blind/seq/img1").rmdir()
        assert evaluate("--data mot:blind") == 2
        assert "no picture of this video can be read" in capsys.readouterr().err
        assert not Path("minet-eval").exists()

    def test_metrics_are_not_replaced_unasked(self, monkeypatch, capsys):
        assert evaluate("--data mot:data --quiet") == 0
        use(monkeypatch, fail_at=0)
        assert evaluate("--data mot:data") == 5
        assert "--overwrite" in capsys.readouterr().err
        use(monkeypatch)
        assert evaluate("--data mot:data --overwrite --quiet") == 0
        assert variant("without memory")["ap"]["map_all"] == pytest.approx(1)

    @pytest.mark.parametrize(
        ("arguments", "code", "complaint"),
        [
            ("--data nothing", 3, "names no dataset"),
            ("--data mot:nowhere", 2, "no such file"),
            ("--data mot:data --preset vdeo", 3, "unknown preset 'vdeo'"),
            ("--data mot:data --score 1.5", 3, "from 0 to 1"),
            ("--data mot:data --motion --protocol coco", 3, "not under coco"),
            ("--data mot:data --sweep decay=1 --ablation", 3, "do not go together"),
            ("--data mot:data --trained x.safetensors", 3, "--trained needs --ablation"),
            ("--data mot:data --paper", 3, "--paper needs two models"),
            ("--data mot:data --paper --trained x --seq-nms", 3, "--paper includes"),
            ("--data mot:data --paper --trained x --ablation", 3, "do not go together"),
            ("--data mot:data --seq-nms --tube-link", 3, "do not go together"),
            ("--data mot:data --results data --bidirectional", 3, "do not go together"),
            ("--data mot:data --allow-cut", 3, "--allow-cut needs --results"),
            ("", 2, "--data"),
        ],
    )
    def test_mistakes_end_in_one_line(self, capsys, arguments, code, complaint):
        assert evaluate(arguments) == code
        error = capsys.readouterr().err
        assert complaint in error
        assert error.count("\n") == 1
