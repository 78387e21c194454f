"""How is a file written of which others see all or nothing? As a draft in a folder of its own, which is then renamed.

A draft is locked by its writer, so that one which can be locked is left over from a process that died.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

from stored.stores._files import WORK, check_folders, make_folder
from stored.stores._lock_file import try_lock_file
from stored.typing import Buffer

__all__ = ["DRAFT", "OpenDraft", "folder_error", "make_if_missing"]

DRAFT = ".draft"
_ATTEMPTS = 200
"""How often a folder is made again that others keep removing."""

_MOST_BUFFERS = min(os.sysconf("SC_IOV_MAX"), 1024)
"""How many parts the system takes at once."""


class _Names:
    """The names of drafts of this process, which no other process has."""

    def __init__(self) -> None:
        self.renew()
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """Begin with other names."""
        self._start = f"{os.getpid()}-{os.urandom(4).hex()}"
        self._numbers = itertools.count()

    def next(self) -> str:
        """A name that was not used before."""
        return f"{self._start}{next(self._numbers) & 0xFFFFFFFF:08x}{DRAFT}"


_names = _Names()


class OpenDraft:
    """A new draft, open and locked; it is a context manager that closes it, and removes it after any error.

    Parameters
    ----------
    root : str
        The directory; it is made if it is missing.
    stays_open : bool
        Does it stay open and locked after a block without errors?

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def __init__(self, root: str, *, stays_open: bool = False) -> None:
        self._stays_open = stays_open
        check_folders(root, WORK)
        self.path, self._descriptor = _open_new(f"{root}/{WORK}")
        with contextlib.suppress(OSError):  # no locks; or it is just being taken for a leftover, and gone when renamed
            try_lock_file(self._descriptor)

    def __enter__(self) -> OpenDraft:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None:  # Ctrl-C too leaves nothing behind
            self.discard()
        elif not self._stays_open:
            self.close()

    def discard(self) -> None:
        """Close and remove it."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)
        self.close()

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)

    def write(self, parts: Iterable[Buffer]) -> None:
        """Write all parts, one after another, in as few calls as the system allows."""
        buffers = [memoryview(part) for part in parts]
        left = sum([buffer.nbytes for buffer in buffers])
        while left:
            written = os.writev(self._descriptor, buffers[:_MOST_BUFFERS])
            left -= written
            if left:
                buffers = _rest(buffers, written)

    def is_at(self, path: str) -> bool:
        """Is this path one of its names?"""
        return os.path.samestat(os.fstat(self._descriptor), os.lstat(path))

    def is_there(self) -> bool:
        """Is it still there, and not taken for a leftover?"""
        return os.path.lexists(self.path)

    def rename(self, file: str, folder: int | None) -> None:
        """Put it into the place of a file.

        Parameters
        ----------
        file : str
            The path of the file.
        folder : int or None
            The descriptor of the folder to which it is relative.

        Raises
        ------
        OSError
            If it cannot be put there.
        """
        os.replace(self.path, file, dst_dir_fd=folder)


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


def _open_new(folder: str) -> tuple[str, int]:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    for _ in range(_ATTEMPTS):  # others may remove the whole directory at any moment
        path = f"{folder}/{_names.next()}"
        try:
            return path, os.open(path, flags, 0o600)
        except FileNotFoundError:
            make_if_missing(folder)
        except FileExistsError:  # of a process that this one was forked from without Python's knowledge
            _names.renew()
    raise folder_error(folder)


def make_if_missing(folder: str) -> None:
    """Make a folder, unless others make or remove it at this moment."""
    with contextlib.suppress(FileNotFoundError, FileExistsError):
        make_folder(Path(folder))


def folder_error(folder: str) -> OSError:
    """The error for a folder that others keep removing."""
    return FileNotFoundError(errno.ENOENT, "the folder cannot be made", folder)
