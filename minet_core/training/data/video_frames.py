"""Frames of video files as pictures in a folder.

A training wants frames in any order, and a frame of a video file takes as long as all frames
before it. So such a video is decoded once, into JPEG files that stay beside the training's
results; they can be deleted when it is done.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from minet_core.datasets.dataset import Dataset, VideoTruth
from minet_core.datasets.pictures import PictureFiles
from minet_core.files import one_line
from minet_core.publishing import complete_folder
from minet_core.video.drawing.lettering import load_opencv

_QUALITY = 95


def extracted(
    datasets: Sequence[Dataset], folder: Path, note: Callable[[str], None]
) -> list[Dataset]:
    """The datasets with the frames of their video files in `folder`, written if they are not.

    Args:
        datasets: those of their videos that are pictures already stay as they are.
        folder: made if it is needed.
        note: called with a line before a video is decoded.

    Raises:
        InputError: a video cannot be read.
        OutputError: the folder cannot be written to.
    """
    return [
        replace(
            dataset, videos=tuple(_as_files(each, folder / str(i), note) for each in dataset.videos)
        )
        for i, dataset in enumerate(datasets)
    ]


def _as_files(video: VideoTruth, folder: Path, note: Callable[[str], None]) -> VideoTruth:
    if not video.in_order_only:
        return video
    folder /= quote(video.name, safe="")
    if not folder.is_dir():
        note(f"{video.name}: decoding its {len(video)} frames once, into {folder}")
        with complete_folder(folder) as part, one_line(folder):
            _write(video, part)
    return video.with_pictures(PictureFiles(len(video), lambda index: folder / _name(index)))


def _write(video: VideoTruth, folder: Path) -> None:
    cv2 = load_opencv()
    for index, image in video.images():
        _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        (folder / _name(index)).write_bytes(data)


def _name(index: int) -> str:
    return f"{index:06d}.jpg"
