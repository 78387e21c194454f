"""How is one byte of a file locked for this process, so that the lock ends with the process, whatever ends it?

Locks are those of ``F_OFD_SETLK`` in fcntl(2): they belong to the open file and not to a thread or a process. The
kernel releases them when the file is closed by all who have it open; so a forked process closes its own copy. On NFS,
Linux turns them into locks on the server.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import struct
import sys
from operator import itemgetter
from pathlib import Path
from weakref import WeakSet

from stored.stores._files import WORK, check_folders, make_folder

__all__ = ["LockFile", "try_lock_file"]

_SET_LOCK = getattr(fcntl, "F_OFD_SETLK", -1)
_IS_DARWIN = sys.platform == "darwin"
_LOCK_FORMAT = "qqihh" if _IS_DARWIN else "hhqqi4x"
_in_order = itemgetter(*((2, 3, 4, 0, 1) if _IS_DARWIN else range(5)))
_REFUSED = (errno.EAGAIN, errno.EACCES)
_CLOSED = -1


def _lock_request(kind: int, offset: int) -> bytes:
    """A ``struct flock`` for one byte: type, whence, start, length, process; in another order on macOS."""
    return struct.pack(_LOCK_FORMAT, *_in_order((kind, os.SEEK_SET, offset, 1, 0)))


def try_lock_file(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock a whole open file by ``flock``; False if others have locked it.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class LockFile:
    """The open lock file of a directory, of which single bytes are locked; it is empty, and stays for good.

    Parameters
    ----------
    root : str
        The directory; it is made if it is missing.

    Raises
    ------
    OSError
        If it cannot be opened, or what stands in its place is not a regular file with one name.
    """

    _open: WeakSet[LockFile] = WeakSet()

    def __init__(self, root: str) -> None:
        self.descriptor = _CLOSED
        self._path = f"{root}/{WORK}/locks"
        self.descriptor = _open(root, self._path)
        self._open.add(self)
        state = os.fstat(self.descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
            raise OSError(errno.EINVAL, "not a lock file", self._path)
        self._identity = state.st_dev, state.st_ino

    def __del__(self) -> None:
        if self.descriptor != _CLOSED:
            os.close(self.descriptor)

    def try_lock(self, offset: int) -> bool | None:
        """Lock a byte; False if another process has locked it, None if another file is at the path now.

        Raises
        ------
        OSError
            If the file system has no such locks.
        """
        try:
            fcntl.fcntl(self.descriptor, _SET_LOCK, _lock_request(fcntl.F_WRLCK, offset))
        except OSError as error:
            if error.errno in _REFUSED:
                return False
            if error.errno == errno.ESTALE:  # removed, on NFS
                return None
            raise
        return True if self._is_in_place() else None

    def _is_in_place(self) -> bool:
        """Has nobody removed the file, with the whole directory?"""
        try:
            state = os.lstat(self._path)
        except OSError:
            return False
        return (state.st_dev, state.st_ino) == self._identity

    def unlock(self, offset: int) -> None:
        """Release a byte; an error is of no use to anybody."""
        with contextlib.suppress(OSError):  # the server of a network file system is gone
            fcntl.fcntl(self.descriptor, _SET_LOCK, _lock_request(fcntl.F_UNLCK, offset))

    @classmethod
    def close_in_child(cls) -> None:
        """Close all lock files in a forked process, where they belong to the parent."""
        for file in cls._open:
            os.close(file.descriptor)  # while it is open here, its locks would outlive the parent
            file.descriptor = _CLOSED
        cls._open = WeakSet()


os.register_at_fork(after_in_child=LockFile.close_in_child)


def _open(root: str, path: str) -> int:
    check_folders(root, WORK)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_folder(Path(path).parent)
    return os.open(path, flags, 0o600)
