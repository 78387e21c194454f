"""Which folders of a directory are open? Files are opened relative to them, so no link in their place is followed."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import stat
from itertools import accumulate

from stored._fork_safe_lock import ForkSafeLock
from stored._private_folder import make_private_folder, make_private_subfolder
from stored.stores._files import WORK, is_still_open

__all__ = ["OpenFolders", "check_folders", "spare_handles"]

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTEMPTS = 200
"""How often a folder is made again that others keep removing."""


class OpenFolders:
    """The folders below a directory, each opened once and then kept open.

    A link in the place of a folder is not followed; another folder in its place is opened when a file is to be written
    or is not found. A descriptor always stands for the same name: it is renewed, and never closed while others may use
    it. Where the program has closed it, and its number may be that of a file of others, it is left alone.

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
            if self.is_ours(folder):
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
                    make_private_folder(f"{self._root}/{folder}")
                return None
            return self._find(folder, makes)

    def _find(self, folder: str, makes: bool) -> int:
        """The descriptor of a folder that is at its path now."""
        if folder not in self.open:
            self._add(folder, self._opened(folder, makes))
        elif not self.is_in_place(folder):
            self._renew(folder, makes)
        return self.open[folder]

    def _add(self, folder: str, descriptor: int) -> None:
        state = os.fstat(descriptor)
        self._identities[folder] = state.st_dev, state.st_ino
        self.open[folder] = descriptor

    def _opened(self, folder: str, makes: bool) -> int:
        for _ in range(_ATTEMPTS):
            try:
                return self._open(folder, makes)
            except FileNotFoundError:
                if not makes:
                    raise
                self._make(folder)
        raise OSError(errno.EBUSY, "the folder cannot be made", f"{self._root}/{folder}")

    def _open(self, folder: str, makes: bool) -> int:
        if not folder:
            return os.open(self._root, _FLAGS & ~os.O_NOFOLLOW)
        above, _, name = folder.rpartition("/")
        try:
            return os.open(name, _FLAGS, dir_fd=self._find(above, makes))
        except OSError:
            check_folders(self._root, folder)  # says so if it is a link
            raise

    def _make(self, folder: str) -> None:
        above, _, name = folder.rpartition("/")
        with contextlib.suppress(FileExistsError):  # another process has made it, or a broken link is in its place
            if folder:
                make_private_subfolder(self._find(above, makes=True), name)
            else:
                make_private_folder(self._root)

    def is_ours(self, folder: str) -> bool:
        """Does the descriptor of an open folder stand for what was opened? The program may have closed it."""
        return is_still_open(self.open[folder], self._identities[folder])

    def is_in_place(self, folder: str) -> bool:
        """Does the descriptor of a folder stand for what is at its path now? True if the folder is not open."""
        descriptor = self.open.get(folder)
        if descriptor is None:
            return True
        try:
            opened, found = os.fstat(descriptor), os.lstat(f"{self._root}/{folder}")
        except OSError:  # closed, or removed, here or on the server
            return False
        return opened.st_ino == found.st_ino and opened.st_dev == found.st_dev

    def recover(self, folder: str, error: OSError | None = None, *, makes: bool = False) -> bool:
        """Renew the descriptors of a folder and those above it that were closed or replaced; was there any?

        Parameters
        ----------
        folder : str
            The folder.
        error : OSError, optional
            What its use led to; if it is ESTALE, all are opened again.
        makes : bool
            Is it for a write, which needs the folder of drafts too, and for which missing folders are made?

        Raises
        ------
        OSError
            If one is a link, or is missing and not to be made, or cannot be opened or made.
        """
        is_stale = error is not None and error.errno == errno.ESTALE
        below_root = [WORK] if makes else []
        below_root += accumulate(folder.split("/"), "{}/{}".format) if folder else []
        was_outdated = False
        with self._lock:
            for each in ("", *below_root):
                # what is in place is not known for ours if renewing it was interrupted
                if each in self.open and (is_stale or not self.is_ours(each) or not self.is_in_place(each)):
                    self._renew(each, makes)
                    was_outdated = True
        return was_outdated

    def _renew(self, folder: str, makes: bool) -> None:
        """Let the descriptor of a folder stand for what is at its path now; another one, if its number is of others."""
        is_ours = self.is_ours(folder)  # before others are opened, which may get the number of one that was closed
        new = self._opened(folder, makes)
        if not is_ours:
            self._add(folder, new)
            return
        try:
            os.dup2(new, self.open[folder], inheritable=False)  # in one step, for those who use it now
        finally:
            os.close(new)
        self._add(folder, self.open[folder])


def spare_handles() -> int:
    """How many file handles a store may keep open for one purpose: a quarter of those that a process may have."""
    handles, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (handles if handles != resource.RLIM_INFINITY else 1 << 20) // 4


def check_folders(root: str, folder: str) -> None:
    """Refuse a folder if it, or one above it within the root, is a symbolic link.

    The root itself may be a link, since the user chose it.

    Raises
    ------
    OSError
        If there is such a link.
    """
    path = root
    for part in folder.split("/"):
        path = f"{path}/{part}"
        try:
            mode = os.lstat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return
        if stat.S_ISLNK(mode):
            raise OSError(
                errno.ELOOP,
                "a folder of the cache directory is a symbolic link, which is not followed; remove it",
                path,
            )
