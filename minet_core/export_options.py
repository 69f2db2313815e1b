"""Settings of `minet export`, each with its default and the help text that `--help` shows."""

import re
from dataclasses import dataclass

from minet_core.errors import ConfigError
from minet_core.options import check_name, setting

PICTURES = ("jpg", "png")
"""Picture formats for frames."""

ORDERS = ("names", "natural")
"""Orders of the pictures in a CVAT task."""

SPLITS = ("train", "val")
"""Parts of a dataset."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Settings of `minet export`, and of `minet_core.export`.

    Raises:
        ConfigError: a number is out of its range, or a name unknown.
    """

    min_score: float = setting(
        0.0, "Minimum mean score of a track; also leaves out boxes without a track."
    )
    min_length: int = setting(1, "Minimum number of boxes of a track.")
    classes: tuple[str, ...] = setting((), "Classes to write; with --label-map, their new names.")
    max_gap: int = setting(10, "Maximum gap for --interpolate to close, in frames.")
    interpolate: bool = setting(
        False,
        "Interpolate boxes in short gaps that the detector left; gaps that people made stay.",
    )
    keyframes: str = setting(
        "auto", "Boxes that become keyframes in annotation tools: auto, all, or every N-th."
    )
    label_map: str | None = setting(None, "Rename classes: a file with lines `old=new`.")
    edits: str | None = setting(
        None, "Apply the edits of the review page: edits.json of this result."
    )
    constant_rate: float | None = setting(
        None, "Count frames as in a copy of the video with this constant frame rate."
    )
    frames: str | None = setting(None, "Also write the frames as pictures, if the format has them.")
    overlay: bool = setting(
        False, "Also draw the exported tracks into a video: NAME-annotated.mp4."
    )
    split: str = setting("train", "Part of the dataset to write: train or val.")
    order: str = setting(
        "names", "How the CVAT task sorts its pictures: names (CVAT's default) or natural."
    )
    video: tuple[str, ...] = setting(
        (), "New path of a moved video; matched to its result by name."
    )
    media: str | None = setting(
        None,
        "For Label Studio: URL or path before a video's file name; default: local files, in the "
        "video's folder.",
    )
    annotator: str | None = setting(
        None, "Annotator to read from Label Studio's tasks: an id or e-mail address."
    )
    scores: bool = setting(
        False, "For CVAT: write scores as the attribute `score`; the labels must have it."
    )
    zip: bool = setting(False, "Write a zip file.")
    overwrite: bool = setting(False, "Replace an earlier export.")

    def __post_init__(self) -> None:
        # Each is written so that NaN fails too.
        if not 0 <= self.min_score <= 1:
            raise ConfigError(f"the minimum score must be from 0 to 1, not {self.min_score}")
        if not self.min_length >= 1:
            raise ConfigError(f"the minimum length must be 1 box or more, not {self.min_length}")
        if not self.max_gap >= 0:
            raise ConfigError(f"the longest gap must be 0 frames or more, not {self.max_gap}")
        if self.constant_rate is not None and not 0 < self.constant_rate <= 1000:
            raise ConfigError(f"the rate must be over 0 and up to 1000, not {self.constant_rate}")
        if self.frames not in (None, *PICTURES):
            raise ConfigError(f"frames must be {' or '.join(PICTURES)}, not {self.frames}")
        check_name("split", self.split, SPLITS)
        check_name("order", self.order, ORDERS)
        if not (self.keyframes in ("auto", "all") or re.fullmatch("[1-9][0-9]*", self.keyframes)):
            raise ConfigError(f"keyframes must be auto, all or a number, not {self.keyframes!r}")
