"""The same pictures give the same file whatever memory held before, and on any number of cores.

A resumed run equals one that was left alone only if that holds.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from video_factory import write_grey_video

from minet_core.video import Image, VideoWriter
from minet_core.video.writing import video_writer

SIZES = [(2, 2), (64, 48), (63, 47), (20, 260), (130, 98)]
FRAMES = 13
RATE = Fraction(25)


def pictures(width: int, height: int) -> Iterator[Image]:
    """A textured picture that grows lighter, with boxes that move over it."""
    texture = np.random.default_rng(0).integers(0, 32, (height, width, 3), np.uint8)
    for i in range(FRAMES):
        image = texture + np.uint8(60 + 5 * i)
        image[height // 6 : height // 2, 4 + i : 16 + i] = (255, 0, 0)
        image[height // 3 : 2 * height // 3, max(0, width - 20 - 2 * i) : width - 3] = (0, 200, 40)
        yield image


def digest(folder: Path, size: tuple[int, int], codec: str, sound: Path | None = None) -> str:
    """Of an mp4 that is written into a folder."""
    path = folder / f"{codec}-{size}.mp4"
    with VideoWriter(path, frame_rate=RATE, codec=codec, audio_from=sound) as video:
        for i, image in enumerate(pictures(*size)):
            video.write(image, i / 25)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(folder: Path, source: Path) -> list[str]:
    """Of videos of every size and codec; one has the sound of `source`, encoded again."""
    videos = [digest(folder, size, "libx264") for size in SIZES]
    return [*videos, digest(folder, SIZES[-1], "mpeg4", source)]


def digests_elsewhere(folder: Path, source: Path, cores: int, heap: int) -> list[str]:
    """`digests` of another process with so many cores, in whose heap glibc puts these bytes."""
    program = (
        "import os, sys; from pathlib import Path; sys.path[:0] = sys.argv[1].split(os.pathsep);"
        "hasattr(os, 'sched_setaffinity') and"
        "  os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(sys.argv[2])]);"
        "from test_same_files import digests;"
        "print(*digests(Path(sys.argv[3]), Path(sys.argv[4])))"
    )
    here = Path(__file__).parent
    places = os.pathsep.join([str(here), str(here.parent / "helpers")])
    arguments = [places, str(cores), str(folder), str(source)]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | {"MALLOC_PERTURB_": str(heap)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A video whose sound has to be encoded again."""
    path = tmp_path_factory.mktemp("source") / "a.avi"
    return write_grey_video(path, audio_seconds=0.4, audio_codec="pcm_mulaw")


@pytest.fixture(scope="module")
def here(source) -> list[str]:
    return digests(source.parent, source)


@pytest.mark.parametrize(("heap", "cores"), [(1, 1), (90, 2), (165, 1), (255, 2)])
def test_in_another_process(tmp_path, source, here, heap, cores):
    assert digests_elsewhere(tmp_path, source, cores, heap) == here


@pytest.mark.parametrize("instructions", ["0", "sse2", "ssse3"])
def test_with_other_instructions_of_the_processor(
    tmp_path, monkeypatch, source, here, instructions
):
    """x264 without code for this processor, and with what older ones have."""
    options = dict(video_writer._OPTIONS["libx264"])
    options["x264-params"] += f":asm={instructions}"
    monkeypatch.setitem(video_writer._OPTIONS, "libx264", options)
    assert digests(tmp_path, source) == here
