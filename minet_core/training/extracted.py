"""Frames of video files as pictures in a folder.

A training wants frames in any order, and a frame of a video file takes as long as all frames
before it. So such a video is decoded once, into JPEG files that stay beside the training's
results; they can be deleted when it is done.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from minet_core.datasets.base import Dataset, VideoTruth
from minet_core.datasets.pictures import PictureFiles
from minet_core.files import one_line
from minet_core.video.lettering import load_opencv

_QUALITY = 95


def extracted(dataset: Dataset, folder: Path, note: Callable[[str], None]) -> Dataset:
    """The dataset with the frames of its video files in `folder`, written there if they are not.

    Args:
        dataset: those of its videos that are pictures already stay as they are.
        folder: made if it is needed.
        note: called with a line before a video is decoded.

    Raises:
        InputError: a video cannot be read.
        OutputError: the folder cannot be written to.
    """
    videos = [
        _as_files(video, folder / quote(video.name, safe=""), note)
        if video.in_order_only
        else video
        for video in dataset.videos
    ]
    return replace(dataset, videos=tuple(videos))


def _as_files(video: VideoTruth, folder: Path, note: Callable[[str], None]) -> VideoTruth:
    if not folder.is_dir():
        note(f"{video.name}: decoding its {len(video)} frames once, into {folder}")
        with one_line(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
            try:
                _write(video, part)
                part.replace(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return video.with_pictures(PictureFiles(len(video), lambda index: folder / _name(index)))


def _write(video: VideoTruth, folder: Path) -> None:
    cv2 = load_opencv()
    for index, image in video.images():
        _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        (folder / _name(index)).write_bytes(data)


def _name(index: int) -> str:
    return f"{index:06d}.jpg"
