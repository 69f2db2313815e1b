"""`minet export` of very many results: a few are in memory, however many there are."""

import gc
from pathlib import Path

import pytest
from result_factory import frame_of, write_result

from minet_cli.main import run
from minet_core.batch.mapping import PooledMap
from minet_core.exports import export, shelf
from minet_core.exports.shelf import Shelf
from minet_core.formats.annotations import VideoAnnotations

MANY = 12


@pytest.fixture
def results(tmp_path):
    frames = [frame_of(0, [1, 2], labels=[0, 1]), frame_of(1), frame_of(2, [1, 2])]
    for number in range(MANY):
        folder = tmp_path / "many" / f"cam{number:02}"
        folder.mkdir(parents=True)
        write_result(folder, *frames, video={"path": f"cam{number:02}.mp4"})
    return tmp_path / "many"


@pytest.mark.parametrize("to", ["coco-vid", "yolo", "label-studio", "cvat", "csv"])
def test_a_few_videos_are_in_memory_at_any_time(results, tmp_path, monkeypatch, to):
    gc.collect()
    before, most = alive(), [0]
    for method in ("append", "__getitem__"):
        known = getattr(Shelf, method)

        def counted(self, which, known=known):
            found = known(self, which)
            most[0] = max(most[0], alive() - before)
            return found

        monkeypatch.setattr(Shelf, method, counted)
    exported = export(results, to, tmp_path / "out")
    assert 1 <= most[0] <= MANY / 2
    assert [video.name for video in exported.videos] == [f"cam{n:02}" for n in range(MANY)]
    assert len(exported.tallies) == MANY


def alive() -> int:
    return sum(type(each) is VideoAnnotations for each in gc.get_objects())


def test_what_does_not_fit_waits_on_the_disk(results, tmp_path, monkeypatch):
    whole = export(results, "coco-vid", tmp_path / "whole").files[0].read_bytes()
    monkeypatch.setattr(shelf, "MOST_BYTES", 1)
    made = export(results, "coco-vid", tmp_path / "small")
    assert made.files[0].read_bytes() == whole
    assert len(made.videos[1:4]) == 3
    assert Path(made.videos[-1].source).name == "cam11.mp4"


@pytest.mark.parametrize("to", ["coco-vid", "cvat"])
def test_jobs_write_the_same(results, tmp_path, capsys, to):
    for jobs in ("1", "2"):
        arguments = ["--to", to, "-o", str(tmp_path / jobs), "--jobs", jobs]
        assert run(["export", str(results), *arguments]) == 0
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / jobs).rglob("*") if path.is_file()}
        for jobs in ("1", "2")
    )
    assert one == two
    told = capsys.readouterr().out
    half = len(told) // 2
    assert told[:half].replace(f"{tmp_path}/1", "") == told[half:].replace(f"{tmp_path}/2", "")


def test_answers_keep_their_order_and_few_are_asked_for_ahead():
    asked = []

    def things():
        for number in range(60):
            asked.append(number)
            yield number

    ahead = 0
    for place, answer in enumerate(PooledMap(2)(str, things())):
        assert answer == str(place)
        ahead = max(ahead, len(asked) - place)
    assert ahead <= 2 * 4 + 2
