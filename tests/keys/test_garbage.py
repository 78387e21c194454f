"""While code is read, no garbage is collected; afterwards it is as before."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any

import pytest

from stored._keys import garbage
from stored._keys.garbage import without_collections


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    """Garbage is collected before and after a test."""
    gc.enable()
    yield
    assert gc.isenabled()


def test_blocks_in_blocks() -> None:
    """The outermost counts."""
    with without_collections():
        with without_collections():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_where_nothing_is_collected_anyway() -> None:
    """It stays so."""
    gc.disable()
    with without_collections():
        assert not gc.isenabled()
    assert not gc.isenabled()
    gc.enable()


def test_errors_end_a_block() -> None:
    """Also Ctrl-C."""
    with pytest.raises(KeyboardInterrupt), without_collections():
        raise KeyboardInterrupt
    assert gc.isenabled()


def interrupted_at(number: int) -> bool:
    """Run a block with an interrupt at one line of its code; was there one?"""
    lines = 0

    def trace(frame: types.FrameType, event: str, _: object) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != garbage.__file__:
            return None
        lines += event == "line"
        if lines == number and event == "line":
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with without_collections():
            pass
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_interrupts_at_any_line() -> None:
    """Garbage is collected afterwards, and not in the next block."""
    number = 1
    while interrupted_at(number):
        assert gc.isenabled(), number
        with without_collections():
            assert not gc.isenabled(), number
        assert gc.isenabled(), number
        number += 1
    assert number > 10


@contextlib.contextmanager
def a_thread_in_a_block() -> Iterator[None]:
    """Within this, another thread is in a block."""
    begun, end = threading.Event(), threading.Event()

    def other() -> None:
        with without_collections():
            begun.set()
            end.wait()

    thread = threading.Thread(target=other)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        end.set()
        thread.join()


def test_blocks_of_threads_that_overlap() -> None:
    """The last one that ends counts."""
    with contextlib.ExitStack() as others:
        with without_collections():
            others.enter_context(a_thread_in_a_block())
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_process_that_is_forked_while_a_thread_is_in_a_block() -> None:
    """It collects garbage, and blocks of its own are as ever."""
    with a_thread_in_a_block():
        child = os.fork()
        if not child:
            was_enabled = gc.isenabled()
            with without_collections():
                is_paused = not gc.isenabled()
            os._exit(0 if was_enabled and is_paused and gc.isenabled() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_a_forked_process_does_first() -> None:
    """It ends all blocks."""
    pause = garbage._Pause()
    pause.begin(1)
    pause.begin(2)
    pause.end_after_fork()
    assert gc.isenabled()
    assert not pause.open
    pause.end(1)
    pause.end_after_fork()  # where there is none
    assert gc.isenabled()


def test_a_process_that_is_forked_in_a_block() -> None:
    """The block ends in both."""
    with without_collections():
        child = os.fork()
        if not child:
            pass
        else:
            assert not gc.isenabled()
    if not child:
        os._exit(0 if gc.isenabled() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
