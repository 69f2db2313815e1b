"""Networks of Hugging Face that find what is named to them, as a `Detector`."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from minet_core.errors import ConfigError
from minet_core.models.class_columns import ClassColumns
from minet_core.models.detector import Frame
from minet_core.models.huggingface.detector import QueryDetector
from minet_core.models.proposals import Calibration
from minet_core.scores import ScoreKind

OWL = {"owlvit", "owlv2"}
GROUNDING = {"grounding-dino", "mm-grounding-dino"}


class OwlDetector(QueryDetector):
    """OWL-ViT and OWLv2: a column of logits for each prompt.

    Args:
        model: the network.
        processor: as it came with it.
        prompts: what to find; the names of the classes too.
        calibration: Platt's (a, b).
    """

    def __init__(
        self, model: Any, processor: Any, prompts: Sequence[str], calibration: Calibration | None
    ) -> None:
        classes = ClassColumns.of(prompts)
        super().__init__(model, processor, classes, ScoreKind.SIGMOID, calibration)

    def inputs(self, frames: list[Frame]) -> Mapping[str, Any]:
        """Pictures, and the prompts for each of them."""
        prepared: Mapping[str, Any] = self.processor(
            images=frames,
            text=[list(self.classes)] * len(frames),
            return_tensors="pt",
            input_data_format="channels_last",
        )
        return prepared

    def _reach(self, width: int, height: int) -> tuple[int, int]:
        """OWLv2 pads pictures to a square before it looks at them."""
        side = max(width, height)
        return (side, side) if self.model.config.model_type == "owlv2" else (width, height)


class GroundingDetector(QueryDetector):
    """Grounding DINO: a column of logits for each token of all prompts in one text.

    A class is as likely as the likeliest of its tokens, as the network's own postprocessing has it.

    Args:
        model: the network.
        processor: as it came with it.
        prompts: what to find; the names of the classes too.
        calibration: Platt's (a, b).

    Raises:
        ConfigError: a prompt has a full stop in it, which divides them, or all together are more
            than the network reads.
    """

    def __init__(
        self, model: Any, processor: Any, prompts: Sequence[str], calibration: Calibration | None
    ) -> None:
        stopped = [prompt for prompt in prompts if "." in prompt]
        if stopped:
            raise ConfigError(f"a class for this model is named without full stops: {stopped[0]!r}")
        classes = ClassColumns.of(prompts)
        super().__init__(model, processor, classes, ScoreKind.SIGMOID, calibration)
        self._text = ". ".join(prompt.strip().lower() for prompt in prompts) + "."
        self._tokens = self._spans()

    def inputs(self, frames: list[Frame]) -> Mapping[str, Any]:
        """Pictures, and the text with all prompts for each of them."""
        prepared: Mapping[str, Any] = self.processor(
            images=frames,
            text=[self._text] * len(frames),
            return_tensors="pt",
            input_data_format="channels_last",
        )
        return prepared

    def _spans(self) -> list[slice]:
        """The columns of each prompt: its tokens lie between two full stops."""
        tokenizer = self.processor.tokenizer
        ids = tokenizer(self._text)["input_ids"]
        stop = tokenizer.convert_tokens_to_ids(".")
        stops = [place for place, token in enumerate(ids) if token == stop]
        limit = int(self.model.config.max_text_len)
        if len(stops) != len(self.classes) or len(ids) > limit:
            raise ConfigError(
                f"{len(self.classes)} classes take {len(ids)} tokens, "
                f"but this model reads {limit}: name fewer"
            )
        starts = [1, *(place + 1 for place in stops)]  # token 0 begins every text
        return [slice(first, last) for first, last in zip(starts, stops, strict=False)]

    def _scores(self, logits: Tensor) -> Tensor:
        shares = logits.sigmoid()
        return torch.stack([shares[..., span].amax(dim=-1) for span in self._tokens], dim=-1)


def zero_shot(
    model: Any, processor: Any, prompts: Sequence[str], calibration: Calibration | None
) -> QueryDetector:
    """The detector of such a network.

    Raises:
        ConfigError: nothing names what to find, or the network is of a family that is not known.
    """
    kind = model.config.model_type
    if not prompts:
        raise ConfigError(
            "this model finds what is named to it: --classes 'forklift,hard hat' says what"
        )
    if kind in OWL:
        return OwlDetector(model, processor, prompts, calibration)
    if kind in GROUNDING:
        return GroundingDetector(model, processor, prompts, calibration)
    raise ConfigError(f"models of the type {kind} are not known; {', '.join(OWL | GROUNDING)} are")
