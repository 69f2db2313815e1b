"""What an annotation tool knows beside boxes, kept for the way back into it."""

from minet_core.formats.kept.attributes import Attribute, Place, after_changes
from minet_core.formats.kept.beside import NOTHING, Kept, LabelSpec, OtherTrack

__all__ = [
    "NOTHING",
    "Attribute",
    "Kept",
    "LabelSpec",
    "OtherTrack",
    "Place",
    "after_changes",
]
