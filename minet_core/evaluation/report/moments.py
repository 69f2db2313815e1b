"""Frames of true tracks, marked by whether each run found the box (the paper's Fig. 4)."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from minet_core.datasets.dataset import Dataset, VideoTruth
from minet_core.evaluation.report.contents import Moment
from minet_core.evaluation.tracks.score_curves import TrackScores
from minet_core.models.detector import Frame

FOUND = 0.2
"""Minimum score of a detection that the paper shows (§IV-E.1)."""

_WIDTH = 320
"""Pixels that a copy of a picture has at most."""
_SHOWN = 224
"""The same as it is shown: four runs, or a true box and three chosen ones, are a line."""
_PLACES = (1 / 6, 1 / 2, 5 / 6)
"""Positions of the frames along a track; the choice does not depend on scores."""


def moments(dataset: Dataset, tracks: Sequence[TrackScores]) -> list[Moment]:
    """Three frames of each track, without frames whose picture cannot be read."""
    videos = {video.name: video for video in dataset.videos}
    found = []
    for track in tracks:
        for place in dict.fromkeys(int(share * len(track.frames)) for share in _PLACES):
            moment = _moment(videos[track.video], track, place)
            found += [moment] if moment is not None else []
    return found


def _moment(video: VideoTruth, track: TrackScores, place: int) -> Moment | None:
    number = int(track.frames[place])
    truth, image = video.frame(number), video.image(number)
    rows = np.flatnonzero(truth.track_ids == track.track_id)
    if image is None or not len(rows):
        return None
    x1, y1, x2, y2 = map(float, truth.boxes[rows[0]])
    return Moment(
        name=f"{track.label} {track.track_id} in {track.video}, frame {number}",
        picture=jpeg(image),
        size=(image.shape[1], image.shape[0]),
        box=(x1, y1, x2, y2),
        scores={name: float(values[place]) for name, values in track.scores.items()},
    )


def jpeg(image: Frame) -> bytes:
    """A small copy of a picture."""
    picture = Image.fromarray(image)
    picture.thumbnail((_WIDTH, _WIDTH))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def as_html(found: Sequence[Moment], runs: int) -> str:
    """A row of pictures per frame: the true box red if a run found it, else dashed blue."""
    lines = []
    for moment in found:
        shown = list(moment.scores.items())[:runs]
        pictures = "".join(_figure(moment, run, score) for run, score in shown)
        lines.append(f"<h3>{escape(moment.name)}</h3>\n<div class=moments>{pictures}</div>\n")
    return "".join(lines)


def _figure(moment: Moment, run: str, score: float) -> str:
    if score >= FOUND:
        return figure(moment.picture, moment.size, moment.box, "#d62728", f"{run}: {score:.2f}")
    return figure(moment.picture, moment.size, moment.box, "#1f77b4", f"{run}: missed", dashed=True)


def figure(
    picture: bytes,
    size: tuple[int, int],
    box: tuple[float, ...],
    colour: str,
    words: str,
    *,
    dashed: bool = False,
) -> str:
    """A picture with one box, and words below.

    Args:
        picture: JPEG.
        size: width and height in pixels of the frame.
        box: xyxy in pixels of the frame.
        colour: of the box.
        words: below it.
        dashed: whether the box is dashed.
    """
    width, height = size
    x1, y1, x2, y2 = box
    dashes = f' stroke-dasharray="{width / 60:g}"' if dashed else ""
    data = base64.b64encode(picture).decode()
    return (
        f'<figure><svg viewBox="0 0 {width} {height}" width="{_SHOWN}" role="img" '
        f'aria-label="{escape(words)}"><image width="{width}" height="{height}" '
        f'href="data:image/jpeg;base64,{data}"/>'
        f'<rect x="{x1:g}" y="{y1:g}" width="{x2 - x1:g}" height="{y2 - y1:g}" fill="none" '
        f'stroke="{colour}" stroke-width="{width / 112:g}"{dashes}/></svg>'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )
