"""Video in and out: frames with trusted times, annotated copies, boxes drawn on pictures."""

from minet_core.video.drawing.overlay import Overlay
from minet_core.video.frame_reader import FrameReader
from minet_core.video.info import Image, VideoFrame, VideoInfo
from minet_core.video.part import Part, Position, parse_position
from minet_core.video.pictures.folder import FolderReader
from minet_core.video.reading.video_reader import VideoReader, open_video
from minet_core.video.writing.video_writer import VideoWriter

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
