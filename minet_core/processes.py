"""Several processes that share the work, as torchrun starts them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Self, TypeVar

T = TypeVar("T")

_PATIENCE = timedelta(days=30)
"""How long a process waits for the others: one video can take hours longer than another."""


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that share the work.

    Attributes:
        rank: its number, from 0; the first one reports.
        count: how many there are.
        local: its number among those of the same machine, by which it takes its GPU.
    """

    rank: int = 0
    count: int = 1
    local: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """As torchrun says; one process alone where it says nothing."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        given = [environment.get(name, default) for name, default in zip(names, "010", strict=True)]
        return cls(*map(int, given))

    @property
    def is_first(self) -> bool:
        """Whether this one reports."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """Every `count`-th item: those that this process is to do."""
        return items[self.rank :: self.count]

    def device(self, name: str) -> str:
        """Where this process computes, given what was asked for: a GPU for each, if there are."""
        import torch

        if self.count == 1 or name not in {"auto", "cuda"} or not torch.cuda.is_available():
            return name
        return f"cuda:{self.local % torch.cuda.device_count()}"

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Be one of the group while the block runs; `wait` needs that."""
        if self.count == 1:
            yield
            return
        import torch.distributed as group

        group.init_process_group("gloo", timeout=_PATIENCE)
        try:
            yield
        finally:
            group.destroy_process_group()

    def wait(self) -> None:
        """Until all processes have come here."""
        if self.count > 1:
            import torch.distributed as group

            group.barrier()
