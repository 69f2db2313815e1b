"""`minet review`: the page of a result, served on loopback, and going on from what was mended."""
