"""How are entries kept as files in a directory?"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from weakref import WeakSet

from stored.stores import _upkeep
from stored.stores._base import Store, check_name, is_name
from stored.stores._files import check_folders, is_on_network, make_folder, open_file, spare_handles
from stored.stores._locks import FileLocks, lock_new_file
from stored.typing import Buffer, Turn, Upkeep

__all__ = ["DirectoryStore"]

_MIN_MAPPED_BYTES = 1 << 20
_ATTEMPTS = 200
"""How often a folder is made again that others keep removing."""


class DirectoryStore(Store):
    """A directory on a local or shared file system.

    Each name is one file. A file is written as a draft and then renamed, so readers see all old or all new bytes; a
    reader that has mapped a file keeps its bytes when it is replaced. Nothing is synced to the device: after a power
    failure a file may be missing or damaged, which its reader must be able to see. Folders are made when they are first
    written to, for their owner only (mode 0700, files 0600). Symbolic links below the root are not followed.

    Drafts and locks are files in the folder ``.work``; a process that dies leaves them there for `clear_leftovers`.

    Parameters
    ----------
    root : path-like
        The directory; it need not exist.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).expanduser().absolute()
        self._start = str(self.root)
        self._work = self.root / _upkeep.WORK
        self._locks = FileLocks(self._work)

    def __repr__(self) -> str:
        return f"DirectoryStore({str(self.root)!r})"

    def _path(self, name: str) -> str:
        """The path of a name; an error if a folder on the way is a symbolic link."""
        folder = check_name(name).rpartition("/")[0]
        if folder:
            check_folders(self._start, folder)
        return f"{self._start}/{name}"

    def read(self, name: str) -> Buffer | None:
        """All bytes of a file, or None; memory-mapped from 1 MiB on, unless other computers can remove the file."""
        return self._read_file(name, _read_content)

    def read_start(self, name: str, length: int) -> Buffer | None:
        """The first bytes of a file."""
        return self._read_file(name, lambda descriptor, state: os.read(descriptor, min(length, state.st_size)))

    def _read_file(self, name: str, read: Callable[[int, os.stat_result], Buffer]) -> Buffer | None:
        path = self._path(name)
        try:
            return _read_open(path, read)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
        return _read_open(path, read)  # on NFS, another computer replaced the file after it was opened

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Replace a file in one step."""
        path = self._path(name)
        descriptor, draft = self._open_draft()
        try:
            with open(descriptor, "wb") as file:
                for part in parts:
                    file.write(part)
                file.flush()
                self._rename_draft(draft, path)  # while the draft is locked, and so cannot be taken for a leftover
        except BaseException:  # Ctrl-C too leaves nothing behind
            with contextlib.suppress(OSError):
                os.unlink(draft)
            raise

    def _open_draft(self) -> tuple[int, str]:
        """A new draft, open and locked."""
        check_folders(self._start, _upkeep.WORK)
        for _ in range(_ATTEMPTS):  # others may remove the whole directory at any moment
            draft = f"{self._start}/{_upkeep.WORK}/{os.getpid()}-{os.urandom(8).hex()}{_upkeep.DRAFT}"
            try:
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                _make_if_missing(self._work)
                continue
            if lock_new_file(descriptor):
                return descriptor, draft
            os.close(descriptor)
        raise _folder_error(self._work)

    def _rename_draft(self, draft: str, path: str) -> None:
        for _ in range(_ATTEMPTS):  # others remove a folder with its last file
            try:
                os.replace(draft, path)
                return
            except FileNotFoundError:
                os.lstat(draft)  # raises if not the folder but the draft is gone
                _make_if_missing(Path(path).parent)
        raise _folder_error(Path(path).parent)

    def delete(self, name: str) -> bool:
        """Remove a file, and its folder if that was the last; was it there?"""
        path = self._path(name)
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        if "/" in name:
            with contextlib.suppress(OSError):  # not empty, or not ours to remove
                os.rmdir(os.path.dirname(path))
        return True

    def names(self, folder: str = "") -> Iterator[str]:
        """The names of the files in a folder and below it; hidden files, links and other names are skipped."""
        start = self._start
        if folder:
            start = f"{start}/{check_name(folder)}"
            check_folders(self._start, folder)
        prefix_length = len(self._start) + 1
        return filter(is_name, (path[prefix_length:] for path in _upkeep.files_below(start)))

    def location(self, name: str = "") -> str:
        """The path of a file."""
        return f"{self._start}/{check_name(name)}" if name else self._start

    def touch(self, name: str) -> None:
        """Set the time of a file to now."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._path(name), follow_symlinks=False)

    def declare_wait(self, name: str) -> AbstractContextManager[None]:
        """Within the block, this thread needs the entry of a name."""
        return self._locks.declare_wait(check_name(name))

    def compute_turn(self, name: str, limit: float) -> AbstractContextManager[Turn]:
        """Wait for a lock file, and hold it within the block; without locks it is at once this thread's turn."""
        return self._locks.compute_turn(check_name(name), limit)

    def clear_leftovers(self) -> int:
        """Remove drafts and lock files whose processes have died; where files cannot be locked, those a day old."""
        check_folders(self._start, _upkeep.WORK)
        return _upkeep.clear_leftovers(self._work)

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        """Remove files that are beyond the limits, and folders that are then empty."""
        return _upkeep.trim(self.root, ending, max_bytes, max_age)

    def writable_by_others(self) -> str:
        """Everybody, if the mode of the directory says so."""
        with contextlib.suppress(OSError):
            if os.stat(self.root).st_mode & stat.S_IWOTH:
                return f"{self._start} can be written to by everybody on this computer"
        return ""


def _read_open(path: str, read: Callable[[int, os.stat_result], Buffer]) -> Buffer | None:
    try:
        descriptor = open_file(path)
    except FileNotFoundError:
        return None
    try:
        state = os.fstat(descriptor)
        _check_is_file(state, path)
        return read(descriptor, state)
    finally:
        os.close(descriptor)


def _read_content(descriptor: int, state: os.stat_result) -> Buffer:
    if state.st_size < _MIN_MAPPED_BYTES:
        return os.read(descriptor, state.st_size)
    if is_on_network(state.st_dev) or len(_mapped_files) >= spare_handles():
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.read()
    mapped = mmap.mmap(descriptor, state.st_size, access=mmap.ACCESS_READ)
    _mapped_files.add(mapped)
    return memoryview(mapped)


_mapped_files: WeakSet[mmap.mmap] = WeakSet()
"""The files that are mapped now; each takes a file handle."""


def _check_is_file(state: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", name)


def _make_if_missing(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError, FileExistsError):
        make_folder(folder)


def _folder_error(folder: Path) -> OSError:
    return FileNotFoundError(errno.ENOENT, "the folder cannot be made", str(folder))
