"""What does a file compile to? Python's own cache of it is taken where that is surely of this very file."""

from __future__ import annotations
import __future__

import contextlib
import importlib.util
import marshal
import os
import sys
from types import CodeType

__all__ = ["cached_code"]

_HEADER = 16
"""Bytes before the code: a magic number, flags, and the time and size of the source (PEP 552)."""

_SECONDS = 2.0
"""File systems may tell times in steps of this length."""


def cached_code(filename: str, flags: int) -> CodeType | None:
    """The code that Python has cached of a file; None if it has not, or may have cached that of an earlier text.

    Python takes what it has cached for a source of the same size and time of modification, in whole seconds. Here, the
    source must not have been touched for some time when its code was cached, and not since; and it must be no link, nor
    in a folder that is one, and have its cache beside it, so that both are moved together.

    Parameters
    ----------
    filename : str
        The name of the file.
    flags : int
        The flag of the compiler for annotations, if they are not to be evaluated.
    """
    with contextlib.suppress(OSError, ValueError, EOFError, TypeError, NotImplementedError):
        if sys.pycache_prefix is not None or os.path.realpath(filename) != filename:
            return None
        path = importlib.util.cache_from_source(filename)
        source, cached = os.stat(filename), os.stat(path)
        if cached.st_mtime <= max(source.st_mtime, source.st_ctime) + _SECONDS:
            return None
        with open(path, "rb") as file:
            data = file.read()
        times = [int(source.st_mtime) & 0xFFFFFFFF, source.st_size & 0xFFFFFFFF]
        header = importlib.util.MAGIC_NUMBER + bytes(4) + b"".join([each.to_bytes(4, "little") for each in times])
        if not data.startswith(header):
            return None
        code = marshal.loads(data[_HEADER:])  # noqa: S302  (Python itself does so when it imports the file)
        is_alike = isinstance(code, CodeType) and code.co_flags & __future__.annotations.compiler_flag == flags
        return code if is_alike else None
    return None
