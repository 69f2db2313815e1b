from pathlib import Path

import pytest

from minet_core.errors import InputError
from minet_core.runs.video_inputs import expand
from minet_core.video.pictures.folder import pictures_of


@pytest.fixture(autouse=True)
def footage(tmp_path, monkeypatch):
    """day/ has two videos, a note and a deeper one; frames/ has pictures; both/ has both."""
    monkeypatch.chdir(tmp_path)
    for name in (
        *("day/cam10.mp4", "day/cam9.MKV", "day/notes.txt", "day/.hidden.mp4", "day/old/cam1.mp4"),
        *("frames/1.png", "both/1.jpg", "both/a.mp4", "nothing/notes.txt", "clip.mp4"),
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        pytest.param(["clip.mp4"], ["clip.mp4"], id="file"),
        pytest.param(["day/notes.txt"], ["day/notes.txt"], id="a named file whatever its suffix"),
        pytest.param(["-", "rtsp://cam/1"], ["-", "rtsp://cam/1"], id="streams"),
        pytest.param(["day"], ["day/cam9.MKV", "day/cam10.mp4"], id="folder of videos, one level"),
        pytest.param(["frames/"], ["frames"], id="folder of pictures"),
        pytest.param(["day/*.mp4"], ["day/cam10.mp4"], id="pattern"),
        pytest.param(["**/cam*.mp4"], ["day/cam10.mp4", "day/old/cam1.mp4"], id="deep pattern"),
        pytest.param(["frames/*.png"], ["frames/*.png"], id="pattern of pictures is one video"),
        pytest.param(["d?y"], ["day/cam9.MKV", "day/cam10.mp4"], id="pattern of folders"),
        pytest.param(
            ["day/cam10.mp4", "clip.mp4", "./day/../day", "clip.mp4"],
            ["day/cam10.mp4", "clip.mp4", "day/../day/cam9.MKV"],
            id="each once, where it came first",
        ),
    ],
)
def test_inputs_mean_videos(inputs, expected):
    assert expand(inputs) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.mp4", "missing.mp4: no such file or folder"),
        ("missing/*.mp4", r"missing/\*.mp4: nothing matches"),
        ("nothing", r"nothing: no pictures in this folder, and no videos; .* 1 \(notes.txt\)"),
        ("both", r"both: has both pictures and videos \(1.jpg, a.mp4\); name those that are"),
    ],
)
def test_what_means_no_video_is_an_error(name, message):
    with pytest.raises(InputError, match=message):
        expand(["clip.mp4", name])


def test_suffix_in_a_pattern_stands_for_upper_and_lower_case():
    for name in ("up/a.MP4", "up/b.mp4", "up/c.Mov", "pictures/1.JPG", "pictures/2.jpg"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert expand(["up/*.mp4"]) == expand(["up/*.MP4"]) == ["up/a.MP4", "up/b.mp4"]
    assert expand(["up/?.MOV"]) == ["up/c.Mov"]
    for pattern in ("pictures/*.jpg", "pictures/*.JPG", "pictures/*.[jJ][pP][gG]"):
        assert expand([pattern]) == [pattern]
        assert [file.name for file in pictures_of(pattern)] == ["1.JPG", "2.jpg"]


@pytest.mark.parametrize("suffix", ["264", "265", "insv", "INSV", "gif", "hevc", "dav"])
def test_videos_of_a_folder_have_many_suffixes(suffix):
    Path("more").mkdir()
    Path(f"more/a.{suffix}").touch()
    assert expand(["more"]) == [f"more/a.{suffix}"]


def test_files_that_are_left_out_are_named():
    lines: list[str] = []
    assert expand(["day"], tell=lines.append) == ["day/cam9.MKV", "day/cam10.mp4"]
    assert lines == ["day: files left out that are no videos: 1 (notes.txt)"]
    assert expand(["frames"], tell=lines.append) == ["frames"]
    assert len(lines) == 1


def test_name_with_wildcards_that_exists_is_a_file():
    Path("[1].mp4").touch()
    assert expand(["[1].mp4"]) == ["[1].mp4"]


class TestList:
    def write(self, *lines: str, end: str = "\n") -> Path:
        path = Path("day/list.txt")
        path.write_bytes(end.join(lines).encode())
        return path

    def test_is_relative_to_its_folder_and_has_comments(self):
        path = self.write("# of monday", "", "  cam10.mp4  ", "../frames", "https://host/a.mp4")
        expected = ["clip.mp4", "day/cam10.mp4", "day/../frames", "https://host/a.mp4"]
        assert expand(["clip.mp4"], path) == expected

    def test_of_another_system(self):
        path = self.write("\ufeffcam10.mp4", "cam9.MKV", end="\r\n")
        assert expand([], path) == ["day/cam10.mp4", "day/cam9.MKV"]

    def test_takes_whole_paths(self):
        clip = Path("clip.mp4").resolve()
        assert expand([], self.write(str(clip))) == [str(clip)]

    def test_that_is_missing(self):
        with pytest.raises(InputError, match=r"none.txt: cannot be read \(No such file"):
            expand([], Path("none.txt"))

    def test_with_a_missing_file(self):
        with pytest.raises(InputError, match=r"day/cam11\.mp4: no such file or folder"):
            expand([], self.write("cam11.mp4"))
