"""The nearest known name, for somebody who mistyped one."""

from collections.abc import Collection
from difflib import get_close_matches


def did_you_mean(name: str, known: Collection[str]) -> str:
    """`; did you mean 'bicycle'?`, to end an error message with; empty when nothing is near.

    >>> did_you_mean("bicicle", ["person", "bicycle"])
    "; did you mean 'bicycle'?"
    """
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
