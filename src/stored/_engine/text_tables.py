"""What does a text file hold as a table, and has it changed since it was read?"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stored._storage import CachedResult
from stored.errors import TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["file_state", "is_outdated", "load_text_table"]

_SAME_TIME = 2_000_000_000
"""On some file systems, two changes of a file within so many nanoseconds may leave it with the same times."""


def file_state(path: str | os.PathLike[str]) -> object:
    """A value that differs after a change of the file, and equals no other if the file changed just now."""
    try:
        state = os.stat(path)
    except OSError:
        return None
    settled = time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > _SAME_TIME
    return (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns) if settled else object()


def is_outdated(result: CachedResult, path: str | os.PathLike[str]) -> bool:
    """Was a table read from another file, or before the file changed? Not outdated if the file is gone."""
    now = file_state(path)
    return result.source is not None and now is not None and result.source != now


def load_text_table(path: str | os.PathLike[str], name: str) -> NDArray[np.float64]:
    """Read two columns from a text file; ``#`` begins a comment.

    Returns
    -------
    ndarray, shape (2, n)

    Raises
    ------
    FileNotFoundError
        Naming the file.
    TableError
        If it does not have two columns of numbers.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"file {os.fspath(path)!r} for object {name!r} was not found")
    try:
        with np.lib.npyio.DataSource().open(str(file), "rt") as stream:  # unpacks .gz and similar files, as numpy does
            lines = [line for line in stream if line.partition("#")[0].strip()]
        if not lines:  # numpy only warns of this
            raise ValueError("it holds no numbers")
        return np.loadtxt(lines, usecols=(0, 1), comments="#", unpack=True, ndmin=2)
    except ValueError as error:
        raise TableError(f"file {os.fspath(path)!r} is not a table of two columns of numbers: {error}") from None
