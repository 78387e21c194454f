"""How long the fault tests run: bounded in the ordinary suite, at length with ``STORED_FAULTS=long``."""

from __future__ import annotations

import os

LONG = os.environ.get("STORED_FAULTS", "") == "long"


def rounds(short: int, long: int) -> int:
    """The first number in the ordinary suite, the second in the long run."""
    return long if LONG else short
