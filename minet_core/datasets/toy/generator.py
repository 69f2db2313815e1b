"""A toy video dataset: shapes on clutter, in the layout of ImageNet VID.

    DIR/toy.json, DIR/classes.txt
    DIR/Data/VID/val/toy_val_00000000/000000.JPEG
    DIR/Annotations/VID/val/toy_val_00000000/000000.xml
    DIR/ImageSets/VID_train_15frames.txt, VID_val_videos.txt, VID_val_frames.txt

Every command can be tried on it from end to end. The class of an object is its outline alone;
texture and colour tell instances apart. Boxes are around what can be seen, without what is hidden.
Memory has something to do: about a quarter of the frames are out of focus, in fog or in the dark.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np

from minet_core.datasets.dataset import Dataset
from minet_core.datasets.imagenet.annotation_xml import VidObject, vid_xml
from minet_core.datasets.imagenet.vid import CLASSES, open_imagenet_vid
from minet_core.datasets.toy.actors import Bgr
from minet_core.datasets.toy.scene import Scene, ToyObject
from minet_core.datasets.toy.shapes import OUTLINES
from minet_core.errors import ConfigError, InputError, OutputError
from minet_core.files import one_line
from minet_core.publishing import hidden_folder
from minet_core.suggest import did_you_mean
from minet_core.text import shown
from minet_core.video.drawing.lettering import load_opencv

MARK = "toy.json"
"""A folder with this file is a toy dataset, and may be made anew."""

_PARTS = (MARK, CLASSES, "Data", "Annotations", "ImageSets")
_VERSION = 1
_SPLITS = ("train", "val")
_SAMPLED = 15
"""Frames of each video that the train list names."""

_QUALITY = 90
_LEAST_SIZE = 96
_MOST_OBJECTS = 100


def make_toy(
    folder: Path,
    *,
    seed: int = 0,
    train: int = 40,
    val: int = 10,
    frames: int = 40,
    size: int = 320,
    classes: tuple[str, ...] = tuple(OUTLINES),
    objects: tuple[int, int] = (4, 7),
    progress: Callable[[int], None] | None = None,
) -> None:
    """Make a toy dataset, the same to the byte for the same arguments and version of OpenCV.

    A video depends on nothing but the seed, its split and number, `frames`, `size`, `classes` and
    `objects`.

    Args:
        folder: made if missing; what a toy dataset left there is replaced when the new one is
            complete.
        seed: another seed gives other videos.
        train: number of videos to learn from.
        val: number of videos to be measured on.
        frames: length of each.
        size: width in pixels; the height is three quarters of it.
        classes: of OUTLINES.
        objects: fewest and most in a video.
        progress: called after each frame with how many there are.

    Raises:
        ConfigError: a number is out of its range, or a class unknown.
        OutputError: the folder cannot be written, or holds something else.
        MinetError: OpenCV does not load.
    """
    _check(seed, train, val, frames, size, classes, objects)
    cv2 = load_opencv()
    settings = {"seed": seed, "train": train, "val": val, "frames": frames, "size": size}
    done = 0
    with _replaced(folder) as part:
        for number, split in enumerate(_SPLITS):
            for video in range(settings[split]):
                rng = np.random.default_rng([seed, number, video])
                scene = Scene(cv2, rng, classes, frames, size, size * 3 // 4, objects)
                for _ in _write_video(cv2, part, f"{split}/{_name(split, video)}", scene, frames):
                    done += 1
                    if progress is not None:
                        progress(done)
        _write_lists(part, train, val, frames)
        (part / CLASSES).write_text("".join(f"{name}\n" for name in classes))
        facts = {"format": "minet toy dataset", "version": _VERSION, **settings}
        facts |= {"classes": classes, "objects": objects}
        (part / MARK).write_text(json.dumps(facts, indent=1) + "\n")


def open_toy(folder: Path, split: str = "val") -> Dataset:
    """Open a split of a toy dataset.

    Raises:
        InputError: it is none, or not complete.
    """
    if not (folder / MARK).is_file():
        raise InputError(f"{shown(folder)}: no toy dataset (`minet toy {shown(folder)}` makes one)")
    if not (folder / CLASSES).is_file():
        raise InputError(f"{shown(folder / CLASSES)}: missing, the toy dataset is not complete")
    return open_imagenet_vid(folder, split, name="toy")


def _check(
    seed: int,
    train: int,
    val: int,
    frames: int,
    size: int,
    classes: tuple[str, ...],
    objects: tuple[int, int],
) -> None:
    least = {"seed": (seed, 0), "train": (train, 1), "val": (val, 1), "frames": (frames, 1)}
    for name, (value, lowest) in (least | {"size": (size, _LEAST_SIZE)}).items():
        if value < lowest:
            raise ConfigError(f"{name} must be at least {lowest}, not {value}")
    if not 1 <= objects[0] <= objects[1] <= _MOST_OBJECTS:
        raise ConfigError(
            f"the objects of a video must be 1 to {_MOST_OBJECTS}, the fewest first, not "
            f"{objects[0]} to {objects[1]}"
        )
    for name in classes:
        if name not in OUTLINES:
            raise ConfigError(f"there is no shape {name!r}{did_you_mean(name, OUTLINES)}")
    if not classes or len(set(classes)) != len(classes):
        raise ConfigError("the classes must be at least one, and each another")


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder`, whose content takes the place of a toy dataset's."""
    if folder.exists() and not (folder / MARK).is_file() and not _is_empty(folder):
        raise OutputError(f"{shown(folder)} exists and is not a toy dataset; name another folder")
    with one_line(folder), hidden_folder(folder) as part:
        yield part
        # The mark goes first: whatever happens now, the folder can be made anew.
        for name in _PARTS:
            if (folder / name).is_dir():
                shutil.rmtree(folder / name)
            (part / name).replace(folder / name)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _name(split: str, video: int) -> str:
    return f"toy_{split}_{video:08d}"


def _write_video(
    cv2: ModuleType, root: Path, video: str, scene: Scene, frames: int
) -> Iterator[None]:
    pictures, annotations = root / "Data/VID" / video, root / "Annotations/VID" / video
    pictures.mkdir(parents=True)
    annotations.mkdir(parents=True)
    for index in range(frames):
        picture, objects = scene.frame(index)
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        (pictures / f"{index:06d}.JPEG").write_bytes(data)
        (annotations / f"{index:06d}.xml").write_text(_xml(video, index, picture, objects))
        yield


def _xml(video: str, index: int, picture: Bgr, objects: list[ToyObject]) -> str:
    height, width = picture.shape[:2]
    items = (VidObject(o.shape, o.track_id, o.box, o.occluded, generated=False) for o in objects)
    return vid_xml(video.rpartition("/")[2], index, "minet toy", (width, height), items)


def _write_lists(root: Path, train: int, val: int, frames: int) -> None:
    sampled = np.unique(np.linspace(0, frames - 1, min(_SAMPLED, frames)).astype(int))
    videos = [f"val/{_name('val', video)}" for video in range(val)]
    lists = {
        "VID_train_15frames.txt": [
            f"train/{_name('train', video)} 1 {frame} {frames}"
            for video in range(train)
            for frame in sampled
        ],
        "VID_val_videos.txt": [
            f"{name} {k * frames + 1} 0 {frames}" for k, name in enumerate(videos)
        ],
        "VID_val_frames.txt": [
            f"{name}/{frame:06d} {k * frames + frame + 1}"
            for k, name in enumerate(videos)
            for frame in range(frames)
        ],
    }
    for name, lines in lists.items():
        path = root / "ImageSets" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))
