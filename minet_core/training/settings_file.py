"""Settings of a training as text: TOML files, and `name=value` as typed.

A file has one line a setting, such as `lr = 0.001`. TOML knows no empty value, so a setting that
may be off is switched off by "none".
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from minet_core.errors import ConfigError, InputError
from minet_core.suggest import did_you_mean
from minet_core.text import shown
from minet_core.training.settings import TrainConfig

CONFIG = "config.toml"

_FREE = {
    *("steps", "val", "save_every", "eval_every", "val_frames", "workers", "tensorboard"),
    "threads",
}
"""Settings that may change when a training goes on: they do not change what a step does, but for
rounding with other threads, which is told.
"""

_NETWORK = "network"

_HINTS = get_type_hints(TrainConfig)


def to_toml(config: TrainConfig) -> str:
    """All settings, a line each."""
    return "".join(f"{name} = {_text(value)}\n" for name, value in asdict(config).items())


def read_toml(path: Path) -> dict[str, Any]:
    """The settings of a file, unchecked.

    Raises:
        InputError: it cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{shown(path)}: {error.strerror}".lower()) from None
    except ValueError as error:
        raise InputError(f"{shown(path)}: no TOML ({error})") from None


def parse_settings(words: Iterable[str]) -> dict[str, Any]:
    """Settings typed as `name=value`, the value as in a file or a bare word; unchecked.

    Raises:
        ConfigError: a word has no equals sign.
    """
    given: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ConfigError(f"{word!r} is no setting; write name=value")
        part, _, inner = name.strip().partition(".")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()
        if part == _NETWORK and inner:
            given[_NETWORK] = {**given.get(_NETWORK, {}), inner: value}
        else:
            given[name.strip()] = value
    return given


def apply(config: TrainConfig, given: Mapping[str, Any], place: str = "") -> TrainConfig:
    """The settings with some of them replaced.

    Args:
        config: the others.
        given: values as TOML has them.
        place: where they are from, for messages.

    Raises:
        ConfigError: there is no such setting, or a value is of another type or out of its range.
    """
    prefix = f"{place}: " if place else ""
    given = _today(given)
    if _NETWORK in given:
        given[_NETWORK] = _merged(config.network, given[_NETWORK], prefix)
    for name in given:
        if name not in _HINTS:
            hint = did_you_mean(name, _HINTS) or f" (known: {', '.join(_HINTS)})"
            raise ConfigError(f"{prefix}there is no setting {name!r}{hint}")
    try:
        return replace(config, **{name: _typed(name, value) for name, value in given.items()})
    except ConfigError as error:
        raise ConfigError(f"{prefix}{error}") from None


def differences(before: TrainConfig, now: TrainConfig) -> list[str]:
    """What keeps a training from going on with other settings: `lr 0.001 → 0.01`, one each."""
    pairs = [(f.name, getattr(before, f.name), getattr(now, f.name)) for f in fields(TrainConfig)]
    return [
        f"{name} {_text(old)} → {_text(new)}"
        for name, old, new in pairs
        if old != new and name not in _FREE
    ]


def _merged(before: Iterable[tuple[str, Any]], given: Any, prefix: str) -> list[tuple[str, Any]]:
    """The network's settings, a table or a list of pairs, added to those there are."""
    try:
        added = {str(name): _plain(value) for name, value in dict(given).items()}
    except (TypeError, ValueError):
        raise ConfigError(f"{prefix}{_NETWORK} must be a table, not {given!r}") from None
    return sorted({**dict(before), **added}.items())


def _plain(value: Any) -> Any:
    return tuple(_plain(each) for each in value) if isinstance(value, list) else value


def _today(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings in today's words.

    What an earlier training called variances it took as such, it knew no ramp, and it cropped
    every still.
    """
    settings = dict(given)
    if "variances" not in settings:
        return settings
    noise = {"noise": settings.pop("variances"), "noise_is": "variance"}
    return {**noise, "meta_ramp": 0, "cropped": 1.0, **settings}


def _text(value: Any) -> str:
    # What JSON writes of such values is TOML too.
    return json.dumps("none" if value is None else value, ensure_ascii=False)


def _typed(name: str, value: Any) -> Any:
    try:
        return _convert(value, _HINTS[name])
    except (TypeError, ValueError):
        shape = "a list" if get_origin(_HINTS[name]) is tuple else _word(_HINTS[name])
        raise ConfigError(f"{name} must be {shape}, not {value!r}") from None


def _word(kind: Any) -> str:
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    kinds = get_args(kind) or (kind,)
    return " or ".join("none" if each is NoneType else words[each] for each in kinds)


def _convert(value: Any, kind: Any) -> Any:
    """A TOML value as a field's type; TypeError or ValueError if it is none."""
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        items = [value] if not isinstance(value, list | tuple) else value
        if inner[-1] is Ellipsis:
            return tuple(_convert(item, inner[0]) for item in items)
        return tuple(_convert(item, each) for item, each in zip(items, inner, strict=True))
    if kind is Any:
        return value
    kinds = get_args(kind) or (kind,)
    if value in ("none", None) and NoneType in kinds:
        return None
    wanted = kinds[0]
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise TypeError
    return value
