"""Output of the commands: progress, summaries, tables."""
