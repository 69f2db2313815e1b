"""What the commands tell while they work and at the end: lines of progress, summaries, tables."""
