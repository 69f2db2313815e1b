"""CVAT for video: written, read back, and what its files have beside boxes."""
