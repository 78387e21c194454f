"""Which commands has ``python -m stored``?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stored._storage import current_store, upkeep
from stored._version import __version__
from stored.errors import ConfigurationError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments, by default those of the process.

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
    commands.add_parser(
        "upkeep",
        help="tidy the cache directory: what processes that died have left, and results beyond STORED_MAX_BYTES and"
        " STORED_MAX_AGE",
    )
    options = parser.parse_args(arguments)
    if options.command == "upkeep":
        return _upkeep()
    from stored.demo import run_tour

    run_tour(options.plot)
    return 0


def _upkeep() -> int:
    try:
        print(f"{current_store().location()}: {upkeep()}")
    except (ConfigurationError, OSError) as error:
        print(f"upkeep failed: {error}", file=sys.stderr)
        return 1
    return 0
