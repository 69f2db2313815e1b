import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minet_core.datasets.checks import FileBoxes
from minet_core.datasets.mot.rows import read_mot_rows
from minet_core.evaluation.frames import FoundBoxes
from minet_core.formats.annotations import NO_LOOSE_BOXES, LooseBoxes

CORNERS = np.array([[0, 0, 4, 4], [1, 0, 5, 4], [2, 0, 6, 4]], np.float64)


def found(count: int = 3) -> FoundBoxes:
    return FoundBoxes.of(CORNERS[:count], range(count), [0.1, 0.2, 0.3][:count])


@given(st.lists(st.integers(0, 2), max_size=5))
def test_rows_of_a_table_are_those_of_every_column(places):
    some = found()[np.array(places, np.intp)]
    assert len(some) == len(places)
    assert some.label_ids.tolist() == places
    np.testing.assert_array_equal(some.boxes, CORNERS[places])
    np.testing.assert_allclose(some.scores, [0.1 * (place + 1) for place in places])


def test_a_mark_and_a_slice_choose_alike():
    marked, cut = found()[np.array([False, True, True])], found()[1:]
    np.testing.assert_array_equal(marked.boxes, cut.boxes)
    assert marked.label_ids.tolist() == cut.label_ids.tolist() == [1, 2]


def test_columns_that_are_not_there_stay_away():
    rows = FileBoxes(CORNERS, np.arange(3), np.arange(3))[:2]
    assert (len(rows), rows.ignore) == (2, None)


@given(st.integers(0, 3))
def test_parts_joined_are_the_whole(place):
    whole = found()[:place].joined(found()[place:])
    np.testing.assert_array_equal(whole.boxes, CORNERS)
    assert whole.label_ids.tolist() == [0, 1, 2]


def test_names_of_loose_boxes_go_with_their_rows():
    loose = LooseBoxes(np.arange(3), ("a", "b", "c"), CORNERS, np.ones(3))
    assert loose[np.array([True, False, True])].labels == ("a", "c")
    assert len(NO_LOOSE_BOXES[:]) == 0


def test_span_has_the_rows_of_a_frame(tmp_path):
    (tmp_path / "det.txt").write_text("2,-1,0,0,9,9,1\n1,-1,5,0,9,9,1\n2,-1,7,0,9,9,1\n")
    rows = read_mot_rows(tmp_path / "det.txt")
    assert rows[rows.span(1)].boxes[:, 0].tolist() == [0, 7]
    assert len(rows[rows.span(2)]) == 0


def test_supervision_takes_them():
    pytest.importorskip("supervision")
    detections = FoundBoxes.of(CORNERS, [0, 1, 2], [0.1, 0.2, 0.3], [5, 6, -1]).to_supervision()
    np.testing.assert_array_equal(detections.xyxy, CORNERS)
    assert detections.class_id.tolist() == [0, 1, 2]
    assert detections.tracker_id.tolist() == [5, 6, -1]
    np.testing.assert_allclose(detections.confidence, [0.1, 0.2, 0.3])
