"""Which objects does code have by its names, so that a result may refer to one of them?"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

from stored._keys.version import StoredCode
from stored._keys.watched import NamespaceWatch, NameWatch

__all__ = ["reached_values"]


def reached_values(code: StoredCode) -> Iterator[Any]:
    """What names of the code of a method are bound to; of variables that functions close over, these themselves.

    Parameters
    ----------
    code : StoredCode
        The code.
    """
    for place in [each() for each in code.state.places]:
        if type(place) is FunctionType:
            yield from (*(place.__closure__ or ()), *(place.__defaults__ or ()))
            yield from (place.__kwdefaults__ or {}).values()
    for named in code.closed_over.watches:
        yield from getattr(named.space(), "__closure__", None) or ()
    for watch in [watch for node in code.state.nodes for watch in node.watches]:
        if isinstance(watch, NamespaceWatch):
            yield from [held() for _, held, _ in watch.items]
        elif isinstance(watch, NameWatch):
            yield watch.value()
