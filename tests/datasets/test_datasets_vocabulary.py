import json
from pathlib import Path

import pytest
from safetensors import safe_open

from minet_core.datasets import map_classes, read_table
from minet_core.datasets.imagenet.classes import VID_CLASSES
from minet_core.datasets.vocabulary import NOT_THERE
from minet_core.errors import ConfigError, InputError

WEIGHTS = Path(__file__).parents[2] / "weights/minet-nano-detector.safetensors"
with safe_open(WEIGHTS, "np") as weights:
    COCO_CLASSES = tuple(json.loads(weights.metadata()["classes"]))

VOC = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)


def pairs(model, dataset, table=None):
    ids = map_classes(model, dataset, table).ids
    return {
        name: dataset[label] for name, label in zip(model, ids, strict=True) if label != NOT_THERE
    }


def test_coco_on_imagenet_vid():
    said = map_classes(COCO_CLASSES, VID_CLASSES)
    assert set(VID_CLASSES) - set(said.not_covered) == {
        *("airplane", "bear", "bicycle", "bird", "bus", "car", "cattle", "dog", "domestic_cat"),
        *("elephant", "horse", "motorcycle", "sheep", "train", "watercraft", "zebra"),
    }
    assert said.ids.shape == (80,)
    mapped = pairs(COCO_CLASSES, VID_CLASSES)
    assert mapped["cow"] == "cattle"
    assert mapped["boat"] == "watercraft"
    assert "person" not in mapped


def test_voc_and_coco_say_the_same_both_ways():
    assert map_classes(COCO_CLASSES, VOC).not_covered == ()
    assert len(pairs(VOC, COCO_CLASSES)) == 20
    assert pairs(VOC, COCO_CLASSES)["tvmonitor"] == "tv"


def test_voc_covers_what_coco_does_but_three():
    gap = set(map_classes(VOC, VID_CLASSES).not_covered)
    assert gap - set(map_classes(COCO_CLASSES, VID_CLASSES).not_covered) == {
        *("bear", "elephant", "zebra")
    }


def test_same_vocabulary_is_the_identity():
    said = map_classes(VID_CLASSES, VID_CLASSES)
    assert said.ids.tolist() == list(range(30))
    assert said.not_covered == ()


def test_spelling_does_not_count():
    assert pairs(["Traffic-Light"], ["traffic_light"]) == {"Traffic-Light": "traffic_light"}


def test_the_table_goes_before_the_name():
    table = {"person": ("rider",), "car": ()}
    assert pairs(["person", "car", "dog"], ["person", "rider", "car", "dog"], table) == {
        "person": "rider",
        "dog": "dog",
    }


def test_table_from_a_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("# mine\n\ntruck,vehicle\nCar , vehicle\nbus\tvehicle\ndog,\n")
    model, dataset = ["car", "truck", "bus", "dog", "cat"], ["vehicle", "dog", "cat"]
    table = read_table(path, model, dataset)
    assert pairs(model, dataset, table) == {
        **dict.fromkeys(("car", "truck", "bus"), "vehicle"),
        "cat": "cat",
    }
    assert map_classes(model, dataset, table).not_covered == ("dog",)


@pytest.mark.parametrize(
    ("line", "error", "why"),
    [
        (
            "trck,vehicle",
            ConfigError,
            "line 1: the model has no class 'trck'; did you mean 'truck'",
        ),
        ("truck,vehicel", ConfigError, "line 1: the dataset has no class 'vehicel'; did you mean"),
        ("truck", InputError, "line 1: a model name and a dataset name"),
        ("truck,vehicle,1", InputError, "line 1: a model name and a dataset name"),
    ],
)
def test_malformed_table(tmp_path, line, error, why):
    path = tmp_path / "table.csv"
    path.write_text(line)
    with pytest.raises(error, match=why):
        read_table(path, ["truck"], ["vehicle"])
