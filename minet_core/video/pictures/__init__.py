"""Picture files, and folders of them that are videos."""
