"""Where a model of Hugging Face is: a folder, or `hf:NAME` or `hf:NAME@REVISION` of its hub.

Nothing here imports torch.
"""

from functools import lru_cache
from pathlib import Path

from minet_core.errors import ConfigError, MinetError, WeightsError

HUB = "hf:"
"""How names on the hub begin."""
CONFIG = "config.json"
_PATTERNS = ["*.json", "*.safetensors", "*.txt", "*.model"]


def model_folder(name: str) -> Path:
    """The folder with the files of a model; those of the hub are downloaded when first needed.

    Raises:
        ConfigError: it is no folder of a model.
        WeightsError: its weights are a pickle, or it cannot be downloaded.
        MinetError: the package for the hub is not installed.
    """
    folder = _downloaded(name) if name.startswith(HUB) else Path(name)
    if not (folder / CONFIG).is_file():
        raise ConfigError(f"{name}: has no {CONFIG}, so it is not a model of Hugging Face")
    if not list(folder.glob("*.safetensors")):
        pickles = [path.name for path in folder.glob("*.bin")]
        what = f"only a pickle ({pickles[0]}), which can run code" if pickles else "no weights"
        raise WeightsError(
            f"{name}: has {what}; save the model again with save_pretrained, as safetensors"
        )
    return folder


def files_of(name: str) -> list[Path]:
    """The files on which the results of a model depend.

    Raises:
        MinetError: as `model_folder`.
    """
    folder = model_folder(name)
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in {".json", ".safetensors", ".txt", ".toml"}
    )


def revision(name: str) -> str | None:
    """The commit of a model on the hub, to which a name is pinned; None of a folder.

    Raises:
        MinetError: as `model_folder`.
    """
    return _downloaded(name).name if name.startswith(HUB) else None


@lru_cache
def _downloaded(name: str) -> Path:
    """The snapshot of a model in the hub's cache, whose last part is its commit."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MinetError(
            "a model of Hugging Face's hub needs transformers: pip install transformers"
        ) from None
    repository, _, wanted = name.removeprefix(HUB).partition("@")
    try:
        folder = snapshot_download(
            repository, revision=wanted or None, allow_patterns=_PATTERNS, library_name="minet"
        )
    except Exception as error:  # of the hub, of HTTP, of the disk
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{name}: cannot be had from Hugging Face's hub ({reason})") from error
    return Path(folder)
