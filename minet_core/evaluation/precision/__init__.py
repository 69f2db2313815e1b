"""Average precision over video, by motion, with its uncertainty."""
