from pathlib import Path

import pytest

from minet_core.errors import InputError
from minet_core.inference.inputs import expand


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
        ("nothing", "nothing: no pictures in this folder, and no videos"),
        ("both", "both: has both pictures and videos; name those that are meant"),
    ],
)
def test_what_means_no_video_is_an_error(name, message):
    with pytest.raises(InputError, match=message):
        expand(["clip.mp4", name])


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
