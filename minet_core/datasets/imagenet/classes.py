"""The 30 classes of ImageNet VID in canonical order, and how often each is in the val set."""

from collections.abc import Sequence

VID_WNIDS = {
    "n02691156": "airplane",
    "n02419796": "antelope",
    "n02131653": "bear",
    "n02834778": "bicycle",
    "n01503061": "bird",
    "n02924116": "bus",
    "n02958343": "car",
    "n02402425": "cattle",
    "n02084071": "dog",
    "n02121808": "domestic_cat",
    "n02503517": "elephant",
    "n02118333": "fox",
    "n02510455": "giant_panda",
    "n02342885": "hamster",
    "n02374451": "horse",
    "n02129165": "lion",
    "n01674464": "lizard",
    "n02484322": "monkey",
    "n03790512": "motorcycle",
    "n02324045": "rabbit",
    "n02509815": "red_panda",
    "n02411705": "sheep",
    "n01726692": "snake",
    "n02355227": "squirrel",
    "n02129604": "tiger",
    "n04468005": "train",
    "n01662784": "turtle",
    "n04530566": "watercraft",
    "n02062744": "whale",
    "n02391049": "zebra",
}
"""WordNet id in the annotation → class name, in order; label id 0 is airplane."""

VID_CLASSES = tuple(VID_WNIDS.values())

VAL_VIDEOS = 555
VAL_FRAMES = 176_126
VAL_BOXES = (
    *(26387, 7968, 9780, 8854, 9862, 6313, 26690, 11365, 20237, 11629),
    *(11934, 9092, 7593, 5476, 7939, 2840, 5972, 10654, 1139, 5898),
    *(1149, 4405, 6393, 12088, 2614, 13095, 5761, 6089, 7379, 6910),
)
"""Boxes of each class in the whole val set; 273,505 in all."""


def differences_from_val(frames: int, boxes: Sequence[int]) -> list[str]:
    """How counted boxes differ from the official val set's, a line a class; empty if not at all.

    Args:
        frames: number of frames that were counted; where it is not the whole val set's,
            there is nothing to compare with.
        boxes: boxes of each class, in the order of VID_CLASSES.
    """
    if frames != VAL_FRAMES:
        return []
    return [
        f"{name}: {count} boxes, the official val set has {known}"
        for name, count, known in zip(VID_CLASSES, boxes, VAL_BOXES, strict=True)
        if count != known
    ]
