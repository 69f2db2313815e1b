"""Flow-guided feature aggregation (FGFA): what neighbouring frames add to a frame's features."""
