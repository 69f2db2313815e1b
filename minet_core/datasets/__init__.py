"""Videos with truth: ImageNet VID, MOTChallenge, CocoVID and a toy, behind one interface."""
