"""Version of the package, read by the build and by `minet --version`."""

__version__ = "0.1.0"
