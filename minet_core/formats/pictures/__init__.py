"""Annotations of single pictures that are frames of videos, as their names tell."""

from minet_core.formats.pictures.coco import read_coco
from minet_core.formats.pictures.names import FrameName, frame_name

__all__ = ["FrameName", "frame_name", "read_coco"]
