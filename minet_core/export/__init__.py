"""From results and annotations to the files of other tools: reading, editing, writing."""
