"""The result that a person has corrected, once another takes its place: it and its edits stay."""

import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from minet_core.detections.corrections import is_edits
from minet_core.detections.edited_result import Corrections
from minet_core.files import one_line
from minet_core.formats import read_json
from minet_core.formats.edits import write_edits
from minet_core.formats.edits.file import NAME
from minet_core.formats.minet.edited import result_facts
from minet_core.formats.minet.reader import columns_of
from minet_core.options import CORRECTIONS, FORMATS, DetectOptions
from minet_core.runs.outputs import Outputs


@dataclass(frozen=True, slots=True)
class GoneOn:
    """What a run around a person's word has written into its hidden folder.

    Attributes:
        outputs: the results.
        names: of all files.
        warnings: a line each.
        classes: of the results.
        said: by the person.
    """

    outputs: Outputs
    names: tuple[str, ...]
    warnings: tuple[str, ...]
    classes: tuple[str, ...]
    said: Corrections


def keep_before(folder: Path, options: DetectOptions) -> None:
    """Copy the result that was corrected, and its edits, to a folder of their own beside it.

    Raises:
        OutputError: they cannot be copied.
    """
    if not _is_own(folder, options):
        return
    aside = next(p for n in count(1) if not (p := folder / f"before-{n}").exists())
    with one_line(aside):
        aside.mkdir()
        for name in (FORMATS["json"], NAME, CORRECTIONS):
            if (folder / name).is_file():
                shutil.copy2(folder / name, aside / name)


def _is_own(folder: Path, options: DetectOptions) -> bool:
    """Whether the run goes on from edits of the very result that it replaces."""
    given = Path(options.corrections or "")
    return is_edits(given) and given.resolve() == (folder / NAME).resolve()


def begin_edits(made: GoneOn, folder: Path, options: DetectOptions) -> None:
    """Put edits of the new result in the place of those that are in it.

    Texts, where objects are covered, and answers to doubts go on; all else is in the tracks.

    Raises:
        OutputError: they cannot be written.
    """
    if not _is_own(folder, options):
        return
    path, result = folder / NAME, folder / FORMATS["json"]
    header, rows, _ = read_json(result)
    columns = columns_of(rows)
    there = set(columns["tracks"].tolist())
    left = [edit for edit in made.said.carried if there.issuperset(edit.tracks)]
    if left:
        write_edits(path, result_facts(header, columns), left)
    else:
        path.unlink(missing_ok=True)
