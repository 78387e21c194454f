"""How long tests run that seek faults: ``STORED_FAULTS=full`` is four times as long as by default, ``long`` hours."""

from __future__ import annotations

import os

_SCALE = os.environ.get("STORED_FAULTS", "")

LONG = _SCALE == "long"

FULL = LONG or _SCALE == "full"
"""Do they run at least as long as in the gate?"""


def rounds(full: int, long: int) -> int:
    """The first number in the gate, the second in the long run.

    By default it is a quarter of the first or, of a distance between tests, four times that.
    """
    if not FULL:
        return max(full // 4, 1) if full < long else 4 * full
    return long if LONG else full
