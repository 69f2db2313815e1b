"""Which of a network's score columns, or label numbers, are classes, and their names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from minet_core.errors import ConfigError

UNUSED = frozenset({"N/A", "__background__"})
"""Names of columns that are no class: of COCO's 91 numbers, eleven were never used."""


@dataclass(frozen=True, slots=True)
class ClassColumns:
    """The classes among a network's score columns.

    Attributes:
        names: of the C classes.
        columns: of each, ascending; a network's label numbers are the same.
    """

    names: tuple[str, ...]
    columns: tuple[int, ...]

    @classmethod
    def of(cls, categories: Sequence[str] | Mapping[int, str]) -> "ClassColumns":
        """From names by column; those of `UNUSED` are left out.

        Raises:
            ConfigError: there is no class, or two have one name.
        """
        named = categories if isinstance(categories, Mapping) else dict(enumerate(categories))
        used = {column: named[column] for column in sorted(named) if named[column] not in UNUSED}
        names = tuple(used.values())
        if not names:
            raise ConfigError("no class is named")
        if len(set(names)) < len(names):
            double = next(name for name in names if names.count(name) > 1)
            raise ConfigError(f"two classes are called {double!r}")
        return cls(names, tuple(used))


@cache
def coco_91() -> tuple[str, ...]:
    """COCO's names by their numbers, 0 the background; numbers without a class are `N/A`."""
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

    return tuple(FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"])


@cache
def coco_80() -> tuple[str, ...]:
    """COCO's 80 names, counted through, as most detectors number them."""
    return ClassColumns.of(coco_91()).names
