"""How is a file written of which others see all or nothing? As a draft in a folder of its own, which is then renamed.

A draft is locked by its writer, so that one which can be locked is left over from a process that died.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
from collections.abc import Callable, Iterable, Sequence

from stored.stores._files import WORK, close_file, identity, is_still_open, set_mode
from stored.stores._folders import OpenFolders
from stored.typing import Buffer

__all__ = ["DRAFT", "OpenDraft", "write_file"]

DRAFT = ".draft"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_OF_NO_FILE = (-1, -1)
_ATTEMPTS = 100
"""How many drafts are made anew that others are said to have locked."""
_MOST_BUFFERS = min(os.sysconf("SC_IOV_MAX"), 1024)
"""How many parts the system takes at once."""


class _Names:
    """The names of drafts of this process, which no other process has.

    Attributes
    ----------
    next : callable
        Gives a name that was not used before.
    """

    next: Callable[[], str]

    def __init__(self) -> None:
        self.renew()
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """Begin with other names."""
        form = f"{os.getpid()}-{os.urandom(4).hex()}%08x{DRAFT}"
        self.next = map(form.__mod__, itertools.count()).__next__


_names = _Names()


def write_file(root: str, folders: OpenFolders, name: str, parts: Sequence[Buffer]) -> None:
    """Write a file below a directory, in place of the one of this name, if there is one.

    Raises
    ------
    OSError
        If it cannot be written; a folder may no longer be where it was opened, or the draft was taken for a leftover.
    """
    above, _, file = name.rpartition("/")
    work = folders.open.get(WORK)
    if work is None or not folders.is_prepared:
        work = folders.work(makes=True)
    elif not folders.is_ours(WORK):
        raise FileNotFoundError(errno.ENOENT, "it was closed", f"{root}/{WORK}")
    draft, descriptor = _open_new(work, folders.file_mode())
    try:
        try:
            _write(descriptor, parts)
        finally:
            os.close(descriptor)  # before others see it, since some file systems only now say that the disk is full
        folder = folders.open.get(above)
        if folder is None:
            with folders.at(above, makes=True) as folder:
                os.rename(draft, file, src_dir_fd=work, dst_dir_fd=folder)
        elif folders.is_in_place(above):
            os.rename(draft, file, src_dir_fd=work, dst_dir_fd=folder)
        else:
            raise FileNotFoundError(errno.ENOENT, "it was closed, or another is in its place", f"{root}/{above}")
    except BaseException:  # Ctrl-C too leaves nothing behind
        _remove(work, draft)
        raise


def _open_new(work: int, mode: int) -> tuple[str, int]:
    """The name and the descriptor of a new draft, which is locked, so that nobody takes it for a leftover."""
    attempts = 0
    while True:
        draft = _names.next()
        try:
            descriptor = os.open(draft, _FLAGS, mode, dir_fd=work)
        except FileExistsError:  # of a process that this one was forked from without Python's knowledge
            _names.renew()
            continue
        except BaseException:  # at Ctrl-C, it may have been made
            _remove(work, draft)
            raise
        try:
            set_mode(descriptor, mode)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # it is just being taken for a leftover, or there are no locks
            attempts += 1
            if attempts == _ATTEMPTS:
                return draft, descriptor
            _discard(work, draft, descriptor)
        except OSError:  # there are no locks
            return draft, descriptor
        except BaseException:
            _discard(work, draft, descriptor)
            raise
        else:
            return draft, descriptor


def _discard(work: int, draft: str, descriptor: int) -> None:
    """Close and remove a draft."""
    _remove(work, draft)
    close_file(descriptor)


def _remove(work: int, draft: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(draft, dir_fd=work)


def _write(descriptor: int, parts: Iterable[Buffer]) -> None:
    """Write all parts to a draft, one after another, in as few calls as the system allows."""
    buffers = [memoryview(each) for each in parts]
    left = sum([each.nbytes for each in buffers])
    while left:
        written = os.writev(descriptor, buffers[:_MOST_BUFFERS])
        left -= written
        if left:
            buffers = _rest(buffers, written)


def _rest(buffers: Sequence[memoryview], written: int) -> list[memoryview]:
    """What remains of buffers when so many bytes of them are written."""
    rest = []
    for buffer in buffers:
        if written >= buffer.nbytes:
            written -= buffer.nbytes
        else:
            rest.append(buffer.cast("B")[written:])
            written = 0
    return rest


class OpenDraft:
    """A draft that stays open and locked, and that can be given other names.

    Where the program has closed it, and its number may be that of a file of others, that one is left alone.

    Parameters
    ----------
    folders : OpenFolders
        The folders of the directory, which is made if it is missing.
    parts : iterable of bytes
        What is written.

    Raises
    ------
    OSError
        If it cannot be made or written; then there is none.
    """

    def __init__(self, folders: OpenFolders, parts: Iterable[Buffer]) -> None:
        self._work = folders.work(makes=True)
        self._identity = _OF_NO_FILE
        self._name, self._descriptor = _open_new(self._work, folders.file_mode())
        try:
            self._identity = identity(self._descriptor)
            _write(self._descriptor, parts)
        except BaseException:  # Ctrl-C too leaves nothing behind
            _remove(self._work, self._name)
            self.close()
            raise

    def add_name(self, name: str) -> None:
        """Give it one more name, in place of the file that has it."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._work)
        os.link(self._name, name, src_dir_fd=self._work, dst_dir_fd=self._work, follow_symlinks=False)

    def rename(self, name: str) -> None:
        """Give it another name instead of its own, in place of the file that has it; this takes no links."""
        os.rename(self._name, name, src_dir_fd=self._work, dst_dir_fd=self._work)
        self._name = name

    def has_name(self, name: str) -> bool:
        """Is it the file of this name?"""
        with contextlib.suppress(OSError):
            state = os.stat(name, dir_fd=self._work, follow_symlinks=False)
            return (state.st_dev, state.st_ino) == self._identity
        return False

    def is_lost(self) -> bool:
        """Has the program closed it, or is there no file of its name any longer?"""
        try:
            os.stat(self._name, dir_fd=self._work, follow_symlinks=False)
        except OSError:
            return True
        return not self._is_open()

    def _is_open(self) -> bool:
        return is_still_open(self._descriptor, self._identity)

    def remove_name(self, name: str) -> None:
        """Take a name away, if it still has it."""
        if self.has_name(name):
            _remove(self._work, name)

    def touch(self) -> None:
        """Set its time to now."""
        os.utime(self._descriptor)

    def discard(self) -> None:
        """Close it and remove its own name; further names stay."""
        self.remove_name(self._name)
        self.close()

    def close(self) -> None:
        """Close it, unless the program has done so."""
        if self._is_open():
            close_file(self._descriptor)
