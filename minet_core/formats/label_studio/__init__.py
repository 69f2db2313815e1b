"""Label Studio, video: tasks written and read back, and how it numbers frames."""
