"""PQ and HLG videos look as others do, to the detector and in the annotated video."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from minet_core import DetectOptions, annotate
from minet_core.video import Image, open_video
from minet_core.video.reading.colours import RgbConverter

PQ, HLG, USUAL = ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67, ColorTrc.BT709
WHITE = (0.75 ** (1 / 2.4)) * 255
"""What a white sheet becomes: what shines, up to fifty times as bright, has the rest."""


def frame_of(
    levels: tuple[float, float, float], transfer: int, primaries: int = ColorPrimaries.BT2020
) -> av.VideoFrame:
    """A flat frame of 16×16 pixels: shares of a signal that is R', G', B' in BT.2020."""
    picture = np.full((16, 16, 3), np.array(levels) * 65_535, np.uint16)
    rgb = av.VideoFrame.from_ndarray(picture, format="rgb48le")
    frame = rgb.reformat(
        format="yuv444p12le",
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        dst_colorspace=Colorspace.BT2020,
    )
    frame.color_trc, frame.color_primaries = transfer, primaries
    return frame


def shown(levels: tuple[float, float, float], transfer: int, **facts: Any) -> list[float]:
    return RgbConverter()(frame_of(levels, transfer, **facts))[8, 8].tolist()


def grey(level: float, transfer: int) -> float:
    red, green, blue = shown((level,) * 3, transfer)
    assert max(red, green, blue) - min(red, green, blue) <= 1
    return green


@pytest.mark.parametrize(
    ("transfer", "level", "expected"),
    [
        # 58 % of PQ and 75 % of HLG are the white of BT.2408, of 203 candelas a square metre.
        pytest.param(PQ, 0.5807, WHITE, id="PQ, white"),
        pytest.param(HLG, 0.75, WHITE, id="HLG, white"),
        pytest.param(PQ, 0.4400, (50 / 203) ** (1 / 2.4) * 255, id="PQ, 50 candelas"),
        pytest.param(PQ, 0.0, 0, id="PQ, black"),
        pytest.param(HLG, 0.0, 0, id="HLG, black"),
        pytest.param(HLG, 0.5, (1000 / 12**1.2 / 203) ** (1 / 2.4) * 255, id="HLG, half"),
    ],
)
def test_tones_are_those_of_a_usual_screen(transfer, level, expected):
    assert grey(level, transfer) == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_brighter_stays_brighter(transfer):
    levels = [grey(level, transfer) for level in np.linspace(0.1, 1, 10)]
    assert levels == sorted(levels)
    assert levels[-4] < levels[-1] - 5  # nothing is cut off below the brightest
    assert levels[-1] > 245


def test_colours_are_those_of_usual_primaries():
    """BT.709's red is 62.7 % red, 6.9 % green and 1.6 % blue light of BT.2020's."""
    red = (0.4621, 0.2713, 0.1767)  # PQ of these shares of 100 candelas
    light = (100 / 203) ** (1 / 2.4) * 255
    assert shown(red, PQ) == pytest.approx([light, 0, 0], abs=12)
    assert shown(red, PQ, primaries=ColorPrimaries.BT709)[1] > 60


def test_usual_frames_are_left_alone():
    assert shown((0.5, 0.5, 0.5), USUAL) == pytest.approx([127.5] * 3, abs=1)


def write_hdr(path: Path) -> Path:
    """Ten frames of a white sheet, in PQ."""
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        context = stream.codec_context
        context.color_trc, context.color_primaries = PQ, ColorPrimaries.BT2020
        context.colorspace, context.color_range = Colorspace.BT2020, ColorRange.MPEG
        for i in range(10):
            white = np.full((48, 64, 3), round(0.5807 * 255), np.uint8)
            frame = av.VideoFrame.from_ndarray(white, format="rgb24")
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class Seen:
    """A detector that finds nothing, and keeps what it was shown."""

    def __init__(self, model: Any) -> None:
        self.classes, self.score_kind = model.detector.classes, model.detector.score_kind
        self._model, self.pictures = model, list[Image]()

    def detect(self, frames: Any) -> Any:
        self.pictures += frames
        return [self._model.detector._detect(0) for _ in frames]


def test_detector_and_overlay_have_a_usual_picture(tmp_path, model):
    seen = Seen(model)
    video = write_hdr(tmp_path / "hdr.mp4")
    annotate(video, tmp_path / "out", replace(model, detector=seen), DetectOptions(score=1.0))
    assert len(seen.pictures) == 10
    assert seen.pictures[0].mean() == pytest.approx(WHITE, abs=4)
    with open_video(tmp_path / "out/annotated.mp4") as reader:
        drawn = next(iter(reader)).image
    assert drawn.mean() == pytest.approx(WHITE, abs=4)
    with av.open(tmp_path / "out/annotated.mp4") as container:
        tags = container.streams.video[0].codec_context
        assert (tags.color_trc, tags.color_primaries) == (USUAL, ColorPrimaries.BT709)
