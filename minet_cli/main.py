"""The `minet` command: finds the subcommand, and reports every error in one line."""

import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from minet_core import __version__
from minet_core.errors import MinetError
from minet_core.suggest import did_you_mean
from minet_core.threads import prepare

COMMANDS = {
    "detect": "minet_cli.detect",
    "report": "minet_cli.overview",
    "review": "minet_cli.review",
    "export": "minet_cli.export",
    "eval": "minet_cli.evaluate",
    "train": "minet_cli.train",
    "model": "minet_cli.model",
    "calibrate": "minet_cli.calibrate",
    "toy": "minet_cli.toy",
    "doctor": "minet_cli.doctor",
}
"""Subcommand → module with a function of that name; imported when needed."""

DEBUG = "MINET_DEBUG"
INTERRUPTED = 130
TERMINATED = 143


class LazyGroup(click.Group):
    """A group whose subcommands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names of all subcommands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The subcommand of that name."""
        if cmd_name not in COMMANDS:
            hint = did_you_mean(cmd_name, COMMANDS)
            if not hint and "." in cmd_name:  # a file
                hint = f"; did you mean `minet detect {cmd_name}`?"
            ctx.fail(f"there is no command {cmd_name!r}{hint}")
        command: click.Command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted from None  # before click prints an empty line for it


class Interrupted(Exception):  # noqa: N818
    """Ctrl-C; its text follows "interrupted"."""


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.version_option(__version__, message="minet %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Boxes with identities for your videos, ready to be corrected.

    \b
    minet detect street.mp4 --report              boxes, track ids, a page to review
    minet export minet-output --to cvat -o out    into the tool you annotate with
    minet doctor                                  what works on this machine
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """Entry point of the `minet` script."""
    prepare()
    # As an exception, so that unfinished files are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A character that the console lacks must not end a run: its number is shown.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run `minet` with these arguments and return its exit code.

    Every error is one line on stderr. With the environment variable MINET_DEBUG=1, errors show
    their traceback.
    """
    try:
        cli.main(list(arguments), prog_name="minet", standalone_mode=False)
    except Interrupted as stop:
        return _end(f"interrupted{stop}", INTERRUPTED)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "minet"
        text = error.format_message().rstrip(".")
        return _end(f"error: {text} (see {command} --help)", error.exit_code)
    except click.ClickException as error:
        return _end(f"error: {error.format_message()}", error.exit_code)
    except Exception as error:
        if debugging():
            raise
        return _end(f"error: {describe(error)}", getattr(error, "exit_code", 1))
    return 0


def debugging() -> bool:
    """Whether errors should show their traceback."""
    return os.environ.get(DEBUG, "0") not in {"", "0"}


def describe(error: Exception) -> str:
    """An error in one line; an unexpected one says how to see more."""
    text = " ".join(str(error).splitlines())
    if isinstance(error, MinetError):
        return text
    return f"unexpected {type(error).__name__}: {text} ({DEBUG}=1 shows where)"


def _end(line: str, code: int) -> int:
    click.echo(" ".join(f"minet: {line}".splitlines()), err=True)
    return code
