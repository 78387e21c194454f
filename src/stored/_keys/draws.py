"""Does a computation draw random numbers that the next one would draw otherwise?

What a generator is seeded with is often known only when the code runs. So where code names something that makes
generators or draws, two things are looked at while it computes: whether numpy takes a seed from the system, which it
does for each generator that is given none, and whether numpy's global generator goes on.
"""

from __future__ import annotations

import dis
import sys
import threading
from types import CodeType, FrameType
from typing import Any

import numpy as np

from stored._keys.code_object import nested_code
from stored._keys.used_names import MAKING_GENERATORS

__all__ = ["DRAWING", "Draws", "may_draw"]

DRAWING = MAKING_GENERATORS | {
    *("rvs", "resample", "sample", "random", "check_random_state"),
    *("Sobol", "Halton", "LatinHypercube", "PoissonDisk", "MultinomialQMC", "MultivariateNormalQMC"),
    *("bootstrap", "permutation_test", "monte_carlo_test", "differential_evolution", "dual_annealing", "basinhopping"),
}
"""Names of what makes generators, or draws from one that it may be given or not."""


def may_draw(code: CodeType) -> bool:
    """May code draw random numbers, by its names?"""
    return any(not DRAWING.isdisjoint(each.co_names) for each in nested_code(code))


class _Entropy(threading.local):
    """How often numpy has taken a seed from the system in this thread."""

    count = 0


_entropy = _Entropy()
_COPYING = "numpy.random._pickle"

_lock = threading.Lock()
_is_counting = False


def _count_entropy() -> None:
    """Count from now on how often numpy takes a seed from the system: of that it tells nobody."""
    global _is_counting
    from numpy.random import bit_generator

    with _lock:
        take: Any = getattr(bit_generator, "randbits", None)
        if _is_counting or take is None:
            return

        def randbits(k: int) -> Any:
            caller = sys._getframe(1)
            # RandomState takes one also with a seed, which its arguments tell (`Seed`), and so do copies of generators
            if caller.f_globals.get("__name__") != _COPYING and not _makes_random_state(caller):
                _entropy.count += 1
            return take(k)

        bit_generator.randbits = randbits  # type: ignore[attr-defined]
        _is_counting = True


def _makes_random_state(caller: FrameType) -> bool:
    """Has a function, where it is now, called numpy's RandomState?"""
    made = [
        each.argval
        for each in dis.get_instructions(caller.f_code)
        if each.offset <= caller.f_lasti and each.argval in MAKING_GENERATORS
    ]
    return made[-1:] == ["RandomState"]


class Draws:
    """The draws of a computation in this thread, from now on."""

    def __init__(self) -> None:
        _count_entropy()
        self._count = _entropy.count
        self._state = _global_state()

    def reason(self) -> str:
        """What was drawn without a seed; empty if nothing."""
        if _entropy.count != self._count:
            return "a random generator was made without a seed"
        return "" if _global_state() == self._state else "numbers were drawn from numpy's global generator"


def _global_state() -> Any:
    state: Any = np.random.get_state(legacy=False)
    return repr(sorted(state.items(), key=str)) if "key" not in state["state"] else _of_mersenne_twister(state)


def _of_mersenne_twister(state: Any) -> Any:
    inner = state["state"]
    return inner["key"].tobytes(), inner["pos"], state.get("has_gauss"), state.get("gauss")
