"""Metrics: average precision, motion groups, steadiness over time, tracking.

All metrics read `frames.EvalFrame`, one frame's true boxes and detections, as a stream. No metric
keeps pictures; each states what it keeps of a detection.
"""
