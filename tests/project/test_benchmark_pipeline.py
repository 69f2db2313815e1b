"""The benchmark of the pipeline finds the clock of a run where runs have it."""

from pathlib import Path

from video_factory import write_grey_video

from benchmarks.performance.pipeline import pipeline


def test_the_run_is_timed_by_the_benchmarks_clock(tmp_path: Path) -> None:
    """A clock that no run uses has no busiest thread: the row divides by it."""
    (row,) = pipeline(write_grey_video(tmp_path / "clip.mp4"), tmp_path, frames=10, repeats=1)
    assert 0 < row.value < float("inf")
