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

from stored._private_folder import make_private_folder
from stored.stores._files import WORK
from stored.stores._folders import OpenFolders, check_folders
from stored.typing import Buffer

__all__ = ["DRAFT", "OpenDraft", "write_file"]

DRAFT = ".draft"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
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
    if work is None:
        work = folders.find(WORK, makes=True)
    elif not folders.is_ours(WORK):
        raise FileNotFoundError(errno.ENOENT, "it was closed", f"{root}/{WORK}")
    draft, descriptor = _open_new(f"{root}/{WORK}", work)
    try:
        _lock_and_write(descriptor, parts)
        folder = folders.open.get(above)
        if folder is None:
            folder = folders.find(above, makes=True)
        if not folders.is_in_place(above):
            raise FileNotFoundError(errno.ENOENT, "it was closed, or another is in its place", f"{root}/{above}")
        # by its path, so that a folder of drafts that was moved elsewhere is an error
        os.rename(f"{root}/{WORK}/{draft}", f"{root}/{name}" if folder is None else file, dst_dir_fd=folder)
    except BaseException:  # Ctrl-C too leaves nothing behind
        with contextlib.suppress(OSError):
            os.unlink(f"{root}/{WORK}/{draft}" if work is None else draft, dir_fd=work)
        raise
    finally:
        os.close(descriptor)


def _open_new(path: str, folder: int | None) -> tuple[str, int]:
    """The name and the descriptor of a new draft in a folder, which may be open."""
    while True:
        draft = _names.next()
        try:
            return draft, os.open(f"{path}/{draft}" if folder is None else draft, _FLAGS, 0o600, dir_fd=folder)
        except FileExistsError:  # of a process that this one was forked from without Python's knowledge
            _names.renew()


def _lock_and_write(descriptor: int, parts: Iterable[Buffer]) -> None:
    """Lock a draft, and write all parts to it, one after another, in as few calls as the system allows."""
    try:  # noqa: SIM105  (suppressing takes longer than the lock)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # no locks; or it is just being taken for a leftover, and gone when renamed
        pass
    buffers, left = [], 0
    for part in parts:
        buffer = memoryview(part)
        buffers.append(buffer)
        left += buffer.nbytes
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
    """A draft that stays open and locked, and to which further names can be given.

    Parameters
    ----------
    root : str
        The directory; it is made if it is missing.
    parts : iterable of bytes
        What is written.

    Attributes
    ----------
    path : str
        Its first name.

    Raises
    ------
    OSError
        If it cannot be made or written; then there is none.
    """

    def __init__(self, root: str, parts: Iterable[Buffer]) -> None:
        check_folders(root, WORK)
        make_private_folder(f"{root}/{WORK}")
        draft, self._descriptor = _open_new(f"{root}/{WORK}", None)
        self.path = f"{root}/{WORK}/{draft}"
        try:
            _lock_and_write(self._descriptor, parts)
        except BaseException:  # Ctrl-C too leaves nothing behind
            self.discard()
            raise

    def discard(self) -> None:
        """Close and remove it."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)
        self.close()

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)

    def is_at(self, path: str) -> bool:
        """Is this path one of its names?"""
        return os.path.samestat(os.fstat(self._descriptor), os.lstat(path))
