"""Which files of a directory can be removed? Leftovers of processes that died, and entries beyond the limits."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import time
from collections.abc import Iterator
from typing import NamedTuple

from stored._entry_form import begins_as_entry, is_entry_name
from stored.stores._drafts import DRAFT
from stored.stores._files import READ_FLAGS, close_file, open_file, try_lock_file, wait_if_just_made
from stored.stores._folders import OpenFolders
from stored.stores._holders import HOLDER, HOLDER_START
from stored.stores._modes import is_shared
from stored.stores._notes import MARK, NOTE
from stored.typing import Upkeep

__all__ = ["bytes_to_leave", "clear_leftovers", "files_below", "has_locks", "trim"]

_ENDINGS = "|".join(map(re.escape, (NOTE, HOLDER, ".lock")))  # the last of older releases
_LOCKED_WHILE_IN_USE = re.compile(rf"(\d+-[0-9a-f]{{16,24}}{re.escape(DRAFT)}|[0-9a-f]{{32}}({_ENDINGS}))")
_MARK_NAME = re.compile(rf"[0-9a-f]{{32}}{re.escape(MARK)}")
_ABANDONED_AFTER = 86_400.0
"""Seconds after which nobody needs a file, where locks cannot tell."""

_NOTE_CONTENT = re.compile(rb"[0-9a-f]{32}")
_FIRST_BYTES = 33
"""By so many a file is known; a note has one less."""

_CLOCKS_DIFFER = 60.0
"""Seconds by which the clocks of computers may differ that share a directory."""

_MOST_FOLDERS = 32
"""No name of an entry has as many parts; deeper folders are not looked into."""

_NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What is there no longer, or is another thing by now."""

_SHARE_AFTER_TRIM = 0.9
"""The share of the allowed bytes that trimming leaves, so that not every write makes it necessary again."""


