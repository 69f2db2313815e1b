"""Many videos at once: what there is to do, in which order, and processes that do it."""
