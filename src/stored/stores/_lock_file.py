"""The open file of which single bytes are locked, each for one name.

Locks are those of ``F_OFD_SETLK`` in fcntl(2): they belong to the open file and not to a thread or a process. The
kernel releases them when the file is closed by all who have it open; so a forked process closes its own copy. On NFS,
Linux turns them into locks on the server.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys
from weakref import WeakSet

from stored.stores._files import WORK, close_file, identity, is_still_open, open_work_file
from stored.stores._folders import OpenFolders

__all__ = ["LockFile"]

_SET_LOCK = getattr(fcntl, "F_OFD_SETLK", -1)
_IS_DARWIN = sys.platform == "darwin"
# a ``struct flock``: type, whence, start, length, process; in another order on macOS
_pack_fields = struct.Struct("qqihh" if _IS_DARWIN else "hhqqi4x").pack


def _pack(kind: int, offset: int) -> bytes:
    """A ``struct flock`` for one byte."""
    return _pack_fields(*((offset, 1, 0, kind, os.SEEK_SET) if _IS_DARWIN else (kind, os.SEEK_SET, offset, 1, 0)))


_REFUSED = (errno.EAGAIN, errno.EACCES)
_CLOSED = -1


class LockFile:
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

    _open: WeakSet[LockFile] = WeakSet()

    def __init__(self, root: str, folders: OpenFolders) -> None:
        self.descriptor = _CLOSED
        self._path = f"{root}/{WORK}/locks"
        work = folders.work(makes=True)
        descriptor = open_work_file("locks", os.O_RDWR | os.O_CREAT, work, folders.file_mode())
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
            fcntl.fcntl(self.descriptor, _SET_LOCK, _pack(fcntl.F_WRLCK, offset))
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
            fcntl.fcntl(self.descriptor, _SET_LOCK, _pack(fcntl.F_UNLCK, offset))
        except (OSError, ValueError):  # the server of a network file system is gone, or the program has closed it
            return False
        return True

    @classmethod
    def close_in_child(cls) -> None:
        """Close all lock files in a forked process, where they belong to the parent."""
        for file in cls._open:
            file.close()  # while it is open here, its locks would outlive the parent
        cls._open = WeakSet()


os.register_at_fork(after_in_child=LockFile.close_in_child)
