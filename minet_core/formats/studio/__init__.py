"""What Label Studio exports, in any of its layouts, as tasks of one kind."""

from minet_core.formats.studio.tasks import ReadTask, read_tasks

__all__ = ["ReadTask", "read_tasks"]
