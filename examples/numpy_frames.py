"""Detect objects in your own NumPy frames, one at a time, as from a camera."""

import numpy as np

from minet_core import DetectOptions, VideoDetector

detector = VideoDetector(options=DetectOptions(classes=("person", "car"), score=0.4))

for i in range(5):
    frame = np.full((240, 320, 3), 100 + i, np.uint8)  # RGB; for an OpenCV frame, frame[..., ::-1]
    found = detector.detect(frame, time=i / 25)
    print(f"frame {found.frame}: {len(found)} detections, tracks {found.track_ids.tolist()}")

detector.reset()  # before the next video
