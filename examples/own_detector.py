"""Your own detector: minet detect VIDEO --model examples/own_detector.py:detect."""

import cv2
import numpy as np
from numpy.typing import NDArray

CLASSES = ("bright", "dark")


def detect(frame: NDArray[np.uint8]) -> tuple[list[list[int]], list[float], list[str]]:
    """Boxes (N, 4) xyxy in pixels, scores (N,) and labels (N,) of an RGB frame (h, w, 3)."""
    grey = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (9, 9), 0).astype(int)
    boxes, scores, labels = [], [], []
    for label, mask in (("bright", grey > grey.mean() + 50), ("dark", grey < grey.mean() - 50)):
        for outline in cv2.findContours(mask.astype(np.uint8), 0, 2)[0]:
            x, y, w, h = cv2.boundingRect(outline)
            boxes.append([x, y, x + w, y + h])
            scores.append(cv2.contourArea(outline) / (w * h))
            labels.append(label)
    return boxes, scores, labels


if __name__ == "__main__":
    from minet_core import VideoDetector, load_model

    video = VideoDetector(load_model(detector=detect, classes=CLASSES))
    picture = np.full((240, 320, 3), 100, np.uint8)
    picture[50:90, 60:120] = 250
    print(video.detect(picture).labels)
