"""The command line: ``python -m stored``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from stored._version import __version__

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        In place of those of the process.

    Returns
    -------
    int
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m stored", description="Results of models, remembered.")
    parser.add_argument("--version", action="version", version=f"stored {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="a cosmology: what is computed, remembered, and recomputed after a change")
    demo.add_argument("--plot", type=Path, metavar="FILE", help="draw quantities and errors (needs matplotlib)")
    asked = parser.parse_args(arguments)
    from stored.demo import _tour

    _tour.run(asked.plot)
    return 0
