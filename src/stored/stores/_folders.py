"""Which folders of a directory are open? Files are opened relative to them, so no link in their place is followed."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import stat
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from weakref import WeakValueDictionary

from stored._fork_safe_lock import ForkSafeLock
from stored._private_folder import GROUP_FOLDER, make_private_folder, make_subfolder
from stored.stores._files import WORK, close_file, identity, is_still_open, wait_if_just_made
from stored.stores._marker import make_marker
from stored.stores._modes import file_mode, folder_mode, is_shared
from stored.stores._sharing import let_group_in, share_directory, why_no_work_folder

__all__ = ["OpenFolders", "check_folders", "open_folders", "spare_handles"]

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTEMPTS = 200
"""How often a folder is made again that others keep removing."""


class OpenFolders:
    """The folders below a directory, each opened once and then kept open. `open_folders` gives them.

    Each is opened relative to the one above, so no link is followed, whenever it is put there; another folder in its
    place is opened when a file is to be written or is not found. A descriptor always stands for the same name: it is
    renewed, and never closed while others may use it. Where the program has closed it, and its number may be that of a
    file of others, it is left alone. The folder of drafts must be the user's own, or in a shared directory the group's.

    Parameters
    ----------
    root : str
        The directory; it may itself be a link, since the user chose it.

    Attributes
    ----------
    open : dict
        The descriptors of the folders that are open, by name; that of the directory itself is under the empty name.
    is_prepared : bool
        Is the directory marked, and shared if need be? Else `work` sees to it before the first write.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self.open: dict[str, int] = {}
        self.is_prepared = False
        self._group: int | None = None
        self._identities: dict[str, tuple[int, int]] = {}  # device and inode of what was opened
        self._lock = ForkSafeLock()

    def __reduce__(self) -> tuple[object, ...]:
        return open_folders, (self._root,)

    def __del__(self) -> None:
        for folder, descriptor in self.open.items():
            if self.is_ours(folder):
                close_file(descriptor)

    def share_with(self, group: int | None) -> None:
        """Share the directory with a group before the next write; None leaves it as it is."""
        if group != self._group:
            self._group, self.is_prepared = group, False

    def file_mode(self) -> int:
        """The mode of files that are made.

        Raises
        ------
        OSError
            If there is no directory.
        """
        return file_mode(os.stat(self._root).st_mode)

    @contextlib.contextmanager
    def at(self, folder: str, *, makes: bool = False) -> Iterator[int]:
        """The descriptor of a folder, which can be made if it is missing, within the block.

        Raises
        ------
        OSError
            If it is not there, or cannot be made, or it or one above it is a link.
        """
        descriptor = self.open.get(folder)
        if descriptor is None:
            with self._lock:
                descriptor, is_kept = self._find_or_open(folder, makes)
            if not is_kept:
                try:
                    yield descriptor
                finally:
                    close_file(descriptor)
                return
        yield descriptor

    def _find_or_open(self, folder: str, makes: bool) -> tuple[int, bool]:
        """The descriptor of a folder; is it kept open? Not if too many are, but for the two that all use."""
        if folder in self.open or folder in {"", WORK} or len(self.open) < spare_handles():
            return self._find(folder, makes), True
        return self._opened(folder, makes), False

    def work(self, *, makes: bool = False) -> int:
        """The descriptor of the folder of drafts that is at its path now.

        Raises
        ------
        OSError
            If it is not there, or cannot be made, or is a link, or others could exchange drafts there, or the directory
            cannot be shared as it is to be.
        """
        with self._lock:
            is_ready = self.is_prepared or not makes
            if WORK in self.open and not (is_ready and self.is_ours(WORK) and self.is_in_place(WORK)):
                for each in ("", WORK):
                    self._renew(each, makes)
            return self._find(WORK, makes)

    def _find(self, folder: str, makes: bool) -> int:
        """The descriptor of a folder that is at its path now."""
        if folder not in self.open:
            self._add(folder, self._opened(folder, makes))
        elif not self.is_in_place(folder):
            self._renew(folder, makes)
        return self.open[folder]

    def _add(self, folder: str, descriptor: int) -> None:
        self._identities[folder] = identity(descriptor)
        self.open[folder] = descriptor

    def _opened(self, folder: str, makes: bool) -> int:
        for _ in range(_ATTEMPTS):
            try:
                return self._open(folder, makes)
            except FileNotFoundError:  # or it was just made, and others have removed it
                if not makes:
                    raise
        raise OSError(errno.EBUSY, "the folder cannot be made", f"{self._root}/{folder}")

    def _open(self, folder: str, makes: bool) -> int:
        """Open a folder; if it is missing, it may be made, to be opened the next time."""
        if not folder:
            return self._open_root(makes)
        above, _, name = folder.rpartition("/")
        outer, is_kept = self._find_or_open(above, makes)
        try:
            if folder == WORK and makes:
                self._share(outer)
            return self._open_in(outer, folder, name, makes)
        except FileNotFoundError as error:
            if makes and not isinstance(error, _BeingMadeError):
                with contextlib.suppress(FileExistsError):  # another process has made it, or it is a broken link
                    self._make(outer, folder, name)
            raise
        finally:
            if not is_kept:
                close_file(outer)

    def _open_root(self, makes: bool) -> int:
        try:
            return os.open(self._root, _FLAGS & ~os.O_NOFOLLOW)
        except FileNotFoundError:
            if makes:
                with contextlib.suppress(FileExistsError):  # a broken link
                    make_private_folder(self._root, self._group)
            raise
        except PermissionError:
            self._check_root_is_made()
            raise

    def _make(self, outer: int, folder: str, name: str) -> None:
        """Make a folder in one that is open, for all who may use the directory."""
        root = os.stat(self._root)
        if is_shared(root.st_mode):
            make_subfolder(outer, name, _mode_in(root, folder), root.st_gid)
        else:
            make_subfolder(outer, name)

    def _open_in(self, outer: int, folder: str, name: str, makes: bool) -> int:
        """Open a folder in one that is open; one that others are just making is missing still."""
        try:
            descriptor = os.open(name, _FLAGS, dir_fd=outer)
        except FileNotFoundError:
            raise
        except OSError as error:
            if isinstance(error, PermissionError) and self._is_being_made(outer, name):
                raise _BeingMadeError(f"{self._root}/{folder}") from None
            check_folders(self._root, folder)  # says so if it is a link
            error.filename = f"{self._root}/{folder}"
            raise
        try:
            self._let_group_in(descriptor, outer, folder, makes)
            if folder == WORK:
                self._check_work(descriptor, outer, makes)
        except BaseException:
            close_file(descriptor)
            raise
        return descriptor

    def _let_group_in(self, descriptor: int, outer: int, folder: str, makes: bool) -> None:
        """In a shared directory, let the group into a folder of this user that is to be written to."""
        state, root = os.fstat(descriptor), os.stat(self._root)
        if not is_shared(root.st_mode) or is_shared(state.st_mode):
            return
        if state.st_uid == os.geteuid():
            if not makes:
                return
            with contextlib.suppress(OSError):  # then others cannot use it
                let_group_in(descriptor, root.st_gid, _mode_in(root, folder))
        elif self._is_being_made(outer, folder.rpartition("/")[2]):
            raise _BeingMadeError(f"{self._root}/{folder}")

    def _share(self, root: int) -> None:
        """Share the directory, if it is to be shared and is not yet, unless another user is about to do so."""
        state = os.fstat(root)
        if state.st_uid != os.geteuid() and not is_shared(state.st_mode):
            self._check_root_is_made()
        share_directory(root, self._group, self._root)

    def _check_root_is_made(self) -> None:
        """Raise an error if the directory, or one above it, was just made by another user of the group."""
        if self._group is not None:
            path = self._root
            while not os.path.lexists(path):  # in a folder that cannot be entered
                path = os.path.dirname(path)
            if wait_if_just_made(path):
                raise _BeingMadeError(self._root)

    def _is_being_made(self, outer: int, name: str) -> bool:
        """Has another user of the group just made a folder, and not let the group in yet?"""
        return is_shared(os.stat(self._root).st_mode) and wait_if_just_made(name, outer)

    def _check_work(self, descriptor: int, root: int, makes: bool) -> None:
        """Refuse a folder of drafts in which others could exchange them; before the first write, mark the directory."""
        reason = why_no_work_folder(os.fstat(descriptor), os.fstat(root))
        if reason:
            raise OSError(errno.EPERM, reason, f"{self._root}/{WORK}")
        if makes:
            make_marker(root)
            self.is_prepared = True

    def is_ours(self, folder: str) -> bool:
        """Does the descriptor of an open folder stand for what was opened? The program may have closed it."""
        return is_still_open(self.open[folder], self._identities[folder])

    def is_in_place(self, folder: str) -> bool:
        """Does the descriptor of a folder stand for what is at its path now? True if the folder is not open."""
        descriptor = self.open.get(folder)
        if descriptor is None:
            return True
        path, *above = _paths_upwards(self._root, folder)
        try:
            opened, found = os.fstat(descriptor), os.lstat(path)
            if opened.st_ino != found.st_ino or opened.st_dev != found.st_dev:
                return False
            for each in above:  # it may have been moved, and a link put where one above it was
                if not stat.S_ISDIR(os.lstat(each).st_mode):
                    return False
        except OSError:  # closed, or removed, here or on the server
            return False
        return True

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
        found = identity(new)
        try:
            os.dup2(new, self.open[folder], inheritable=False)  # in one step, for those who use it now
        finally:
            close_file(new)
        self._identities[folder] = found


@lru_cache(maxsize=1024)
def _paths_upwards(root: str, folder: str) -> tuple[str, ...]:
    """The path of a folder, and those of the folders above it that are below the root."""
    paths = accumulate(folder.split("/"), "{}/{}".format)
    return tuple([f"{root}/{each}" for each in paths][::-1])


def _mode_in(root: os.stat_result, folder: str) -> int:
    """The mode of a folder of a shared directory; none but the group has a use for the one of drafts."""
    return GROUP_FOLDER if folder == WORK else folder_mode(root.st_mode)


class _BeingMadeError(FileNotFoundError):
    """A folder is as good as missing, since another user has not let the group in yet."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.ENOENT, "it is only being made", path)


_known: WeakValueDictionary[str, OpenFolders] = WeakValueDictionary()
_known_lock = ForkSafeLock()


def open_folders(root: str) -> OpenFolders:
    """The folders of a directory, the same for all who ask in this process."""
    with _known_lock:
        return _known.setdefault(root, OpenFolders(root))


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
