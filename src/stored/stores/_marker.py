"""Is a directory a cache, from which files may be removed? A marker file says so, and that it holds nothing else.

The marker is that of the Cache Directory Tagging Specification (https://bford.info/cachedir/), which backups honour.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import pwd
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from stored.stores._files import READ_FLAGS, WORK, close_file, open_work_file
from stored.stores._modes import file_mode

__all__ = ["MARKER", "SIGNATURE", "make_marker", "own_parts", "why_no_cache"]

MARKER = "CACHEDIR.TAG"

SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"

_TEXT = (
    SIGNATURE
    + b"""
# This file marks a cache: the Python library stored keeps results here, and removes what is no longer needed.
# What the marker means to other programs, as backups, is described at https://bford.info/cachedir/
"""
)

_FOLDER_IN_MODULE = re.compile(
    r"[0-9a-f]{2}|[A-Za-z0-9_.]{1,28}-[0-9a-f]{8}|.*-[0-9a-f]{32}",  # the last in earlier releases
    re.DOTALL,
)

_MOST_OTHERS = 16
"""Files and folders of others beside which a marked directory is a cache still."""

_LOOKED_INTO = 64
"""How many parts of a folder are looked at, to tell whether it is one of the library's."""


def make_marker(root: int) -> None:
    """Mark an open directory, unless it holds what the library has not made, cannot be written to, or is a home."""
    with contextlib.suppress(OSError):
        if not _is_marked(root) and not _is_home(root) and next(_others(root), None) is None:
            _write_marker(root)


def _write_marker(root: int) -> None:
    mode = file_mode(os.fstat(root).st_mode)
    descriptor = open_work_file(MARKER, os.O_RDWR | os.O_CREAT, root, mode)
    try:
        if _TEXT.startswith(os.pread(descriptor, 1000, 0)):  # it may be of a process that was killed as it began
            os.pwrite(descriptor, _TEXT, 0)
    finally:
        close_file(descriptor)


def why_no_cache(root: int) -> str:
    """Why should nothing be removed from an open directory? Empty if it is a cache, or can be marked as one.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    if _is_home(root):
        return "it is a home directory, or has home directories in it"
    make_marker(root)
    if not _is_marked(root):
        return f"it has no {MARKER} that can be read, by which a cache is known"
    others = list(itertools.islice(_others(root), _MOST_OTHERS + 1))
    if len(others) > _MOST_OTHERS:
        return f"it holds much that is not of a cache, as {', '.join(map(repr, sorted(others)[:3]))}"
    return ""


def _is_home(root: int) -> bool:
    """Is an open directory the user's home, or above it?"""
    return any(os.path.samestat(os.fstat(root), each) for each in _homes())


def _homes() -> Iterator[os.stat_result]:
    """The states of the user's home directory and of those above it."""
    homes = {Path(os.path.expanduser("~"))}
    with contextlib.suppress(KeyError):  # a user without an entry
        homes.add(Path(pwd.getpwuid(os.geteuid()).pw_dir))
    for place in {above for home in homes for above in (home, *home.parents)}:
        with contextlib.suppress(OSError):
            yield os.stat(place)


def _is_marked(root: int) -> bool:
    try:
        descriptor = os.open(MARKER, READ_FLAGS, dir_fd=root)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP, errno.EACCES}:
            return False
        raise
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and os.read(descriptor, len(SIGNATURE)) == SIGNATURE
    finally:
        close_file(descriptor)


def own_parts(root: int) -> list[str]:
    """The names of what is in a directory and that the library has made."""
    with os.scandir(root) as found:
        return [entry.name for entry in found if _is_own(root, entry)]


def _others(root: int) -> Iterator[str]:
    """The names of what is in a directory and that the library has not made."""
    with os.scandir(root) as found:
        for entry in found:
            if not _is_own(root, entry):
                yield entry.name


def _is_own(root: int, entry: os.DirEntry[str]) -> bool:
    return entry.name in {WORK, MARKER} or _is_of_module(root, entry)


def _is_of_module(root: int, entry: os.DirEntry[str]) -> bool:
    """Is this the folder of a module: one with folders of entries alone?"""
    if entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
        return False
    try:
        folder = os.open(entry.name, READ_FLAGS | os.O_DIRECTORY, dir_fd=root)
    except OSError:
        return False
    try:
        with os.scandir(folder) as found:
            parts = list(itertools.islice(found, _LOOKED_INTO))
        if not parts:
            return False
        return all(each.is_dir(follow_symlinks=False) and _FOLDER_IN_MODULE.fullmatch(each.name) for each in parts)
    finally:
        close_file(folder)
