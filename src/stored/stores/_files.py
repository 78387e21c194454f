"""How are files opened and locked, so that no link is followed and no pipe blocks?"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from functools import lru_cache

from stored.stores._modes import PRIVATE_FILE

__all__ = [
    "READ_FLAGS",
    "WORK",
    "close_file",
    "identity",
    "is_on_network",
    "is_still_open",
    "open_file",
    "open_work_file",
    "set_mode",
    "try_lock_file",
    "wait_if_just_made",
]


WORK = ".work"
"""The folder of drafts and locks."""


MAKING_TAKES = 1.0
"""Seconds within which another user has let the group use what was just made."""

_ATTEMPTS = 100

SIZE_MAGIC = b"stordsz1"
"""The first bytes of the file with the size."""

READ_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def open_file(path: str | os.PathLike[str], folder: int | None = None) -> int:
    """Open a file for reading, in an open folder; a symbolic link is an error, and a pipe does not block."""
    return os.open(path, READ_FLAGS, dir_fd=folder)


def open_work_file(name: str, flags: int, folder: int, mode: int) -> int:
    """Open, or make, a file that the library writes to in place, in an open folder.

    Parameters
    ----------
    name : str
        Its name.
    flags : int
        Those of open(2).
    folder : int
        The descriptor of the folder.
    mode : int
        The mode that it gets, as `file_mode` gives it.

    Raises
    ------
    OSError
        If it cannot be opened, or what stands in its place is not a regular file with one name.
    """
    descriptor = _open_when_made(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, folder, mode)
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
            raise OSError(errno.EINVAL, "not a regular file with one name", name)
        if state.st_uid == os.geteuid() and not state.st_size:  # else others may have moved a private file here
            set_mode(descriptor, mode)
    except OSError:
        close_file(descriptor)
        raise
    return descriptor


def _open_when_made(name: str, flags: int, folder: int, mode: int) -> int:
    for _ in range(_ATTEMPTS):
        try:
            return os.open(name, flags, mode, dir_fd=folder)
        except PermissionError:
            if mode == PRIVATE_FILE or not wait_if_just_made(name, folder):
                raise
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)


def wait_if_just_made(path: str, folder: int | None = None) -> bool:
    """Was it made a moment ago, so that its maker may not have let the group in yet? Then wait a little."""
    try:
        age = time.time() - os.stat(path, dir_fd=folder, follow_symlinks=False).st_ctime
    except OSError:
        return False
    is_new = abs(age) < MAKING_TAKES
    if is_new:
        time.sleep(2 * MAKING_TAKES / _ATTEMPTS)
    return is_new


def set_mode(descriptor: int, mode: int) -> None:
    """Give a file of this user the mode that a group needs, whatever the umask; one for its user alone has it."""
    if mode != PRIVATE_FILE:
        with contextlib.suppress(OSError):  # a file system without modes
            os.fchmod(descriptor, mode)


def close_file(descriptor: int) -> None:
    """Close a file of which nothing more is wanted; an error is of no use to anybody."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


def identity(descriptor: int) -> tuple[int, int]:
    """The device and the inode of an open file, which is closed if they cannot be had."""
    try:
        state = os.fstat(descriptor)
    except OSError:
        close_file(descriptor)
        raise
    return state.st_dev, state.st_ino


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


def is_still_open(descriptor: int, identity: tuple[int, int]) -> bool:
    """Does a descriptor stand for the file of this device and inode? Once closed, it may stand for a file of others."""
    try:
        state = os.fstat(descriptor)
    except OSError as error:
        return error.errno == errno.ESTALE  # removed on the server
    return (state.st_dev, state.st_ino) == identity


_NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "fuse.sshfs", "ncpfs")


def is_on_network(device: int) -> bool:
    """Is a device a file system on which other computers can remove a file while it is mapped here?

    Reading a mapped page of such a file ends the process with SIGBUS.
    """
    try:
        with open("/proc/self/mountinfo") as file:
            return _is_network(file.read(), f"{os.major(device)}:{os.minor(device)}")
    except OSError:  # there is no such list on other systems
        return False


@lru_cache(maxsize=8)
def _is_network(mounts: str, device: str) -> bool:
    """Look a device up in mountinfo: see proc(5)."""
    for line in mounts.splitlines():
        mount, _, file_system = line.partition(" - ")
        if mount.split(" ")[2:3] == [device]:
            return file_system.startswith(_NETWORK)
    return False
