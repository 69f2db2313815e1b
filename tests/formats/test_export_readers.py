"""What other people's programs read in the data sets that `minet export` writes."""

import contextlib
import io
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from annotation_factory import (
    INSTANCES,
    a_track,
    a_video,
    export,
    export_with_pictures,
    loose_boxes,
)
from pycocotools.coco import COCO

VIDEO = a_video(
    a_track(3, "dog", [0, 1, 4], [[10.5, 20, 50.25, 60]] * 3),
    a_track(7, "traffic light", [5], [[600, 400, 640, 480]]),
    classes=("cat", "dog", "traffic light"),
    frames=6,
    loose=loose_boxes((4, "cat", (1, 2, 3, 4), 0.25)),
)
BOXES = {
    frame: sorted((box.label, list(box.box)) for box in boxes) for frame, boxes in VIDEO.by_frame()
}


def test_pycocotools_reads_coco_vid(tmp_path):
    path = export(tmp_path, "coco-vid", VIDEO) / INSTANCES
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(path)
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    found = defaultdict(list)
    for record in coco.loadAnns(coco.getAnnIds()):
        (image,) = coco.loadImgs(record["image_id"])
        left, top, width, height = record["bbox"]
        box = [left, top, left + width, top + height]
        found[image["frame_id"]].append((names[record["category_id"]], box))
    assert {frame: sorted(boxes) for frame, boxes in found.items()} == BOXES
    assert len(coco.getImgIds()) == 6


@pytest.mark.parametrize(
    ("name", "opener", "folders", "pixels"),
    [
        ("yolo", "from_yolo", ("images/train", "labels/train", "data.yaml"), 0.001),
        ("voc", "from_pascal_voc", ("JPEGImages", "Annotations"), 0.5),
        ("coco-vid", "from_coco", ("images", INSTANCES), 0.001),
    ],
)
def test_supervision_reads(tmp_path, name, opener, folders, pixels):
    supervision = pytest.importorskip("supervision")
    place = export_with_pictures(tmp_path, name, VIDEO)
    dataset = getattr(supervision.DetectionDataset, opener)(*(str(place / f) for f in folders))
    assert set(dataset.classes) == set(VIDEO.classes)
    assert len(dataset) == 6
    for path, _, detections in dataset:
        wanted = BOXES.get(int(Path(path).stem[-6:]), [])
        labels = [dataset.classes[number] for number in detections.class_id]
        found = sorted(zip(labels, detections.xyxy.tolist(), strict=True))
        assert [label for label, _ in found] == [label for label, _ in wanted]
        for (_, box), (_, sides) in zip(found, wanted, strict=True):
            np.testing.assert_allclose(box, sides, atol=pixels)


def test_trackeval_reads_mot(tmp_path):
    """Its own loader, which refuses an id that comes twice in a frame, finds every box again."""
    trackeval = pytest.importorskip("trackeval")
    export(tmp_path, "mot-gt", VIDEO).rename(tmp_path / "truth")
    (tmp_path / "trackers/minet/data").mkdir(parents=True)
    export(tmp_path, "mot", VIDEO).rename(tmp_path / "trackers/minet/data/street.txt")
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = trackeval.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": str(tmp_path),
                "GT_LOC_FORMAT": "{gt_folder}/truth/gt/gt.txt",
                "TRACKERS_FOLDER": str(tmp_path / "trackers"),
                "SEQ_INFO": {"street": 6},
                "SKIP_SPLIT_FOL": True,
                "DO_PREPROC": False,
                "PRINT_CONFIG": False,
            }
        )
        raw = dataset.get_raw_seq_data("minet", "street")
    ids = [[int(number) for number in frame] for frame in raw["tracker_ids"]]
    assert ids == [[3], [3], [], [], [3], [7]]
    np.testing.assert_allclose(raw["tracker_dets"][0], [[10.5, 20, 39.75, 40]])
    overlaps = [frame.max(axis=0) for frame in raw["similarity_scores"] if frame.size]
    np.testing.assert_allclose(np.concatenate(overlaps), 1)
