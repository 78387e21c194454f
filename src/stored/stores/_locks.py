"""Locks between processes: whoever computes what is missing holds a lock file, and the others wait for it.

A lock is ``flock(2)`` on a file that is removed when it is released, so locks die with their holders and leave at most
an empty file behind. The file says in 32 bytes what its holder needs next (the name of another lock), or that it is
done; by following these from lock to lock, a thread sees that it would wait for itself. On NFS, Linux turns flock into
a lock on the server. Where there are no locks at all, nobody waits.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import xxhash

from stored.stores._files import check_folders, make_folder, open_file, spare_handles
from stored.typing import Turn

__all__ = ["LOCK", "FileLocks", "claim", "try_lock"]

LOCK = ".lock"
_DONE = b"over".ljust(32)
_NOTHING = b" " * 32

_SHORTEST_SLEEP, _LONGEST_SLEEP = 0.001, 0.25


def try_lock(descriptor: int) -> bool:
    """Lock an open file, if nobody else has.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def claim(descriptor: int) -> bool:
    """Lock a file that was made just now, so that it is not taken for a leftover; False if it has been, already."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return os.fstat(descriptor).st_nlink > 0


class _LockFile:
    """An open lock file.

    Parameters
    ----------
    path : Path
        Where it is; it is made if need be.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._path = path
        self._descriptor = _opened(path)
        _held_locks.files.add(self)

    def try_lock(self) -> bool:
        """Lock it, if nobody else has; where there are no locks, leave no file."""
        try:
            return try_lock(self._descriptor)
        except OSError as error:
            if error.errno != errno.ESTALE:
                self._unlink()
            raise

    def is_there(self) -> bool:
        """Is it still the file of its name?"""
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path, follow_symlinks=False))
        except FileNotFoundError:
            return False

    def check_is_ours(self) -> None:
        """Refuse to write to what is no lock file, or is another file too."""
        state = os.fstat(self._descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
            raise OSError(errno.EINVAL, "not a lock file")

    def is_marked_done(self) -> bool:
        """Did its holder say that the work is done?"""
        return os.pread(self._descriptor, len(_DONE), 0) == _DONE

    def say(self, what: bytes) -> None:
        """Tell those who wait, unless it stayed with the process that this one was forked from."""
        if self._descriptor != _CLOSED:
            with contextlib.suppress(OSError):  # a full disk; they go on waiting
                os.pwrite(self._descriptor, what, 0)

    def release(self, *, done: bool) -> None:
        """Let the others have it; is the work done, so that they need not do it?"""
        if self._descriptor != _CLOSED:
            if done:
                self.say(_DONE)
            self._unlink()
        self.close()

    def _unlink(self) -> None:
        with contextlib.suppress(OSError):
            if self.is_there():  # and not that of another, after the directory was cleared
                os.unlink(self._path)

    def close(self) -> None:
        """Unlock and close it."""
        _held_locks.files.discard(self)  # first: a process that is forked meanwhile must not close it a second time
        descriptor, self._descriptor = self._descriptor, _CLOSED
        if descriptor != _CLOSED:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # a process that was forked unnoticed may have it open too
            os.close(descriptor)

    def close_in_child(self) -> None:
        """Close it in a forked process, where it still belongs to the parent."""
        os.close(self._descriptor)  # else the lock would outlive the parent
        self._descriptor = _CLOSED


_CLOSED = -1


class HeldLocks:
    """The lock files that this process has open, and those that it holds, by thread."""

    def __init__(self) -> None:
        self.files: set[_LockFile] = set()
        self._held: dict[int, list[_LockFile]] = {}
        self._inherited: frozenset[str] = frozenset()
        os.register_at_fork(after_in_child=self.reset_after_fork)

    def reset_after_fork(self) -> None:
        # of the parent's threads only the one that forked can be waiting for this process
        self._inherited |= self.mine()
        for file in self.files:
            file.close_in_child()
        self.files = set()
        self._held = {}

    def mine(self) -> frozenset[str]:
        """The names of the locks of this thread, and of those that its process was forked under."""
        return self._inherited.union(each.name for each in self._held.get(threading.get_ident(), ()))

    def innermost(self) -> _LockFile | None:
        """The lock that this thread took last."""
        held = self._held.get(threading.get_ident())
        return held[-1] if held else None

    def has_room(self) -> bool:
        """May another lock be taken?"""
        return len(self.files) < spare_handles()  # a deep recursion would take them all

    @contextlib.contextmanager
    def holding(self, file: _LockFile) -> Iterator[None]:
        """Keep a lock for the length of a block."""
        me = threading.get_ident()
        own = self._held.setdefault(me, [])
        own.append(file)
        done = True
        try:
            yield
        except BaseException as error:
            done = isinstance(error, Exception)  # others would fail as well; but not for a Ctrl-C here
            raise
        finally:
            file.release(done=done)
            own.remove(file)
            if not own:
                self._held.pop(me, None)


_held_locks = HeldLocks()


class FileLocks:
    """Locks by name, as files in one folder.

    Parameters
    ----------
    folder : Path
        The folder; it is made when a lock is first taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, name: str) -> Path:
        return self._folder / f"{xxhash.xxh3_128_hexdigest(name.encode())}{LOCK}"

    @contextlib.contextmanager
    def declare_wait(self, name: str) -> Iterator[None]:
        """Say for the length of a block, in the lock that this thread took last, that it needs another."""
        held = _held_locks.innermost()
        if held is None:
            yield
            return
        held.say(self._path(name).stem.encode())
        try:
            yield
        finally:
            held.say(_NOTHING)

    @contextlib.contextmanager
    def compute_turn(self, name: str, limit: float) -> Iterator[Turn]:
        """Wait for a lock, and hold it for the length of a block."""
        path = self._path(name)
        try:
            turn, held = self._waited_for(path, time.monotonic() + limit)
        except OSError:  # no locks here, no room for a file, or no handle for it: the work may be done twice
            turn, held = Turn.MINE, None
        if held is None:
            yield turn
            return
        with _held_locks.holding(held):
            yield turn

    def _waited_for(self, path: Path, until: float) -> tuple[Turn, _LockFile | None]:
        if path.stem in _held_locks.mine() or not _held_locks.has_room():
            return Turn.MINE, None
        while True:
            turn, held = self._attempt(path, until)
            if turn is not None:
                return turn, held

    def _attempt(self, path: Path, until: float) -> tuple[Turn | None, _LockFile | None]:
        """Wait for the lock file that is there now, or a new one; (None, None) if it was removed meanwhile."""
        file, held = _LockFile(path), None
        try:
            turn = self._wait(file, until)
            if turn is not None:
                return turn, None
            if file.is_there():
                file.check_is_ours()
                file.say(_NOTHING)  # a holder that died may have said something
                held = file
                return Turn.MINE, held
            return (Turn.DONE_ELSEWHERE if file.is_marked_done() else None), None
        except OSError as error:
            if error.errno == errno.ESTALE:  # removed, on NFS
                return None, None
            raise
        finally:
            if held is None:
                file.close()

    def _wait(self, file: _LockFile, until: float) -> Turn | None:
        """Wait until the lock is this process's (None), or it is time to do without."""
        started = time.monotonic()
        while not file.try_lock():
            now = time.monotonic()
            if self._waits_for_me(file.name):
                return Turn.MINE
            if now >= until:
                return Turn.EXPIRED
            # late by a tenth at most, and gentle with a server that many wait for
            pause = min(_LONGEST_SLEEP, max(_SHORTEST_SLEEP, (now - started) / 10))
            time.sleep(min(pause, until - now))
        return None

    def _waits_for_me(self, name: str) -> bool:
        """Does the holder of a lock need one of this thread's, directly or through other holders?"""
        mine, seen = _held_locks.mine(), set()
        while mine and name and name not in seen:
            seen.add(name)
            name = self._needed_by_holder(name)
            if name in mine:
                return True
        return False

    def _needed_by_holder(self, name: str) -> str:
        try:
            descriptor = open_file(self._folder / f"{name}{LOCK}")
        except OSError:
            return ""
        try:
            said = os.pread(descriptor, len(_NOTHING), 0).decode("ascii", "replace").strip()
        finally:
            os.close(descriptor)
        return said if said.isalnum() else ""


def _opened(path: Path) -> int:
    check_folders(str(path.parent.parent), path.parent.name)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, flags, 0o600)
    make_folder(path.parent)
    return os.open(path, flags, 0o600)
