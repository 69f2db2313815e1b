"""Iterate over a video's frames and their detections: iterate_video.py VIDEO."""

import sys

from minet_core import VideoResult, iterate_video

result = VideoResult()
for frame, found in iterate_video(sys.argv[1], max_frames=50):
    # frame.image is (height, width, 3) RGB; found has arrays with one entry per detection.
    for label, track, box in zip(found.labels, found.track_ids, found.boxes, strict=True):
        print(f"{frame.time:6.2f} s  {label} {track}  {box.round()}")
    result.frames.append(found)

print(result.to_pandas().groupby("label").track_id.nunique())
