"""The command line, ``python -m stored``: its commands, their help and their functions."""

from stored.cli.main import main

__all__ = ["main"]
