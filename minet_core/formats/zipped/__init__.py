"""Zips that CVAT exports: its own xml, and the layouts of MOT, YOLO and COCO."""

from minet_core.formats.zipped.reading import ZipKind, kind_of_zip, read_zip

__all__ = ["ZipKind", "kind_of_zip", "read_zip"]
