"""click options with the defaults and help texts of the settings in minet_core."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

import click

from minet_core.errors import ConfigError
from minet_core.options import DetectOptions

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Function = TypeVar("Function", bound=Callable[..., Any])


def setting(
    flags: str, field_name: str, of: type["DataclassInstance"] = DetectOptions, **extra: Any
) -> Callable[[Function], Function]:
    """A click option for a field of `DetectOptions`, or of other settings.

    Args:
        flags: such as `--score` or `--video/--no-video`; several separated by spaces.
        field_name: name of the field, which gives default and help.
        of: the dataclass with the field.
        extra: more arguments of click.option.
    """
    field = next(field for field in fields(of) if field.name == field_name)
    help_text = field.metadata["help"]
    if field.default is MISSING:
        return click.option(*flags.split(), field_name, required=True, help=help_text, **extra)
    default = field.default
    if isinstance(default, tuple) and not extra.get("multiple"):
        default = ",".join(default)
    return click.option(
        *flags.split(),
        field_name,
        default=default,
        show_default=default not in (None, "", ()) and not isinstance(default, bool),
        help=help_text,
        **extra,
    )


def names(text: str) -> tuple[str, ...]:
    """Names separated by commas, without repetitions."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def rate(text: str) -> float:
    """Frames per second.

    Raises:
        ConfigError: the text is neither a number nor a fraction.
    """
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ConfigError(
            f"{text!r} is not a rate: give pictures per second (25, 30000/1001, 1/60)"
        ) from None


def detector_size(text: str) -> int | None:
    """Longer side of a detector's input; None for `auto`.

    Raises:
        ConfigError: the text is neither a whole number nor `auto`.
    """
    if text == "auto":
        return None
    try:
        return int(text)
    except ValueError:
        raise ConfigError(
            f"--size {text}: give a multiple of 32 in pixels, such as 640, or auto"
        ) from None


def position(text: str) -> int | float:
    """A frame index (int) or seconds (float).

    Raises:
        ConfigError: the text is neither.
    """
    from minet_core.video.part import parse_position  # not for --help alone

    return parse_position(text)


def at_once(text: str) -> int | None:
    """Number of parallel jobs; None for as many as fit this machine.

    Raises:
        ConfigError: the text is neither a positive whole number nor `auto`.
    """
    if text == "auto":
        return None
    if not text.isdecimal() or not int(text):
        raise ConfigError(f"{text!r} is not a number of jobs: give 1 or more, or auto")
    return int(text)


jobs_at_once = click.option(
    "--jobs",
    type=at_once,
    default="1",
    show_default=True,
    metavar="N",
    help="Videos to process in parallel; auto: as many as fit.",
)
"""The option of every command that distributes videos over processes."""
