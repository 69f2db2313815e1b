"""What a viewer page shows, as columns that JavaScript reads as typed arrays.

A page may hold 100,000 boxes, so numbers are packed: a row takes 19 bytes, a third more in base64.
"""

import base64
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minet_core.boxes import NO_TRACK
from minet_core.formats.annotations import Sizes, VideoAnnotations
from minet_core.formats.doubts import Doubt
from minet_core.formats.edits import ResultFacts
from minet_core.formats.minet.edited import name_of, result_facts
from minet_core.formats.minet.reader import columns_of, start_of
from minet_core.formats.minet.result_doubts import document_of
from minet_core.formats.minet.result_json import StoredResult
from minet_core.formats.minet.stored_doubts import stored_doubts
from minet_core.video.placement import placed_in

_DEFAULT_RATE = Fraction(25)
_BOX_LIMIT = 32767
_SCORE_LIMIT = 65535


@dataclass(frozen=True, slots=True, eq=False)
class ViewerData:
    """One video's boxes, a row each, with what a page has to know of the video.

    Attributes:
        source: path or URL of the video as it was given, None where it is not known.
        name: of the video, as the page's title has it.
        note: how the boxes were made, in a few words.
        width: of a frame in pixels.
        height: of a frame in pixels.
        pixel_aspect: width to height of a pixel as it is meant to be shown; None: not known.
        frame_rate: frames per second, on average.
        first: index of the first frame that was looked at.
        last: index of the last one.
        step: from one frame that was looked at to the next.
        least_score: below which no box is reported; None where that is not known.
        labels: class names.
        track_labels: track id → index in `labels`.
        frames: (N,) index of each row's frame.
        times: (N,) its seconds from the start of the video.
        boxes: (N, 4) xyxy in display-oriented pixels.
        scores: (N,) from 0 to 1.
        base_scores: (N,) scores before memory, or None.
        label_ids: (N,) index in `labels`.
        track_ids: (N,), NO_TRACK for a box of no track.
        interpolated: (N,) bool: drawn between two boxes of its track.
        start_time: seconds on a player's clock at which frame 0 is shown.
        result: by what edits know the result; None: it cannot be edited.
        doubts: places that may be wrong, the likeliest first.
    """

    source: str | None
    name: str
    note: str
    width: int
    height: int
    pixel_aspect: float | None
    frame_rate: float
    first: int
    last: int
    step: int
    least_score: float | None
    labels: tuple[str, ...]
    track_labels: dict[int, int]
    frames: NDArray[np.int64]
    times: NDArray[np.float64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    base_scores: NDArray[np.float64] | None
    label_ids: NDArray[np.int64]
    track_ids: NDArray[np.int64]
    interpolated: NDArray[np.bool_]
    start_time: float = 0.0
    result: ResultFacts | None = None
    doubts: tuple[Doubt, ...] = ()

    def document(self) -> dict[str, Any]:
        """Plain values for JSON; `viewer/data/data.js` is the other half of this.

        Rows are in order of tracks and, within a track, of frames; those of no track come first.
        """
        order = np.lexsort((self.frames, self.track_ids))
        tracks, starts = np.unique(self.track_ids[order], return_index=True)
        known, where = np.unique(self.frames, return_index=True)
        box_unit = max(1.0, float(np.abs(self.boxes).max(initial=0))) / _BOX_LIMIT
        base = self.base_scores
        facts = ("name", "note", "width", "height", "first", "last", "step", "labels")
        return {
            **{fact: getattr(self, fact) for fact in facts},
            "pixelAspect": self.pixel_aspect,
            "frameRate": self.frame_rate,
            "leastScore": self.least_score,
            "startTime": self.start_time,
            "doubts": list(map(document_of, self.doubts)),
            "result": None if self.result is None else asdict(self.result),
            "boxUnit": box_unit,
            "known": {"frame": pack(known, "u4"), "time": pack(self.times[where], "f8")},
            "tracks": {
                "id": pack(tracks, "i4"),
                "start": pack(starts, "u4"),
                "label": pack(np.array([self.track_labels.get(int(t), 0) for t in tracks]), "u2"),
            },
            "rows": {
                "frame": pack(self.frames[order], "u4"),
                "label": pack(self.label_ids[order], "u2"),
                "score": pack(self.scores[order] * _SCORE_LIMIT, "u2"),
                "base": None if base is None else pack(base[order] * _SCORE_LIMIT, "u2"),
                "interpolated": pack(self.interpolated[order].astype(np.uint8), "u1"),
                "box": pack(self.boxes[order].ravel() / box_unit, "i2"),
            },
        }


def pack(values: NDArray[Any], kind: str) -> str:
    """Numbers as `kind:base64`, little-endian, rounded where the kind has no fractions."""
    if kind[0] != "f":
        values = np.rint(values)
    return f"{kind}:{base64.b64encode(values.astype('<' + kind).tobytes()).decode()}"


def data_of_result(result: StoredResult) -> ViewerData:
    """What a page shows of a result.json."""
    header, rows, tracklets = result
    video, settings = header["video"], header["settings"]
    rate = Fraction(video["frame_rate"])
    frames = rows["frame"].to_numpy(np.int64)
    aspect = video.get("pixel_aspect")
    columns = columns_of(rows)
    first, last = _looked_at(settings, header["counts"]["frames"], rate, frames)
    return ViewerData(
        source=video["path"],
        name=name_of(video["path"]),
        note=f"minet {header['minet']}, model {header['model']}",
        width=video["width"],
        height=video["height"],
        pixel_aspect=None if aspect is None else float(Fraction(aspect)),
        frame_rate=float(rate),
        first=first,
        last=last,
        step=settings["stride"],
        least_score=settings.get("score"),
        labels=tuple(header["classes"]),
        track_labels={tracklet.id: tracklet.label_id for tracklet in tracklets},
        frames=frames,
        times=rows["time"].to_numpy(np.float64),
        boxes=_placed(
            rows[["x1", "y1", "x2", "y2"]].to_numpy(np.float64),
            frames,
            {int(frame): tuple(size) for frame, size in header.get("sizes", {}).items()},
            (video["width"], video["height"]),
        ),
        scores=rows["score"].to_numpy(np.float64),
        base_scores=rows["base_score"].to_numpy(np.float64),
        label_ids=rows["label_id"].to_numpy(np.int64),
        track_ids=rows["track_id"].fillna(NO_TRACK).to_numpy(np.int64),
        interpolated=rows["interpolated"].to_numpy(np.int64) > 0,
        start_time=video.get("start_time") or 0.0,
        result=result_facts(header, columns),
        doubts=tuple(stored_doubts(result)),
    )


def _placed(
    boxes: NDArray[np.float64],
    frames: NDArray[np.int64],
    sizes: Sizes | None,
    whole: tuple[int, int],
) -> NDArray[np.float64]:
    """Boxes of pictures of other sizes, where the annotated video has them."""
    for frame, size in (sizes or {}).items():
        if (place := placed_in(size, whole)) is not None:
            rows = frames == frame
            boxes[rows] = place.inside(boxes[rows])
    return boxes


def _looked_at(
    settings: dict[str, Any], count: int, rate: Fraction, frames: NDArray[np.int64]
) -> tuple[int, int]:
    """The first and the last frame that a run has looked at."""
    first = start_of(settings["start"], frames, settings["stride"], rate)
    last = first + max(count - 1, 0) * settings["stride"]
    return first, max(last, int(frames.max(initial=last)))


def data_of_annotations(video: VideoAnnotations) -> ViewerData:
    """What a page shows of annotations."""
    rate = float(video.frame_rate or _DEFAULT_RATE)
    ids = {label: number for number, label in enumerate(video.classes)}
    loose, tracks, looked_at = video.loose, video.tracks, video.looked_at
    labels = [ids[name] for name in loose.labels]
    labels += [ids[track.label] for track in tracks for _ in track.frames]
    track_ids = [NO_TRACK] * len(loose) + [track.id for track in tracks for _ in track.frames]
    frames = np.concatenate([loose.frames, *(track.frames for track in tracks)])
    end = looked_at[-1] if looked_at else video.start
    return ViewerData(
        source=video.source,
        name=name_of(video.source) if video.source else video.name,
        note="",
        width=video.width,
        height=video.height,
        pixel_aspect=None,
        frame_rate=rate,
        first=min(video.start, int(frames.min(initial=video.start))),
        last=max(end, int(frames.max(initial=end))),
        step=video.step,
        least_score=None,
        labels=video.classes,
        track_labels={track.id: ids[track.label] for track in tracks},
        frames=frames,
        times=frames / rate if video.times is None else video.times[frames],
        boxes=_placed(
            np.concatenate([loose.boxes.reshape(-1, 4), *(track.boxes for track in tracks)]),
            frames,
            video.sizes,
            (video.width, video.height),
        ),
        scores=np.concatenate([loose.scores, *(track.scores for track in tracks)]),
        base_scores=None,
        label_ids=np.array(labels, dtype=np.int64),
        track_ids=np.array(track_ids, dtype=np.int64),
        interpolated=~np.concatenate(
            [np.ones(len(loose), np.bool_), *(track.keyframes for track in tracks)]
        ),
        start_time=video.start_time or 0.0,
    )
