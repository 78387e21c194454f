"""Is what a file contains, or a function gives, still the same?"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stored._keys.canonical import digest, text_or_none
from stored._keys.identity import number_text

__all__ = ["FileWatch", "ValueWatch"]


class FileWatch:
    """The content of a file, which is read again when its size, its time or its place on the disk have changed.

    Parameters
    ----------
    path : Path
        The file.
    """

    __slots__ = ("_path", "_state", "text")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state = self._now()
        self.text = self._content()

    def _now(self) -> tuple[int, ...] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev

    def _content(self) -> str:
        try:
            return f"file {digest(self._path.read_bytes().decode('latin-1'))}"
        except OSError as error:  # there is none, or it is a folder, or not to be read
            return f"no file: {type(error).__name__}"

    @property
    def name(self) -> str:
        """The name of the file."""
        return os.path.abspath(self._path)

    def is_same(self) -> bool:
        """Does the file contain the same, or is there none as before?"""
        now = self._now()
        if now == self._state:
            return True
        if self._content() != self.text:
            return False
        self._state = now
        return True


class ValueWatch:
    """What a function gives.

    Parameters
    ----------
    function : callable
        The function, which is called without arguments.
    """

    __slots__ = ("function", "has_form", "text")

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.text, self.has_form = self._now()

    def _now(self) -> tuple[str, bool]:
        value = self.function()
        text = text_or_none(value)
        return (number_text(value), False) if text is None else (text, True)

    @property
    def name(self) -> str:
        """The name of the function."""
        return f"{getattr(self.function, '__qualname__', repr(self.function))}()"

    def is_same(self) -> bool:
        """Does the function give the same value?"""
        return self._now()[0] == self.text
