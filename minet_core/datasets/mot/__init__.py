"""MOTChallenge: sequences, rows of text, and folders of both."""
