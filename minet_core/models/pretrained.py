"""Weights that torchvision publishes: downloaded when first needed, checked, kept in its cache."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from urllib.parse import urlsplit

from torch import Tensor, nn
from torch.hub import get_dir
from torchvision.models import WeightsEnum

from minet_core.errors import WeightsError

State = dict[str, Tensor]


def load_pretrained(
    model: nn.Module, weights: WeightsEnum, rename: Callable[[State], State] = dict
) -> None:
    """Put torchvision's weights into a model.

    Args:
        model: on the CPU.
        weights: a member of one of torchvision's enums.
        rename: makes of torchvision's tensors those of the model.

    Raises:
        WeightsError: they cannot be downloaded, or are damaged.
    """
    try:
        with redirect_stdout(sys.stderr):  # torch announces a download on standard output
            state = weights.get_state_dict(
                progress=sys.stderr.isatty(),
                check_hash=True,
                weights_only=True,
                map_location="cpu",
            )
        model.load_state_dict(rename(state))
    except OSError as error:
        host = urlsplit(weights.url).hostname
        reason = getattr(error, "reason", None) or error.strerror or error
        raise WeightsError(f"cannot download {weights} from {host}: {reason}") from error
    except Exception as error:  # torch fails in many ways on a file that is cut short
        file = Path(get_dir()) / "checkpoints" / Path(weights.url).name
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise WeightsError(f"{file}: damaged, delete it to download it again ({reason})") from error
