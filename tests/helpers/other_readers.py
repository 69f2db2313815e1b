"""Programs of other people that read our files, kept apart from the packages of the environment."""

import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

PLACE = Path(sys.prefix) / "other-readers"


def other_reader(name: str) -> Any:
    """A module of such a program; without the program the test is skipped, and says so."""
    if str(PLACE) not in sys.path:
        sys.path.append(str(PLACE))  # the last place: what the environment has comes first
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs are not ours to mend
        return pytest.importorskip(name, reason=f"no {name}; `scripts/venv dev` installs it")
