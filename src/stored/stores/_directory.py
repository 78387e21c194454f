"""How are entries kept as files in a directory?"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeAlias
from weakref import WeakSet

from stored._entry_form import is_entry_name, said_size
from stored._unix_group import find_group
from stored.stores import _upkeep
from stored.stores._drafts import write_file
from stored.stores._files import READ_FLAGS, is_on_network
from stored.stores._folders import open_folders, spare_handles
from stored.stores._locks import TurnBlock, file_locks
from stored.stores._marker import MARKER, why_no_cache
from stored.stores._size import SizeFile
from stored.typing import Buffer, Store, Turn, Upkeep, Usage, Waiting, check_name, is_name

__all__ = ["DirectoryStore"]

_FIRST_BYTES = 1 << 16
"""How many bytes are read at once; a file that is smaller is read in one call."""

_MIN_MAPPED_BYTES = 1 << 20
_FEWEST_BYTES = 32
"""What gives less may be no regular file, but a pipe that nobody writes to."""

_ATTEMPTS = 200
"""How often a draft is begun again that others keep removing, or its folder."""

_OUTDATED = (errno.ENOENT, errno.ESTALE, errno.EBADF, errno.ENOTDIR)
"""The errors of a descriptor that is of a folder no longer: it was removed, here or on a server, or closed."""

_OLD_FOLDER = re.compile(r".*-[0-9a-f]{32}", re.DOTALL)
"""The folder of an owner in releases that had one for each."""


ReadOn: TypeAlias = Callable[[int, str, bytes], Buffer]
"""Takes an open file, its name and its first bytes, and returns all of it."""


class DirectoryStore(Store):
    """A directory on a local or shared file system.

    Each name is one file. A file is written as a draft and then renamed, so readers see all old or all new bytes; a
    reader that has mapped a file keeps its bytes when it is replaced. Nothing is synced to the device: after a power
    failure a file may be missing or damaged, which its reader must be able to see. Folders are made when they are first
    written to, for their owner only (mode 0700, files 0600). Symbolic links below the root are not followed.

    A directory is shared with its group if it is setgid and the group may write to it (mode 2770), or by `group`: the
    folders below then have its mode and group, and files the mode 0660, or 0664 if others may read the directory
    (2775), whatever the umask. All of the group can store, read, wait for each other, trim and clear then.

    In the folder ``.work``, which must be the user's own, or in a shared directory the group's, are the lock file, a
    file with the size, and, while they are needed, drafts and notes of who waits or has failed; what a process that
    died has left there goes with `clear_leftovers`. The first write marks the directory by a file ``CACHEDIR.TAG``,
    unless it holds anything else.

    Parameters
    ----------
    root : path-like
        The directory; it need not exist.
    maps : bool, optional
        Are large files memory-mapped? If anybody writes into such a file in place, as ``cp`` over it does, arrays that
        callers have change with it. By default only those are mapped that belong to the user and that nobody else can
        write to.
    anywhere : bool, optional
        May files be removed by `trim` and `clear_leftovers` though it may not be a cache: it has no marker file
        ``CACHEDIR.TAG``, is a home directory, or holds much else? Only files whose names and first bytes are those of
        the library are removed anyway.
    group : str or int, optional
        The group of users, by name or number, with which the directory is shared before the first write. Folders above
        it that are made are the group's too. A directory that is there must be shared with this group already, or be
        the user's own, and then it and what the library has made in it are given to the group once.

    Raises
    ------
    ValueError
        If there is no such group, or the user is not in it.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        maps: bool | None = None,
        anywhere: bool = False,
        group: str | int | None = None,
    ) -> None:
        self.root = Path(root).expanduser().absolute()
        self.maps = maps
        self.anywhere = anywhere
        self.group = group
        self._group = None if group is None else find_group(group)
        self._start = str(self.root)
        self._folders = open_folders(self._start)
        self._locks = file_locks(self._start)
        if self._group is not None:
            self._folders.share_with(self._group)
        self._size = SizeFile(self._folders, self._locks)
        self._read_on = partial(_read_on, maps)

    def __repr__(self) -> str:
        options = "" if self.maps is None else f", maps={self.maps}"
        options += ", anywhere=True" * self.anywhere
        options += "" if self.group is None else f", group={self.group!r}"
        return f"DirectoryStore({str(self.root)!r}{options})"

    def _renew(self, name: str) -> None:
        """See to it that the folder of a name is the one at its path, though it may have been closed or replaced."""
        folder = check_name(name).rpartition("/")[0]
        if not self._folders.is_in_place(folder):
            self._folders.recover(folder)

    def read(self, name: str) -> Buffer | None:
        """All bytes of a file, or None; memory-mapped from 1 MiB on, unless other computers can remove the file."""
        folder, _, file = check_name(name).rpartition("/")
        if name in self._locks.held and not os.access(f"{self._start}/{name}", os.F_OK):
            return None  # this process computes it, so that it is hardly ever there
        try:
            descriptor = os.open(file, READ_FLAGS, dir_fd=self._folders.open[folder])
            try:
                data = os.read(descriptor, _FIRST_BYTES)
                return data if _FEWEST_BYTES <= len(data) < _FIRST_BYTES else self._read_on(descriptor, name, data)
            finally:
                os.close(descriptor)
        except KeyError:
            return self._read_file(name, _FIRST_BYTES, self._read_on)
        except OSError as error:
            return self._read_again(error, name, _FIRST_BYTES, self._read_on)

    def read_start(self, name: str, length: int) -> Buffer | None:
        """The first bytes of a file."""
        return self._read_file(name, length, _start_only)

    def _read_file(self, name: str, length: int, read_on: ReadOn) -> Buffer | None:
        try:
            return self._read_once(name, length, read_on)
        except OSError as error:
            return self._read_again(error, name, length, read_on)

    def _read_again(self, error: OSError, name: str, length: int, read_on: ReadOn) -> Buffer | None:
        """Read a file after an error, if that came from an outdated descriptor of its folder, or on NFS of itself."""
        folder = name.rpartition("/")[0]
        if error.errno == errno.ENOENT and self._folders.is_in_place(folder):
            return None
        if error.errno not in _OUTDATED:
            raise error
        try:
            self._folders.recover(folder, error)
            return self._read_once(name, length, read_on)
        except FileNotFoundError:
            return None

    def _read_once(self, name: str, length: int, read_on: ReadOn) -> Buffer:
        folder, _, file = check_name(name).rpartition("/")
        with self._folders.at(folder) as above:
            descriptor = os.open(file, READ_FLAGS, dir_fd=above)
            try:
                return read_on(descriptor, name, os.read(descriptor, length))
            finally:
                os.close(descriptor)

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Replace a file in one step."""
        check_name(name)
        self._folders.share_with(self._group)
        try:
            write_file(self._start, self._folders, name, parts)
        except OSError as error:
            self._write_again(error, name, parts)
        block = self._locks.held.get(name)
        if block is not None:
            block.has_written = True

    def _write_again(self, error: OSError, name: str, parts: Sequence[Buffer]) -> None:
        """Write a file after an error, if others have removed or replaced the draft or a folder, or closed a folder."""
        folder = name.rpartition("/")[0]
        for _ in range(_ATTEMPTS):
            is_outdated = self._folders.recover(folder, error, makes=True)
            if not is_outdated and not isinstance(error, FileNotFoundError):
                raise error
            try:
                return write_file(self._start, self._folders, name, parts)
            except OSError as latest:
                error = latest
        raise FileNotFoundError(errno.ENOENT, "the draft or its folder is removed again and again", self.location(name))

    def delete(self, name: str) -> bool:
        """Remove a file; was it there?"""
        folder, _, file = name.rpartition("/")
        try:
            self._renew(name)
            with self._folders.at(folder) as above:
                os.unlink(file, dir_fd=above)
        except FileNotFoundError:
            return False
        if _OLD_FOLDER.fullmatch(folder):  # others are few, and stay, since another process may be writing there
            outer, _, inner = folder.rpartition("/")
            with contextlib.suppress(OSError), self._folders.at(outer) as above:  # not empty, or not ours to remove
                os.rmdir(inner, dir_fd=above)
        return True

    def names(self, folder: str = "") -> Iterator[str]:
        """The names of the files in a folder and below it; hidden files, links and other names are skipped."""
        if folder:
            check_name(folder)
        return self._names(folder)

    def _names(self, folder: str) -> Iterator[str]:
        try:
            self._folders.recover(folder)
            with self._folders.at(folder) as start:
                for name, _ in _upkeep.files_below(start, f"{folder}/" if folder else ""):
                    if is_name(name) and name != MARKER:
                        yield name
        except (FileNotFoundError, NotADirectoryError):
            return

    def location(self, name: str = "") -> str:
        """The path of a file."""
        return f"{self._start}/{check_name(name)}" if name else self._start

    def make_folder(self, folder: str = "") -> str:
        """Make the directory, or a folder in it, if it is missing; the path.

        Raises
        ------
        OSError
            If it cannot be made.
        """
        path = self.location(folder)
        self._folders.share_with(self._group)
        if self._group is not None:
            self._folders.work(makes=True)
        self._folders.recover(folder, makes=True)
        with self._folders.at(folder, makes=True):
            return path

    def touch(self, name: str) -> None:
        """Set the time of a file to now."""
        with contextlib.suppress(FileNotFoundError):
            self._renew(name)
            folder, _, file = name.rpartition("/")
            with self._folders.at(folder) as above:
                os.utime(file, dir_fd=above, follow_symlinks=False)

    def declare_wait(self, name: str) -> AbstractContextManager[None]:
        """Within the block, this thread waits for another of its process that needs a name; no file is made."""
        return self._locks.declare_wait(check_name(name))

    def compute_turn(
        self, name: str, limit: float | None, tell: Callable[[Waiting], object] | None = None
    ) -> AbstractContextManager[Turn]:
        """Wait for the lock of a name, and hold it within the block; without locks it is at once this thread's turn."""
        self._folders.share_with(self._group)
        return TurnBlock(self._locks, check_name(name), limit, tell)

    def has_locks(self) -> bool:
        """Can files be locked here, as far as is known? Where they cannot, leftovers stay for a day."""
        try:
            return _upkeep.has_locks(self._folders.work())
        except OSError:  # nothing is there
            return True

    def check_is_cache(self) -> None:
        """Refuse to remove files from a directory that may not be a cache, unless `anywhere` allows it.

        Raises
        ------
        OSError
            If it is a home directory, contains one, or holds much else, or anything else and has no marker.
        """
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self._folders.recover("")
            with self._folders.at("") as root:
                reason = "" if self.anywhere else why_no_cache(root)
            if reason:
                raise OSError(
                    errno.EPERM,
                    f"nothing is removed here, since {reason}; give results a directory of their own (cache_dir), or"
                    f" allow it by configure(store=DirectoryStore({self._start!r}, anywhere=True))",
                    self._start,
                )

    def clear_leftovers(self) -> int:
        """Remove drafts and notes whose processes have died; where files cannot be locked, those a day old.

        In a directory that may not be a cache, none.
        """
        try:
            work = self._folders.work()
        except (FileNotFoundError, NotADirectoryError):
            return 0
        with self._folders.at("") as root:
            is_cache = self.anywhere or not why_no_cache(root)
        return _upkeep.clear_leftovers(work) if is_cache else 0

    def count_written(self, size: int) -> Usage | None:
        """Count bytes in a file that all processes share; None if it cannot be written."""
        try:
            return self._size.add(size)
        except OSError:
            return None

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        """Remove entries that are beyond the limits, and correct the count; folders and files of others stay.

        Raises
        ------
        OSError
            If it may not be a cache, as `check_is_cache` says, or cannot be read, or something cannot be removed.
        """
        self.check_is_cache()
        since = self._size.read()
        try:
            done = _upkeep.trim(self._folders, ending, max_bytes, max_age)
        except (FileNotFoundError, NotADirectoryError):  # there is no directory
            return Upkeep()
        with contextlib.suppress(OSError):  # then the count is that of before, or there is none
            self._size.correct(done.bytes, since)
        return done

    def writable_by_others(self) -> str:
        """Everybody, if the mode of the directory says so."""
        with contextlib.suppress(OSError):
            if os.stat(self.root).st_mode & stat.S_IWOTH:
                return f"{self._start} can be written to by everybody on this computer"
        return ""


