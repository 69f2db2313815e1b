"""`minet detect`: one video in, its folder of results out, from start to resume."""
