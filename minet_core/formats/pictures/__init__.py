"""Annotations of single pictures that are frames of videos, as their names tell."""

from minet_core.formats.pictures.coco import read_coco
from minet_core.formats.pictures.names import FrameName, frame_name
from minet_core.formats.pictures.sizes import are_of_one_size

__all__ = ["FrameName", "are_of_one_size", "frame_name", "read_coco"]
