"""`--frames`: pictures cut out of a video."""

import pytest
from video_factory import grey_images, index_of, write_grey_video, write_picture

from minet_core.errors import InputError, OutputError
from minet_core.formats.picture_files import KINDS, extract_frames
from minet_core.video.pictures.picture import read_picture


@pytest.mark.parametrize("kind", KINDS)
def test_each_wanted_frame_becomes_the_picture_of_its_name(tmp_path, kind):
    video = write_grey_video(tmp_path / "clip.mp4")
    wanted = {index: tmp_path / f"out/{index}/b%d ü.JPEG" for index in (0, 3, 9)}
    assert extract_frames(video, wanted.get, kind) == 3
    for index, path in wanted.items():
        picture = read_picture(path)
        assert picture is not None
        assert (index_of(picture), picture.shape) == (index, (48, 64, 3))
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(files) == sorted(wanted.values())


def test_colours_stay_what_they_are(tmp_path):
    picture = grey_images(1)[0]
    picture[:] = (200, 30, 90)
    folder = tmp_path / "in"
    folder.mkdir()
    write_picture(folder / "0.png", picture)
    extract_frames(folder, {0: tmp_path / "0.png"}.get, "png")
    again = read_picture(tmp_path / "0.png")
    assert again is not None
    assert (again == picture).all()


def test_pictures_are_upright_as_the_boxes_are(tmp_path):
    video = write_grey_video(tmp_path / "clip.mp4", 2, rotation=90)
    extract_frames(video, {1: tmp_path / "1.png"}.get, "png")
    picture = read_picture(tmp_path / "1.png")
    assert picture is not None
    assert picture.shape == (64, 48, 3)


def test_the_end_of_what_is_wanted_is_not_read_past(tmp_path):
    video = write_grey_video(tmp_path / "clip.mp4")
    asked = []
    extract_frames(
        video, lambda index: asked.append(index) or tmp_path / f"{index}.jpg", "jpg", end=4
    )
    assert asked == [0, 1, 2, 3]


def test_progress_counts_pictures(tmp_path):
    video, counts = write_grey_video(tmp_path / "clip.mp4", 6), []
    wanted = {index: tmp_path / f"{index}.jpg" for index in (1, 5)}
    extract_frames(video, wanted.get, "jpg", progress=counts.append)
    assert counts == [1, 2]


def test_no_wanted_frame_in_the_video_is_an_error(tmp_path):
    video = write_grey_video(tmp_path / "clip.mp4", 3)
    with pytest.raises(InputError, match=r"clip\.mp4: not one of the wanted frames"):
        extract_frames(video, {3: tmp_path / "3.jpg"}.get, "jpg")


def test_place_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path):
    video = write_grey_video(tmp_path / "clip.mp4", 3)
    (tmp_path / "0.jpg").mkdir()
    (tmp_path / "0.jpg/full").touch()
    with pytest.raises(OutputError, match="cannot write"):
        extract_frames(video, {0: tmp_path / "0.jpg"}.get, "jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.jpg", "clip.mp4"]
