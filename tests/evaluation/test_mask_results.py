"""Masks of other programs, scored as the boxes around them."""

import json
from pathlib import Path

import numpy as np
import pytest
from eval_data import CAR, FRAMES, mot_line, person, write_sequence
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_masks

from minet_cli.main import run
from minet_core.datasets import open_dataset
from minet_core.detections.masks import box_of_rle


@pytest.fixture
def truth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A sequence of one class: two people, ten frames."""
    monkeypatch.chdir(tmp_path)
    folder = write_sequence(Path("data/seq"), classes=("thing",))
    boxes = [(i, {1: person(i), 2: CAR}) for i in range(FRAMES)]
    lines = [mot_line(i, track, box, 1, 1) for i, both in boxes for track, box in both.items()]
    (folder / "gt/gt.txt").write_text("\n".join(lines))
    return folder


def masks(sequence: Path) -> list[np.ndarray]:
    """The true boxes as masks, a picture a frame; ids from 1."""
    (video,) = open_dataset(f"mot:{sequence.parent}", "val").videos
    width, height = video.size
    pictures = []
    for index in range(len(video)):
        picture = np.zeros((height, width), np.uint8)
        frame = video.frame(index)
        for box, track in zip(frame.boxes.round().astype(int), frame.track_ids, strict=True):
            picture[box[1] : box[3], box[0] : box[2]] = track
        pictures.append(picture)
    return pictures


@given(st.integers(0, 2**24 - 1))
def test_the_box_around_a_run_length_mask_is_that_of_pycocotools(bits: int) -> None:
    pixels = np.array([bits >> i & 1 for i in range(24)], np.uint8).reshape(4, 6)
    encoded = coco_masks.encode(np.asfortranarray(pixels))
    found = box_of_rle({"size": encoded["size"], "counts": encoded["counts"].decode()})
    if not bits:
        assert found is None
        return
    left, top, width, height = coco_masks.toBbox(encoded)
    assert found == (left, top, left + width, top + height)
    columns = pixels.T.ravel()
    edges = np.flatnonzero(np.diff(columns)) + 1
    runs = np.diff([0, *edges, 24]).tolist()
    plain = runs if not columns[0] else [0, *runs]
    assert box_of_rle({"size": [4, 6], "counts": plain}) == found


@pytest.mark.parametrize(
    "mask",
    [
        {"size": [4, 6], "counts": [3, 4]},
        {"size": [4, 6], "counts": "\x7f"},
        {"size": [4, 6], "counts": "P"},
        {"size": [4, 6], "counts": [30, -6]},
    ],
)
def test_what_is_no_mask(mask: dict) -> None:
    with pytest.raises(ValueError, match="mask"):
        box_of_rle(mask)


def numbers(folder: str = "minet-eval") -> dict:
    (found,) = json.loads(Path(folder, "metrics.json").read_text())["variants"]
    return found


def test_a_folder_of_pictures(truth: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As SAM 2 writes them: perfect masks are perfect boxes with perfect ids."""
    Path("masks/seq").mkdir(parents=True)
    for index, picture in enumerate(masks(truth)):
        image = Image.fromarray(picture, mode="P")
        image.putpalette([value for grey in range(256) for value in (grey, 0, 255 - grey)])
        image.save(f"masks/seq/{index:05d}.png")
    assert run(["eval", "--data", "mot:data", "--results", "masks", "--tracking"]) == 0
    assert "masks have no scores" in " ".join(capsys.readouterr().out.split())
    assert numbers()["ap"]["map_all"] == 1
    assert numbers()["tracking"]["overall"]["idf1"] == 1
    Path("masks/seq/00009.png").unlink()
    assert run(["eval", "--data", "mot:data", "--results", "masks", "--overwrite"]) == 2
    assert "made from 9 frames" in capsys.readouterr().err


def test_mots(truth: Path) -> None:
    lines = []
    for frame, picture in enumerate(masks(truth), 1):
        for track in np.unique(picture[picture > 0]).tolist():
            rle = coco_masks.encode(np.asfortranarray((picture == track).astype(np.uint8)))
            height, width = rle["size"]
            lines.append(f"{frame} {2000 + track} 2 {height} {width} {rle['counts'].decode()}")
    ignored = coco_masks.encode(np.asfortranarray(np.ones((4, 4), np.uint8)))
    lines.append(f"1 10000 10 4 4 {ignored['counts'].decode()}")
    Path("seq.txt").write_text("".join(f"{line}\n" for line in lines))
    assert run(["eval", "--data", "mot:data", "--results", "seq.txt", "--tracking", "--quiet"]) == 0
    assert numbers()["ap"]["map_all"] == 1
    assert numbers()["tracking"]["overall"]["idf1"] == 1


@pytest.mark.usefixtures("truth")
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("seq.txt").write_text("1 2001 2 4 4 %%%\n")
    assert run(["eval", "--data", "mot:data", "--results", "seq.txt"]) == 2
    assert "seq.txt, line 1: no row of MOTS" in capsys.readouterr().err
    Path("masks/seq").mkdir(parents=True)
    for index in range(FRAMES):
        Image.new("RGB", (8, 8)).save(f"masks/seq/{index}.png")
    assert run(["eval", "--data", "mot:data", "--results", "masks"]) == 2
    assert "one number a pixel, not colours" in capsys.readouterr().err
