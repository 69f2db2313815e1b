"""A person's corrections of a result: operations in order, read, checked and applied."""

from minet_core.formats.edits.entry import Edit
from minet_core.formats.edits.file import EditsFile, ResultFacts, read_edits, write_edits
from minet_core.formats.edits.operations import Skipped, apply_edits
from minet_core.formats.edits.sheet import Sheet, TrackRows

__all__ = [
    "Edit",
    "EditsFile",
    "ResultFacts",
    "Sheet",
    "Skipped",
    "TrackRows",
    "apply_edits",
    "read_edits",
    "write_edits",
]
