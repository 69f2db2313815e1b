"""What makes a file of a folder a picture or a video. One that is named is tried whatever it is."""

from pathlib import PurePosixPath

PICTURES = frozenset(
    f".{name}"
    for name in (
        *("avif", "bmp", "heic", "heif", "jfif", "jpe", "jpeg", "jpg", "png", "tif", "tiff"),
        "webp",
    )
)

VIDEOS = frozenset(
    f".{name}"
    for name in (
        *("264", "265", "3g2", "3gp", "asf", "avi", "dav", "divx", "dv", "f4v", "flv", "gif"),
        *("h264", "h265", "hevc", "insv", "ivf", "m2ts", "m2v", "m4v", "mjpeg", "mjpg", "mkv"),
        *("mov", "mp4", "mpeg", "mpg", "mts", "mxf", "nut", "ogv", "qt", "ts", "vob", "webm"),
        *("wmv", "y4m"),
    )
)


def without_suffix(picture: str) -> str:
    """The name of a picture, with its folders, without the suffix of one.

    >>> without_suffix("day.1/0001.JPG"), without_suffix("street.v2_12")
    ('day.1/0001', 'street.v2_12')
    """
    suffix = PurePosixPath(picture).suffix
    return picture.removesuffix(suffix) if suffix.lower() in PICTURES else picture
