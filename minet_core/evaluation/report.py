"""One HTML file with every number and figure of an evaluation; it asks the network for nothing."""

from pathlib import Path

from minet_core.evaluation.report_data import ReportData, RunScores, Sweep

__all__ = ["ReportData", "RunScores", "Sweep", "write_report"]


def write_report(path: Path, data: ReportData) -> None:
    """Write a report as one HTML file, pictures included.

    Raises:
        ConfigError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    raise NotImplementedError
