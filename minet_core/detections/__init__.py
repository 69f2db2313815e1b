"""Boxes that exist already, of this program or another: found, read, and given to a run."""
