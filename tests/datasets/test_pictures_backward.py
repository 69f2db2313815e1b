from pathlib import Path

import pytest
from video_factory import grey_images, index_of, write_grey_video, write_picture

from minet_core.datasets import pictures
from minet_core.datasets.pictures import PictureFiles, PictureVideo
from minet_core.video import VideoReader

FRAME_BYTES = 64 * 48 * 3


@pytest.fixture
def opened(monkeypatch) -> list[dict]:
    """What readers were asked for."""
    asked = []

    class Reader(VideoReader):
        def __init__(self, path, **part):
            asked.append(part)
            super().__init__(path, **part)

    monkeypatch.setattr(pictures, "VideoReader", Reader)
    return asked


@pytest.mark.parametrize("at_once", [1, 4, 10, 99])
def test_a_video_file_is_read_in_blocks(monkeypatch, tmp_path, opened, at_once):
    monkeypatch.setattr(pictures, "BLOCK_BYTES", at_once * FRAME_BYTES)
    video = PictureVideo(write_grey_video(tmp_path / "video.mp4", 10), 10)
    found = [(index, index_of(image)) for index, image in video.backward()]
    assert found == [(index, index) for index in reversed(range(10))]
    blocks = opened[1:]  # the first tells the size
    assert len(blocks) == -(-10 // at_once)
    assert max(part["end"] - part["start"] for part in blocks) <= at_once


def test_frames_that_the_file_does_not_have(monkeypatch, tmp_path):
    monkeypatch.setattr(pictures, "BLOCK_BYTES", 4 * FRAME_BYTES)
    video = PictureVideo(write_grey_video(tmp_path / "video.mp4", 3), 10)
    found = [(index, image is not None) for index, image in video.backward()]
    assert found == [(index, index < 3) for index in reversed(range(10))]


def test_files_are_read_from_the_last(tmp_path):
    def path(index: int) -> Path:
        return tmp_path / f"{index}.png"

    for index in (0, 2):
        write_picture(path(index), grey_images(3)[index])
    found = [(i, None if p is None else index_of(p)) for i, p in PictureFiles(3, path).backward()]
    assert found == [(2, 2), (1, None), (0, 0)]
