"""What is scored: detections of a model, or of result files, kept for the next run."""
