"""Is code still the same, asked for each object that is new? A check that is compiled once it was asked a few times."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from stored._keys.code_check import MOST_INLINE, InlineTests, code_check, each_once
from stored._keys.reach_report import LookedUp
from stored._keys.unchanged import TestScope
from stored._keys.watched import Watch

__all__ = ["RepeatedCheck"]

_FEW_TIMES = 16
"""Compiling takes as long as some hundred of these checks."""


class RepeatedCheck:
    """Tells whether code, with all that it reaches, is still the same.

    Parameters
    ----------
    looked_up : sequence of LookedUp
        What is looked up on a class.
    watches : sequence of Watch
        The names that the code reaches.
    """

    __slots__ = ("_check", "_looked_up", "_times_asked", "_watches")

    def __init__(self, looked_up: Sequence[LookedUp], watches: Sequence[Watch]) -> None:
        self._looked_up, self._watches = looked_up, watches
        self._times_asked = 0
        self._check: Callable[[], bool] | None = None

    def is_same(self) -> bool:
        """Is all the same? Any error if something is no longer there, or cannot be compared."""
        self._times_asked += 1
        if self._check is None:
            self._check = self._plain()
        elif self._times_asked == _FEW_TIMES:
            self._check = self._compiled()
        if self._check():
            return True
        if self._times_asked < _FEW_TIMES:
            return False
        # names of a class that do not count may have been added, which one comparison of all of them takes for others
        self._check = self._plain()
        return self._check()

    def _plain(self) -> Callable[[], bool]:
        return code_check(self._looked_up, self._watches) or _always

    def _compiled(self) -> Callable[[], bool]:
        once = list(each_once(self._watches))
        if len(once) + len(self._looked_up) > MOST_INLINE:
            return self._plain()
        tests = InlineTests({}, frozenset())
        for found in self._looked_up:
            tests.look_up(found)
        for watched, looks_inside in once:
            tests.watch(watched, looks_inside)
        check = TestScope({}, tests.all_given()).compile_check(" and ".join(tests.tests) or "True")
        return functools.partial(check, None, None)


def _always() -> bool:
    """Nothing can change."""
    return True
