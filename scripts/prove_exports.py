"""Read exports with other people's readers, and compare with the rows of the same result.

Runs in an environment that has one of these readers, and not minet; see scripts/prove_exports.
"""

import csv
import json
import sys
from itertools import chain
from pathlib import Path

Boxes = dict[tuple[int, int], tuple[str, list[float]]]
"""(frame from 0, track) → label and x1, y1, x2, y2."""


def rows_of(path: Path) -> Boxes:
    """The tracked boxes of a detections.csv, which has them as they were found."""
    rows = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["track_id"]:
                sides = [float(row[name]) for name in ("x1", "y1", "x2", "y2")]
                rows[int(row["frame"]), int(row["track_id"])] = (row["label"], sides)
    return rows


def read_datumaro(path: Path, name: str, first: int) -> Boxes:
    """The boxes that Datumaro sees, those outside left out."""
    import datumaro

    dataset = datumaro.Dataset.import_from(str(path), name)
    labels = dataset.categories()[datumaro.AnnotationType.label].items
    found = {}
    for item in dataset:
        frame = int(item.attributes.get("frame", item.id)) - first
        for box in item.annotations:
            if not box.attributes.get("outside") and box.attributes.get("track_id", 0) > 0:
                key = frame, int(box.attributes["track_id"])
                found[key] = (labels[box.label].name, [float(side) for side in box.points])
    return found


def compare(name: str, found: Boxes, rows: Boxes, near: float, *, every: bool) -> None:
    """See that boxes are those of the rows: every one, or keyframes among them."""
    strangers = [key for key in found if key not in rows]
    lost = [key for key in rows if every and key not in found]
    if strangers or lost:
        sys.exit(f"{name}: frames and tracks that differ: {strangers[:5]} {lost[:5]}")
    for key, (label, box) in found.items():
        expected, sides = rows[key]
        room = max(near, *(0.03 * side for side in (sides[2] - sides[0], sides[3] - sides[1])))
        allowed = near if every else room + 0.01
        if max(abs(a - b) for a, b in zip(box, sides, strict=True)) > allowed or label != expected:
            sys.exit(f"{name}: {key} is {label} {box}, not {expected} {sides}")
    print(f"{name}: {len(found)} boxes of {len({track for _, track in found})} tracks agree")  # noqa: T201


Pictures = dict[str, list[tuple[str, list[float]]]]
"""Name of a picture, where it has boxes → label and x1, y1, x2, y2 of each, in order."""


def pictures_of(work: Path) -> Pictures:
    """The boxes of all videos, with and without a track, as a data set of pictures has them."""
    found: Pictures = {}
    for table in sorted((work / "csv").glob("*.csv")):
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                name = f"{table.stem}_{int(row['frame']):06d}"
                sides = [float(row[side]) for side in ("x1", "y1", "x2", "y2")]
                found.setdefault(name, []).append((row["label"], sides))
    return {name: sorted(boxes) for name, boxes in found.items()}


def read_pictures(path: Path, name: str) -> Pictures:
    """The boxes that Datumaro sees in a data set of pictures."""
    import datumaro

    dataset = datumaro.Dataset.import_from(str(path), name)
    labels = dataset.categories()[datumaro.AnnotationType.label].items
    found = {
        item.id: sorted((labels[box.label].name, list(box.points)) for box in item.annotations)
        for item in dataset
    }
    return {name: boxes for name, boxes in found.items() if boxes}


def compare_pictures(name: str, found: Pictures, rows: Pictures, near: float) -> None:
    """See that every picture has the boxes of its rows."""
    if found.keys() != rows.keys():
        sys.exit(f"{name}: pictures that differ: {sorted(found.keys() ^ rows.keys())[:5]}")
    for key, boxes in rows.items():
        labels, sides = zip(*boxes, strict=True)
        other_labels, other_sides = zip(*found[key], strict=True)
        pairs = zip(chain(*sides), chain(*other_sides), strict=True)
        if labels != other_labels or max(abs(one - other) for one, other in pairs) > near:
            sys.exit(f"{name}: {key} is {found[key]}, not {boxes}")
    print(f"{name}: {sum(map(len, rows.values()))} boxes of {len(rows)} pictures agree")  # noqa: T201


def prove_datumaro(work: Path) -> None:
    """Datumaro reads CVAT's XML, MOT as CVAT does, and data sets of pictures."""
    rows_of_pictures = pictures_of(work)
    for format_name, reader, near in (
        ("coco-vid", "coco_instances", 0.011),
        ("yolo", "yolo", 0.011),
        # Its numbers are those of the file, which are rounded and count from 1.
        ("voc", "voc_detection", 1.5),
    ):
        seen_pictures = read_pictures(work / format_name, reader)
        compare_pictures(f"{format_name} by Datumaro", seen_pictures, rows_of_pictures, near)
    for table in sorted((work / "csv").glob("*.csv")):
        rows, video = rows_of(table), table.stem
        # Boxes of no track are tracks of one frame in CVAT, with ids above the others'.
        last = max((track for _, track in rows), default=0)
        seen = read_datumaro(work / "cvat" / f"{video}.xml", "cvat", 0)
        seen = {key: value for key, value in seen.items() if key[1] <= last}
        compare(f"{video}, CVAT by Datumaro", seen, rows, 2.0, every=False)
        seen = read_datumaro(work / "mot-gt" / video, "mot_seq", 1)
        compare(f"{video}, MOT by Datumaro", seen, rows, 0.011, every=True)


def prove_sdk(work: Path) -> None:
    """Label Studio's SDK finds config, tasks and every region valid."""
    from label_studio_sdk.label_interface import LabelInterface

    folder = work / "label-studio"
    interface = LabelInterface((folder / "labelling-config.xml").read_text(encoding="utf-8"))
    interface.validate()
    for task in json.loads((folder / "tasks.json").read_text(encoding="utf-8")):
        (prediction,) = task["predictions"]
        regions = prediction["result"]
        wrong = [region["id"] for region in regions if not interface.validate_region(region)]
        if wrong or not interface.validate_prediction(prediction):
            sys.exit(f"{task['data']['name']}: not valid: {wrong[:5]}")
        print(f"{task['data']['name']}, Label Studio's SDK: {len(regions)} regions are valid")  # noqa: T201


if __name__ == "__main__":
    {"datumaro": prove_datumaro, "sdk": prove_sdk}[sys.argv[1]](Path(sys.argv[2]))
