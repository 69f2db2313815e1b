"""The json of COCO and its kin as it stands: records by id, and nothing that contradicts itself."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from minet_core.errors import InputError
from minet_core.text import shown

Record = Mapping[str, Any]


class FaultError(Exception):
    """The file contradicts itself."""


@contextmanager
def one_line_for_faults(path: Path) -> Iterator[None]:
    """Turn whatever a file's records make fail into one line.

    Raises:
        InputError: in place of a FaultError, a key that is missing and a value of another type.
    """
    try:
        yield
    except FaultError as error:
        raise InputError(f"{shown(path)}: {error}") from None
    except KeyError as error:
        raise InputError(f"{shown(path)}: no CocoVID file, a record has no {error}") from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"{shown(path)}: no CocoVID file ({error})") from None


def load_coco(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    """Read a file that must have these keys.

    Raises:
        InputError: it cannot be read, is no json, or lacks a key.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{shown(path)}: {error.strerror}".lower()) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{shown(path)}: not json ({error})") from None
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing:
        kind = "CocoVID" if "videos" in keys else "COCO"
        raise InputError(f"{shown(path)}: no {kind} file, it has no {', '.join(missing)}")
    found: dict[str, Any] = content
    return found


def by_id(records: Iterable[Record], kind: str) -> dict[int, Record]:
    """Records by their id, in their order; `kind` is what errors call them.

    Raises:
        FaultError: two have the same.
    """
    table: dict[int, Record] = {}
    for record in records:
        if table.setdefault(record["id"], record) is not record:
            raise FaultError(f"two records of a {kind} have id {record['id']}")
    return table


def class_names(categories: Mapping[int, Record]) -> tuple[str, ...]:
    """Names of the classes, in their order.

    Raises:
        FaultError: two have the same.
    """
    names = tuple(str(category["name"]) for category in categories.values())
    if len(set(names)) != len(names):
        raise FaultError("two categories have the same name")
    return names


class Contents(NamedTuple):
    """What a file has, referred to by its ids.

    Attributes:
        classes: names, by label.
        label_of: id of a category → label.
        images: by id.
        boxes: id of an image → its annotations.
    """

    classes: tuple[str, ...]
    label_of: dict[int, int]
    images: dict[int, Record]
    boxes: dict[int, list[Record]]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Of a file's content.

        Raises:
            FaultError: it contradicts itself.
        """
        categories = by_id(content["categories"], "category")
        images = by_id(content["images"], "image")
        boxes: dict[int, list[Record]] = {image: [] for image in images}
        for record in content["annotations"]:
            check_references(record, images, categories)
            boxes[record["image_id"]].append(record)
        label_of = {category: label for label, category in enumerate(categories)}
        return cls(class_names(categories), label_of, images, boxes)


def frames_of_videos(
    videos: Mapping[int, Record], pictures: Mapping[int, Record]
) -> Iterator[tuple[Record, list[int]]]:
    """Each video with the ids of its images, in the order of its frames, without holes.

    Raises:
        FaultError: there are holes, or an image is of no video or of a frame that is there already.
    """
    images: dict[int, dict[int, int]] = {video: {} for video in videos}
    for image, record in pictures.items():
        video, frame = record["video_id"], record["frame_id"]
        if video not in images:
            raise FaultError(f"image {image} is of video {video}, which is not listed")
        if images[video].setdefault(frame, image) != image:
            raise FaultError(f"images {images[video][frame]} and {image} have the same frame_id")
    for video, by_frame in images.items():
        hole = next((frame for frame in range(len(by_frame)) if frame not in by_frame), None)
        if hole is not None:
            raise FaultError(
                f"frame_id must count from 0 without holes, but video {video} has no {hole} "
                f"among its {len(by_frame)} images (renumber frames of a stride)"
            )
        yield videos[video], [by_frame[frame] for frame in range(len(by_frame))]


def check_references(record: Record, images: Collection[int], categories: Collection[int]) -> None:
    """See that what an annotation refers to is there.

    Raises:
        FaultError: it is not, or its box does not have four numbers.
    """
    if record["image_id"] not in images:
        raise FaultError(
            f"annotation {record['id']} is of image {record['image_id']}, which is not listed"
        )
    if record["category_id"] not in categories:
        raise FaultError(
            f"annotation {record['id']} is of category {record['category_id']}, which is not listed"
        )
    if len(record["bbox"]) != 4:
        raise FaultError(f"annotation {record['id']} has a bbox of {len(record['bbox'])} numbers")
