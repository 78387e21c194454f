"""Objects whose pickles are odd: they cannot be made again, kept or written."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any


class UnreadableError(Exception):
    """It cannot even be shown."""

    def __str__(self) -> str:
        raise ValueError("no text")


ERRORS: dict[str, BaseException] = {
    "RecursionError": RecursionError("too deep"),
    "MemoryError": MemoryError(),
    "KeyError": KeyError("x"),
    "FileNotFoundError": FileNotFoundError("gone"),
    "UnreadableError": UnreadableError(),
    "SystemExit": SystemExit(2),
}


def give(name: str) -> Any:
    """Raise what a pickle asks for."""
    raise ERRORS[name]


class Raising:
    """Whoever loads its pickle gets an error."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> Any:
        return give, (self.name,)


class Recursive:
    """Whoever loads its pickle recurses without end."""

    def __getstate__(self) -> object:
        return {"x": 1}

    def __setstate__(self, state: object) -> None:
        self.__setstate__(state)


class Lock:
    """What is loaded cannot be pickled again."""

    def __reduce__(self) -> Any:
        return threading.Lock, ()


class Masked:
    """It does not tell its class."""

    def __reduce__(self) -> Any:
        return Masked, ()

    @property
    def __class__(self) -> Any:
        raise RuntimeError("no class")


class Stubborn(OrderedDict[str, Any]):
    """A dict whose methods all fail, once it is loaded."""

    def pop(self, *arguments: Any) -> Any:
        raise RuntimeError("nothing can be taken")

    def __len__(self) -> int:
        raise RuntimeError("no length")


class Name(str):
    """A text that cannot be shown."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no text")
