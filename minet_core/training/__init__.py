"""Training: episodes of meta-learning, losses, the loop and its checkpoints."""
