"""Cosmologies of astropy, and of classes that inherit from them."""

from __future__ import annotations

import copy
import dataclasses
import dis
import inspect
import weakref
from collections.abc import Iterator
from functools import cached_property
from types import CodeType, MemberDescriptorType, MethodType
from typing import Any, NamedTuple

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
    if _CLASSES.get(kind.__name__) is not kind or _attributes_beyond(value):
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
    for name in _slots_set(value):
        object.__setattr__(made, name, copy.deepcopy(getattr(value, name)))
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


class _Attributes(NamedTuple):
    """What is known of the attributes that cosmologies of a class have in their dictionaries."""

    beyond: list[str]
    methods: dict[str, str]
    """Those of them that astropy sets to methods of the cosmology itself, and the names of these."""


_known: weakref.WeakKeyDictionary[type, dict[tuple[str, ...], _Attributes]] = weakref.WeakKeyDictionary()


def _attributes_beyond(value: Any) -> list[str]:
    """The attributes that do not follow from class and parameters, as far as is known without computing them anew.

    Astropy's own classes compute all their attributes of the parameters. A user's class may set what astropy's has
    computed, so that all these count, except for memos that it never sets, and methods of the cosmology itself.
    """
    of_class, names = _known.setdefault(type(value), {}), tuple(vars(value))
    if names not in of_class:
        of_class[names] = _found_attributes(value, names)
    beyond, methods = of_class[names]
    return [name for name in beyond if not _is_method(value, name, methods)] + _slots_set(value)


def _is_method(value: Any, name: str, methods: dict[str, str]) -> bool:
    each = vars(value)[name]
    return isinstance(each, MethodType) and each.__self__ is value and methods.get(name) == each.__name__


def _found_attributes(value: Any, names: tuple[str, ...]) -> _Attributes:
    kind: Any = type(value)
    base = next((each for each in kind.__mro__ if each in _CLASSES.values()), None)
    made = {} if base is None else vars(base(**{name: getattr(value, name) for name in base.parameters}))
    told = {*kind.parameters, *[f"_{name}" for name in kind.parameters], "_name", "_meta", "__doc__"}
    if base is kind:
        told |= made.keys()
    set_by_users = {name for each in kind.__mro__ if not _is_of_astropy(each) for name in _names_set(each)}
    beyond = [name for name in names if name not in told and (name in set_by_users or not _is_memo(kind, name))]
    return _Attributes(beyond, {name: each.__name__ for name, each in made.items() if isinstance(each, MethodType)})


def _is_of_astropy(kind: type) -> bool:
    return kind is object or kind.__module__.partition(".")[0] == "astropy"


def _names_set(kind: type) -> Iterator[str]:
    """The names of attributes that the functions of a class set, and the texts in them, which may be such names."""
    for each in vars(kind).values():
        function = next((getattr(each, name) for name in _WRAPPED if hasattr(each, name)), each)
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType):
            yield from _names_set_in(code)


_WRAPPED = ("__wrapped__", "__func__", "fget", "func")


def _names_set_in(code: CodeType) -> Iterator[str]:
    yield from [step.argval for step in dis.get_instructions(code) if step.opname == "STORE_ATTR"]
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names_set_in(each)
        elif isinstance(each, str):
            yield each


def _slots_set(value: Any) -> list[str]:
    """The slots of a user's class in which there is something."""
    slots = {
        name for base in type(value).__mro__ for name, each in vars(base).items() if type(each) is MemberDescriptorType
    }
    return [name for name in sorted(slots) if hasattr(value, name)]


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
        private=_copied,
        beyond=_attributes_beyond,
        fields=_fields,
        parts=_named,
    )
)
