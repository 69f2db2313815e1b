"""Which boxes of a path between two boxes of one object are believed."""

import pytest

from minet_core.inference.prompted.path_trust import Step, plausible

START = Step(0, (0, 0, 20, 40), None)
END = Step(10, (100, 0, 120, 40), None)


def at(place: int, left: float) -> Step:
    return Step(place, (left, 0, left + 20, 40), START)


ON = [at(2, 22), at(6, 58)]
OFF = [at(place, 10.0 * place + 60) for place in (3, 4, 5)]


@pytest.mark.parametrize(
    ("seen", "kept"), [(True, ON), (False, sorted(ON + OFF))], ids=["result", "prompts"]
)
def test_in_a_result_that_was_seen_only_boxes_on_the_line_are_believed(seen, kept):
    """Though they fill half of the frames: who left the gap saw those of another object."""
    assert plausible(START, sorted(ON + OFF), END, seen=seen) == kept


def test_few_boxes_off_the_line_are_never_believed():
    assert plausible(START, OFF[:2], END, seen=False) == []
