"""What a person has mended in a result: operations in order, read, checked and applied."""

from minet_core.edits.entry import Edit
from minet_core.edits.file import EditsFile, ResultFacts, read_edits, write_edits
from minet_core.edits.operations import Skipped, apply_edits
from minet_core.edits.sheet import Rows, Sheet

__all__ = [
    "Edit",
    "EditsFile",
    "ResultFacts",
    "Rows",
    "Sheet",
    "Skipped",
    "apply_edits",
    "read_edits",
    "write_edits",
]
