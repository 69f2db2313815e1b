"""MOTChallenge's text files: ground truth as CVAT takes it, results, and both read back."""
