"""How many bytes does a directory take? A small file counts them, so that nobody need list the directory.

The file has 40 bytes: a magic of 8, the number of bytes (int64), the time of the last trim (float64), and a blake2b of
16 bytes over these; numbers are little-endian. It is changed under a lock. A file that is missing or damaged counts
nothing and was never trimmed; what cannot be counted since another process is at it is counted with the next write.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import time
from collections.abc import Iterator
from hashlib import blake2b

from stored.stores._files import SIZE_MAGIC, close_file, open_work_file
from stored.stores._folders import OpenFolders
from stored.stores._locks import FileLocks
from stored.typing import Usage

__all__ = ["SizeFile"]

_RECORD = struct.Struct("<8sqd16s")
_MOST_BYTES = 1 << 62


class SizeFile:
    """The size of a directory, and the time when it was trimmed.

    Parameters
    ----------
    folders : OpenFolders
        The folders of the directory.
    locks : FileLocks
        Its locks.
    """

    def __init__(self, folders: OpenFolders, locks: FileLocks) -> None:
        self._folders = folders
        self._locks = locks
        self._uncounted = 0

    def read(self) -> Usage:
        """What the file says; nothing if it cannot be read."""
        try:
            with self._opened(os.O_RDONLY) as descriptor:
                return _read(descriptor)
        except OSError:
            return Usage()

    def add(self, size: int) -> Usage:
        """Count bytes that were written; how many are there now?

        Raises
        ------
        OSError
            If the file cannot be read or written.
        """
        with self._locks.section() as is_free, self._opened(os.O_RDWR | os.O_CREAT) as descriptor:
            self._uncounted += size
            before = _read(descriptor)
            usage = before._replace(bytes=before.bytes + self._uncounted)
            if is_free:
                _write(descriptor, usage)
                self._uncounted = 0
            return usage

    def correct(self, counted: int, since: Usage) -> None:
        """Put right what the file says, after the files that were there at a time were counted.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        # if another process is at it, one of the two changes is lost, which the next trim puts right
        with self._locks.section(), self._opened(os.O_RDWR | os.O_CREAT) as descriptor:
            written_meanwhile = max(0, _read(descriptor).bytes - since.bytes)
            _write(descriptor, Usage(counted + written_meanwhile, time.time()))

    @contextlib.contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        descriptor = open_work_file("size", flags, self._folders.work(), self._folders.file_mode())
        try:
            yield descriptor
        finally:
            close_file(descriptor)


def _checksum(size: int, trimmed_at: float) -> bytes:
    return blake2b(struct.pack("<8sqd", SIZE_MAGIC, size, trimmed_at), digest_size=16).digest()


def _read(descriptor: int) -> Usage:
    words = os.pread(descriptor, _RECORD.size + 1, 0)
    if len(words) != _RECORD.size:
        return Usage()
    _, size, trimmed_at, checksum = _RECORD.unpack(words)
    is_whole = checksum == _checksum(size, trimmed_at)
    return Usage(size, trimmed_at) if is_whole and 0 <= size < _MOST_BYTES else Usage()


def _write(descriptor: int, usage: Usage) -> None:
    words = _RECORD.pack(SIZE_MAGIC, *usage, _checksum(*usage))
    if os.pwrite(descriptor, words, 0) != len(words):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
