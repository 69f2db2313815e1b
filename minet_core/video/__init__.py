"""Video in and out: frames with trusted times, annotated copies, boxes drawn on pictures."""

from minet_core.video.base import FrameReader
from minet_core.video.folder import FolderReader
from minet_core.video.info import Image, VideoFrame, VideoInfo
from minet_core.video.overlay import Overlay
from minet_core.video.positions import Part, Position, parse_position
from minet_core.video.reader import VideoReader, open_video
from minet_core.video.writer import VideoWriter

__all__ = [
    "FolderReader",
    "FrameReader",
    "Image",
    "Overlay",
    "Part",
    "Position",
    "VideoFrame",
    "VideoInfo",
    "VideoReader",
    "VideoWriter",
    "open_video",
    "parse_position",
]
