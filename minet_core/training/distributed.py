"""The processes of a training: one, or those that torchrun starts.

Each takes its share of every global batch, and the gradients are summed before the step. That is
what DistributedDataParallel does, without its overlap of summing and computing; here a step may
call several methods of the network, and leave parts of it out.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType

import torch
import torch.distributed as dist
from torch import Tensor

from minet_core.errors import ConfigError
from minet_core.models.zoo import pick_device
from minet_core.processes import Processes

_PATIENCE = timedelta(hours=12)
"""How long the others wait while the first process measures."""


@dataclass(frozen=True, slots=True)
class ProcessGroup(AbstractContextManager["ProcessGroup"]):
    """This process among its fellows.

    Attributes:
        rank: its number, from 0.
        count: how many there are.
        device: where it computes.
    """

    rank: int
    count: int
    device: torch.device

    @classmethod
    def of_environment(cls, device: str) -> "ProcessGroup":
        """As torchrun says, or a single one; on GPUs each process has its own.

        Raises:
            ConfigError: there is no such device.
        """
        started = Processes.from_environment()
        where = pick_device(started.device(device))
        if started.count > 1:
            if where.type == "cuda":
                torch.cuda.set_device(where)
            backend = "nccl" if where.type == "cuda" else "gloo"
            dist.init_process_group(backend, timeout=_PATIENCE)
        return cls(started.rank, started.count, where)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.count > 1:
            dist.destroy_process_group()

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    def share(self, batch: int) -> range:
        """The samples of a global batch that are this process's.

        Raises:
            ConfigError: there are fewer samples than processes.
        """
        if batch < self.count:
            raise ConfigError(f"{self.count} processes need a batch of as many, not {batch}")
        return range(self.rank, batch, self.count)

    def sum(self, values: Tensor) -> None:
        """Replace values by their sum over all processes."""
        if self.count > 1:
            moved = values.to(self.device)
            dist.all_reduce(moved)
            values.copy_(moved)

    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Sum gradients over all processes; where one has none, it has zeros.

        What has none in any of them keeps none, so that it does not decay either.
        """
        if self.count == 1:
            return
        parameters = list(parameters)
        having = torch.tensor([each.grad is not None for each in parameters], dtype=torch.int64)
        self.sum(having)
        parameters = [p for p, count in zip(parameters, having.tolist(), strict=True) if count]
        for each in parameters:
            if each.grad is None:
                each.grad = torch.zeros_like(each)
        gradients = [each.grad for each in parameters if each.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        self.sum(flat)
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, summed in zip(gradients, torch.split(flat, sizes), strict=True):
            gradient.copy_(summed.view_as(gradient))

    def first_signal(self, received: int | None) -> int | None:
        """The signal that any of the processes has received, so that all stop at one step."""
        if self.count == 1:
            return received
        number = torch.tensor(received or 0, device=self.device)
        dist.all_reduce(number, dist.ReduceOp.MAX)
        return int(number) or None

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            dist.barrier()
