"""Of all processes that need the same missing entry, which one computes it? The one that has locked the name's byte.

All names share one lock file, so nothing is made for a computation that nobody else wants. Whoever waits looks at the
entry's file, and at a mark that it has made: when the entry is a new file, or a holder who leaves none has set the time
of the mark, all who wait go on at once; when the holder dies, one of them has the lock. A lock belongs to the process;
threads of one process wait for each other elsewhere, and say so by `declare_wait`. Without locks nobody waits.

Locks are those of ``F_OFD_SETLK`` in fcntl(2): they belong to the open file and not to a thread or a process. The
kernel releases them when the file is closed by all who have it open; so a forked process closes its own copy. On NFS,
Linux turns them into locks on the server.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import sys
import threading
import time
from collections.abc import Iterator
from hashlib import blake2b
from operator import itemgetter
from types import TracebackType
from weakref import WeakSet, WeakValueDictionary

from stored._fork_safe_lock import ForkSafeLock
from stored.stores._files import WORK, close_file, identity, is_still_open, open_work_file
from stored.stores._folders import OpenFolders, open_folders
from stored.stores._notes import MARK, Note, Watched, leads_to, make_mark, remove_mark, tell_failure
from stored.typing import Turn

__all__ = ["FileLocks", "TurnBlock", "file_locks"]

_SHORTEST_SLEEP, _LONGEST_SLEEP = 0.001, 0.25  # seconds
_ATTEMPTS = 20
"""How often the lock file is opened again that others keep removing."""

_SECTION = 1 << 62
"""The byte that is locked for a short change of a file; those of names come before it."""

_SHORT_ATTEMPTS, _SHORT_PAUSE = 5, 0.0002  # seconds; a change takes less, unless its process is stopped


_SET_LOCK = getattr(fcntl, "F_OFD_SETLK", -1)
_IS_DARWIN = sys.platform == "darwin"
# a ``struct flock``: type, whence, start, length, process; in another order on macOS
_pack = struct.Struct("qqihh" if _IS_DARWIN else "hhqqi4x").pack
_in_order = itemgetter(*((2, 3, 4, 0, 1) if _IS_DARWIN else range(5)))
_REFUSED = (errno.EAGAIN, errno.EACCES)
_CLOSED = -1


def _digest(name: str) -> str:
    return blake2b(name.encode(), digest_size=16).hexdigest()


class _LockFile:
    """The open lock file of a directory, of which single bytes are locked; it is empty, and stays for good.

    Parameters
    ----------
    root : str
        The directory.
    folders : OpenFolders
        Its folders, which are made if they are missing.

    Raises
    ------
    OSError
        If it cannot be opened, or what stands in its place is not a regular file with one name.
    """

    _open: WeakSet[_LockFile] = WeakSet()

    def __init__(self, root: str, folders: OpenFolders) -> None:
        self.descriptor = _CLOSED
        self._path = f"{root}/{WORK}/locks"
        descriptor = open_work_file("locks", os.O_RDWR | os.O_CREAT, folders.work(makes=True))
        self._identity = identity(descriptor)
        self.descriptor = descriptor
        self._open.add(self)

    def __del__(self) -> None:
        if self.descriptor != _CLOSED:
            self.close()

    def close(self) -> None:
        """Close it, unless the program has done so, when its number may be that of a file of others."""
        if is_still_open(self.descriptor, self._identity):
            close_file(self.descriptor)
        self.descriptor = _CLOSED

    def try_lock(self, offset: int) -> bool | None:
        """Lock a byte; False if another process has locked it, None if the file must be opened again.

        Raises
        ------
        OSError
            If the file system has no such locks.
        """
        try:
            fcntl.fcntl(self.descriptor, _SET_LOCK, _pack(*_in_order((fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0))))
        except OSError as error:
            if error.errno in _REFUSED:
                return False
            if error.errno == errno.EBADF:  # closed by the program; this number may soon be that of the next lock file
                self.descriptor = _CLOSED
            elif error.errno != errno.ESTALE:  # removed, on NFS
                raise
            return None
        try:
            state = os.lstat(self._path)
            if (state.st_dev, state.st_ino) == self._identity:
                return True
        except OSError:  # removed, with the whole directory
            pass
        self.unlock(offset)  # else it would keep the lock from this process too, where it is the same file after all
        return None

    def unlock(self, offset: int) -> bool:
        """Release a byte; False if that failed: then it is released when the file is closed."""
        try:
            fcntl.fcntl(self.descriptor, _SET_LOCK, _pack(*_in_order((fcntl.F_UNLCK, os.SEEK_SET, offset, 1, 0))))
        except (OSError, ValueError):  # the server of a network file system is gone, or the program has closed it
            return False
        return True

    @classmethod
    def close_in_child(cls) -> None:
        """Close all lock files in a forked process, where they belong to the parent."""
        for file in cls._open:
            file.close()  # while it is open here, its locks would outlive the parent
        cls._open = WeakSet()


os.register_at_fork(after_in_child=_LockFile.close_in_child)


class FileLocks:
    """Locks by name in the lock file of one directory, for all threads of this process.

    There is one object for each directory and process, which `file_locks` gives.

    Parameters
    ----------
    root : str
        The directory.

    Attributes
    ----------
    held : dict
        The blocks that have the lock of a name in this process, by name.
    """

    _all: WeakSet[FileLocks] = WeakSet()

    def __init__(self, root: str) -> None:
        self._root = root
        self._folders = open_folders(root)
        self._mutex = ForkSafeLock()
        self._file: _LockFile | None = None
        self.held: dict[str, TurnBlock] = {}
        self._needs: dict[int, list[str]] = {}  # by thread: what it waits for, the latest last
        self._inherited: frozenset[str] = frozenset()
        self._all.add(self)

    def __reduce__(self) -> tuple[object, ...]:
        return file_locks, (self._root,)

    @classmethod
    def reset_after_fork(cls) -> None:
        """Leave all locks to the parent in a forked process."""
        me = threading.get_ident()
        for each in cls._all:
            # of the parent's threads, only the one that forked can be waiting for this process
            each._inherited |= {name for name, block in each.held.items() if block.thread == me}
            each._file, each._needs = None, {}
            each.held.clear()

    @contextlib.contextmanager
    def declare_wait(self, name: str) -> Iterator[None]:
        """Within the block, this thread waits for another one of its process that needs a name too."""
        me = threading.get_ident()
        with self._mutex:
            needs = self._needs.setdefault(me, [])
            needs.append(name)
        try:
            yield
        finally:
            with self._mutex:
                needs.pop()
                if not needs:
                    self._needs.pop(me, None)

    def acquire(self, block: TurnBlock) -> bool:
        """Lock the name of a block, unless this process has it, or the one it was forked from; False if another has it.

        Raises
        ------
        OSError
            If the lock file cannot be opened or locked.
        """
        name = block.name
        with self._mutex:
            if name in self.held or name in self._inherited:
                return True
            try:
                file = self._try_lock(block.offset)
                if file is None:
                    return False
                block.thread, block.file = threading.get_ident(), file
                self.held[name] = block
            except BaseException:  # Ctrl-C
                if self._file is not None:  # it may be locked already
                    self._file.unlock(block.offset)
                raise
            return True

    def _try_lock(self, offset: int) -> _LockFile | None:
        """The lock file, opened again if need be, of which a byte is locked now; None if another process has it."""
        for _ in range(_ATTEMPTS):
            file = self._file = self._file or _LockFile(self._root, self._folders)
            taken = file.try_lock(offset)
            if taken is not None:
                return file if taken else None
            self._file = None  # closed when no lock in it is held
        raise FileNotFoundError("the lock file is removed again and again")

    def release(self, block: TurnBlock, *, failed: bool) -> None:
        """Release the lock of a block, unless it has none, or it belongs to the process this one was forked from."""
        with self._mutex:
            if block.file is not None and self.held.get(block.name) is block:
                try:
                    if failed or block.has_waited:  # while it is locked, so that nobody goes on before
                        self._tell_who_waits(block, failed=failed)
                except (MemoryError, RecursionError):  # they go on one after another
                    pass
                if not block.file.unlock(block.offset):  # here, since near the limit of recursion each level counts
                    self._retire(block.file)
                del self.held[block.name]

    def _retire(self, file: _LockFile) -> None:
        """Use another lock file from now on, so that this one is closed as soon as no lock in it is held."""
        if self._file is file:
            self._file = None

    def _tell_who_waits(self, block: TurnBlock, *, failed: bool) -> None:
        """Set the time of the mark, if there is one, after a failure; else remove it, as this thread has waited."""
        (tell_failure if failed else remove_mark)(self._folders, _digest(block.name))

    def has_entry(self, name: str) -> bool:
        """Is there a file of this name?"""
        return os.path.lexists(f"{self._root}/{name}")

    def wait(self, block: TurnBlock, limit: float) -> Turn:
        """Wait for a name that another process has locked, for so many seconds at most."""
        started = time.monotonic()
        digest = _digest(block.name)
        if limit > 0:
            make_mark(self._folders, digest)
        entry = Watched(f"{self._root}/{block.name}")
        failure = Watched(f"{self._root}/{WORK}/{digest}{MARK}")
        block.has_waited = True
        note = Note(self._folders, digest)
        try:
            while not self._waits_for_me(block.name, note):
                now = time.monotonic()
                if now >= started + limit:
                    return Turn.EXPIRED
                # at most a tenth longer than needed, and few requests to a server when many wait
                pause = min(_LONGEST_SLEEP, max(_SHORTEST_SLEEP, (now - started) / 10))
                time.sleep(min(pause, started + limit - now))
                if entry.is_new():
                    remove_mark(self._folders, digest)
                    return Turn.DONE_ELSEWHERE
                if failure.is_new():
                    return Turn.DONE_ELSEWHERE
                if self.acquire(block):
                    break
            if not entry.is_new():
                return Turn.MINE
            self.release(block, failed=False)  # written, and the lock released, since the look above
            return Turn.DONE_ELSEWHERE
        finally:
            note.remove()

    def _waits_for_me(self, name: str, note: Note) -> bool:
        """Note that this thread waits; does the holder of the name wait for it, directly or through others?"""
        kept_waiting = self._names_kept_waiting(name)
        note.put_under(set(map(_digest, kept_waiting)))
        mine = kept_waiting | self._inherited
        return bool(mine) and leads_to(self._folders, _digest(name), set(map(_digest, mine)))

    def _names_kept_waiting(self, needed: str) -> set[str]:
        """The names held by this thread, and by threads of its process that wait for it."""
        with self._mutex:
            threads = {threading.get_ident()}
            while True:
                names = {name for name, block in self.held.items() if block.thread in threads}
                wanted = names | {needed}
                more = {thread for thread, needs in self._needs.items() if needs[-1] in wanted}
                if more <= threads:
                    return names
                threads |= more

    @contextlib.contextmanager
    def section(self) -> Iterator[bool]:
        """A block for a short change of a file, in one process and thread at a time; False if another is at it."""
        with self._mutex:
            try:
                file = self._enter_section()
                is_free = file is not None
            except OSError:  # no locks: a change may be lost
                file, is_free = None, True
            try:
                yield is_free
            finally:
                if file is not None and not file.unlock(_SECTION):
                    self._retire(file)

    def _enter_section(self) -> _LockFile | None:
        for _ in range(_SHORT_ATTEMPTS):
            file = self._try_lock(_SECTION)
            if file is not None:
                return file
            time.sleep(_SHORT_PAUSE)
        return None


os.register_at_fork(after_in_child=FileLocks.reset_after_fork)


class TurnBlock:
    """A block in which this thread computes, unless others do.

    Parameters
    ----------
    locks : FileLocks
        The locks of the directory.
    name : str
        What is computed.
    limit : float
        Seconds to wait at most.

    Attributes
    ----------
    offset : int
        The byte of the lock file that stands for the name.
    thread : int
        The thread that has the lock.
    file : _LockFile or None
        Where the lock is, if the block has it.
    has_waited, has_written : bool
        Did it wait for another process? Was the entry written within the block?
    """

    __slots__ = ("_limit", "_locks", "file", "has_waited", "has_written", "name", "offset", "thread")

    def __init__(self, locks: FileLocks, name: str, limit: float) -> None:
        self.name = name
        self.offset = int.from_bytes(blake2b(name.encode(), digest_size=16).digest()[:8], "big") >> 2
        self.thread = 0
        self.file: _LockFile | None = None
        self.has_waited = self.has_written = False
        self._locks = locks
        self._limit = limit

    def __enter__(self) -> Turn:
        try:
            return Turn.MINE if self._locks.acquire(self) else self._locks.wait(self, self._limit)
        except OSError:  # no locks, a full disk, or no file handle: two processes may do the same work
            return Turn.MINE
        except BaseException:
            self._locks.release(self, failed=False)
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self.file is None:
            return
        try:
            # after an error, others would fail too; after Ctrl-C, they would not
            has_left_nothing = error is None and not (self.has_written or self._locks.has_entry(self.name))
            self._locks.release(self, failed=has_left_nothing or isinstance(error, Exception))
        except BaseException:  # Ctrl-C
            self._locks.release(self, failed=False)
            raise


_known: WeakValueDictionary[str, FileLocks] = WeakValueDictionary()
_known_lock = ForkSafeLock()


def file_locks(root: str) -> FileLocks:
    """The locks of a directory, the same for all who ask in this process."""
    with _known_lock:
        return _known.setdefault(root, FileLocks(root))
