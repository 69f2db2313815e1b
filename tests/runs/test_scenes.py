"""`split_at_cuts`: scenes that are looked at apart, joined to what one run makes."""

import json
import os
import re
from pathlib import Path

import pytest
from coloured_squares import colour_model
from cut_video import FIRSTS, LENGTH, pictures, write_cut_video
from video_factory import write_video

from minet_core import annotate
from minet_core.errors import ConfigError, InputError, OutputError
from minet_core.options import DetectOptions
from minet_core.runs.unfinished import SCENES

FORMATS = ("json", "csv", "mot", "cvat")


def made(folder: Path) -> dict[str, bytes]:
    """Every file but the one that knows whether it was asked for."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "minet.json"}


def without_scenes(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: re.sub(rb'"scenes": .*\n', b"", content) for name, content in files.items()}


def rows(folder: Path):
    return json.loads((folder / "result.json").read_text())["rows"]


class Stopped(Exception):  # noqa: N818
    """In place of the end of a process."""


class Runs:
    """Makes results of one video with and without cutting it."""

    def __init__(self, place: Path, video: Path) -> None:
        self.place, self.video = place, video

    def plain(self, **options):
        return self._run("plain", **options)

    def split(self, **options):
        return self._run("split", split_at_cuts=True, **options)

    def _run(self, name, progress=None, **options):
        options = {"formats": FORMATS, **options}
        model = colour_model(weak=())
        folder = self.place / name / "film"
        annotate(self.video, folder, model, DetectOptions(**options), progress)
        return folder

    def stopped(self, at: int, **options) -> Path:
        """A run whose process ends in a frame."""

        def stops(found, _):
            if found.frame == at:
                raise Stopped

        with pytest.raises(Stopped):
            self.split(progress=stops, **options)
        return self.place / "split" / "film" / SCENES


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path, write_cut_video(tmp_path / "film.mp4"))


@pytest.mark.parametrize(
    "options",
    [
        {"score_vectors": True, "trails": 5},
        {"link": False},
        {"preset": "paper"},
        {"memory": False, "start": 0.2, "stride": 2, "max_frames": 14, "end": 34},
    ],
)
def test_where_nothing_goes_on_over_a_cut_all_is_as_of_one_run(runs, options):
    plain, split = made(runs.plain(**options)), made(runs.split(**options))
    assert without_scenes(split) == plain
    assert set(plain) >= {"annotated.mp4", "result.json", "detections.csv", "mot.txt"}
    scenes = json.loads(split["result.json"])["scenes"]
    first = 5 if options.get("start") else 0
    assert scenes == [first, *(each + (first + each) % 2 * bool(first) for each in FIRSTS[1:])]


def test_identities_end_at_cuts_and_no_id_comes_twice(tmp_path):
    video = write_cut_video(tmp_path / "film.mp4", ("red", "red", "red"))
    runs = Runs(tmp_path, video)
    plain, split = rows(runs.plain()), rows(runs.split())
    assert {row[3] for row in plain} == {1}
    assert [row[3] for row in split] == [1 + row[0] // LENGTH for row in plain]
    assert [row[:3] + row[8:] for row in split] == [row[:3] + row[8:] for row in plain]


def test_a_video_without_cuts_has_the_result_of_one_run(tmp_path):
    video = write_video(tmp_path / "shot.mp4", pictures()[:LENGTH])
    runs = Runs(tmp_path, video)
    assert made(runs.split()) == made(runs.plain())


def test_scenes_that_are_complete_are_not_looked_at_again(runs):
    left = runs.stopped(FIRSTS[2] + 3)
    assert {path.name for path in left.iterdir()} == {f"{first:09}" for first in FIRSTS[:2]}
    with pytest.raises(OutputError, match="has scenes of an unfinished run; --resume continues it"):
        runs.split()
    again = []
    split = runs.split(resume=True, progress=lambda found, _: again.append(found.frame))
    assert again == list(range(FIRSTS[2], FIRSTS[2] + LENGTH))
    assert without_scenes(made(split)) == made(runs.plain())


@pytest.mark.parametrize("how", [{"resume": True, "score": 0.3}, {"overwrite": True}])
def test_scenes_of_other_settings_and_of_what_is_replaced_are_looked_at_anew(runs, how):
    runs.stopped(FIRSTS[2] + 3, score=0.99 if "resume" in how else 0.3)
    again = []
    split = runs.split(progress=lambda found, _: again.append(found.frame), **how)
    assert len(again) == 3 * LENGTH
    assert without_scenes(made(split)) == made(runs.plain())


def test_a_source_that_changes_between_its_scenes_has_no_result(runs):
    def changes(found, _):
        if found.frame == FIRSTS[1]:
            os.utime(runs.video, ns=(0, 10**18))

    with pytest.raises(InputError, match=r"film.mp4: (vanished or )?changed while it was read"):
        runs.split(progress=changes)
    assert not (runs.place / "split" / "film" / "result.json").exists()


def test_what_cannot_be_cut_is_said(tmp_path):
    with pytest.raises(ConfigError, match="--split-at-cuts and --keep exclude each other"):
        DetectOptions(split_at_cuts=True, keep=True)
    with pytest.raises(ConfigError, match="--split-at-cuts and --prompts exclude each other"):
        DetectOptions(split_at_cuts=True, prompts="a.json")
    with pytest.raises(ConfigError, match="can be read only once, so remove --split-at-cuts"):
        annotate("-", tmp_path, colour_model(), DetectOptions(split_at_cuts=True))
