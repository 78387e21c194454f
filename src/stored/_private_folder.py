"""How is a folder made that only its owner can use, whatever the umask?"""

from __future__ import annotations

import contextlib
import os

__all__ = ["make_private_folder", "make_private_subfolder"]

# with O_PATH, which Linux has, a folder can be opened that may not be listed
_FLAGS = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)


def make_private_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder and the missing ones above it, each of mode 0700; those that are there stay as they are.

    Each is made in the one above, which was opened before. So a link is followed only if it was there at the beginning,
    and not if somebody puts it in the place of a folder that was missing.

    Parameters
    ----------
    path : path-like
        The folder.

    Raises
    ------
    OSError
        If it cannot be made, or something else is in its place.
    """
    if os.path.isdir(path):
        return
    above, name = os.path.split(os.fspath(path).rstrip("/"))
    folder = _open_or_make(above)
    try:
        make_private_subfolder(folder, name)
    except FileExistsError as error:
        if not os.path.isdir(path):
            raise _at(error, path) from None
    except OSError as error:
        raise _at(error, path) from None
    finally:
        os.close(folder)


def _open_or_make(path: str) -> int:
    """The descriptor of a folder, which is made if it is missing."""
    try:
        return os.open(path or os.curdir, _FLAGS)
    except FileNotFoundError:
        above, name = os.path.split(path)
    folder = _open_or_make(above)
    try:
        with contextlib.suppress(FileExistsError):  # another process has made it
            make_private_subfolder(folder, name)
        return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        raise _at(error, path) from None
    finally:
        os.close(folder)


def _at(error: OSError, path: str | os.PathLike[str]) -> OSError:
    """An error about a name in a folder, with the whole path."""
    error.filename = os.fspath(path)
    return error


def make_private_subfolder(folder: int, name: str) -> None:
    """Make a folder of mode 0700 in one that is open.

    Parameters
    ----------
    folder : int
        The descriptor of the folder in which it is made.
    name : str
        Its name.

    Raises
    ------
    OSError
        If it cannot be made, or something of this name is there.
    """
    os.mkdir(name, 0o700, dir_fd=folder)
    with contextlib.suppress(FileNotFoundError):  # others have removed it
        if os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode & 0o700 != 0o700:
            _permit_owner(folder, name)


def _permit_owner(folder: int, name: str) -> None:
    """Give the owner of a new folder the permissions that the umask took away."""
    descriptor = os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=folder)
    try:
        os.chmod(f"/proc/self/fd/{descriptor}", 0o700)  # a descriptor of O_PATH cannot be given to fchmod
    finally:
        os.close(descriptor)
