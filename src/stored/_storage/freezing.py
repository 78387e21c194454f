"""In which form is a value kept, and in which does a caller get it, so that no caller can change what is kept?"""

from __future__ import annotations

import array
import collections
import contextlib
import copy
import functools
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from stored._adapters import Adapter, adapter_of, copy_with_own_dtype, frozen, own_dtype, own_record
from stored._storage.native import MAX_DEPTH
from stored.errors import shortened
from stored.typing import HandOut

__all__ = ["copy_for_caller", "copy_of_flat", "freeze", "freeze_for_callers"]

_CONTAINERS = (tuple, list, set, frozenset, dict)

_MUTABLE_TYPES = (*_CONTAINERS, bytearray, array.array, collections.deque, np.ndarray)


def _views_of(mapping: dict[Any, Any]) -> tuple[object, ...]:
    return mapping.keys(), mapping.values(), mapping.items()


class _NestedTooDeeplyError(Exception):
    """Containers are nested more than `MAX_DEPTH` deep, as those that contain themselves are."""


class _NotKeptError(TypeError):
    """A value cannot be kept."""

    def __init__(self, value: object, message: str) -> None:
        super().__init__(message)
        self.value = value


def freeze(value: Any) -> Any:
    """A value in the form in which it is kept: whoever has the original cannot change it.

    Arrays are copied, and the copies are read-only. Plain containers and namedtuples are built anew. What cannot be
    made read-only (other containers, arrays of objects, subclasses of arrays with attributes of their own) is
    deep-copied, and what is registered is copied as its type says. Anything else is kept as it is.

    Raises
    ------
    TypeError
        If it is or contains an iterator, an open file, a coroutine or what ``@contextmanager`` makes, which the first
        caller would exhaust, a random generator, or a view (of a dict, a memoryview), which would change with what it
        shows.
    """
    return freeze_for_callers(value)[0]


def freeze_for_callers(value: Any, copies: bool | None = None) -> tuple[Any, HandOut | None]:
    """A value as `freeze` returns it, and what `copy_for_caller` returns for it."""
    kind = type(value)
    if copies is None:
        if kind in _IMMUTABLE:
            return value, None
        if kind is np.ndarray and not value.dtype.hasobject:
            return frozen(value), _view_for_caller(value.dtype)
        if _is_flat(value):
            return copy_of_flat(value), copy_of_flat
    try:
        kept = map_leaves(value, _freeze_leaf)
    except _NotKeptError as error:
        place = _place_of(error.value, value)
        raise TypeError(f"{error}; it stands at {place} of what was returned" if place else str(error)) from None
    return kept, copy_for_caller(kept, copies)


def _place_of(part: object, value: Any) -> str:
    """Where a part is in plain containers, such as ``['spectra'][1]``; empty if it is in none of these."""
    if not _is_container(value) or isinstance(value, set | frozenset):
        return ""
    for step, each in value.items() if type(value) is dict else enumerate(value):
        inside = "" if each is part else _place_of(part, each)
        if inside or each is part:
            return f"[{shortened(repr(step), _LONGEST_STEP)}]{inside}"
    return ""


_LONGEST_STEP = 50


_IMMUTABLE = frozenset((float, int, str, bool, type(None), bytes, complex))
"""The most frequent types of values that never change."""


def _is_flat(value: Any) -> bool:
    """Is it a plain dict or list of values that never change?"""
    kind = type(value)
    if kind is dict:
        return _IMMUTABLE.issuperset(map(type, value)) and _IMMUTABLE.issuperset(map(type, value.values()))
    return kind is list and _IMMUTABLE.issuperset(map(type, value))


def copy_of_flat(value: Any) -> Any:
    """A copy of a plain dict or list of values that never change: it refers to no object."""
    return value.copy()


def _view_for_caller(dtype: np.dtype[Any]) -> HandOut:
    """The function that makes a view of an array of a dtype, for one caller alone.

    A read-only array can still be given another shape, dtype or strides, and a dtype with fields other names of them.
    """
    return np.ndarray.view if dtype.names is None else _view_with_own_dtype


