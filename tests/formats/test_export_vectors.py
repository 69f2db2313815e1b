"""The scores of every class in Parquet, through an edit."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from annotation_factory import a_track, a_video, export, loose_boxes

from minet_core.export_options import ExportOptions
from minet_core.exports import export as run
from minet_core.formats.minet.edited_scores import ScoreVectors

pq = pytest.importorskip("pyarrow.parquet")

CLASSES = ("cat", "dog")
VECTORS = np.array([[0.1, 0.9], [0.2, 0.8], [0.75, 0.3], [0.3, 0.7]], np.float32)


@pytest.fixture
def result(tmp_path) -> Path:
    """A result with score vectors: a dog with a gap, that reaches out of the picture, and a cat."""
    boxes = [[-5, 0, 50, 60], [20, 0, 60, 60], [30, 0, 70, 60]]
    video = a_video(
        a_track(5, "dog", [0, 2, 6], boxes, scores=[0.9, 0.8, 0.7]),
        classes=CLASSES,
        loose=loose_boxes((2, "cat", (400, 100, 500, 200), 0.75)),
    )
    path = export(tmp_path, "json", video)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "score_vectors": "scores.f32"}))
    path.with_name("scores.f32").write_bytes(VECTORS.astype("<f4").tobytes())
    return path


def exported(path: Path, **options) -> Path:
    out = path.parent / "out.parquet"
    run([path], "parquet", out, ExportOptions(**options))
    return out


def test_each_row_has_the_scores_of_its_box(result):
    out = exported(result)
    rows = pd.read_parquet(out)
    np.testing.assert_allclose(np.stack(rows.scores.tolist()), VECTORS, atol=1e-6)
    assert [CLASSES[int(np.argmax(scores))] for scores in rows.scores] == rows.label.tolist()
    classes = json.loads(pq.read_schema(out).metadata[b"score_classes"])
    assert classes == {"street": list(CLASSES)}


def test_interpolated_box_has_none(result):
    rows = pd.read_parquet(exported(result, interpolate=True))
    missing = rows.frame[rows.scores.isna()].tolist()
    assert missing == [1, 3, 4, 5]


def test_result_without_its_scores_is_exported_all_the_same(result):
    result.with_name("scores.f32").unlink()
    assert "scores" not in pd.read_parquet(exported(result))


def test_copy_at_another_rate_has_none(result):
    assert "scores" not in pd.read_parquet(exported(result, constant_rate=10.0))


def test_one_video_of_two_has_scores(tmp_path):
    vectors = ScoreVectors(CLASSES, np.array([0]), np.array([[10, 20, 50, 60.0]]), VECTORS[:1])
    plain = a_video(a_track(1, "dog", [0]), name="plain")
    scored = replace(plain, name="scored", vectors=vectors)
    rows = pd.read_parquet(export(tmp_path, "parquet", plain, scored))
    assert rows.scores.isna().tolist() == [True, False]
