"""Predictions to score: a model's detections, saved for the next run, or result files."""
