"""One step of the training, and the state that steps change."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.linalg import LinAlgError  # type: ignore[attr-defined]
from torch.nn.utils import clip_grad_norm_

from minet_core.errors import MinetError
from minet_core.training.data.random_counter import Use, seed_of
from minet_core.training.data.samples import Sample
from minet_core.training.distributed import ProcessGroup
from minet_core.training.objectives import Task
from minet_core.training.settings import TrainConfig

_DROP = 0.1
_TYPES = {"none": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Loop:
    """A task and everything that changes while it is trained.

    Args:
        task: network and losses; the network is moved to the device.
        config: of the training.
        processes: that share each batch.

    Attributes:
        task: as given.
        ema: moving average of the weights, None without.
    """

    def __init__(self, task: Task, config: TrainConfig, processes: ProcessGroup) -> None:
        self.task, self._config, self._processes = task, config, processes
        order = torch.channels_last if config.channels_last else torch.preserve_format
        task.network.to(processes.device).to(memory_format=order)
        self._parameters = [each for each in task.network.parameters() if each.requires_grad]
        self._optimizer = optimizer(self._parameters, config)
        self._scaler = GradScaler(processes.device.type, enabled=config.amp == "fp16")
        self.ema = Ema(task.network, config.ema) if config.ema is not None else None

    def step(self, number: int, samples: Iterable[tuple[int, Sample]]) -> dict[str, float]:
        """Take step `number`, from 0, with this process's samples and their places in the batch.

        Returns:
            The losses, each with its weight, their sum `loss`, `grad_norm` and `lr`, over the
            whole batch.

        Raises:
            MinetError: a loss or the gradient is not finite; the weights are as they were.
        """
        config, rate = self._config, learning_rate(number, self._config)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad()
        totals = torch.zeros(len(self.task.losses_of), dtype=torch.float64)
        for place, sample in samples:
            torch.manual_seed(seed_of(config.seed, number, place, Use.NETWORK))
            losses = self._losses(number, sample)
            self._scaler.scale(losses.sum() / config.batch).backward()  # type: ignore[no-untyped-call]
            totals += losses.detach().cpu() / config.batch
        self._processes.sum(totals)
        self._processes.sum_gradients(self._parameters)
        self._scaler.unscale_(self._optimizer)
        norm = float(clip_grad_norm_(self._parameters, config.clip or float("inf")))
        if not self._scaler.is_enabled() and not norm < float("inf"):
            raise MinetError(f"step {number + 1}: the gradient is not finite; {_ADVICE}")
        self._scaler.step(self._optimizer)
        self._scaler.update()
        if self.ema is not None:
            self.ema.update(self.task.network)
        found = dict(zip(self.task.losses_of, totals.tolist(), strict=True))
        return {"lr": rate, "loss": float(totals.sum()), **found, "grad_norm": norm}

    def _losses(self, number: int, sample: Sample) -> Tensor:
        """(L,) losses of a sample, by the task's names."""
        device, kind = self._processes.device, _TYPES[self._config.amp]
        try:
            with torch.autocast(device.type, kind, enabled=kind != torch.float32):
                by_name = self.task.losses(sample.to(device))
        except LinAlgError:  # what embeddings of NaN end in
            by_name = dict.fromkeys(self.task.losses_of, torch.tensor(float("nan")))
        weight = {"meta": meta_weight(number, self._config)}
        losses = torch.stack(
            [weight.get(name, 1.0) * by_name[name].float() for name in self.task.losses_of]
        )
        if not losses.isfinite().all():
            values = zip(self.task.losses_of, losses.tolist(), strict=True)
            text = ", ".join(f"{name} {value:g}" for name, value in values)
            raise MinetError(
                f"step {number + 1}: the loss is not finite ({text}) with {sample.name}; {_ADVICE}"
            )
        return losses

    def weights(self) -> dict[str, Tensor]:
        """What is measured and kept: the average of the weights, or the weights themselves."""
        return self.ema.weights if self.ema is not None else self.task.network.state_dict()

    def save(self) -> dict[str, Any]:
        """Everything that steps have changed."""
        return {
            "network": self.task.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "ema": self.ema.weights if self.ema is not None else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put what `save` gave in the place of what there is."""
        self.task.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])
        if self.ema is not None:
            self.ema.weights = {
                name: value.to(self._processes.device) for name, value in state["ema"].items()
            }


_ADVICE = "a lower lr, clip or a warmup may help"


class Ema:
    """A moving average of a network's weights; what is no real number is taken as it is.

    Attributes:
        weights: the average, as a state dict.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.weights = {name: each.clone() for name, each in network.state_dict().items()}
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights after a step."""
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - self._decay)
            else:
                self.weights[name].copy_(value)


def optimizer(parameters: list[nn.Parameter], config: TrainConfig) -> torch.optim.Optimizer:
    """What turns gradients into steps."""
    if config.optimizer == "adamw":
        betas, decay = (config.momentum, 0.999), config.weight_decay
        return torch.optim.AdamW(parameters, config.lr, betas, weight_decay=decay)
    return torch.optim.SGD(parameters, config.lr, config.momentum, weight_decay=config.weight_decay)


def learning_rate(step: int, config: TrainConfig) -> float:
    """The learning rate of a step, from 0: rises over the warm-up, and drops at milestones."""
    drops = sum(step >= milestone for milestone in config.milestones)
    rising = min(1.0, (step + 1) / config.warmup) if config.warmup else 1.0
    return config.lr * rising * _DROP**drops


def meta_weight(step: int, config: TrainConfig) -> float:
    """The weight of ℒ_meta in Eq. 4 at a step, from 0: 1, as printed, once the ramp is over."""
    return min(1.0, (step + 1) / config.meta_ramp) if config.meta_ramp else 1.0


def places(samples: Sequence[Sample], share: range) -> Iterable[tuple[int, Sample]]:
    """Samples with their places in the global batch."""
    return zip(share, samples, strict=True)
