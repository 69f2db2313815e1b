"""Existing boxes, of this program or another: found, read, and given to a run."""
