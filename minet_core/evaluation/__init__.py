"""Metrics: average precision, motion groups, steadiness over time, tracking.

Everything reads `frames.EvalFrame`, one frame's true boxes beside the boxes found there, and
streams: no metric holds pictures, and what is kept of a detection is stated where it is kept.
"""
