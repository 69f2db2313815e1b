"""Output of an evaluation: files with scores, and one page with tables and figures."""
