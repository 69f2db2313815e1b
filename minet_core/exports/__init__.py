"""From results and annotations to the files of other tools: reading, editing, writing."""

from minet_core.exports.editing import EditCounts
from minet_core.exports.job import Exported, export, export_result

__all__ = ["EditCounts", "Exported", "export", "export_result"]
