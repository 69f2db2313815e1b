"""YOLO: a text file a frame, written and read back."""
