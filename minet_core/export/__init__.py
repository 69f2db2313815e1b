"""From results and annotations to the files of other tools: reading, editing, writing."""

from minet_core.export.editing import Tally
from minet_core.export.run import Exported, export

__all__ = ["Exported", "Tally", "export"]
