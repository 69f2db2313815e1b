"""`minet report`: one page about many results."""

import re
import shlex
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from result_factory import frame_of, write_result

from minet_cli.main import run
from minet_core.batch.outline import outline, results_in
from minet_core.errors import InputError
from minet_core.runs.review.report import REPORT

VIDEO = {"pixel_aspect": "1", "start_time": 0.0, "rotation": 0, "mirrored": False}


def calm(folder: Path) -> Path:
    """A result without anything doubtful: two objects, sure and always seen."""
    frames = [frame_of(i, [1, 200], labels=[0, 1], scores=[0.9, 0.8]) for i in range(20)]
    return write_result(folder, *frames, video=VIDEO, score=0.3).parent


def doubtful(folder: Path) -> Path:
    """Person 1 ends where person 3 begins; 3 is weak; car 200 is not seen in frames 4 to 7."""
    frames = []
    for i in range(10):
        tracks, labels, scores = [1 if i < 5 else 3], [0], [0.9 if i < 5 else 0.4]
        if not 4 <= i <= 7:
            tracks, labels, scores = [*tracks, 200], [0, 1], [*scores, 0.8]
        frames.append(frame_of(i, tracks, labels=labels, scores=scores))
    return write_result(folder, *frames, video=VIDEO, score=0.3).parent


def report(arguments: str) -> int:
    return run(["report", *shlex.split(arguments)])


def links(page: str) -> list[tuple[str, str]]:
    return re.findall(r'<a href="(.*?)">(.*?)</a>', page)


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class TestPlaces:
    def test_a_calm_video_has_none(self):
        found = outline(calm(Path("calm")))
        assert (found.doubtful, found.places) == (0, ())
        assert (found.frames, found.boxes) == (20, 40)
        assert found.tracks == {"car": 1, "person": 1}
        assert found.score == pytest.approx(0.85)

    def test_each_kind_is_found_where_it_is(self):
        found = outline(doubtful(Path("clip")))
        assert {(place.frame, place.track, place.what) for place in found.places} == {
            (5, 3, "person 1 may go on as 3"),
            (5, 3, "person 3 has a mean score of 0.40"),
            (4, 200, "car 200 is not seen for 4 frames"),
        }
        by_what = {place.what.split(" ", 2)[2]: place.doubt for place in found.places}
        # Boxes [1, 4, 11, 14] and [3, 5, 13, 15]: 8 · 9 of 2 · 100 − 72.
        assert by_what["may go on as 3"] == pytest.approx(72 / 128)
        assert by_what["has a mean score of 0.40"] == pytest.approx(0.6)
        assert by_what["is not seen for 4 frames"] == pytest.approx(0.4)
        assert [place.doubt for place in found.places] == sorted(by_what.values(), reverse=True)

    @pytest.mark.parametrize("other", ["another class", "at once", "much later", "elsewhere"])
    def test_tracks_that_cannot_be_one_are_not_taken_for_it(self, other):
        begins = {"at once": 4, "much later": 40}.get(other, 5)
        track, label = 300 if other == "elsewhere" else 3, int(other == "another class")
        frames = [frame_of(i, [1], scores=[0.9]) for i in range(5) if i != begins]
        if begins == 4:
            frames += [frame_of(4, [1, track], scores=[0.9, 0.9])]
        later = range(max(begins, 5), begins + 3)
        frames += [frame_of(i, [track], labels=[label], scores=[0.9]) for i in later]
        assert outline(write_result(Path("clip"), *frames).parent).places == ()

    def test_a_video_without_anything_has_no_score(self):
        found = outline(write_result(Path("clip"), frame_of(0), frame_of(1)).parent)
        assert (found.score, found.tracks, found.doubt_rate) == (None, {}, 0)


def test_folders_are_found_once_each():
    a, b = calm(Path("out/a")), calm(Path("out/b"))
    Path("out/empty").mkdir()
    assert results_in([Path("out"), a]) == [a, b]
    with pytest.raises(InputError, match=r"no result\.json in it or in a folder of it"):
        results_in([Path("out/empty")])


class TestCommand:
    def test_the_worst_come_first_and_link_into_review_pages(self, capsys):
        calm(Path("out/a calm & <b>one"))
        doubtful(Path("out/doubtful #1"))
        assert report("out -o all.html --pages") == 0
        assert "results 2, doubtful places 3: all.html" in capsys.readouterr().out
        page = Path("all.html").read_text()
        assert "<b>one" not in page
        found = [(unescape(address), unescape(text)) for address, text in links(page)]
        assert found[0][1] == "person 3 has a mean score of 0.40"
        address = urlsplit(found[0][0])
        assert unquote(address.path) == f"out/doubtful #1/{REPORT}"
        assert parse_qs(address.fragment) == {"frame": ["5"], "track": ["3"]}
        assert [text for _, text in found[-2:]] == ["doubtful #1", "a calm & <b>one"]
        for link, _ in found:
            assert Path(unquote(urlsplit(link).path)).is_file()

    def test_without_review_pages_nothing_is_linked_or_written(self):
        doubtful(Path("out/a"))
        assert report("out --quiet") == 0
        assert links(Path("minet-report.html").read_text()) == []
        assert [path.name for path in Path("out/a").iterdir()] == ["result.json"]

    def test_jobs_make_the_same_page(self):
        for name in "abc":
            doubtful(Path("out") / name)
        calm(Path("out/d"))
        assert report("out -o one.html --quiet") == 0
        assert report("out -o two.html --quiet --jobs 2") == 0
        assert Path("one.html").read_bytes() == Path("two.html").read_bytes()

    def test_a_result_that_cannot_be_read_is_a_line_and_stops_nobody(self, capsys):
        calm(Path("out/a"))
        Path("out/b").mkdir()
        Path("out/b/result.json").write_text("{")
        assert report("out") == 1
        output = capsys.readouterr()
        assert output.err.startswith("minet: out/b/result.json: not JSON, or only half of it")
        assert output.err.endswith("minet: error: 1 of 2 results failed\n")
        assert output.out == "results 1, doubtful places 0: minet-report.html\n"

    def test_a_page_that_is_there_is_not_replaced_unasked(self, capsys):
        calm(Path("out/a"))
        Path("minet-report.html").write_text("mine")
        assert report("out") == 5
        assert "--overwrite replaces them" in capsys.readouterr().err
        assert Path("minet-report.html").read_text() == "mine"
        assert report("out --overwrite --quiet") == 0
        assert "1 video" in Path("minet-report.html").read_text()
