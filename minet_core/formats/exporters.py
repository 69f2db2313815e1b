"""What `minet export` can write, by name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from minet_core.errors import ConfigError
from minet_core.export_options import ExportOptions
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.coco import writer as coco_vid
from minet_core.formats.coco import ytvis
from minet_core.formats.cvat import writer as cvat
from minet_core.formats.dataset_view import check_names, check_names_in_xml
from minet_core.formats.label_studio import writer as label_studio
from minet_core.formats.minet import writer as rows
from minet_core.formats.minet.parquet import write_parquet
from minet_core.formats.mot import writer as mot_gt
from minet_core.formats.review_page.page import export_html
from minet_core.formats.voc import imagenet_vid
from minet_core.formats.voc import writer as voc
from minet_core.formats.yolo import writer as yolo
from minet_core.options import FORMATS
from minet_core.suggest import did_you_mean

Write = Callable[[Sequence[VideoAnnotations], Path, ExportOptions], list[Path]]
"""Writes annotations to a place and returns the files it has made, the main one first.

The place does not exist where the exporter has a suffix, and is then the file to write; without
one it is an empty folder. Either lies in a hidden folder, and gets its final name when everything
is complete. The names of the videos are unique, and safe in file names. Whatever the exporter,
tracks and boxes are edited already: a writer takes them as they are.

Raises:
    ConfigError: the format cannot hold what is to be written.
"""


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format.

    Attributes:
        write: see `Write`.
        per_video: whether each video is an output of its own, so that the writer is always given
            one; otherwise all videos are written together.
        suffix: of the file it writes, such as `.xml`; empty where it writes a folder.
        pictures: where the picture of a frame belongs in its folder, such as
            `images/street/000012.jpg`, `ExportOptions.frames` telling the kind; None where the
            format has no pictures. With `--frames` the pictures of all
            `VideoAnnotations.looked_at` are put there.
        by_keyframes: whether the tool keeps keyframes and draws lines between them, so that fewer
            of them are written than there are boxes.
        numbers_pictures: whether the tool, given pictures, numbers them itself; without `--frames`.
        by_names: whether it does so in the order of their names.
        by_rate: whether the tool finds a frame by its time and a constant rate.
        tells_interpolated: whether it tells interpolated boxes from the others.
        keeps: whether what an annotation tool's file had beside boxes is written again, where it
            was one of the same tool.
        first_stream: whether the tool always shows a file's first video stream.
        plays: whether what is written plays the video, so that the writer is given annotations
            whose `source` is where the video is now.
        check: sees that the names of a video's classes can be written, and raises ConfigError.
        hint: how to load what was written, in a line for the user.
    """

    write: Write
    per_video: bool
    suffix: str = ""
    pictures: Callable[[VideoAnnotations, int, ExportOptions], str] | None = None
    by_keyframes: bool = False
    numbers_pictures: bool = False
    by_names: bool = False
    by_rate: bool = False
    tells_interpolated: bool = True
    keeps: bool = False
    first_stream: bool = False
    plays: bool = False
    check: Callable[[VideoAnnotations], None] = check_names
    hint: str = ""


EXPORTERS: dict[str, Exporter] = {
    "cvat": Exporter(
        cvat.write_cvat,
        per_video=True,
        check=cvat.check_names,
        suffix=".xml",
        by_keyframes=True,
        keeps=True,
        first_stream=True,
        numbers_pictures=True,
        by_names=True,
        hint="in a CVAT task of the video with these labels: Menu, Upload annotations, CVAT 1.1",
    ),
    "label-studio": Exporter(
        label_studio.write_label_studio,
        per_video=False,
        check=label_studio.check_names,
        by_keyframes=True,
        by_rate=True,
        hint="in a project with labelling-config.xml as its labelling interface: import tasks.json",
    ),
    "mot-gt": Exporter(
        mot_gt.write_mot_gt,
        per_video=True,
        pictures=mot_gt.picture_path,
        numbers_pictures=True,
        tells_interpolated=False,
        hint="with --zip, in a CVAT task of the video: Menu, Upload annotations, MOT 1.1",
    ),
    "coco-vid": Exporter(
        coco_vid.write_coco_vid,
        per_video=False,
        pictures=coco_vid.picture_path,
        hint="minet eval --data coco-vid:FILE, or any reader of COCO; instance_id tells tracks",
    ),
    "ytvis": Exporter(
        ytvis.write_ytvis,
        per_video=False,
        pictures=ytvis.picture_path,
        tells_interpolated=False,
        hint="a json of the kind that YouTube-VIS and OVIS have",
    ),
    "yolo": Exporter(
        yolo.write_yolo,
        per_video=False,
        pictures=yolo.picture_path,
        tells_interpolated=False,
        hint="data.yaml is what a YOLO trainer wants; with pictures minet opens it as yolo:FOLDER",
    ),
    "voc": Exporter(
        voc.write_voc,
        per_video=False,
        pictures=voc.picture_path,
        check=voc.check_names,
        tells_interpolated=False,
        hint="a folder in the layout of Pascal VOC, with labelmap.txt for its classes",
    ),
    "imagenet-vid": Exporter(
        imagenet_vid.write_imagenet_vid,
        per_video=False,
        pictures=imagenet_vid.picture_path,
        check=check_names_in_xml,
        hint="minet train and minet eval open it: --data imagenet-vid:FOLDER, with its --split",
    ),
    "mot": Exporter(
        rows.write_mot,
        per_video=True,
        numbers_pictures=True,
        suffix=".txt",
        tells_interpolated=False,
        hint="minet eval --results, and as a tracker's data for TrackEval",
    ),
    "json": Exporter(
        rows.write_json,
        per_video=True,
        suffix=".json",
        hint="as minet detect writes it: minet eval --results, minet export",
    ),
    "csv": Exporter(
        rows.write_csv,
        per_video=True,
        suffix=".csv",
        hint="pandas.read_csv, or any spreadsheet",
    ),
    "html": Exporter(
        export_html,
        per_video=True,
        suffix=".html",
        plays=True,
        check=lambda _: None,
        hint="open it in a browser; the video stays where it is",
    ),
    "parquet": Exporter(
        write_parquet,
        per_video=False,
        suffix=".parquet",
        hint="pandas.read_parquet; all videos in one table",
    ),
}
"""Format name, as in `--to` → what writes it."""


def check_formats(names: Iterable[str]) -> None:
    """See that `minet detect` can write formats: its own, and those that are made from them.

    Raises:
        ConfigError: there is no such format; the nearest is suggested.
    """
    known = dict.fromkeys((*FORMATS, *EXPORTERS))
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f" (known: {', '.join(known)})"
            raise ConfigError(f"unknown format {name!r}{hint}")
