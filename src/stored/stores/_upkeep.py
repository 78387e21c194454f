"""Which files of a directory can be removed? Leftovers of processes that died, and entries beyond the limits."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from stored.stores._drafts import DRAFT
from stored.stores._files import open_file, try_lock_file
from stored.stores._notes import MARK, NOTE
from stored.typing import Upkeep, is_name

__all__ = ["clear_leftovers", "files_below", "trim"]

_LOCKED_WHILE_IN_USE = re.compile(
    rf"(\d+-[0-9a-f]{{16,24}}{re.escape(DRAFT)}|[0-9a-f]{{32}}({re.escape(NOTE)}|\.lock))"  # the last of older releases
)
_MARK_NAME = re.compile(rf"[0-9a-f]{{32}}{re.escape(MARK)}")
_ABANDONED_AFTER = 86_400.0
"""Seconds after which nobody needs a file, where locks cannot tell."""

_SHARE_AFTER_TRIM = 0.9
"""The share of the allowed bytes that trimming leaves, so that not every write makes it necessary again."""


def files_below(folder: str) -> Iterator[str]:
    """The paths of the regular files in a folder and below it; hidden files and links are skipped.

    Raises
    ------
    OSError
        If a folder cannot be read, since the listing would not be complete; one that is gone is no error.
    """
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path


def clear_leftovers(folder: Path) -> int:
    """Remove the drafts and notes in a folder that no process holds, and old marks; how many were there?"""
    try:
        with os.scandir(folder) as found:
            files = [entry for entry in found if entry.is_file(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return 0
    removed = 0
    with _FirstError() as errors:
        for file in files:
            with errors.postponed():
                if _LOCKED_WHILE_IN_USE.fullmatch(file.name):
                    removed += _remove_if_abandoned(file.path)
                elif _MARK_NAME.fullmatch(file.name):
                    removed += _remove_if_old(file.path)
    return removed


def _remove_if_abandoned(path: str) -> bool:
    try:
        descriptor = open_file(path)
    except FileNotFoundError:
        return False
    try:
        if not _is_abandoned(descriptor):
            return False
        if not os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            return False  # it was removed, and another process made one of the same name
        # a process that has opened it meanwhile finds, once it has the lock, that the file is gone
        os.unlink(path)
    except FileNotFoundError:
        return False
    finally:
        os.close(descriptor)
    return True


def _is_abandoned(descriptor: int) -> bool:
    try:
        return try_lock_file(descriptor)
    except OSError:
        return _is_old(os.fstat(descriptor))


def _is_old(state: os.stat_result) -> bool:
    return time.time() - state.st_mtime > _ABANDONED_AFTER


def _remove_if_old(path: str) -> bool:
    try:
        if not _is_old(os.lstat(path)):
            return False
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


class _FirstError:
    """The first error among many removals, which is raised when all of them are done."""

    def __init__(self) -> None:
        self._error: OSError | None = None

    def __enter__(self) -> _FirstError:
        return self

    @contextlib.contextmanager
    def postponed(self) -> Iterator[None]:
        """Keep the error of one removal until all are done."""
        try:
            yield
        except OSError as error:
            self._error = self._error or error

    def __exit__(self, *_: object) -> None:
        if self._error is not None:
            raise self._error


class _File(NamedTuple):
    """The file of an entry; sorted, the least recently used comes first."""

    used: float
    size: int
    path: str


def trim(root: Path, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
    """Remove files with one ending that were unused for too long, and the least recently used if they are too large."""
    files = sorted(_find_files(root, ending))
    oldest = float("-inf") if max_age is None else time.time() - max_age
    total = sum(file.size for file in files)
    allowed = total if max_bytes is None or total <= max_bytes else _SHARE_AFTER_TRIM * max_bytes
    removed = []
    with _FirstError() as errors:
        for file in files:
            if file.used >= oldest and total <= allowed:
                break
            with errors.postponed():
                _remove(file.path)
                total -= file.size
                removed.append(file)
    return Upkeep(len(files) - len(removed), total, len(removed), sum(file.size for file in removed))


def _find_files(root: Path, ending: str) -> Iterator[_File]:
    prefix_length = len(str(root)) + 1
    for path in files_below(str(root)):
        if path.endswith(ending) and is_name(path[prefix_length:]):
            with contextlib.suppress(FileNotFoundError):
                state = os.lstat(path)
                yield _File(state.st_mtime, state.st_size, path)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
