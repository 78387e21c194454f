"""Of all processes that need the same missing entry, which one computes it? The one that holds a lock file.

A lock is ``flock(2)`` on a file that is removed when it is released, so locks die with their holders and leave at most
an empty file behind. The file has a note of 32 bytes: the name of another lock that its holder needs next, or that the
holder is done. By following these notes from lock to lock, a thread sees that it would wait for itself. On NFS, Linux
turns flock into a lock on the server. Where there are no locks at all, nobody waits.
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

__all__ = ["LOCK", "FileLocks", "lock_new_file", "try_lock"]

LOCK = ".lock"
_DONE = b"over".ljust(32)  # not "done": other releases of this library read and write the same note
_NO_NOTE = b" " * 32

_SHORTEST_SLEEP, _LONGEST_SLEEP = 0.001, 0.25  # seconds


def try_lock(descriptor: int) -> bool:
    """Lock an open file; False if another process has locked it.

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


def lock_new_file(descriptor: int) -> bool:
    """Lock a new file, so that it is not taken for a leftover; False if it was already removed as one."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return os.fstat(descriptor).st_nlink > 0


class _LockFile:
    """An open lock file.

    Parameters
    ----------
    path : Path
        The file; it is made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._path = path
        self._descriptor = _open_lock_file(path)
        _held_locks.files.add(self)

    def try_lock(self) -> bool:
        """Lock it; False if another process has locked it. Where there are no locks, the file is removed."""
        try:
            return try_lock(self._descriptor)
        except OSError as error:
            if error.errno != errno.ESTALE:
                self._unlink()
            raise

    def is_in_place(self) -> bool:
        """Is the open file still the one at its path?"""
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path, follow_symlinks=False))
        except FileNotFoundError:
            return False

    def check_is_lock_file(self) -> None:
        """Refuse to write to a file that is not regular, or that has another name too."""
        state = os.fstat(self._descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
            raise OSError(errno.EINVAL, "not a lock file")

    def is_marked_done(self) -> bool:
        """Did its holder note that the work is done?"""
        return os.pread(self._descriptor, len(_DONE), 0) == _DONE

    def write_note(self, note: bytes) -> None:
        """Write a note for those who wait, unless the lock belongs to the process from which this one was forked."""
        if self._descriptor != _CLOSED:
            with contextlib.suppress(OSError):  # if the disk is full, they go on waiting
                os.pwrite(self._descriptor, note, 0)

    def release(self, *, done: bool) -> None:
        """Unlock and remove it; with `done`, note that the work is done, so that others need not do it."""
        if self._descriptor != _CLOSED:
            if done:
                self.write_note(_DONE)
            self._unlink()
        self.close()

    def _unlink(self) -> None:
        with contextlib.suppress(OSError):
            if self.is_in_place():  # another process may have cleared the directory and made a new file
                os.unlink(self._path)

    def close(self) -> None:
        """Unlock and close it."""
        _held_locks.files.discard(self)  # first, so that a process that is forked meanwhile does not close it again
        descriptor, self._descriptor = self._descriptor, _CLOSED
        if descriptor != _CLOSED:
            with contextlib.suppress(OSError):
                fcntl.flock(
                    descriptor, fcntl.LOCK_UN
                )  # a forked process may still have it open, if it was forked without Python's knowledge
            os.close(descriptor)

    def close_in_child(self) -> None:
        """Close it in a forked process, where it still belongs to the parent."""
        os.close(self._descriptor)  # while it is open here, the lock would outlive the parent
        self._descriptor = _CLOSED


_CLOSED = -1


class HeldLocks:
    """The lock files that this process has open, and the locks that each of its threads holds."""

    def __init__(self) -> None:
        self.files: set[_LockFile] = set()
        self._held: dict[int, list[_LockFile]] = {}
        self._inherited: frozenset[str] = frozenset()
        os.register_at_fork(after_in_child=self.reset_after_fork)

    def reset_after_fork(self) -> None:
        """Close the parent's lock files in a forked process."""
        # of the parent's threads, only the one that forked can be waiting for this process
        self._inherited |= self.names_of_this_thread()
        for file in self.files:
            file.close_in_child()
        self.files = set()
        self._held = {}

    def names_of_this_thread(self) -> frozenset[str]:
        """The names of the locks that this thread holds, and of those under which its process was forked."""
        return self._inherited.union(each.name for each in self._held.get(threading.get_ident(), ()))

    def innermost(self) -> _LockFile | None:
        """The lock that this thread has taken last; None if it holds none."""
        held = self._held.get(threading.get_ident())
        return held[-1] if held else None

    def has_room(self) -> bool:
        """Are there file handles for another lock?"""
        return len(self.files) < spare_handles()  # a deep recursion needs many

    @contextlib.contextmanager
    def hold(self, file: _LockFile) -> Iterator[None]:
        """Hold a lock within the block, and release it."""
        me = threading.get_ident()
        own = self._held.setdefault(me, [])
        own.append(file)
        done = True
        try:
            yield
        except BaseException as error:
            done = isinstance(error, Exception)  # after an error, others would fail too; after Ctrl-C, they would not
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
        The folder; it is made when the first lock is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, name: str) -> Path:
        return self._folder / f"{xxhash.xxh3_128_hexdigest(name.encode())}{LOCK}"

    @contextlib.contextmanager
    def declare_wait(self, name: str) -> Iterator[None]:
        """Within the block, note in the lock that this thread has taken last that it needs another."""
        held = _held_locks.innermost()
        if held is None:
            yield
            return
        held.write_note(self._path(name).stem.encode())
        try:
            yield
        finally:
            held.write_note(_NO_NOTE)

    @contextlib.contextmanager
    def compute_turn(self, name: str, limit: float) -> Iterator[Turn]:
        """Wait for a lock before the block, and hold it within the block."""
        path = self._path(name)
        try:
            turn, held = self._acquire(path, time.monotonic() + limit)
        except OSError:  # no locks, a full disk, or no file handle: two processes may do the same work
            turn, held = Turn.MINE, None
        if held is None:
            yield turn
            return
        with _held_locks.hold(held):
            yield turn

    def _acquire(self, path: Path, until: float) -> tuple[Turn, _LockFile | None]:
        if path.stem in _held_locks.names_of_this_thread() or not _held_locks.has_room():
            return Turn.MINE, None
        while True:
            turn, held = self._attempt(path, until)
            if turn is not None:
                return turn, held

    def _attempt(self, path: Path, until: float) -> tuple[Turn | None, _LockFile | None]:
        """Wait for the lock file that is there now, or for a new one; (None, None) if it was removed meanwhile."""
        file, held = _LockFile(path), None
        try:
            turn = self._wait(file, until)
            if turn is not None:
                return turn, None
            if file.is_in_place():
                file.check_is_lock_file()
                file.write_note(_NO_NOTE)  # there may be one of a holder that died
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
        """Wait until this process has the lock; then None, or what is to be done without it."""
        started = time.monotonic()
        while not file.try_lock():
            now = time.monotonic()
            if self._waits_for_me(file.name):
                return Turn.MINE
            if now >= until:
                return Turn.EXPIRED
            # at most a tenth longer than needed, and few requests to a server when many wait
            pause = min(_LONGEST_SLEEP, max(_SHORTEST_SLEEP, (now - started) / 10))
            time.sleep(min(pause, until - now))
        return None

    def _waits_for_me(self, name: str) -> bool:
        """Does the holder of a lock need one that this thread holds, directly or through other holders?"""
        mine, seen = _held_locks.names_of_this_thread(), set()
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
            note = os.pread(descriptor, len(_NO_NOTE), 0).decode("ascii", "replace").strip()
        finally:
            os.close(descriptor)
        return note if note.isalnum() else ""


def _open_lock_file(path: Path) -> int:
    check_folders(str(path.parent.parent), path.parent.name)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, flags, 0o600)
    make_folder(path.parent)
    return os.open(path, flags, 0o600)
