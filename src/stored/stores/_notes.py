"""What do those who wait tell each other? A note says for what a thread waits, a mark that a holder has failed.

A thread that waits and has locks writes a note under the name of each lock. By following these notes from name to name,
a thread sees that it would wait for itself. A note is locked by its writer for as long as it holds, so a note that can
be locked is one of a process that died. A mark is made by who waits, and a holder who leaves no entry sets its time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from weakref import WeakSet

from stored.stores._drafts import OpenDraft
from stored.stores._files import WORK, open_file, try_lock_file

__all__ = ["MARK", "NOTE", "Note", "Watched", "leads_to", "make_mark"]

NOTE = ".waits"
MARK = ".failed"
"""The ending of an empty file, made by who waits, whose time says when a holder has failed."""

_DIGEST = re.compile(rb"[0-9a-f]{32}")


class Note:
    """What a thread of this process waits for, written for others. Where files have one name only, nobody sees it.

    Parameters
    ----------
    root : str
        The directory of the store.
    needed : str
        The digest of the name that the thread waits for.
    """

    _all: WeakSet[Note] = WeakSet()

    def __init__(self, root: str, needed: str) -> None:
        self._root = root
        self._needed = needed
        self._names: set[str] = set()
        self._file: OpenDraft | None = None
        self._all.add(self)

    @classmethod
    def close_in_child(cls) -> None:
        """Close all notes in a forked process, where they belong to the parent."""
        for note in cls._all:
            if note._file is not None:
                note._file.close()  # while it is open here, it would seem to be of a living process
            note._file, note._names = None, set()

    def _path(self, name: str) -> str:
        return f"{self._root}/{WORK}/{name}{NOTE}"

    def put_under(self, names: AbstractSet[str]) -> None:
        """Let the note be there under these names, and under no others."""
        for name in self._names - names:
            self._take_from(name)
        if names - self._names:
            with contextlib.suppress(OSError):  # if the disk is full, others may wait until their time limit
                self._begin()
        for name in names - self._names:
            with contextlib.suppress(OSError):
                self._add(name)

    def _begin(self) -> None:
        if self._file is None:
            self._file = OpenDraft(self._root, [self._needed.encode()])

    def _add(self, name: str) -> None:
        if self._file is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(name))  # of a holder that died, since this process has the lock
            os.link(self._file.path, self._path(name))
            self._names.add(name)

    def _take_from(self, name: str) -> None:
        self._names.discard(name)
        with contextlib.suppress(OSError):
            if self._file is not None and self._file.is_at(self._path(name)):  # else another holder has one there
                os.unlink(self._path(name))

    def remove(self) -> None:
        """Remove the note from everywhere."""
        for name in list(self._names):
            self._take_from(name)
        if self._file is not None:
            self._file.discard()
            self._file = None


os.register_at_fork(after_in_child=Note.close_in_child)


def leads_to(root: str, name: str, goals: AbstractSet[str]) -> bool:
    """Does the holder of a name wait, directly or through other holders, for one of the goals?"""
    seen = {name}
    for needed in _chain(root, name):
        if needed in goals:
            return True
        if needed in seen:
            return False
        seen.add(needed)
    return False


def _chain(root: str, name: str) -> Iterator[str]:
    needed: str | None = name
    while needed is not None:
        needed = _needed_by_holder(root, needed)
        if needed is not None:
            yield needed


def _needed_by_holder(root: str, name: str) -> str | None:
    try:
        descriptor = open_file(f"{root}/{WORK}/{name}{NOTE}")
    except OSError:
        return None
    try:
        if try_lock_file(descriptor, fcntl.LOCK_SH):
            return None  # its writer has died
        words = os.read(descriptor, 33)
        return words.decode() if _DIGEST.fullmatch(words) else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def make_mark(path: str) -> None:
    """Make a mark, unless there is one."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with contextlib.suppress(OSError):  # then they go on one after another
        os.close(os.open(path, flags, 0o600))


class Watched:
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
