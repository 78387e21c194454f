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
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from weakref import WeakSet

from stored.stores._drafts import OpenDraft
from stored.stores._files import close_file, open_file, open_work_file, try_lock_file
from stored.stores._folders import OpenFolders

__all__ = ["MARK", "NOTE", "Note", "Watched", "leads_to", "make_mark", "remove_mark", "tell_failure"]

NOTE = ".waits"
MARK = ".failed"
"""The ending of an empty file, made by who waits, whose time says when a holder has failed."""

_DIGEST = re.compile(rb"[0-9a-f]{32}")


class Note:
    """What a thread of this process waits for, written for others. Where files have one name only, nobody sees it.

    Parameters
    ----------
    folders : OpenFolders
        The folders of the directory.
    needed : str
        The digest of the name that the thread waits for.
    """

    _all: WeakSet[Note] = WeakSet()

    def __init__(self, folders: OpenFolders, needed: str) -> None:
        self._folders = folders
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

    def put_under(self, names: AbstractSet[str]) -> None:
        """Let the note be there under these names, and under no others."""
        if self._file is not None:
            self._take_from(self._file, self._names - names)
        if names - self._names:
            with contextlib.suppress(OSError):  # if the disk is full, others may wait until their time limit
                self._file = self._file or OpenDraft(self._folders, [self._needed.encode()])
                for name in names - self._names:
                    # one that is there is of a holder that died, since this process has the lock
                    self._file.add_name(f"{name}{NOTE}")
                    self._names.add(name)

    def _take_from(self, file: OpenDraft, names: AbstractSet[str]) -> None:
        for name in names:
            file.remove_name(f"{name}{NOTE}")
        self._names = self._names - names

    def remove(self) -> None:
        """Remove the note from everywhere."""
        if self._file is not None:
            self._take_from(self._file, self._names)
            self._file.discard()
            self._file = None


os.register_at_fork(after_in_child=Note.close_in_child)


def leads_to(folders: OpenFolders, name: str, goals: AbstractSet[str]) -> bool:
    """Does the holder of a name wait, directly or through other holders, for one of the goals?"""
    seen = {name}
    for needed in _chain(folders, name):
        if needed in goals:
            return True
        if needed in seen:
            return False
        seen.add(needed)
    return False


def _chain(folders: OpenFolders, name: str) -> Iterator[str]:
    needed: str | None = name
    while needed is not None:
        needed = _needed_by_holder(folders, needed)
        if needed is not None:
            yield needed


def _needed_by_holder(folders: OpenFolders, name: str) -> str | None:
    try:
        descriptor = open_file(f"{name}{NOTE}", folders.work())
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
        close_file(descriptor)


def make_mark(folders: OpenFolders, name: str) -> None:
    """Make a mark, unless there is one."""
    with contextlib.suppress(OSError):  # then they go on one after another
        work = folders.work(makes=True)
        os.close(open_work_file(f"{name}{MARK}", os.O_WRONLY | os.O_CREAT, work, folders.file_mode()))


def tell_failure(folders: OpenFolders, name: str) -> None:
    """Set the time of a mark to now, if there is one."""
    with contextlib.suppress(OSError):  # nobody waits; or they go on one after another
        now = time.time_ns()  # finer than the clock of the system
        try:
            os.utime(f"{name}{MARK}", ns=(now, now), dir_fd=folders.work(), follow_symlinks=False)
        except PermissionError:  # of another user of the group, whose file can be given no other time than now
            os.utime(f"{name}{MARK}", dir_fd=folders.work(), follow_symlinks=False)


def remove_mark(folders: OpenFolders, name: str) -> None:
    """Remove a mark, if there is one."""
    with contextlib.suppress(OSError):  # others have removed it
        os.unlink(f"{name}{MARK}", dir_fd=folders.work())


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
