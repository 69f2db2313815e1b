"""What `minet eval` was asked for, and from that to the numbers: alone, by jobs, under torchrun."""
