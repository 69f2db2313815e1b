"""Runs of `minet eval` from its settings: in one process, with `--jobs`, or under torchrun."""
