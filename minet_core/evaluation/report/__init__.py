"""What an evaluation writes: numbers as files, and one page with tables and figures."""
