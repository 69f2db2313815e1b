"""Made-up scenes of boxes: what no sequence at hand shows, such as birds, pans and long hiding."""
