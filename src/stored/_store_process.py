"""How do tests use a store in another process? Its threads do there what they are told, each one thing after another.

The module is the program of that process, so it imports little.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection, wait
from typing import Any

from stored.typing import Store

__all__ = ["RemoteThread", "StoreProcess", "answering"]


class RemoteThread:
    """A thread of another process, which uses the store that it is given.

    Parameters
    ----------
    connection : Connection
        By which it is told what to do.
    patience : float
        Seconds after which it is taken for one that hangs.
    """

    def __init__(self, connection: Connection, patience: float) -> None:
        self.connection = connection
        self.patience = patience

    def begin(self, act: str, *arguments: Any) -> None:
        """Let it do something, and do not wait for that."""
        self.connection.send((act, arguments))

    def answer(self) -> Any:
        """What came of it.

        Raises
        ------
        AssertionError
            If nothing does, or an error.
        """
        if not self.connection.poll(self.patience):
            raise AssertionError(f"the other process is still at it after {self.patience} s")
        is_done, result = self.connection.recv()
        if not is_done:
            raise AssertionError(f"in the other process: {result}")
        return result

    def call(self, method: str, *arguments: Any) -> Any:
        """What a method of the store returns."""
        self.begin("call", method, *arguments)
        return self.answer()

    def enter(self, method: str, *arguments: Any) -> Any:
        """Enter a block that a method of the store gives; with what does it begin?"""
        self.begin("enter", method, *arguments)
        return self.answer()

    def leave(self, error: BaseException | None = None) -> None:
        """Leave the block that was entered last, as after this error."""
        self.begin("leave", error)
        self.answer()


def answering(threads: Iterable[RemoteThread], seconds: float) -> list[RemoteThread]:
    """Which of these threads have answered, within so many seconds at most?"""
    by_connection: dict[object, RemoteThread] = {each.connection: each for each in threads}
    return [by_connection[each] for each in wait([each.connection for each in by_connection.values()], seconds)]


class StoreProcess:
    """Another process, not forked from this one, and what its threads are told.

    Parameters
    ----------
    patience : float
        Seconds after which it is taken for one that hangs.

    Attributes
    ----------
    first, second : RemoteThread
        Two threads of it.
    forked : RemoteThread
        The process that is forked from it when the first thread is told to ``fork``.
    """

    def __init__(self, patience: float) -> None:
        context = multiprocessing.get_context("spawn")
        pairs = [context.Pipe() for _ in range(3)]
        self._process = context.Process(target=serve_threads, args=([there for _, there in pairs],), daemon=True)
        self._process.start()
        for _, there in pairs:
            there.close()
        self.first, self.second, self.forked = (RemoteThread(here, patience) for here, _ in pairs)
        self._child: int | None = None

    def use(self, store: Store) -> None:
        """Let both threads use a store, which is pickled to them."""
        self.first.begin("use", store)
        self.first.answer()

    def fork(self) -> RemoteThread:
        """Let the first thread fork."""
        self.first.begin("fork")
        self._child = self.first.answer()
        return self.forked

    def kill(self) -> None:
        """End the process, and the one forked from it, by SIGKILL."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
        self._process.kill()
        self._process.join()

    def is_alive(self) -> bool:
        """Has it not ended?"""
        return self._process.is_alive()

    def is_as_new(self) -> bool:
        """Is it of use for another test: alive, not forked, and does no thread hold anything?"""
        if self._child is not None or not self.is_alive():
            return False
        threads = [self.first, self.second]
        for thread in threads:
            thread.begin("has_left_all")
        return all(each.connection.poll(each.patience) and each.connection.recv() == (True, True) for each in threads)


class _Thread:
    """A thread, in the other process.

    Parameters
    ----------
    connection : Connection
        By which it is told what to do.
    stores : list of Store
        The store of all threads of the process, when there is one.
    of_child : Connection, optional
        By which a process is told what to do that is forked here.
    """

    def __init__(self, connection: Connection, stores: list[Store], of_child: Connection | None = None) -> None:
        self._connection = connection
        self._stores = stores
        self._of_child = of_child
        self._blocks: list[AbstractContextManager[Any]] = []

    def serve(self) -> None:
        """Do what is told, until nobody tells anything any more."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                act, arguments = self._connection.recv()
                self._connection.send(self._done(act, arguments))

    def _done(self, act: str, arguments: Sequence[Any]) -> tuple[bool, Any]:
        try:
            return True, getattr(self, act)(*arguments)
        except Exception as error:
            return False, f"{type(error).__name__}: {error}"

    def use(self, store: Store) -> None:
        self._stores[:] = [store]

    def call(self, method: str, *arguments: Any) -> Any:
        result = getattr(self._stores[0], method)(*arguments)
        return bytes(result) if isinstance(result, memoryview | bytearray) else result

    def enter(self, method: str, *arguments: Any) -> Any:
        block = getattr(self._stores[0], method)(*arguments)
        result = block.__enter__()
        self._blocks.append(block)
        return result

    def leave(self, error: BaseException | None) -> None:
        block = self._blocks.pop()
        # an error is raised again by a block of contextlib
        with contextlib.suppress(*([] if error is None else [type(error)])):
            block.__exit__(None if error is None else type(error), error, None)

    def has_left_all(self) -> bool:
        return not self._blocks

    def fork(self) -> int:
        child = os.fork()
        if child == 0 and self._of_child is not None:
            self._connection = self._of_child
            self.serve()
            os._exit(0)
        return child


def serve_threads(connections: Sequence[Connection]) -> None:
    """Let two threads, and one process if any is forked, do what they are told by three connections."""
    first, second, forked = connections
    stores: list[Store] = []
    threading.Thread(target=_Thread(second, stores).serve, daemon=True).start()
    _Thread(first, stores, forked).serve()
