"""What can go wrong on the user's side, in one tree.

    MinetError                 exit code 1
    ├── InputError             2   a video, folder or file we were given
    │   └── VideoOpenError     2   it is there, but it is not a video we can decode
    ├── ConfigError            3   a setting, class or model name
    ├── WeightsError           4   a weights file
    └── OutputError            5   the place we were asked to write to
        └── AlreadyDoneError   5   it has these very results

Every message is one line that a user can act on.
"""


class MinetError(Exception):
    """Base of every error that is the user's to mend; the CLI prints it as one line."""

    exit_code = 1


class InputError(MinetError):
    """An input is missing, unreadable or not what it claims to be."""

    exit_code = 2


class VideoOpenError(InputError):
    """A file exists but holds no video stream that can be decoded."""


class ConfigError(MinetError):
    """A setting, a class name or a model name is not valid."""

    exit_code = 3


class WeightsError(MinetError):
    """A weights file is damaged, unsafe to read or made for another architecture."""

    exit_code = 4


class OutputError(MinetError):
    """The output cannot be written, or would overwrite something of the user's."""

    exit_code = 5


class AlreadyDoneError(OutputError):
    """The output folder has the results of this input with these settings; nothing was touched."""
