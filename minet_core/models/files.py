"""Where the weights of a model are. Nothing here imports torch."""

from pathlib import Path

from minet_core.errors import ConfigError, WeightsError
from minet_core.suggest import did_you_mean

DEFAULT_MODEL = "minet-nano"
MODELS = (DEFAULT_MODEL,)


def weights_folder() -> Path:
    """Folder of the bundled weights: inside an installed package, else beside it in a checkout.

    Raises:
        WeightsError: neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_weights", package.parent / "weights"):
        if folder.is_dir():
            return folder
    raise WeightsError(f"no bundled weights beside {package}: reinstall minet")


def detector_file(name: str) -> Path:
    """The detector's weights of a model, by its name or by a path.

    Raises:
        ConfigError: there is no model of that name, and it is no path.
    """
    if name == DEFAULT_MODEL:
        return weights_folder() / "minet-nano-detector.safetensors"
    path = Path(name)
    if path.suffix or path.exists():
        return path
    hint = did_you_mean(name, MODELS)
    raise ConfigError(f"no model named {name!r}{hint} (known: {', '.join(MODELS)}; or a file)")


def embedder_file() -> Path:
    """The weights of the network that embeds boxes; every model of today has the bundled one."""
    return weights_folder() / "minet-nano-identify.safetensors"
