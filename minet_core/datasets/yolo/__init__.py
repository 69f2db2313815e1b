"""YOLO's folders: what a line of a label file says, where the files are, and pictures of both."""

from minet_core.datasets.yolo.label_files import label_files, picture_beside, pictures_of_part
from minet_core.datasets.yolo.labelled_pictures import open_yolo
from minet_core.datasets.yolo.labels import (
    LabelError,
    LabelRow,
    Labels,
    interpret,
    pixels,
    read_rows,
)
from minet_core.datasets.yolo.layout import YoloLayout, is_yolo, open_layout

__all__ = [
    "LabelError",
    "LabelRow",
    "Labels",
    "YoloLayout",
    "interpret",
    "is_yolo",
    "label_files",
    "open_layout",
    "open_yolo",
    "picture_beside",
    "pictures_of_part",
    "pixels",
    "read_rows",
]
