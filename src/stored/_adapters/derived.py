"""How are objects of somebody's own class taken apart and put together, if he says no more than that they can be?"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["derived_functions"]


def derived_functions(kind: Any) -> dict[str, Callable[[Any], Any]]:
    """The functions of a class whose objects have all in their attributes, or are named tuples.

    These are `encode`, `decode` and `parts`.

    Raises
    ------
    TypeError
        If its objects may have a state beside these.
    """
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        if hasattr(kind, "__dict__") and kind.__dictoffset__:
            raise _needs_functions(kind, "named tuples with attributes beside their fields")
        return {"encode": tuple, "decode": functools.partial(_named_tuple, kind), "parts": _fields_of}
    is_plain = all(getattr(kind, name) is getattr(object, name) for name in ("__reduce__", "__reduce_ex__", "__new__"))
    if not is_plain or hasattr(kind, "__getnewargs__") or hasattr(kind, "__getnewargs_ex__"):
        raise _needs_functions(kind, "objects that are made in a way of their own")
    return {"encode": _state_of, "decode": functools.partial(_made_of, kind), "parts": _attributes_of}


def _needs_functions(kind: type, why: str) -> TypeError:
    return TypeError(
        f"register({kind.__qualname__}) got no functions, and its objects are {why}; give encode, which returns plain"
        " values and arrays, and decode, which makes an object of these"
    )


def _named_tuple(kind: Any, items: Any) -> Any:
    if type(items) is not tuple or len(items) != len(kind._fields):
        raise ValueError(f"these are no items of a {kind.__qualname__}")
    return kind._make(items)


def _fields_of(value: Any) -> Iterator[tuple[str, Any]]:
    for name, each in zip(value._fields, value, strict=True):
        yield f".{name}", each


def _attributes_of(value: Any) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        yield from [(f".{each.name}", getattr(value, each.name, None)) for each in dataclasses.fields(value)]
        return
    state = _state_of(value)
    for attributes in state if isinstance(state, tuple) else (state,):
        if isinstance(attributes, dict):
            for name, each in attributes.items():
                yield f".{name}", each


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
