"""How are objects of somebody's own class taken apart and put together, if he says no more than that they can be?"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["derived_functions"]


def derived_functions(kind: Any) -> dict[str, Callable[[Any], Any]]:
    """The functions `encode` and `decode` for a class whose objects have all in their attributes, or are named tuples.

    Raises
    ------
    TypeError
        If its objects may have a state beside these.
    """
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        if hasattr(kind, "__dict__") and kind.__dictoffset__:
            raise _needs_functions(kind, "named tuples with attributes beside their fields")
        return {"encode": tuple, "decode": functools.partial(_named_tuple, kind)}
    is_plain = all(getattr(kind, name) is getattr(object, name) for name in ("__reduce__", "__reduce_ex__", "__new__"))
    if not is_plain or hasattr(kind, "__getnewargs__") or hasattr(kind, "__getnewargs_ex__"):
        raise _needs_functions(kind, "objects that are made in a way of their own")
    return {"encode": _state_of, "decode": functools.partial(_made_of, kind)}


def _needs_functions(kind: type, why: str) -> TypeError:
    return TypeError(
        f"register({kind.__qualname__}) got no functions, and its objects are {why}; give encode, which returns plain"
        " values and arrays, and decode, which makes an object of these"
    )


def _named_tuple(kind: Any, items: Any) -> Any:
    if type(items) is not tuple or len(items) != len(kind._fields):
        raise ValueError(f"these are no items of a {kind.__qualname__}")
    return kind._make(items)


def _state_of(value: Any) -> Any:
    return value.__getstate__()


def _made_of(kind: Any, state: Any) -> Any:
    """An object of a class by what its ``__getstate__`` has returned, as `pickle` makes it."""
    made = kind.__new__(kind)
    if hasattr(kind, "__setstate__"):
        made.__setstate__(state)
        return made
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    for name, value in (slots or {}).items():
        object.__setattr__(made, name, value)
    if attributes:
        made.__dict__.update(_named(attributes))
    return made


def _named(attributes: Any) -> Any:
    if type(attributes) is not dict or not all(type(name) is str for name in attributes):
        raise ValueError("attributes have names")
    return attributes
