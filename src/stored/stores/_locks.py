"""Of all processes that need the same missing entry, which one computes it? The one that has locked the name's byte.

All names share one lock file, so nothing is made for a computation that nobody else wants. Whoever waits looks at the
entry's file, and at a mark that it has made: when the entry is a new file, or a holder who leaves none has set the time
of the mark, all who wait go on at once; when the holder dies, one of them has the lock. A lock belongs to the process;
threads of one process wait for each other elsewhere, and say so by `declare_wait`. Without locks nobody waits.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from hashlib import blake2b
from types import TracebackType
from weakref import WeakSet, WeakValueDictionary

from stored._fork_safe_lock import ForkSafeLock
from stored.stores._files import WORK
from stored.stores._lock_file import LockFile
from stored.stores._notes import Note, leads_to
from stored.typing import Turn

__all__ = ["MARK", "FileLocks", "file_locks"]

MARK = ".failed"
"""The ending of an empty file, made by who waits, whose time says when a holder has failed."""

_SHORTEST_SLEEP, _LONGEST_SLEEP = 0.001, 0.25  # seconds
_ATTEMPTS = 20
"""How often the lock file is opened again that others keep removing."""

_SECTION = 1 << 62
"""The byte that is locked for a short change of a file; those of names come before it."""

_SHORT_ATTEMPTS, _SHORT_PAUSE = 5, 0.0002  # seconds; a change takes less, unless its process is stopped


def _digest(name: str) -> str:
    return blake2b(name.encode(), digest_size=16).hexdigest()


def _offset(digest: str) -> int:
    return int(digest[:16], 16) >> 2


class FileLocks:
    """Locks by name in the lock file of one directory, for all threads of this process.

    There is one object for each directory and process, which `file_locks` gives.

    Parameters
    ----------
    root : str
        The directory.
    """

    _all: WeakSet[FileLocks] = WeakSet()

    def __init__(self, root: str) -> None:
        self._root = root
        self._mutex = ForkSafeLock()
        self._file: LockFile | None = None
        self._held: dict[str, _TurnBlock] = {}  # by digest
        self._held_by_name: dict[str, _TurnBlock] = {}
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
            each._inherited |= {digest for digest, block in each._held.items() if block.thread == me}
            each._file, each._held, each._held_by_name, each._needs = None, {}, {}, {}

    def declare_wait(self, name: str) -> AbstractContextManager[None]:
        """Within the block, this thread waits for another one of its process that needs a name too."""
        return self._waiting(_digest(name))

    @contextlib.contextmanager
    def _waiting(self, digest: str) -> Iterator[None]:
        me = threading.get_ident()
        with self._mutex:
            needs = self._needs.setdefault(me, [])
            needs.append(digest)
        try:
            yield
        finally:
            with self._mutex:
                needs.pop()
                if not needs:
                    self._needs.pop(me, None)

    def compute_turn(self, name: str, limit: float) -> AbstractContextManager[Turn]:
        """Wait for the lock of a name before the block, and hold it within the block."""
        return _TurnBlock(self, name, limit)

    def acquire(self, block: _TurnBlock) -> bool:
        """Lock the name of a block, unless this process has it, or the one it was forked from; False if another has it.

        Raises
        ------
        OSError
            If the lock file cannot be opened or locked.
        """
        with self._mutex:
            if block.digest in self._held or block.digest in self._inherited:
                return True
            file = self._try_lock(_offset(block.digest))
            if file is None:
                return False
            block.thread, block.file = threading.get_ident(), file
            self._held[block.digest] = self._held_by_name[block.name] = block
            return True

    def _try_lock(self, offset: int) -> LockFile | None:
        """The lock file of which a byte is locked now; None if another process has locked it."""
        for _ in range(_ATTEMPTS):
            file = self._file = self._file or LockFile(self._root)
            taken = file.try_lock(offset)
            if taken is not None:
                return file if taken else None
            self._file = None  # closed when no lock in it is held
        raise FileNotFoundError("the lock file is removed again and again")

    def release(self, block: _TurnBlock, *, failed: bool) -> None:
        """Release the lock of a block, unless it has none, or it belongs to the process this one was forked from."""
        with self._mutex:
            if self._held.get(block.digest) is block and block.file is not None:
                self._tell_who_waits(block, failed=failed)  # while it is locked, so that nobody goes on before
                del self._held[block.digest], self._held_by_name[block.name]
                block.file.unlock(_offset(block.digest))

    def note_written(self, name: str) -> None:
        """Note that the entry of a name was written; of use if this process has its lock."""
        block = self._held_by_name.get(name)
        if block is not None:
            block.has_written = True

    def _mark(self, digest: str) -> str:
        return f"{self._root}/{WORK}/{digest}{MARK}"

    def _tell_who_waits(self, block: _TurnBlock, *, failed: bool) -> None:
        """Set the time of the mark, if there is one, after a failure; a thread that has waited removes it otherwise."""
        mark = self._mark(block.digest)
        with contextlib.suppress(OSError):  # nobody waits; or they go on one after another
            if failed:
                os.utime(mark, ns=(time.time_ns(),) * 2, follow_symlinks=False)  # finer than the clock of the system
            elif block.has_waited:
                os.unlink(mark)

    def leaves_nothing(self, block: _TurnBlock) -> bool:
        """Is there no entry at the end of a block?"""
        return not (block.has_written or os.path.lexists(f"{self._root}/{block.name}"))

    def wait(self, block: _TurnBlock, limit: float) -> Turn:
        """Wait for a name that another process has locked, for so many seconds at most."""
        started = time.monotonic()
        mark = self._mark(block.digest)
        if limit > 0:
            _make_mark(mark)
        entry, failure = _Watched(f"{self._root}/{block.name}"), _Watched(mark)
        block.has_waited = True
        note = Note(self._root, block.digest)
        try:
            while not self._waits_for_me(block.digest, note):
                now = time.monotonic()
                if now >= started + limit:
                    return Turn.EXPIRED
                # at most a tenth longer than needed, and few requests to a server when many wait
                pause = min(_LONGEST_SLEEP, max(_SHORTEST_SLEEP, (now - started) / 10))
                time.sleep(min(pause, started + limit - now))
                if entry.is_new():
                    with contextlib.suppress(OSError):  # others have removed it
                        os.unlink(mark)
                    return Turn.DONE_ELSEWHERE
                if failure.is_new():
                    return Turn.DONE_ELSEWHERE
                if self.acquire(block):
                    break
            return Turn.MINE
        finally:
            note.remove()

    def _waits_for_me(self, digest: str, note: Note) -> bool:
        """Note that this thread waits; does the holder of the name wait for it, directly or through others?"""
        names = self._names_kept_waiting(digest)
        note.put_under(names)
        mine = names | self._inherited
        return bool(mine) and leads_to(self._root, digest, mine)

    def _names_kept_waiting(self, needed: str) -> set[str]:
        """The names held by this thread, and by threads of its process that wait for it."""
        with self._mutex:
            threads = {threading.get_ident()}
            while True:
                names = {digest for digest, block in self._held.items() if block.thread in threads}
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
                if file is not None:
                    file.unlock(_SECTION)

    def _enter_section(self) -> LockFile | None:
        for _ in range(_SHORT_ATTEMPTS):
            file = self._try_lock(_SECTION)
            if file is not None:
                return file
            time.sleep(_SHORT_PAUSE)
        return None


os.register_at_fork(after_in_child=FileLocks.reset_after_fork)


class _TurnBlock(AbstractContextManager[Turn]):
    """A block in which this thread computes, unless others do."""

    def __init__(self, locks: FileLocks, name: str, limit: float) -> None:
        self.name = name
        self.digest = _digest(name)
        self.thread = 0  # that entered the block
        self.file: LockFile | None = None  # in which the name is locked for it
        self.has_waited = False
        self.has_written = False
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
        # after an error, others would fail too; after Ctrl-C, they would not
        failed = self._locks.leaves_nothing(self) if error is None else isinstance(error, Exception)
        self._locks.release(self, failed=failed)


def _make_mark(path: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with contextlib.suppress(OSError):  # then they go on one after another
        os.close(os.open(path, flags, 0o600))


class _Watched:
    """A file that may be replaced."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen = self._state()

    def _state(self) -> tuple[int, int] | None:
        try:
            state = os.lstat(self._path)
        except OSError:
            return None
        return state.st_ino, state.st_mtime_ns

    def is_new(self) -> bool:
        """Is there another file, or a file where there was none?"""
        state, before = self._state(), self._seen
        self._seen = state
        return state is not None and state != before


_known: WeakValueDictionary[str, FileLocks] = WeakValueDictionary()
_known_lock = ForkSafeLock()


def file_locks(root: str) -> FileLocks:
    """The locks of a directory, the same for all who ask in this process."""
    with _known_lock:
        return _known.setdefault(root, FileLocks(root))
