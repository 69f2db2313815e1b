"""Frames are upright, whatever the camera stored, and their pixels may not be square."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image, ImageOps
from video_factory import write_grey_video, write_video

from minet_core.video import VideoReader, VideoWriter, open_video
from minet_core.video.pictures.picture import picture_size

UPRIGHT = np.full((32, 64, 3), 60, np.uint8)
UPRIGHT[:16, :16] = 220  # a bright corner at the top left


def assert_upright(image: np.ndarray) -> None:
    assert image.shape == UPRIGHT.shape
    assert image.flags.c_contiguous
    for y, x in ((8, 8), (8, 56), (24, 8), (24, 56)):
        np.testing.assert_allclose(image[y, x], UPRIGHT[y, x], atol=8)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True], ids=["", "mirrored"])
def test_video_is_upright(tmp_path, rotation, mirrored):
    # A camera turned by some angle stores the picture turned, and says how to turn it back.
    shown = UPRIGHT[:, ::-1] if mirrored else UPRIGHT
    stored = np.ascontiguousarray(np.rot90(shown, -rotation // 90))
    path = write_video(tmp_path / "a.mp4", [stored] * 3, rotation=rotation, hflip=mirrored)
    with VideoReader(path) as reader:
        for frame in reader:
            assert_upright(frame.image)
    assert (reader.info.width, reader.info.height) == (64, 32)
    assert reader.info.rotation % 360 == rotation
    assert reader.info.mirrored is mirrored


# EXIF's number → how a viewer of photos turns a stored picture.
STORED = {
    1: lambda picture: picture,
    2: np.fliplr,
    3: lambda picture: np.rot90(picture, 2),
    4: np.flipud,
    5: lambda picture: picture.transpose(1, 0, 2),
    6: lambda picture: np.rot90(picture, 1),
    7: lambda picture: np.rot90(picture, 2).transpose(1, 0, 2),
    8: lambda picture: np.rot90(picture, -1),
}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", STORED)
def test_photos_are_upright(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](UPRIGHT)))
    stored.save(tmp_path / f"0{suffix}", exif=exif)
    assert_upright(np.array(ImageOps.exif_transpose(Image.open(tmp_path / f"0{suffix}"))))
    with open_video(tmp_path) as reader:
        (frame,) = reader
    assert_upright(frame.image)
    assert picture_size(tmp_path / f"0{suffix}") == UPRIGHT.shape[1::-1]


@pytest.mark.parametrize(("rotation", "expected"), [(0, Fraction(4, 3)), (90, Fraction(3, 4))])
def test_boxes_count_pixels_as_stored_whatever_their_shape(tmp_path, rotation, expected):
    path = tmp_path / "a.mp4"
    write_grey_video(path, 2, pixel_aspect=Fraction(4, 3), rotation=rotation)
    with VideoReader(path) as reader:
        (first, _) = reader
    assert {reader.info.width, reader.info.height} == {64, 48}
    assert first.image.shape[:2] == (reader.info.height, reader.info.width)
    assert reader.info.pixel_aspect == expected


def test_annotated_video_keeps_the_shape_of_pixels(tmp_path):
    path, image = tmp_path / "out.mp4", np.zeros((48, 64, 3), np.uint8)
    with VideoWriter(path, frame_rate=Fraction(25), pixel_aspect=Fraction(4, 3)) as writer:
        writer.write(image, 0.0)
    with av.open(path) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
