"""Ctrl-C at any moment of a call leaves nothing behind: no lock, nobody to wait for, no draft, and no wrong value."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

import stored as package
from stored import configure, keyed_by, stored
from stored._methods.answer import _flights
from stored.stores._locks import file_locks
from tests.faults.processes import in_processes, in_threads

PACKAGE = os.path.dirname(package.__file__)


class Interruption:
    """Raises KeyboardInterrupt at one of the moments in which CPython looks for signals while it runs the library.

    Parameters
    ----------
    moment : int
        Which of them: these are where functions begin, and where functions of C have returned, whose result is lost.
    """

    def __init__(self, moment: int) -> None:
        self.left = moment

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event in {"call", "c_return"} and frame.f_code.co_filename.startswith(PACKAGE):
            self.left -= 1
            if self.left == -1:
                raise KeyboardInterrupt


def is_interrupted(call: Callable[[], object], moment: int) -> bool:
    """Interrupt a call; was it long enough?"""
    interruption = Interruption(moment)
    before = sys.getprofile()
    sys.setprofile(interruption)
    try:
        call()
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(before)
    return interruption.left < 0


@keyed_by("n")
class Model:
    """Has a slow method, or so others would think."""

    def __init__(self, n: float) -> None:
        self.n = n

    @stored
    def value(self) -> list[float]:
        return [self.n]

    @stored(persistent=False)
    def fleeting(self) -> list[float]:
        return [self.n]


def values_elsewhere(moments: int) -> list[list[float]]:
    return [Model(float(moment)).value() for moment in range(moments)]


@pytest.mark.parametrize("name", ["value", "fleeting"])
def test_an_interrupt_leaves_nothing_behind(name: str, cache_dir: Path) -> None:
    """Whenever it comes in a call that computes: the next one, also in another thread or process, waits for nobody."""
    (moment,) = in_processes(
        (interrupt_at_every_moment, name, cache_dir)
    )  # a handle whose number was lost goes with it
    assert moment > 50
    for file in cache_dir.rglob("*.stored"):
        file.unlink()
    assert in_processes((values_elsewhere, moment)) == [[[float(n)] for n in range(moment)]]


def interrupt_at_every_moment(name: str, cache_dir: Path) -> int:
    """Interrupt calls, each a moment later than the one before; how many moments were there?"""
    sys.unraisablehook = lambda _: None  # in callbacks of weak references, CPython drops the interrupt
    getattr(Model(-1.0), name)()
    moment = 0
    with configure(lock_timeout=0.0):  # who would have to wait warns, which is an error
        while is_interrupted(getattr(Model(float(moment)), name), moment):
            assert not _flights._flights
            assert not file_locks(str(cache_dir)).held
            assert not [*cache_dir.glob(".work/*.draft")]
            assert in_threads((getattr(Model(float(moment)), name),)) == [[moment]]
            moment += 1
    return moment
