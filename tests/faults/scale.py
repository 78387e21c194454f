"""How long the fault tests run: bounded in the ordinary suite, at length with ``STORED_FAULTS=long``.

With ``STORED_FAULTS=brief`` they run a quarter of the ordinary suite: once they have run with one interpreter.
"""

from __future__ import annotations

import os

_SCALE = os.environ.get("STORED_FAULTS", "")

BRIEF, LONG = _SCALE == "brief", _SCALE == "long"


def rounds(short: int, long: int) -> int:
    """The first number in the ordinary suite, the second in the long run.

    In the brief run it is a quarter of the first or, of a distance between tests, four times that.
    """
    if BRIEF:
        return max(short // 4, 1) if short < long else 4 * short
    return long if LONG else short
