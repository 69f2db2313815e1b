"""Identities of MINet beside those of four trackers: the same boxes, many sequences, replicates."""
