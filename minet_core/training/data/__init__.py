"""What a step learns from: pairs of frames, from videos, stills and compositions."""
