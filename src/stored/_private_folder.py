"""How is a folder made that only its owner, or one group too, can use, whatever the umask?"""

from __future__ import annotations

import contextlib
import os

__all__ = ["GROUP_FOLDER", "make_private_folder", "make_subfolder"]

PRIVATE_FOLDER = 0o700

GROUP_FOLDER = 0o2770
"""The mode of a folder for a group: what is made in it has its group too."""

# with O_PATH, which Linux has, a folder can be opened that may not be listed
_FLAGS = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)


def make_private_folder(path: str | os.PathLike[str], group: int | None = None) -> None:
    """Make a folder and the missing ones above it, each of mode 0700; those that are there stay as they are.

    For a group, which could not enter it otherwise, all that are made have this group and mode 2770.

    Each is made in the one above, which was opened before. So a link is followed only if it was there at the beginning,
    and not if somebody puts it in the place of a folder that was missing.

    Parameters
    ----------
    path : path-like
        The folder.
    group : int, optional
        The number of the group that can use it too.

    Raises
    ------
    OSError
        If it cannot be made, or something else is in its place.
    """
    if os.path.isdir(path):
        return
    above, name = os.path.split(os.fspath(path).rstrip("/"))
    folder = _open_or_make(above, group)
    try:
        make_subfolder(folder, name, _mode_for(group), group)
    except FileExistsError as error:
        if not os.path.isdir(path):
            raise _at(error, path) from None
    except OSError as error:
        raise _at(error, path) from None
    finally:
        os.close(folder)


def _mode_for(group: int | None) -> int:
    return PRIVATE_FOLDER if group is None else GROUP_FOLDER


def _open_or_make(path: str, group: int | None) -> int:
    """The descriptor of a folder, which is made if it is missing."""
    try:
        return os.open(path or os.curdir, _FLAGS)
    except FileNotFoundError:
        above, name = os.path.split(path)
    folder = _open_or_make(above, group)
    try:
        with contextlib.suppress(FileExistsError):  # another process has made it
            make_subfolder(folder, name, _mode_for(group), group)
        return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        raise _at(error, path) from None
    finally:
        os.close(folder)


def _at(error: OSError, path: str | os.PathLike[str]) -> OSError:
    """An error about a name in a folder, with the whole path."""
    error.filename = os.fspath(path)
    return error


def make_subfolder(folder: int, name: str, mode: int = PRIVATE_FOLDER, group: int | None = None) -> None:
    """Make a folder in one that is open, of a mode that the umask does not change.

    Parameters
    ----------
    folder : int
        The descriptor of the folder in which it is made.
    name : str
        Its name.
    mode : int, optional
        Its mode, by default 0700.
    group : int, optional
        The number of its group.

    Raises
    ------
    OSError
        If it cannot be made, or something of this name is there, or the user is not in the group.
    """
    os.mkdir(name, mode & 0o777, dir_fd=folder)
    with contextlib.suppress(FileNotFoundError):  # others have removed it
        state = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if state.st_mode & mode != mode or group not in {None, state.st_gid}:
            _permit(folder, name, mode, group)


def _permit(folder: int, name: str, mode: int, group: int | None) -> None:
    """Give a new folder its mode, of which the umask took something away, and its group."""
    descriptor = os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=folder)
    try:
        # a descriptor of O_PATH cannot be given to fchmod
        opened = f"/proc/self/fd/{descriptor}" if hasattr(os, "O_PATH") else descriptor
        if group is not None and group != os.fstat(descriptor).st_gid:
            os.chown(opened, -1, group)
        os.chmod(opened, mode)
    finally:
        os.close(descriptor)
