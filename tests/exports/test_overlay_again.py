"""`minet export --overlay`: the annotated video, drawn from what is written."""

import numpy as np
import pytest
from edits_data import edits, facts_in, result_of
from video_factory import write_video

from minet_core.errors import InputError
from minet_core.export_options import ExportOptions
from minet_core.exports import export
from minet_core.exports.output_listing import ThereAlreadyError
from minet_core.formats.edits import write_edits
from minet_core.video import open_video

GREY = 235


@pytest.fixture
def result(tmp_path):
    images = [np.full((360, 640, 3), GREY, np.uint8)] * 12
    write_video(tmp_path / "street.mp4", images, audio_seconds=0.4)
    return result_of(tmp_path / "street")


def is_drawn(image, left: int) -> bool:
    """Whether there is a box with this left edge, of 20×40 pixels from 30 on."""
    return bool(np.abs(image[45:60, left - 1 : left + 2].astype(int) - GREY).max() > 60)


def drawn_again(result, tmp_path, **options):
    settings = ExportOptions(overlay=True, video=(str(tmp_path / "street.mp4"),), **options)
    exported = export([result], "csv", tmp_path / "out", settings)
    assert (tmp_path / "out/street-annotated.mp4") in exported.files
    with open_video(tmp_path / "out/street-annotated.mp4") as reader:
        return reader.info, [frame.image for frame in reader]


def test_it_shows_the_tracks_as_they_are_after_edits(result, tmp_path):
    info, images = drawn_again(result, tmp_path)
    assert (len(images), info.has_audio) == (12, True)
    assert [is_drawn(images[2], left) for left in (14, 104, 300)] == [True, True, True]
    path = tmp_path / "edits.json"
    box = {"do": "box", "track": 9, "frame": 2, "box": [400, 30, 420, 70], "class": "tram"}
    write_edits(path, facts_in(result), edits({"do": "delete", "tracks": [4]}, box))
    _, images = drawn_again(result, tmp_path, edits=str(path), overwrite=True)
    assert [is_drawn(images[2], left) for left in (14, 300, 400)] == [True, False, True]


def test_it_stands_beside_a_zip_and_is_not_replaced_unasked(result, tmp_path):
    settings = ExportOptions(overlay=True, zip=True, video=(str(tmp_path / "street.mp4"),))
    export([result], "cvat", tmp_path / "out", settings)
    made = sorted(path.name for path in (tmp_path / "out").iterdir() if path.name[0] != ".")
    assert made == ["street-annotated.mp4", "street.zip"]
    with pytest.raises(ThereAlreadyError, match="exists already"):
        export([result], "cvat", tmp_path / "out", settings)


def test_without_the_video_nothing_is_written(result, tmp_path):
    with pytest.raises(InputError, match="--video PATH says where it is"):
        export([result], "csv", tmp_path / "out", ExportOptions(overlay=True))
    assert not (tmp_path / "out").exists()
