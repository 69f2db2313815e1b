"""report.html: the page of one video, made from the results in its folder. No torch here."""

from pathlib import Path

from minet_core.formats import read_json
from minet_core.formats.review_page.columns import data_of_result
from minet_core.formats.review_page.page import videos_for, write_html
from minet_core.options import FORMATS
from minet_core.runs.manifest import ANNOTATED, REPORT

__all__ = ["REPORT", "write_report"]


def write_report(folder: Path) -> Path:
    """Write the page of a finished run; one that is there is replaced.

    It plays the source where that is a video that the browser can play, else the annotated one.

    Args:
        folder: with a result.json.

    Returns:
        The page.

    Raises:
        InputError: the result cannot be read.
        OutputError: the page cannot be written.
    """
    data = data_of_result(read_json(folder / FORMATS["json"]))
    annotated = ANNOTATED if (folder / ANNOTATED).is_file() else None
    write_html(folder / REPORT, data, videos_for(data.source, folder, annotated))
    return folder / REPORT
