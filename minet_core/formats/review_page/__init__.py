"""One HTML file to look at boxes over their video."""
