"""Runs around what a person has said: `--prompts` and `--corrections`."""
