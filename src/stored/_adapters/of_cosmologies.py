"""Cosmologies of astropy, and of classes that inherit from them."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import weakref
from functools import cached_property
from types import MethodType
from typing import Any

import numpy as np
from astropy import cosmology
from astropy.utils.decorators import lazyproperty

from stored._adapters.column_info import meta_of, meta_parts, text_or_none
from stored._adapters.registry import BY_PICKLE, Adapter, add

_FOLLOWING = ("Ode0", "Ok0")
"""What follows from the parameters, but for rounding in what ``nonflat`` makes."""


def _parts(value: Any) -> Any:
    # some versions of astropy make numpy's numbers of parameters
    parameters = {name: float(each) if type(each) is np.float64 else each for name, each in value.parameters.items()}
    return value.name, parameters, meta_parts(value.meta)


def _key(value: Any) -> Any:
    return *_parts(value), [getattr(value, name, None) for name in _FOLLOWING]


def _named(value: Any) -> Any:
    """The parameters and the metadata, by what users call them."""
    return [*[(f".{name}", each) for name, each in value.parameters.items()], (".meta", dict(value.meta))]


def _classes() -> dict[str, Any]:
    """The classes of cosmologies that astropy has, by their names."""
    found = vars(cosmology).items()
    return {name: each for name, each in found if isinstance(each, type) and issubclass(each, cosmology.Cosmology)}


_CLASSES = {name: each for name, each in _classes().items() if not inspect.isabstract(each)}


def _encoded(value: Any) -> Any:
    kind = type(value)
    if _CLASSES.get(kind.__name__) is not kind:
        return BY_PICKLE
    form = (kind.__name__, *_parts(value))
    made = _decoded(form)
    return form if all(getattr(made, name, None) == getattr(value, name, None) for name in _FOLLOWING) else BY_PICKLE


def _decoded(form: Any) -> Any:
    kind, name, parameters, meta = form
    found = _CLASSES[kind]
    if type(parameters) is not dict or not parameters.keys() <= set(found.parameters):
        raise ValueError("these are no parameters of this cosmology")
    with np.errstate(all="ignore"):
        return found(name=text_or_none(name), meta=meta_of(meta), **parameters)


def _copied(value: Any) -> Any:
    """A cosmology with parameters and metadata of its own; what it has computed of them is shared."""
    made = object.__new__(type(value))
    vars(made).update({name: _copied_attribute(made, value, name, each) for name, each in vars(value).items()})
    return made


def _copied_attribute(made: Any, value: Any, name: str, each: Any) -> Any:
    if isinstance(each, MethodType) and each.__self__ is value:
        return MethodType(each.__func__, made)
    is_shared = name.startswith("_") and name != "_meta"
    return each if is_shared and type(value).__module__.startswith("astropy.") else copy.deepcopy(each)


def _fields(kind: Any) -> tuple[str, ...]:
    """The parameters of a class, those that a dataclass of a user adds included."""
    own = [each.name for each in dataclasses.fields(kind) if each.init] if dataclasses.is_dataclass(kind) else []
    return tuple(dict.fromkeys([*kind.parameters, "name", "meta", *own]))


_beyond: weakref.WeakKeyDictionary[type, dict[tuple[str, ...], list[str]]] = weakref.WeakKeyDictionary()


def _attributes_beyond(value: Any) -> list[str]:
    """The attributes that a user's class has set, and that no cosmology of astropy with these parameters has."""
    known, names = _beyond.setdefault(type(value), {}), tuple(vars(value))
    if names not in known:
        known[names] = _found_beyond(value, names)
    return known[names]


def _found_beyond(value: Any, names: tuple[str, ...]) -> list[str]:
    kind: Any = type(value)
    base = next((each for each in kind.__mro__ if each in _CLASSES.values()), None)
    if base is kind:
        return []
    told = {*kind.parameters, "_name", "_meta"}
    if base is not None:
        told |= vars(base(**{name: getattr(value, name) for name in base.parameters})).keys()
    return [name for name in names if name not in told and not _is_memo(kind, name)]


def _is_memo(kind: Any, name: str) -> bool:
    return isinstance(inspect.getattr_static(kind, name, None), cached_property | lazyproperty)


add(
    Adapter(
        cosmology.Cosmology,
        "astropy.cosmology.Cosmology",
        subclasses=True,
        key=_key,
        encode=_encoded,
        decode=_decoded,
        copy=_copied,
        beyond=_attributes_beyond,
        fields=_fields,
        parts=_named,
    )
)
