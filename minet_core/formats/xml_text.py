"""Text that xml can hold."""

import re
from collections.abc import Iterable

from minet_core.errors import ConfigError

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check_xml(names: Iterable[str]) -> None:
    """See that names can stand in xml.

    Raises:
        ConfigError: one has a character that cannot, such as those that control a terminal.
    """
    for name in names:
        if _NOT_XML.search(name):
            raise ConfigError(
                f"{name!r} has characters that XML cannot hold; --label-map renames it"
            )


def repaired(text: str) -> str:
    """The text with a mark in place of each character that cannot stand in xml."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
