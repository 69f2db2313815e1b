"""From detections to tracks: a video frame by frame, its tracklets joined, its scores refined."""
