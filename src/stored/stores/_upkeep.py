"""Upkeep of a directory of entries: what processes that died have left, and what is too old or too much."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from stored.stores._base import is_name
from stored.stores._files import open_file
from stored.stores._locks import LOCK, try_lock
from stored.typing import Upkeep

__all__ = ["DRAFT", "WORK", "clear_leftovers", "files_below", "trim"]

WORK = ".work"
"""The folder of drafts and locks."""

DRAFT = ".draft"

_LEFTOVER = re.compile(rf"(\d+-[0-9a-f]{{16}}{re.escape(DRAFT)}|[0-9a-f]{{32}}{re.escape(LOCK)})")
_ABANDONED = 86_400.0
"""Seconds after which nobody can still be writing a file, where it cannot be asked for."""

_OWN_FOLDER = re.compile(r".*-[0-9a-f]{32}")
_KEPT = 0.9
"""Of the bytes allowed so much is left by a removal, so that not every write needs another."""


def files_below(folder: str) -> Iterator[str]:
    """The paths of the regular files in a folder and below it; what is hidden is passed over, and so are links.

    Raises
    ------
    OSError
        If a folder cannot be read, unless it is gone: a listing must not take what it cannot see for nothing.
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
    """Remove the drafts and locks in a folder that nobody holds."""
    try:
        with os.scandir(folder) as found:
            files = [entry for entry in found if entry.is_file(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return 0
    with _Failures() as failures:
        cleared = 0
        for file in files:
            if _LEFTOVER.fullmatch(file.name):
                with failures.put_off():
                    cleared += _cleared(file.path)
    return cleared


def _cleared(path: str) -> bool:
    try:
        descriptor = open_file(path)
    except FileNotFoundError:
        return False
    try:
        if not _is_abandoned(descriptor):
            return False
        if not os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            return False  # it was released, and another made one of the same name
        # whoever opened it meanwhile finds, once it has the lock, that the file is gone
        os.unlink(path)
    except FileNotFoundError:
        return False
    finally:
        os.close(descriptor)
    return True


def _is_abandoned(descriptor: int) -> bool:
    try:
        return try_lock(descriptor)
    except OSError:
        return time.time() - os.fstat(descriptor).st_mtime > _ABANDONED


class _Failures:
    """What cannot be removed keeps nothing else, and is raised when all else is done."""

    def __init__(self) -> None:
        self._first: OSError | None = None

    def __enter__(self) -> _Failures:
        return self

    @contextlib.contextmanager
    def put_off(self) -> Iterator[None]:
        """Put off what one removal raises."""
        try:
            yield
        except OSError as error:
            self._first = self._first or error

    def __exit__(self, *_: object) -> None:
        if self._first is not None:
            raise self._first


class _File(NamedTuple):
    """An entry's file; the order is that of last use."""

    used: float
    size: int
    path: str


def trim(root: Path, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
    """Remove files of one ending that are too long out of use, and the longest unused of those that are too much."""
    files = sorted(_listed(root, ending))
    oldest = float("-inf") if max_age is None else time.time() - max_age
    total = sum(file.size for file in files)
    allowed = total if max_bytes is None or total <= max_bytes else _KEPT * max_bytes
    removed = []
    with _Failures() as failures:
        for file in files:
            if file.used >= oldest and total <= allowed:
                break
            with failures.put_off():
                _remove(file.path)
                total -= file.size
                removed.append(file)
    return Upkeep(len(files) - len(removed), total, len(removed), sum(file.size for file in removed))


def _listed(root: Path, ending: str) -> Iterator[_File]:
    before = len(str(root)) + 1
    for path in files_below(str(root)):
        if path.endswith(ending) and is_name(path[before:]):
            with contextlib.suppress(FileNotFoundError):
                state = os.lstat(path)
                yield _File(state.st_mtime, state.st_size, path)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    folder = os.path.dirname(path)
    if _OWN_FOLDER.fullmatch(folder):  # one of ours by its name; whatever else is there stays
        with contextlib.suppress(OSError):
            os.rmdir(folder)