def _view_with_own_dtype(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array.view(own_dtype(array.dtype))


def _refuse_what_does_not_last(value: Any) -> None:
    """Raise a `TypeError` for what can be used once, shows another object, which may change, or is refused anyway."""
    kind = type(value)
    why = next((why for name, why in _USED_ONCE.items() if hasattr(kind, name)), None)
    if kind in _VIEWS:
        why = "shows an object that may change; return list(...), or bytes(...) of a memoryview"
    elif _is_of_contextlib(kind):
        why = "is for one with statement; return what is opened in it"
    adapter = adapter_of(kind)
    if adapter is not None and adapter.refusal:
        raise _NotKeptError(value, f"a {adapter.name} was to be kept, {adapter.refusal}")
    if why is None:
        return
    if isinstance(value, types.CoroutineType):
        value.close()  # else Python warns that it was never awaited
    raise _NotKeptError(value, f"a {kind.__qualname__} was to be kept, which {why}")


def _is_of_contextlib(kind: type) -> bool:
    """Was it made by ``@contextmanager`` and the like? Other objects with ``__enter__`` may be data sets."""
    return any(base.__module__ == "contextlib" and not base.__name__.startswith("Abstract") for base in kind.__mro__)


_USED_ONCE = {
    "__next__": "can be used only once; return list(...) or an array",
    "__anext__": "can be used only once; return a list or an array",
    "__await__": "can be awaited only once; return what it gives",
}

_DICTS: tuple[dict[Any, Any], ...] = ({}, collections.OrderedDict())

_VIEWS = frozenset((memoryview, *(type(view) for each in _DICTS for view in _views_of(each))))


def _freeze_leaf(value: Any) -> Any:
    _refuse_what_does_not_last(value)
    if type(value) is types.MappingProxyType:
        return types.MappingProxyType(map_leaves(value.copy(), _freeze_leaf))
    adapter = adapter_of(type(value))
    if adapter is not None:
        return _frozen_by(adapter, value)
    if _needs_copy(value):
        _refuse_inside(value)
        return _deepcopy_or_same(value)
    if isinstance(value, np.ndarray):
        return frozen(value)
    return own_record(value) if isinstance(value, np.void) else value


def _frozen_by(adapter: Adapter, value: Any) -> Any:
    return value if adapter.copy is None else _copy_or_same(adapter.copy, value)


def _needs_copy(value: Any) -> bool:
    """Can this be changed by whoever has it, and cannot be made read-only?"""
    if type(value) in {np.ndarray, np.memmap} or isinstance(value, np.void):
        return bool(value.dtype.hasobject)
    return isinstance(value, _MUTABLE_TYPES)


def _refuse_inside(value: Any, inside: tuple[int, ...] = ()) -> None:
    """As `_refuse_what_does_not_last`, of all that is in containers of any kind."""
    if len(inside) > MAX_DEPTH or id(value) in inside:
        return
    for each in _items_of(value):
        _refuse_what_does_not_last(each)
        _refuse_inside(each, (*inside, id(value)))


def _items_of(value: Any) -> Iterable[Any]:
    """What is in a container, whatever methods its class has; nothing for other values."""
    if isinstance(value, np.ndarray | np.void):
        return np.asarray(value).ravel().tolist() if value.dtype.hasobject else ()
    if isinstance(value, dict):
        return [*dict.keys(value), *dict.values(value)]
    if isinstance(value, types.MappingProxyType):
        return (value.copy(),)
    kind = next((each for each in _ITERABLES if isinstance(value, each)), None)
    return () if kind is None else kind.__iter__(value)


_ITERABLES: tuple[Any, ...] = (list, tuple, set, frozenset, collections.deque)


def _deepcopy_or_same(value: Any) -> Any:
    return _copy_or_same(_deepcopy_by_parts, value)


def _copy_or_same(copied: Callable[[Any], Any], value: Any) -> Any:
    try:
        return copied(value)
    except Exception:  # an object inside may raise anything; then the value is shared, as objects of unknown types are
        return value


def map_leaves(value: Any, function: Callable[[Any], Any]) -> Any:
    """Build plain containers anew, with `function` applied to what is in them and is no plain container itself."""
    try:
        return _map_leaves(value, function, 0)
    except _NestedTooDeeplyError:
        return _deepcopy_or_same(value)


def _map_leaves(value: Any, function: Callable[[Any], Any], depth: int) -> Any:
    if not _is_container(value):
        return function(value)
    if depth > MAX_DEPTH:
        raise _NestedTooDeeplyError
    if type(value) is dict:
        return {key: _map_leaves(each, function, depth + 1) for key, each in value.items()}
    items = [_map_leaves(each, function, depth + 1) for each in value]
    return type(value)(items) if type(value) in _CONTAINERS else type(value)._make(items)


def _is_container(value: Any) -> bool:
    """Is it a plain container, or a namedtuple whose fields are its only attributes?"""
    if type(value) in _CONTAINERS:
        return True
    return isinstance(value, tuple) and hasattr(value, "_make") and not hasattr(value, "__dict__")


def copy_for_caller(value: Any, copies: bool | None = None) -> HandOut | None:
    """The function that copies a kept value for a caller, so that no caller can change what is kept.

    Parameters
    ----------
    value : object
        A value as `freeze` returns it.
    copies : bool, optional
        True if callers must get deep copies, with arrays that they can write to; False if they get the value itself.

    Returns
    -------
    callable or None
        None if callers can have the value itself. Of an array that is read-only, it makes a view.
    """
    if copies is not None:
        deep = _deepcopy_by_parts if _parts_with_copies(value) else copy.deepcopy
        return deep if copies else None
    kind = type(value)
    if kind in _IMMUTABLE:
        return None
    if kind is np.ndarray and not value.dtype.hasobject:
        return _view_for_caller(value.dtype)
    if _is_flat(value):
        return copy_of_flat
    adapter = adapter_of(kind)
    if adapter is not None and not _is_container(value):
        hand_out = adapter.for_caller
        return None if hand_out is None else functools.partial(_copy_or_same, hand_out)
    return _copy_mutable if _is_mutable(value, 0) else None


def _parts_with_copies(value: Any) -> list[tuple[Any, Callable[[Any], Any]]]:
    """What is in plain containers, not nested too deeply, and Python copies with less or more than it has to."""
    found = []

    def look_at(leaf: Any) -> None:
        adapter = adapter_of(type(leaf))
        if adapter is not None and adapter.private is not None:
            found.append((leaf, adapter.private))
        elif isinstance(leaf, np.ndarray | np.void) and leaf.dtype.names is not None:
            found.append((leaf, copy_with_own_dtype))

    with contextlib.suppress(_NestedTooDeeplyError):
        _map_leaves(value, look_at, 0)
    return found


def _deepcopy_by_parts(value: Any) -> Any:
    """A deep copy; in one of Python's, arrays have the very dtypes of the originals, and types lose what they add."""
    return copy.deepcopy(value, {id(each): copied(each) for each, copied in _parts_with_copies(value)})


def _is_mutable(value: Any, depth: int) -> bool:
    if isinstance(value, tuple | frozenset) and _is_container(value):
        return depth > MAX_DEPTH or any(_is_mutable(each, depth + 1) for each in value)
    adapter = adapter_of(type(value))
    if adapter is not None:
        return adapter.for_caller is not None
    return isinstance(value, np.ndarray | np.void | types.MappingProxyType) or _needs_copy(value)


def _copy_mutable(value: Any) -> Any:
    """Containers are copied; what is in them is shared, if nobody can change it, and of arrays the memory is."""
    return map_leaves(value, _leaf_for_caller)


def _leaf_for_caller(value: Any) -> Any:
    if type(value) in _IMMUTABLE:
        return value
    adapter = adapter_of(type(value))
    if adapter is not None:
        return value if adapter.for_caller is None else _copy_or_same(adapter.for_caller, value)
    if _needs_copy(value):
        return _deepcopy_or_same(value)
    if type(value) is types.MappingProxyType:
        return types.MappingProxyType(map_leaves(value.copy(), _leaf_for_caller))
    if isinstance(value, np.ndarray):
        return _view_for_caller(value.dtype)(value)
    return own_record(value) if isinstance(value, np.void) else value
