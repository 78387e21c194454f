"""Which modes do files and folders get? Those for their user alone, or in a directory that a group shares, for it too.

A directory is shared with its group if its mode says so: it is setgid, so that what is made in it has its group, and
the group may write there. Whatever the umask, files then have mode 0660 and folders 2770; where all others may look
into the directory, they may read them too.
"""

from __future__ import annotations

import stat

from stored._private_folder import GROUP_FOLDER

__all__ = ["PRIVATE_FILE", "file_mode", "folder_mode", "is_shared"]

PRIVATE_FILE = 0o600

_OF_GROUP = stat.S_ISGID | stat.S_IRWXG


def is_shared(mode: int) -> bool:
    """Is a directory of this mode shared with its group?"""
    return mode & _OF_GROUP == _OF_GROUP


def file_mode(root: int) -> int:
    """The mode of the files in a directory of some mode."""
    return 0o660 | root & stat.S_IROTH if is_shared(root) else PRIVATE_FILE


def folder_mode(root: int) -> int:
    """The mode of the folders in a directory of some mode, which is shared."""
    return GROUP_FOLDER | root & (stat.S_IROTH | stat.S_IXOTH)
