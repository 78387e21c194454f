"""Which folders of a directory are open? Files are opened relative to them, so no link in their place is followed."""

from __future__ import annotations

import contextlib
import errno
import os
from itertools import accumulate

from stored._fork_safe_lock import ForkSafeLock
from stored.stores._files import WORK, check_folders, folder_error, make_folder, spare_handles

__all__ = ["OpenFolders"]

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTEMPTS = 200
"""How often a folder is made again that others keep removing."""


class OpenFolders:
    """The folders below a directory, each opened once and then kept open.

    Whoever puts a link, or another folder, in the place of one that is open does not change where files are read. A
    descriptor always stands for the same name: it is renewed, and never closed while others may use it.

    Parameters
    ----------
    root : str
        The directory; it may itself be a link, since the user chose it.

    Attributes
    ----------
    open : dict
        The descriptors of the folders that are open, by name; that of the directory itself is under the empty name.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self.open: dict[str, int] = {}
        self._identities: dict[str, tuple[int, int]] = {}  # device and inode of what was opened
        self._lock = ForkSafeLock()

    def __reduce__(self) -> tuple[type[OpenFolders], tuple[str]]:
        return OpenFolders, (self._root,)

    def __del__(self) -> None:
        for folder, descriptor in self.open.items():
            if self._is_ours(folder, descriptor):
                os.close(descriptor)

    def find(self, folder: str, *, makes: bool = False) -> int | None:
        """The descriptor of a folder, which can be made if it is missing; None if too many are open.

        Raises
        ------
        OSError
            If it is not there, or cannot be made, or it or one above it is a link.
        """
        with self._lock:
            if folder not in self.open and len(self.open) >= spare_handles():
                check_folders(self._root, folder)
                if makes:
                    make_folder(f"{self._root}/{folder}")
                return None
            return self._find(folder, makes)

    def _find(self, folder: str, makes: bool) -> int:
        found = self.open.get(folder)
        if found is None:
            found = self._opened(folder, makes)
            self._identities[folder] = _identity(os.fstat(found))
            self.open[folder] = found
        return found

    def _opened(self, folder: str, makes: bool) -> int:
        for _ in range(_ATTEMPTS):
            try:
                return self._open(folder, makes)
            except FileNotFoundError:
                if not makes:
                    raise
                self._make(folder)
        raise folder_error(f"{self._root}/{folder}")

    def _open(self, folder: str, makes: bool) -> int:
        if not folder:
            return os.open(self._root, _FLAGS & ~os.O_NOFOLLOW)
        above, _, name = folder.rpartition("/")
        try:
            return os.open(name, _FLAGS, dir_fd=self._find(above, makes))
        except FileNotFoundError:
            raise
        except OSError:
            check_folders(self._root, folder)  # says so if it is a link
            raise

    def _make(self, folder: str) -> None:
        above, _, name = folder.rpartition("/")
        with contextlib.suppress(FileExistsError):  # another process has made it, or a broken link is in its place
            if folder:
                os.mkdir(name, 0o700, dir_fd=self._find(above, makes=True))
            else:
                make_folder(self._root)

    def is_in_place(self, folder: str) -> bool:
        """Does the path of an open folder lead to what was opened?"""
        with contextlib.suppress(OSError):  # removed, here or on the server
            return _identity(os.lstat(f"{self._root}/{folder}")) == self._identities[folder]
        return False

    def check_place(self, folder: str) -> None:
        """Refuse an open folder to which its path does not lead.

        Raises
        ------
        FileNotFoundError
            If another is in its place, or none.
        """
        state, opened = os.lstat(f"{self._root}/{folder}"), self._identities.get(folder)
        if opened is not None and opened != (state.st_dev, state.st_ino):
            raise FileNotFoundError(errno.ENOENT, "another folder is in its place", f"{self._root}/{folder}")

    def was_replaced(self, folder: str) -> bool:
        """Does the path of a folder lead to another one than is open?"""
        try:
            state = os.lstat(f"{self._root}/{folder}")
        except OSError:
            return False
        return self._identities.get(folder) != (state.st_dev, state.st_ino)

    def recover(self, folder: str, error: OSError | None = None, *, makes: bool = False) -> bool:
        """Open a folder, those above it, and that of drafts again where they were closed or replaced; was there any?

        Parameters
        ----------
        folder : str
            The folder.
        error : OSError, optional
            What its use led to.
        makes : bool
            Are folders that were removed made again?

        Raises
        ------
        OSError
            If one is a link, or cannot be opened or made.
        """
        is_stale = error is not None and error.errno == errno.ESTALE
        with self._lock:
            folders = [each for each in ("", WORK, *accumulate(folder.split("/"), "{}/{}".format)) if each in self.open]
            changes = self._forget_closed(folders)
            for each in folders:
                changes |= self._renew(each, makes, is_stale)
        return changes

    def _forget_closed(self, folders: list[str]) -> bool:
        """If one was closed, as by a daemon that closes all descriptors, leave the numbers of all to others."""
        if all(self._is_ours(each, self.open[each]) for each in folders):
            return False
        for each, descriptor in list(self.open.items()):
            if not self._is_ours(each, descriptor):
                del self.open[each], self._identities[each]
        return True

    def _is_ours(self, folder: str, descriptor: int) -> bool:
        """Is it what was opened, and not a file of others under the number of a descriptor that was closed?"""
        try:
            return _identity(os.fstat(descriptor)) == self._identities[folder]
        except OSError as error:
            return error.errno == errno.ESTALE

    def _renew(self, folder: str, makes: bool, is_stale: bool) -> bool:
        descriptor = self.open.get(folder)
        if descriptor is None or (self.is_in_place(folder) and not is_stale):
            return False
        try:
            new = self._opened(folder, makes)
        except FileNotFoundError:
            return False
        try:
            os.dup2(new, descriptor, inheritable=False)  # in one step, for those who use it now
        finally:
            os.close(new)
        self._identities[folder] = _identity(os.fstat(descriptor))
        return True


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino
