"""Which folders of a directory are open? Files are opened relative to them, so no link in their place is followed."""

from __future__ import annotations

import contextlib
import os

from stored._fork_safe_lock import ForkSafeLock
from stored.stores._files import check_folders, spare_handles

__all__ = ["OpenFolders"]

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class OpenFolders:
    """The folders below a directory, each opened once and then kept open.

    Whoever puts a link, or another folder, in the place of one that is open does not change where files are read. A
    descriptor always stands for the same name: it is renewed, and never closed while others may use it.

    Parameters
    ----------
    root : str
        The directory; it may itself be a link, since the user chose it.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._open: dict[str, int] = {}
        self._states: dict[str, os.stat_result] = {}  # what was opened
        self._lock = ForkSafeLock()

    def __reduce__(self) -> tuple[type[OpenFolders], tuple[str]]:
        return OpenFolders, (self._root,)

    def __del__(self) -> None:
        for folder, descriptor in self._open.items():
            if self._is_ours(folder, descriptor):
                os.close(descriptor)

    def _is_ours(self, folder: str, descriptor: int) -> bool:
        """Is it what was opened? A daemon closes all descriptors, and others then open files under their numbers."""
        try:
            return os.path.samestat(os.fstat(descriptor), self._states[folder])
        except OSError:
            return False

    def find(self, folder: str) -> int | None:
        """The descriptor of a folder; None if too many are open.

        Raises
        ------
        OSError
            If it is not there, or it or one above it is a link.
        """
        found = self._open.get(folder)
        return found if found is not None else self._add(folder)

    def _add(self, folder: str) -> int | None:
        with self._lock:
            if folder not in self._open:
                if len(self._open) >= spare_handles():
                    check_folders(self._root, folder)
                    return None
                descriptor = self._opened(folder)
                self._states[folder] = os.fstat(descriptor)
                self._open[folder] = descriptor
            return self._open[folder]

    def _opened(self, folder: str) -> int:
        descriptor = os.open(self._root, _FLAGS & ~os.O_NOFOLLOW)
        for part in folder.split("/") if folder else ():
            try:
                below = os.open(part, _FLAGS, dir_fd=descriptor)
            except OSError:
                check_folders(self._root, folder)  # says so if it is a link
                raise
            finally:
                os.close(descriptor)
            descriptor = below
        return descriptor

    def renew_if_removed(self, folder: str) -> bool:
        """Open a folder again that was removed, and made again; was it?"""
        descriptor = self._open.get(folder)
        if descriptor is None or os.fstat(descriptor).st_nlink:
            return False
        return self.renew(folder)

    def renew(self, folder: str) -> bool:
        """Open a folder again, if it is open and there."""
        descriptor = self._open.get(folder)
        with contextlib.suppress(FileNotFoundError):
            if descriptor is not None:
                self._renew(folder, descriptor)
                return True
        return False

    def renew_if_moved(self, folder: str) -> None:
        """Open a folder again if another one is in its place now, or it was removed.

        Raises
        ------
        OSError
            If it is not there, or it or one above it is a link.
        """
        descriptor = self._open.get(folder)
        if descriptor is None:
            return
        if not self._is_in_place(folder, descriptor):
            self._renew(folder, descriptor)

    def _is_in_place(self, folder: str, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.lstat(f"{self._root}/{folder}"), os.fstat(descriptor))
        except OSError:  # removed, here or on the server
            return False

    def _renew(self, folder: str, descriptor: int) -> None:
        new = self._opened(folder)
        with self._lock:
            is_ours, self._states[folder] = self._is_ours(folder, descriptor), os.fstat(new)
            if not is_ours:
                self._open[folder] = new
                return
            try:
                os.dup2(new, descriptor, inheritable=False)  # in one step, for those who use it now
            finally:
                os.close(new)
