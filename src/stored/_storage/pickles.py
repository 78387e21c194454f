"""How are values pickled whose classes another process has sent by value? By their names in the module of that process.

So its own pickles are read here, and those that are made here are read there, and in the next worker.
"""

from __future__ import annotations

import io
import pickle
from contextvars import ContextVar
from types import FunctionType
from typing import Any

from stored._keys import MAIN, Key, found_in_sent_main, has_sent_functions

__all__ = ["dump_pickle", "load_pickle"]

_loading: ContextVar[Key | None] = ContextVar("the key of what this thread loads", default=None)


def dump_pickle(value: object) -> bytes:
    """The pickle of a value."""
    if not has_sent_functions():
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    file = io.BytesIO()
    _Pickler(file, pickle.HIGHEST_PROTOCOL).dump(value)
    return file.getvalue()


def load_pickle(key: Key, data: bytes | memoryview) -> Any:
    """The value of a pickle that this user has made, by its key, which tells the module that it comes from."""
    token = _loading.set(key)
    try:
        return _Unpickler(io.BytesIO(data)).load() if has_sent_functions() else pickle.loads(data)
    finally:
        _loading.reset(token)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, type | FunctionType) and value.__module__ in MAIN:
            name = value.__qualname__
            if any(each is value for each in found_in_sent_main(name)):
                return _of_main, (name,)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _found_in_sent(name) if module in MAIN else None
        return super().find_class(module, name) if found is None else found


def _found_in_sent(name: str) -> object:
    """What functions that were sent know by a name, of the module that a key is of; None if that was not sent."""
    key = _loading.get()
    if key is None or not key.definition:  # an object that was stored by name
        return next(found_in_sent_main(name), None)

    def is_meant(module: str) -> bool:
        return key.space.module == module or key.definition.startswith(f"{module}.")

    return next(found_in_sent_main(name, is_meant), None)


def _of_main(name: str) -> Any:
    """A class or a function of a script or a notebook, in its own process or where it was sent to."""
    return _Unpickler(io.BytesIO()).find_class("__main__", name)
