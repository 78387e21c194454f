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
from collections.abc import Callable, Iterator
from hashlib import blake2b
from types import TracebackType
from weakref import WeakSet, WeakValueDictionary

from stored._fork_safe_lock import ForkSafeLock
from stored.stores._files import WORK
from stored.stores._folders import open_folders
from stored.stores._holders import HolderNotes, SignsOfLife
from stored.stores._lock_file import LockFile
from stored.stores._notes import MARK, Note, Watched, leads_to, make_mark, remove_mark, tell_failure
from stored.typing import PATIENCE, Turn, Waiting

__all__ = ["FileLocks", "TurnBlock", "file_locks"]

_SHORTEST_SLEEP, _LONGEST_SLEEP = 0.001, 0.25  # seconds
_ATTEMPTS = 20
"""How often the lock file is opened again that others keep removing."""

_SECTION = 1 << 62
"""The byte that is locked for a short change of a file; those of names come before it."""

_SHORT_ATTEMPTS, _SHORT_PAUSE = 5, 0.0002  # seconds; a change takes less, unless its process is stopped
_MOST_WHO_TAKE_OVER = 7
"""So many bytes follow that of a name; who has waited for longer needs no lock."""

_FIRST_TOLD, _MOST_BETWEEN = 3.0, 300.0
"""Seconds after which it is told first that somebody waits, each time twice as long as before, until so many."""

_notes = HolderNotes()


_new_hash = blake2b(digest_size=16).copy
"""A copy takes half the time of a new one."""


def _digest(name: str) -> str:
    hashed = _new_hash()
    hashed.update(name.encode())
    return hashed.hexdigest()


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
        self._file: LockFile | None = None
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
                _notes.begin(block, self._folders, block.digest)
            except BaseException:  # Ctrl-C
                if self._file is not None:  # it may be locked already
                    self._file.unlock(block.offset)
                raise
            return True

    def _try_lock(self, offset: int) -> LockFile | None:
        """The lock file, opened again if need be, of which a byte is locked now; None if another process has it."""
        for _ in range(_ATTEMPTS):
            file = self._file = self._file or LockFile(self._root, self._folders)
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
                _notes.end(block)  # while it is locked: the note that follows is of the next holder
                if not block.file.unlock(block.offset):  # here, since near the limit of recursion each level counts
                    self._retire(block.file)
                del self.held[block.name]
                block.file = None  # else whoever still has the block, as the thread of notes may, keeps the file open

    def _retire(self, file: LockFile) -> None:
        """Use another lock file from now on, so that this one is closed as soon as no lock in it is held."""
        if self._file is file:
            self._file = None

    def _tell_who_waits(self, block: TurnBlock, *, failed: bool) -> None:
        """Set the time of the mark, if there is one, after a failure; else remove it, as this thread has waited."""
        (tell_failure if failed else remove_mark)(self._folders, block.digest)

    def has_entry(self, name: str) -> bool:
        """Is there a file of this name?"""
        return os.path.lexists(f"{self._root}/{name}")

    def wait(self, block: TurnBlock) -> Turn:
        """Wait for a name that another process has locked."""
        patience = _Patience(block, SignsOfLife(self._folders, block.digest))
        if block.limit != 0:
            make_mark(self._folders, block.digest)
        entry = Watched(f"{self._root}/{block.name}")
        failure = Watched(f"{self._root}/{WORK}/{block.digest}{MARK}")
        block.has_waited = True
        note = Note(self._folders, block.digest)
        try:
            while not self._waits_for_me(block.name, note):
                if self._takes_over(block, patience.times_over()):
                    return Turn.EXPIRED
                patience.sleep()
                if entry.is_new():
                    remove_mark(self._folders, block.digest)
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

    def _takes_over(self, block: TurnBlock, times: int) -> bool:
        """Does this thread, of all who have waited too long, compute what others still compute?

        At the limit one of them does, after twice that time a second one, after four times a third.
        """
        if block.limit == 0 or times > _MOST_WHO_TAKE_OVER:
            return True
        own = block.offset
        try:
            for each in range(own + 1, own + 1 + times):  # the locks of those who take over
                block.offset = each
                if self.acquire(block):
                    return True
            return False
        finally:
            if block.file is None:  # else it is released at this place
                block.offset = own

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

    def _enter_section(self) -> LockFile | None:
        for _ in range(_SHORT_ATTEMPTS):
            file = self._try_lock(_SECTION)
            if file is not None:
                return file
            time.sleep(_SHORT_PAUSE)
        return None


os.register_at_fork(after_in_child=FileLocks.reset_after_fork)


class _Patience:
    """How long a thread waits, and what it tells meanwhile.

    Parameters
    ----------
    block : TurnBlock
        For what it waits.
    signs : SignsOfLife
        What is seen of who computes.
    """

    def __init__(self, block: TurnBlock, signs: SignsOfLife) -> None:
        self._limit = block.limit
        self._tell = block.tell
        self._signs = signs
        self._started = time.monotonic()
        self._next_told = _FIRST_TOLD

    def times_over(self) -> int:
        """How often has it waited too long, each time twice as long? Without a limit, since the last sign of life."""
        now = time.monotonic()
        waited = now - self._started
        self._signs.look(now)
        if self._tell is not None and waited >= self._next_told:
            self._next_told = waited + min(waited, _MOST_BETWEEN)
            self._tell(Waiting(waited, self._signs.holder))
        since, limit = (self._signs.latest, PATIENCE) if self._limit is None else (self._started, self._limit)
        return int(min((now - since) / limit, 1 << _MOST_WHO_TAKE_OVER)).bit_length() if limit else 0

    def sleep(self) -> None:
        """Wait a moment: at most a tenth longer than needed, and few requests to a server when many wait."""
        waited = time.monotonic() - self._started
        pause = min(_LONGEST_SLEEP, max(_SHORTEST_SLEEP, waited / 10))
        time.sleep(pause if self._limit is None or waited >= self._limit else min(pause, self._limit - waited))


class TurnBlock:
    """A block in which this thread computes, unless others do.

    Parameters
    ----------
    locks : FileLocks
        The locks of the directory.
    name : str
        What is computed.
    limit : float or None
        Seconds to wait at most; None for as long as who computes shows life.
    tell : callable, optional
        Told now and then while the thread waits.

    Attributes
    ----------
    digest : str
        What stands for the name in those of notes.
    offset : int
        The byte of the lock file that stands for the name; the next ones are of those who take over.
    thread : int
        The thread that has the lock.
    file : LockFile or None
        Where the lock is, if the block has it.
    has_waited, has_written : bool
        Did it wait for another process? Was the entry written within the block?
    """

    __slots__ = (
        "__weakref__",
        "_locks",
        "digest",
        "file",
        "has_waited",
        "has_written",
        "limit",
        "name",
        "offset",
        "tell",
        "thread",
    )

    def __init__(
        self, locks: FileLocks, name: str, limit: float | None, tell: Callable[[Waiting], object] | None = None
    ) -> None:
        self.name = name
        self.digest = _digest(name)
        self.offset = int(self.digest[:16], 16) >> 5 << 3
        self.thread = 0
        self.file: LockFile | None = None
        self.has_waited = self.has_written = False
        self.limit = limit
        self.tell = tell
        self._locks = locks

    def __enter__(self) -> Turn:
        try:
            return Turn.MINE if self._locks.acquire(self) else self._locks.wait(self)
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
