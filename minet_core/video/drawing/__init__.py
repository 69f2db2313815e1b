"""Boxes, labels and trails on frames."""
