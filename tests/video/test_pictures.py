"""Picture files: kinds, depths and sizes, alone and as frames of a folder."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from annotation_factory import INSTANCES
from export_command import export
from PIL import Image as Pillow
from stub_model import CLASSES, StubDetector, StubEmbedder, stub_model
from video_factory import grey_images, index_of

from minet_cli.main import run
from minet_core import DetectOptions, annotate
from minet_core.errors import VideoOpenError
from minet_core.formats import read_json
from minet_core.models import zoo
from minet_core.models.detector import BaseDetections
from minet_core.models.zoo import Model
from minet_core.video import open_video
from minet_core.video.pictures import picture
from minet_core.video.pictures.picture import PictureError, load_picture, read_picture
from minet_core.video.placement import letterboxed, placed_in


def save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    Pillow.fromarray(pixels).save(path, **options)
    return path


def ramp(low: int, high: int) -> np.ndarray:
    """16-bit grey that grows from the left to the right."""
    return np.tile(np.linspace(low, high, 64).round().astype(np.uint16), (48, 1))


def colours() -> np.ndarray:
    """A red, a green, a blue and a grey quarter."""
    image = np.full((48, 64, 3), 90, np.uint8)
    image[:24, :32], image[:24, 32:], image[24:, :32] = (200, 0, 0), (0, 200, 0), (0, 0, 200)
    return image


class TestKinds:
    @pytest.mark.parametrize("suffix", ["tif", "TIFF", "jfif", "jpe", "avif", "webp", "bmp"])
    def test_is_a_frame_of_a_folder(self, tmp_path, suffix):
        kind = {"jfif": "JPEG", "jpe": "JPEG"}.get(suffix)
        for i, image in enumerate(grey_images(3)):
            save(tmp_path / f"{i}.{suffix}", image, format=kind)
        with open_video(tmp_path) as reader:
            assert [index_of(frame.image) for frame in reader] == [0, 1, 2]
        assert reader.warnings == []

    @pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "jpeg"])
    def test_tiff_keeps_its_colours(self, tmp_path, compression):
        quality = {"quality": 95} if compression == "jpeg" else {}
        path = save(tmp_path / "a.tif", colours(), compression=compression, **quality)
        image = read_picture(path)
        assert np.abs(image[::47, ::63].astype(int) - colours()[::47, ::63]).max() <= 4

    def test_tiff_is_turned_upright(self, tmp_path):
        path = save(tmp_path / "a.tif", colours(), tiffinfo={274: 6})
        np.testing.assert_array_equal(read_picture(path), np.rot90(colours(), -1))

    def test_heic(self, tmp_path, monkeypatch):
        heif = pytest.importorskip("pillow_heif")
        one, two = (heif.from_pillow(Pillow.fromarray(image)) for image in grey_images(2))
        one.save(tmp_path / "0.heic", quality=90)
        two.add_from_pillow(Pillow.fromarray(grey_images(3)[2]))
        two.save(tmp_path / "1.heic", quality=90)
        with open_video(tmp_path) as reader:
            assert [index_of(frame.image) for frame in reader] == [0, 1]
        monkeypatch.setattr(picture, "_knows_heic", lambda: False)
        with open_video(tmp_path) as reader:
            assert [index_of(frame.image) for frame in reader] == [0]
        assert reader.warnings == [
            "pictures skipped that cannot be decoded: 1 (1.heic)",
            "HEIC made of tiles needs a package: pip install pillow-heif",
        ]
        (tmp_path / "0.heic").unlink()
        with pytest.raises(VideoOpenError, match=r"none of its 1 .*pip install pillow-heif"):
            open_video(tmp_path)

    def test_first_picture_of_an_animation_is_taken_and_told(self, tmp_path):
        first, *rest = map(Pillow.fromarray, grey_images(3))
        for name in ("0.webp", "1.tif"):
            first.save(tmp_path / name, save_all=True, append_images=rest)
        with open_video(tmp_path) as reader:
            assert [index_of(frame.image) for frame in reader] == [0, 0]
        line = "files of several pictures, of which the first is taken: 2 (0.webp, 1.tif)"
        assert reader.warnings == [line]

    def test_files_that_are_no_pictures_are_named(self, tmp_path):
        save(tmp_path / "0.png", colours())
        for name in ("b.psd", "notes.txt", *(f"{i}.raw" for i in range(5)), ".hidden"):
            (tmp_path / name).touch()
        (tmp_path / "folder").mkdir()
        with open_video(tmp_path) as reader:
            list(reader)
        names = "0.raw, 1.raw, 2.raw, 3.raw, 4.raw, …"
        assert reader.warnings == [f"files that are not pictures, left out: 7 ({names})"]

    def test_what_is_no_picture(self, tmp_path):
        (tmp_path / "a.tif").write_bytes(b"II*\x00 no picture")
        with pytest.raises(PictureError, match=r"^$"):
            load_picture(tmp_path / "a.tif")


class TestDepth:
    @pytest.mark.parametrize("suffix", ["png", "tif"])
    @pytest.mark.parametrize(
        ("low", "high"), [(0, 4095), (64, 1023), (21_000, 23_000), (0, 65_535)]
    )
    def test_values_are_scaled_by_their_range(self, tmp_path, suffix, low, high):
        image = read_picture(save(tmp_path / f"a.{suffix}", ramp(low, high)))
        np.testing.assert_allclose(image[0, :, 0], np.linspace(0, 255, 64), atol=1)
        assert (image == image[:1, :, :1]).all()

    @pytest.mark.parametrize("pixels", [ramp(10 * 257, 200 * 257), np.full((8, 8), 100 * 257)])
    def test_picture_that_was_of_8_bits_stays_as_it_was(self, tmp_path, pixels):
        image = read_picture(save(tmp_path / "a.png", pixels.astype(np.uint16)))
        np.testing.assert_array_equal(image[:, :, 1], np.rint(pixels / 257))

    @pytest.mark.parametrize("suffix", ["png", "tif"])
    def test_colours_keep_to_each_other(self, tmp_path, suffix):
        import cv2

        deep = colours().astype(np.uint16) * 257
        assert cv2.imwrite(str(tmp_path / f"a.{suffix}"), deep[:, :, ::-1])
        np.testing.assert_array_equal(read_picture(tmp_path / f"a.{suffix}"), colours())

    def test_numbers_with_fractions(self, tmp_path):
        values = np.linspace(-3, 5, 64, dtype=np.float32)[None].repeat(48, axis=0)
        values[0, 0] = np.nan
        image = read_picture(save(tmp_path / "a.tif", values))
        np.testing.assert_allclose(image[1, :, 0], np.linspace(0, 255, 64), atol=1)
        assert image[0, 0].tolist() == [0, 0, 0]


class TestPlacement:
    def test_picture_is_whole_and_in_the_middle(self):
        place = placed_in((48, 96), (64, 48))
        box = np.array([[0.0, 0, 48, 96]])
        np.testing.assert_allclose(place.inside(box), [[20, 0, 44, 48]])
        np.testing.assert_allclose(place.back(place.inside(box)), box)
        assert placed_in((64, 48), (64, 48)) is None

    def test_bars_are_black(self):
        white = np.full((96, 48, 3), 255, np.uint8)
        image = letterboxed(white, (64, 48))
        assert image.shape == (48, 64, 3)
        assert (image[:, :20] == 0).all()
        assert (image[:, 20:44] > 250).all()
        assert (image[:, 44:] == 0).all()

    def test_very_thin_picture_keeps_a_pixel(self):
        assert letterboxed(np.full((500, 1, 3), 255, np.uint8), (64, 48)).max() > 0


class RelativeDetector(StubDetector):
    """A person in the left half of every picture, whatever its size."""

    def detect(self, frames):
        return [self._found(*frame.shape[:2]) for frame in frames]

    def _found(self, height: int, width: int) -> BaseDetections:
        boxes = torch.tensor([[width / 8, height / 4, width / 2, height * 3 / 4]])
        scores = torch.zeros(1, len(CLASSES))
        scores[0, 0] = 0.9
        return BaseDetections(boxes, boxes, scores)


SIZES = {0: (64, 48), 1: (128, 96), 2: (48, 64), 3: (64, 48)}


class TestSizes:
    @pytest.fixture
    def out(self, tmp_path) -> Path:
        """Results of pictures of several sizes."""
        folder = tmp_path / "frames"
        folder.mkdir()
        for i, (width, height) in SIZES.items():
            save(folder / f"{i}.png", np.full((height, width, 3), 200, np.uint8))
        model = Model("stub", RelativeDetector(), StubEmbedder())
        summary = annotate(folder, tmp_path / "out" / "frames", model, DetectOptions())
        assert [line for line in summary.warnings if "of other sizes than 64×48" in line]
        return tmp_path / "out" / "frames"

    def test_boxes_are_in_pixels_of_their_picture(self, out):
        header, rows, tracklets = read_json(out / "result.json")
        for (width, height), row in zip(SIZES.values(), rows.itertuples(), strict=True):
            box = [row.x1, row.y1, row.x2, row.y2]
            assert box == [width / 8, height / 4, width / 2, height * 3 / 4]
        assert header["sizes"] == {"1": [128, 96], "2": [48, 64]}
        assert [tracklet.boxes for tracklet in tracklets] == [4]

    def test_annotated_video_shows_whole_pictures(self, out):
        with open_video(out / "annotated.mp4") as reader:
            *_, portrait, _ = [frame.image for frame in reader]
        assert portrait.shape == (48, 64, 3)
        assert portrait[:, :12].max() < 40  # the bar beside 36 columns
        assert portrait[40:, 20:44].min() > 150

    def test_formats_know_the_size_of_each_picture(self, out, tmp_path):
        for to in ("yolo", "voc", "coco-vid", "imagenet-vid", "json"):
            assert export(out, "--to", to, "-o", tmp_path / to) == 0
        shares = {path.read_text() for path in (tmp_path / "yolo/labels/train").iterdir()}
        assert shares == {"0 0.3125000 0.5000000 0.3750000 0.5000000\n"}
        images = json.loads((tmp_path / "coco-vid" / INSTANCES).read_text())["images"]
        assert [(image["width"], image["height"]) for image in images] == list(SIZES.values())
        for folder in (tmp_path / "voc/Annotations", tmp_path / "imagenet-vid/Annotations"):
            roots = [ElementTree.parse(path) for path in sorted(folder.rglob("*.xml"))]
            widths = [int(root.findtext("size/width")) for root in roots]
            assert widths == [size[0] for size in SIZES.values()]
        assert read_json(tmp_path / "json/frames.json").header["sizes"]["2"] == [48, 64]

    def test_sizes_come_back_from_coco_vid(self, out, tmp_path):
        assert export(out, "--to", "coco-vid", "-o", tmp_path / "coco") == 0
        arguments = "--to", "yolo", "-o", tmp_path / "yolo"
        assert export(tmp_path / "coco" / INSTANCES, *arguments) == 0
        shares = {path.read_text() for path in (tmp_path / "yolo/labels/train").iterdir()}
        assert shares == {"0 0.3125000 0.5000000 0.3750000 0.5000000\n"}

    def test_format_of_one_size_refuses_them(self, out, tmp_path, capsys):
        assert export(out, "--to", "ytvis", "-o", tmp_path / "ytvis") == 3
        assert "its pictures are of several sizes" in capsys.readouterr().err


class TestRate:
    @pytest.fixture(autouse=True)
    def frames(self, tmp_path, monkeypatch):
        """Three pictures in `frames`, and the stub in place of every model."""
        monkeypatch.chdir(tmp_path)
        Path("frames").mkdir()
        for i, image in enumerate(grey_images(3)):
            save(Path("frames", f"{i}.png"), image)
        stub = stub_model()
        monkeypatch.setattr(zoo, "load_model", lambda name, **_: replace(stub, name=name))

    @pytest.mark.parametrize(
        ("arguments", "rate", "seconds"),
        [
            ((), "30", 1 / 30),
            (("--rate", "2.5"), "5/2", 0.4),
            (("--rate", "30000/1001"), "30000/1001", 1001 / 30000),
            (("--rate", "1/60"), "1/60", 60.0),
        ],
    )
    def test_tells_the_times_of_pictures(self, arguments, rate, seconds):
        assert run(["detect", "frames", "--quiet", *arguments]) == 0
        header, rows, _ = read_json("minet-output/frames/result.json")
        assert header["video"]["frame_rate"] == rate
        assert sorted(set(rows.time)) == pytest.approx([0, seconds, 2 * seconds], abs=1e-6)

    def test_another_one_makes_another_result(self, capsys):
        detect = "detect", "frames", "--no-video"
        assert run([*detect, "--rate", "5"]) == 0
        assert run([*detect, "--rate", "5"]) == 0
        assert "done already" in capsys.readouterr().out
        assert run([*detect, "--rate", "6"]) == 5
        assert "(rate 5.0 → 6.0)" in capsys.readouterr().err

    def test_results_of_a_version_without_this_option_are_known_again(self, capsys):
        assert run(["detect", "frames", "--no-video"]) == 0
        path = Path("minet-output/frames/minet.json")
        manifest = json.loads(path.read_text())
        del manifest["settings"]["rate"]
        path.write_text(json.dumps(manifest))
        assert run(["detect", "frames", "--no-video"]) == 0
        assert "done already" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("source", "rate", "line"),
        [
            ("frames", "often", "'often' is not a rate: give pictures per second"),
            ("frames", "1/0", "'1/0' is not a rate"),
            ("frames", "0", "the rate must be over 0 and up to 1000 a second, not 0.0"),
            ("frames/0.png", "5", "--rate is only for folders of pictures"),
        ],
    )
    def test_mistakes(self, capsys, source, rate, line):
        assert run(["detect", source, "--rate", rate]) == 3
        assert line in capsys.readouterr().err