def files_below(folder: int, path: str = "", depth: int = 0) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The paths of the regular files in an open folder and below it; what is hidden, linked or very deep is skipped.

    Raises
    ------
    OSError
        If a folder cannot be read, since the listing would not be complete; one that is gone is no error.
    """
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False) and depth < _MOST_FOLDERS:
            try:
                below = os.open(entry.name, READ_FLAGS | os.O_DIRECTORY, dir_fd=folder)
            except OSError as error:
                if error.errno in _NO_FOLDER:
                    continue
                raise
            try:
                yield from files_below(below, f"{path}{entry.name}/", depth + 1)
            finally:
                close_file(below)
        elif entry.is_file(follow_symlinks=False):
            yield f"{path}{entry.name}", entry


def clear_leftovers(work: int) -> int:
    """Remove the drafts and notes in an open folder that no process holds, and old marks; how many were there?"""
    with os.scandir(work) as found:
        files = [entry.name for entry in found if entry.is_file(follow_symlinks=False)]
    removed = 0
    with _FirstError() as errors:
        for file in files:
            with errors.postponed():
                if _LOCKED_WHILE_IN_USE.fullmatch(file):
                    removed += _remove_if_abandoned(file, work)
                elif _MARK_NAME.fullmatch(file):
                    removed += _remove_if_old(file, work)
    return removed


def _remove_if_abandoned(file: str, work: int) -> bool:
    try:
        descriptor = open_file(file, work)
    except FileNotFoundError:
        return False
    except PermissionError:
        # another user of the group may be about to let it be read
        if is_shared(os.fstat(work).st_mode) and wait_if_just_made(file, work):
            return False
        raise
    try:
        if not (_is_ours(descriptor) and _is_abandoned(descriptor)):
            return False
        if not os.path.samestat(os.fstat(descriptor), os.stat(file, dir_fd=work, follow_symlinks=False)):
            return False  # it was removed, and another process made one of the same name
        # a process that has opened it meanwhile finds, once it has the lock, that the file is gone
        os.unlink(file, dir_fd=work)
    except FileNotFoundError:
        return False
    finally:
        close_file(descriptor)
    return True


def _is_ours(descriptor: int) -> bool:
    """Does a leftover begin as an entry does, or is it a note, or empty?"""
    start = os.pread(descriptor, _FIRST_BYTES, 0)
    is_note = _NOTE_CONTENT.fullmatch(start) is not None or start.startswith(HOLDER_START)
    return begins_as_entry(start) or is_note


def _is_abandoned(descriptor: int) -> bool:
    try:
        return try_lock_file(descriptor)
    except OSError:
        return _is_old(os.fstat(descriptor))


def has_locks(work: int) -> bool:
    """Can files in an open folder be locked? One of them is tried that nobody else locks.

    Raises
    ------
    OSError
        If it is not there.
    """
    descriptor = open_file("size", work)
    try:
        try_lock_file(descriptor, fcntl.LOCK_SH)
    except OSError:
        return False
    finally:
        close_file(descriptor)
    return True


def _is_old(state: os.stat_result) -> bool:
    """Is a file of long ago, or dated far in the future?"""
    return abs(time.time() - state.st_mtime) > _ABANDONED_AFTER


def _remove_if_old(file: str, work: int) -> bool:
    try:
        state = os.stat(file, dir_fd=work, follow_symlinks=False)
        if state.st_size or not _is_old(state):
            return False
        os.unlink(file, dir_fd=work)
    except FileNotFoundError:
        return False
    return True


class _FirstError:
    """The first error among many removals, which is raised when all of them are done."""

    def __init__(self) -> None:
        self._error: OSError | None = None

    def __enter__(self) -> _FirstError:
        return self

    @contextlib.contextmanager
    def postponed(self) -> Iterator[None]:
        """Keep the error of one removal until all are done."""
        try:
            yield
        except OSError as error:
            self._error = self._error or error

    def __exit__(self, *_: object) -> None:
        if self._error is not None:
            raise self._error


class _File(NamedTuple):
    """The file of an entry; sorted, the least recently used comes first."""

    used: float
    size: int
    name: str


def trim(folders: OpenFolders, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
    """Remove entries with one ending that were unused for too long, and the least recently used if they are too large.

    One that is dated in the future, by a clock that was set back, is taken for one that is used now. What has the
    name of an entry and does not begin as one does not count.
    """
    files = sorted(_find_files(folders, ending))
    oldest = float("-inf") if max_age is None else time.time() - max_age
    total = sum(file.size for file in files)
    allowed = bytes_to_leave(total, max_bytes)
    removed, others = [], 0
    with _FirstError() as errors:
        for file in files:
            if file.used >= oldest and total <= allowed:
                break
            with errors.postponed():
                if _remove(folders, file.name):
                    removed.append(file)
                else:
                    others += 1
                total -= file.size
    return Upkeep(len(files) - len(removed) - others, total, len(removed), sum(file.size for file in removed))


def bytes_to_leave(total: int, max_bytes: int | None) -> float:
    """How much of all bytes trimming leaves: all, if they are not too many, else less than is allowed."""
    return total if max_bytes is None or total <= max_bytes else _SHARE_AFTER_TRIM * max_bytes


def _find_files(folders: OpenFolders, ending: str) -> Iterator[_File]:
    latest = time.time() + _CLOCKS_DIFFER
    with folders.at("") as root:
        for name, entry in files_below(root):
            if is_entry_name(name, ending):
                with contextlib.suppress(FileNotFoundError):
                    state = entry.stat(follow_symlinks=False)
                    used = state.st_mtime
                    if used > latest:
                        used = _date_now(folders, name)
                    yield _File(used, state.st_size, name)


def _date_now(folders: OpenFolders, name: str) -> float:
    """Set the time of a file to now."""
    folder, _, file = name.rpartition("/")
    with contextlib.suppress(OSError), folders.at(folder) as descriptor:  # of another user
        os.utime(file, dir_fd=descriptor, follow_symlinks=False)
    return time.time()


def _remove(folders: OpenFolders, name: str) -> bool:
    """Remove the file of an entry, unless it does not begin as one; is it gone?"""
    folder, _, file = name.rpartition("/")
    with contextlib.suppress(FileNotFoundError), folders.at(folder) as descriptor:
        opened = open_file(file, descriptor)
        try:
            if not begins_as_entry(os.read(opened, _FIRST_BYTES)):
                return False
        finally:
            close_file(opened)
        os.unlink(file, dir_fd=descriptor)
    return True
