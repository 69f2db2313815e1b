"""From detections to tracks: frame by frame, then joined tracklets and refined scores."""
