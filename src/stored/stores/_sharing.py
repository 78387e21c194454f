"""How is a directory shared with a group? It and what its user owns in it get the group, and modes that let it in.

This happens before the first write, where the directory, or the folder of drafts in it, is to be shared and is not so
yet: these two come last. Files are opened before they are changed, so no link is followed, and nothing is changed that
is not the library's.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from stored._entry_form import begins_as_entry
from stored._private_folder import GROUP_FOLDER
from stored.stores._files import SIZE_MAGIC, WORK, close_file, open_file
from stored.stores._marker import SIGNATURE, own_parts, why_no_cache
from stored.stores._modes import file_mode, folder_mode, is_shared

__all__ = ["let_group_in", "share_directory", "why_no_work_folder"]

_FIRST_BYTES = 64


def share_directory(root: int, group: int | None, path: str) -> None:
    """Share an open directory, and what the user owns in it, with a group, unless it is shared already.

    Parameters
    ----------
    root : int
        Its descriptor.
    group : int or None
        The number of the group; None for a directory that is shared only if its mode says so.
    path : str
        Where it is.

    Raises
    ------
    OSError
        If it cannot be shared: it belongs to another user, or may not be a cache.
    """
    state = os.fstat(root)
    if is_shared(state.st_mode) and group in {None, state.st_gid}:
        if _is_work_private(root):
            _share_parts(root, state.st_gid, folder_mode(state.st_mode))
    elif group is not None:
        _check_sharable(root, state, group, path)
        _share_parts(root, group, GROUP_FOLDER)
        let_group_in(root, group, GROUP_FOLDER)


def _check_sharable(root: int, state: os.stat_result, group: int, path: str) -> None:
    if state.st_uid != os.geteuid():
        raise OSError(
            errno.EPERM,
            f"to be shared with group {group}, the directory must have that group and mode 2770, or belong to user"
            f" {os.geteuid()}; it has group {state.st_gid} and mode {stat.S_IMODE(state.st_mode):04o}, and belongs to"
            f" user {state.st_uid}, who can share it (chgrp, chmod g+rwxs, or stored.configure(group=...))",
            path,
        )
    reason = why_no_cache(root)
    if reason:
        raise OSError(
            errno.EPERM,
            f"the directory is not shared with group {group}, since {reason}; give results a directory of their own"
            " (cache_dir), or share it yourself (chgrp, chmod g+rwxs)",
            path,
        )


def _is_work_private(root: int) -> bool:
    """Is there a folder of drafts of this user that the group cannot use?"""
    try:
        work, state = os.stat(WORK, dir_fd=root, follow_symlinks=False), os.fstat(root)
    except OSError:  # there is none
        return False
    return work.st_uid == os.geteuid() and not (is_shared(work.st_mode) and work.st_gid == state.st_gid)


def _share_parts(root: int, group: int, mode: int) -> None:
    """Share what the library has made in a directory; the folder of drafts last, by which it is seen that all is."""
    for name in sorted(own_parts(root), key=WORK.__eq__):
        with contextlib.suppress(OSError):  # removed meanwhile, or of another user
            if stat.S_ISDIR(os.stat(name, dir_fd=root, follow_symlinks=False).st_mode):
                _share_folder(root, name, group, GROUP_FOLDER if name == WORK else mode)
            else:
                _share_file(root, name, group, mode)


def _share_folder(root: int, name: str, group: int, mode: int) -> None:
    for _, _, files, folder in os.fwalk(name, topdown=False, follow_symlinks=False, dir_fd=root):
        for file in files:
            with contextlib.suppress(OSError):
                _share_file(folder, file, group, mode)
        let_group_in(folder, group, mode)


def _share_file(folder: int, name: str, group: int, mode: int) -> None:
    descriptor = open_file(name, folder)
    try:
        state = os.fstat(descriptor)
        is_whole = stat.S_ISREG(state.st_mode) and state.st_nlink == 1  # else it has a name elsewhere
        if is_whole and _is_of_library(os.read(descriptor, _FIRST_BYTES)):
            let_group_in(descriptor, group, file_mode(mode))
    finally:
        close_file(descriptor)


def _is_of_library(start: bytes) -> bool:
    """Are these the first bytes of an entry, of the marker or of the file with the size, or none?"""
    return begins_as_entry(start) or start.startswith((SIGNATURE, SIZE_MAGIC))


def let_group_in(descriptor: int, group: int, mode: int) -> None:
    """Give an open file or folder a group and a mode, if it belongs to this user.

    Raises
    ------
    OSError
        If they cannot be changed.
    """
    state = os.fstat(descriptor)
    if state.st_uid == os.geteuid() and (state.st_gid, stat.S_IMODE(state.st_mode)) != (group, mode):
        os.fchown(descriptor, -1, group)
        os.fchmod(descriptor, mode)


def why_no_work_folder(work: os.stat_result, root: os.stat_result) -> str:
    """Why may a folder not be used for the drafts of a directory? Because others could exchange them; empty if it may.

    In a directory that is shared, all of the group may write there, else only this user.
    """
    is_own = work.st_uid == os.geteuid() and not work.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    is_of_group = work.st_gid == root.st_gid and is_shared(work.st_mode) and not work.st_mode & stat.S_IWOTH
    is_root_shared = is_shared(root.st_mode)
    if is_own or (is_root_shared and is_of_group):
        return ""
    found = f"it belongs to user {work.st_uid} and has mode {stat.S_IMODE(work.st_mode):04o}"
    if is_root_shared:
        return (
            f"the folder of drafts must have the directory's group, {root.st_gid}, and mode 2770; {found} and group"
            f" {work.st_gid} (user {work.st_uid} mends it by storing a result; or remove it)"
        )
    return (
        f"the folder of drafts must belong to user {os.geteuid()}, and nobody else may write there; {found}"
        " (remove it, or chmod go-w)"
    )
