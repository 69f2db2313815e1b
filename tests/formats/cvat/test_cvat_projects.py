"""Exports of CVAT projects, which number the frames of all tasks through."""

from io import BytesIO

import pytest

from minet_core.errors import InputError
from minet_core.formats.annotations import VideoAnnotations
from minet_core.formats.cvat.reader import read_cvat


def task(number: int, size: int, start: int = 0, step: int = 1, subset: str = "default") -> str:
    rule = f"step={step}" if step > 1 else ""
    return (
        f"<task><id>{number}</id><name>t{number}</name><size>{size}</size>"
        f"<subset>{subset}</subset><start_frame>{start}</start_frame>"
        f"<stop_frame>{start + (size - 1) * step}</stop_frame><frame_filter>{rule}</frame_filter>"
        f"<source>t{number}.mp4</source></task>"
    )


def track(number: int, *frames: int) -> str:
    boxes = "".join(
        f'<box frame="{frame}" outside="0" occluded="0" keyframe="1" '
        'xtl="1" ytl="2" xbr="11" ybr="12"/>'
        for frame in frames
    )
    return f'<track id="0" label="dog" task_id="{number}">{boxes}</track>'


def read(tasks: list[str], *tracks: str) -> list[VideoAnnotations]:
    meta = f"<meta><project><tasks>{''.join(tasks)}</tasks></project></meta>"
    text = f"<annotations><version>1.1</version>{meta}{''.join(tracks)}</annotations>"
    return read_cvat(BytesIO(text.encode()), "annotations.xml")


def keyframes(videos: list[VideoAnnotations]) -> dict[str, list[int]]:
    first = {video.name: video.tracks[0] for video in videos if video.tracks}
    return {name: track.frames[track.keyframes].tolist() for name, track in first.items()}


@pytest.mark.parametrize(
    ("tasks", "tracks", "expected"),
    [
        pytest.param(
            [task(11, 10), task(12, 20), task(13, 5)],
            [track(11, 2, 3), track(12, 10, 11), track(13, 34)],
            {"t11": [2, 3], "t12": [0, 1], "t13": [4]},
            id="lengths",
        ),
        pytest.param(
            # The first task has frames 100, 103, … 127, and 100 + 3 × 10 come before the second.
            [task(1, 10, start=100, step=3), task(2, 4, start=7)],
            [track(1, 100, 103), track(2, 130 + 7, 130 + 8)],
            {"t1": [100, 103], "t2": [7, 8]},
            id="start frames and steps",
        ),
        pytest.param(
            [task(1, 10, subset="train"), task(2, 10, subset="val"), task(3, 10, subset="train")],
            [track(1, 0), track(2, 0), track(3, 10)],
            {"t1": [0], "t2": [0], "t3": [0]},
            id="subsets",
        ),
        pytest.param(
            [task(20, 10), task(3, 6)],
            [track(3, 0), track(20, 6)],
            {"t20": [0], "t3": [0]},
            id="by id, whatever the order of the file",
        ),
        pytest.param([task(1, 10, start=5)], [track(1, 5)], {"t1": [5]}, id="one task"),
    ],
)
def test_frames_are_those_of_their_own_video(tasks, tracks, expected):
    assert keyframes(read(tasks, *tracks)) == expected


def test_length_follows_from_the_last_frame_where_it_is_not_told():
    first = task(1, 10, start=4, step=2).replace("<size>10</size>", "")
    assert keyframes(read([first, task(2, 3)], track(2, 24))) == {"t2": [0]}


@pytest.mark.parametrize(("frame", "reason"), [(9, "below 0"), (21, "frame 21 is not of task t2")])
def test_frame_of_another_task_is_refused(frame, reason):
    with pytest.raises(InputError, match=reason):
        read([task(1, 10), task(2, 10)], track(2, frame))
