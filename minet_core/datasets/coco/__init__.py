"""CocoVID json, as mmtracking and others have it."""
