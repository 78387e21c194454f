"""Which files does a method read while it computes? Python tells of each that it opens (PEP 578)."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
from typing import Any

from stored._keys import StoredCode
from stored._methods.definition import Definition
from stored.errors import OwnerWarning, warn_caller

__all__ = ["NOTING_NO_FILES", "NotingFiles"]


class _Files:
    """The files that a computation has read, and those that it has written: what is in these is its own.

    Without the first, nothing is noted.
    """

    def __init__(self, read: set[str] | None) -> None:
        self.read = read
        self.written: set[str] = set()


class _Opened(threading.local):
    """The files that this thread has opened, by the computations that are under way in it."""

    def __init__(self) -> None:
        self.by_computation: list[_Files] = []


_opened = _Opened()

_is_listening = False


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    """Note a file that is opened, as an audit hook."""
    if event != "open" or not _opened.by_computation:
        return
    path, _, flags = arguments
    files = _opened.by_computation[-1]
    if files.read is not None and isinstance(path, str | bytes) and isinstance(flags, int):
        name = os.path.abspath(os.fsdecode(path))
        if name not in files.written and not flags & (os.O_WRONLY | os.O_TRUNC):
            files.read.add(name)
        if flags & (os.O_WRONLY | os.O_RDWR):
            files.written.add(name)


# blocks are objects of classes: a generator takes three times as long to enter and to leave


class NotingFiles:
    """Note the files that are read within the block, in which a result is computed, and warn once of each."""

    __slots__ = ("_code", "_definition", "_found", "_kind")

    def __init__(self, definition: Definition, kind: type, code: StoredCode) -> None:
        self._definition = definition
        self._kind = kind
        self._code = code

    def __enter__(self) -> None:
        global _is_listening
        if not _is_listening:
            _is_listening = True
            sys.addaudithook(_listen)
        self._found = set[str]()
        _opened.by_computation.append(_Files(self._found))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _opened.by_computation.pop()
        if self._found and kind is None:
            _note(self._definition, self._kind, self._found, self._code.files())


class _NotingNoFiles:
    """Within the block, what the library itself opens belongs to no computation around."""

    __slots__ = ()

    def __enter__(self) -> None:
        if _opened.by_computation:  # which is as long when the block is left
            _opened.by_computation.append(_NO_FILES)

    def __exit__(self, *_: object) -> None:
        if _opened.by_computation:
            _opened.by_computation.pop()


_NO_FILES = _Files(None)

NOTING_NO_FILES = _NotingNoFiles()
"""The block, which may be entered again within itself."""


def _note(definition: Definition, kind: type, found: set[str], named: set[str]) -> None:
    new = {each for each in found if _counts(each)} - definition.files_read
    definition.files_read |= new
    for path in sorted(new):
        is_ignored = definition.ignored.has(path) or definition.ignored.has(os.path.basename(path))
        if path not in named and not is_ignored:
            warn_caller(
                f"{definition.label}() of {kind.__qualname__} has read the file {path} while it computed; that its"
                f" content changes will not be seen; name it as uses=(Path({path!r}),) of @stored, or"
                f" leave it out by ignore=({os.path.basename(path)!r},)",
                OwnerWarning,
            )


def _counts(path: str) -> bool:
    """Is it a file of the user's own, which is no code, and does not describe a package?"""
    if path.endswith((".py", ".pyc", ".so", ".pyi")) or not os.path.isfile(path):
        return False
    if os.path.dirname(path).endswith((".dist-info", ".egg-info")):
        return False
    return not path.startswith(tuple([each.rstrip(os.sep) + os.sep for each in _of_installation()]))


def _of_installation() -> tuple[str, ...]:
    """The folders of Python, of installed packages and of the system."""
    return (
        *sysconfig.get_paths().values(),
        sys.prefix,
        sys.base_prefix,
        "/usr",
        "/etc",
        "/lib",
        "/proc",
        "/sys",
        "/dev",
    )