def _start_only(descriptor: int, name: str, start: bytes) -> Buffer:
    """The first bytes of a file, if it is a regular one."""
    if len(start) < _FEWEST_BYTES:
        _checked_state(descriptor, name)
    return start


def _read_on(maps: bool | None, descriptor: int, name: str, start: bytes) -> Buffer:
    """All of a file, read or as a map; only its first bytes, which were read, if an entry says another size."""
    if len(start) < _FIRST_BYTES:
        return _start_only(descriptor, name, start)
    state = _checked_state(descriptor, name)
    size = state.st_size
    if is_entry_name(name) and said_size(start) != size:
        return start
    if maps is None:
        maps = state.st_uid == os.geteuid() and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not maps or size < _MIN_MAPPED_BYTES or is_on_network(state.st_dev) or len(_mapped_files) >= spare_handles():
        return _read_all(descriptor, size)
    try:
        mapped = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    except ValueError:  # somebody has just cut it off
        return _read_all(descriptor, size)
    _mapped_files.add(mapped)
    return memoryview(mapped)


def _read_all(descriptor: int, size: int) -> bytes:
    """So many bytes of a file from its beginning, in one buffer, or fewer if it has no more."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(size)


_mapped_files: WeakSet[mmap.mmap] = WeakSet()
"""The files that are mapped now; each takes a file handle."""


def _checked_state(descriptor: int, path: str) -> os.stat_result:
    """The state of an open file, if it is a regular one."""
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", path)
    return state
