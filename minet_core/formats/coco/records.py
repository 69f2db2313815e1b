"""JSON of lists of records, as COCO and its kin are: written a record a line, as they come."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from minet_core.files import one_line
from minet_core.publishing import complete_text

Record = dict[str, Any]


def write_records(path: Path, parts: Mapping[str, Iterable[Record]]) -> None:
    """Write an object with a list of records under each name; a record of None values has none.

    Raises:
        OutputError: it cannot be written.
    """
    with one_line(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with complete_text(path) as file:
        opening = "{"
        for name, records in parts.items():
            file.write(f"{opening}\n{json.dumps(name)}: [")
            between = "\n"
            for record in records:
                known = {key: value for key, value in record.items() if value is not None}
                file.write(between + json.dumps(known, ensure_ascii=False, allow_nan=False))
                between = ",\n"
            opening = "\n],"
        file.write("\n]\n}\n")
