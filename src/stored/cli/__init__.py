"""The command line."""

from stored.cli.main import main

__all__ = ["main"]
