"""How are values pickled whose classes another process has sent by value? By their names in the module of that process.

So its own pickles are read here, and those that are made here are read there, and in the next worker.
"""

from __future__ import annotations

import io
import pickle
from types import FunctionType
from typing import Any

from stored._keys import found_in_sent_main, is_of_sent_main

__all__ = ["dump_pickle", "load_pickle"]


def dump_pickle(value: object) -> bytes:
    """The pickle of a value."""
    if not is_of_sent_main("__main__"):
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    file = io.BytesIO()
    _Pickler(file, pickle.HIGHEST_PROTOCOL).dump(value)
    return file.getvalue()


def load_pickle(data: bytes | memoryview) -> Any:
    """The value of a pickle that this user has made."""
    return _Unpickler(io.BytesIO(data)).load() if is_of_sent_main("__main__") else pickle.loads(data)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, type | FunctionType) and is_of_sent_main(value.__module__):
            name = value.__qualname__
            if any(each is value for each in found_in_sent_main(name)):
                return _of_main, (name,)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if is_of_sent_main(module):
            for found in found_in_sent_main(name):
                return found
        return super().find_class(module, name)


def _of_main(name: str) -> Any:
    """A class or a function of a script or a notebook, in its own process or where it was sent to."""
    return _Unpickler(io.BytesIO()).find_class("__main__", name)
