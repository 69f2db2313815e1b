"""What makes a file of a folder a picture or a video. One that is named is tried whatever it is."""

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
