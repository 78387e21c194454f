"""Which functions, and which plain values, stand behind the attributes of a class? No code of the user is run."""

from __future__ import annotations

import collections
import dataclasses
import functools
import types
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple

from stored._keys.libraries import is_library_module
from stored._keys.self_accesses import Read, SelfAccesses, Write
from stored.typing import ABSENT

__all__ = [
    "CACHED_FUNCTION",
    "CODE",
    "Behind",
    "ClassParts",
    "Found",
    "behind",
    "class_functions",
    "class_parts",
    "find_on_class",
    "generated_accesses",
    "is_c_method",
    "is_data",
    "left_by_value",
]

CACHED_FUNCTION: Any = functools._lru_cache_wrapper
"""The type of what `functools.lru_cache` makes."""

CODE = (type, FunctionType, CACHED_FUNCTION)
"""The types of classes, and of functions written in Python."""

C_METHODS = (
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
)


class Found(NamedTuple):
    """An attribute of a class, as it stands in the dictionary of one of its bases."""

    value: Any
    holder: type


def find_on_class(kind: type, name: str, after: type | None = None) -> Found:
    """The attribute of a class, as Python finds it for an object of it, but as it stands in the dictionary.

    Parameters
    ----------
    kind : type
        The class.
    name : str
        The attribute.
    after : type, optional
        The base after which the search begins, as for ``super()``.
    """
    bases = kind.__mro__
    for base in bases[0 if after is None else bases.index(after) + 1 :]:
        if name in vars(base):
            return Found(vars(base)[name], base)
    return Found(ABSENT, kind)


def is_c_method(found: Found) -> bool:
    """Is it a method that is written in C?"""
    kind = type(found.value)
    is_function = kind is types.BuiltinFunctionType and found.holder is object
    return is_function or (kind in C_METHODS and kind is not types.GetSetDescriptorType)


def _has(value: object, name: str) -> bool:
    """Has the class of a value a special method?"""
    return any(name in vars(base) for base in type(value).__mro__)


def is_data(value: object) -> bool:
    """Is an attribute of a class a plain value, no descriptor?"""
    return not _has(value, "__get__")


class Behind(NamedTuple):
    """What stands behind an attribute of a class.

    Attributes
    ----------
    functions : list of (FunctionType, int or None, bool)
        The functions, with the position of the object among the arguments, and whether it is the class.
    value : str
        Is it "code" only, a plain value or descriptor that sets one too ("data"), or a value that is computed once and
        kept in the object ("kept")?
    unknown : str
        Why this is not all; empty if it is.
    hidden : str
        Why it may remember something that is no attribute; empty if it does not.
    constants : tuple
        What a partial method has in it.
    """

    functions: list[tuple[FunctionType, int | None, bool]]
    value: str = "code"
    unknown: str = ""
    hidden: str = ""
    constants: tuple[object, ...] = ()


def behind(value: Any, access: str = "get", position: int | None = 0, is_class: bool = False) -> Behind:
    """What stands behind an attribute of a class, when it is read ("get"), set or deleted."""
    kind = type(value)
    if kind is FunctionType:
        return _of_function(value, position, is_class)
    if kind is staticmethod:
        return _of_callable(value.__func__, None, False)
    if kind is classmethod:
        return _of_callable(value.__func__, position, True)
    if issubclass(kind, property):
        return _of_property(value, access)
    if issubclass(kind, functools.cached_property):
        return _of_callable(value.func, 0, False)._replace(value="kept")
    if kind is functools.partialmethod:
        return _of_callable(value.func, position, is_class)._replace(constants=(*value.args, value.keywords))
    if kind is functools.singledispatchmethod:
        return _joined([behind(each, access, position, is_class) for each in value.dispatcher.registry.values()])
    if is_data(value) or _has(value, "__set__"):
        return Behind([], "data")
    return _of_callable(value, position, is_class)


def _of_callable(value: Any, position: int | None, is_class: bool) -> Behind:
    """What stands behind something that is called, or that wraps a function."""
    kind = type(value)
    if kind is FunctionType or kind in {staticmethod, classmethod, property}:
        return behind(value, "get", position, is_class)
    name = getattr(kind, "__name__", "object")
    try:
        wrapped = object.__getattribute__(value, "__wrapped__")
    except AttributeError:
        get = find_on_class(kind, "__get__").value
        if type(get) is FunctionType and not is_library_module(kind.__module__):  # a descriptor of the user's own
            return Behind([(get, 1, False)], "data")
        return Behind([], "data", f"what {name} does cannot be read", f"{name} may remember something")
    inner = _of_callable(wrapped, position, is_class)
    if _has(value, "__stored_depends__"):
        return inner
    if kind is CACHED_FUNCTION:  # no attribute, and kept under other parameters too
        return inner._replace(hidden="functools.cache keeps results whatever becomes of the object")
    return inner._replace(unknown=f"what {name} does cannot be read", hidden=f"{name} may remember something")


def _of_function(value: FunctionType, position: int | None, is_class: bool) -> Behind:
    own = Behind([(value, position, is_class)])
    wrapped = value.__dict__.get("__wrapped__")
    return own if wrapped is None else _joined([own, _of_callable(wrapped, position, is_class)])


def _of_property(value: Any, access: str) -> Behind:
    function = {"get": value.fget, "set": value.fset, "delete": value.fdel}[access]
    found = Behind([]) if function is None else _of_callable(function, 0, False)
    bases = type(value).__mro__
    is_kept = any("__get__" in vars(base) for base in bases[: bases.index(property)])  # as astropy's lazyproperty is
    return found._replace(value="kept") if is_kept else found


def _joined(parts: list[Behind]) -> Behind:
    return Behind(
        [each for part in parts for each in part.functions],
        parts[0].value,
        next((part.unknown for part in parts if part.unknown), ""),
        next((part.hidden for part in parts if part.hidden), ""),
    )


class ClassParts(NamedTuple):
    """All functions and plain values of a class and its bases.

    Attributes
    ----------
    homes : dict of FunctionType to type
        The functions, with the first of the bases in which each is defined.
    values : tuple of str
        The names of the plain values.
    """

    homes: dict[FunctionType, type]
    values: tuple[str, ...]


def class_parts(kind: type) -> ClassParts:
    """All functions and plain values of a class."""
    homes: dict[FunctionType, type] = {}
    values: dict[str, None] = {}
    for base in kind.__mro__[:-1]:
        for name, value in list(vars(base).items()):
            for function, _, _ in behind(value).functions:
                homes.setdefault(function, base)
            if is_data(value) and not name.startswith("__") and name != "_abc_impl":  # of whom abc knows as subclasses
                values[name] = None
    return ClassParts(homes, tuple(values))


def class_functions(kind: type) -> Iterator[tuple[str, FunctionType, int | None, bool]]:
    """All functions of a class and its bases, overridden ones included, and those in the closures of their wrappers."""
    seen: set[int] = set()
    for base in kind.__mro__[:-1]:
        for name, value in list(vars(base).items()):
            for access in ("get", "set", "delete") if isinstance(value, property) else ("get",):
                for function, position, is_class in behind(value, access).functions:
                    for each in _with_closure(function):
                        if id(each) not in seen:
                            seen.add(id(each))
                            yield name, each, position, is_class


def _with_closure(function: FunctionType, depth: int = 3) -> Iterator[FunctionType]:
    yield function
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # the variable has no value yet
            continue
        if type(value) is FunctionType and depth:
            yield from _with_closure(value, depth - 1)


# -- what dataclasses generate, and pydantic models inherit -----------------------------------------------------------

_READING = frozenset({"__repr__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"})


def generated_accesses(function: FunctionType, kind: type) -> SelfAccesses | None:
    """What a function does that a dataclass or attrs class has generated, or a pydantic model inherits; or else None.

    That of pydantic for attributes gives and sets private attributes and extra ones, which count where they are read.
    """
    code = function.__code__
    if function.__module__ == "pydantic.main" and function.__name__ in {"__getattr__", "__setattr__"}:
        runs_validators = function.__name__ == "__setattr__" and _validates_assignment(kind)
        return None if runs_validators else SelfAccesses()
    is_of_dataclass = code.co_qualname.startswith("__create_fn__.<locals>.")
    is_of_attrs = code.co_filename.startswith("<attrs generated ") or function.__module__ == "attr._make"
    if not (is_of_dataclass or is_of_attrs):
        return None
    return _generated(function.__name__, _fields(kind))


def _validates_assignment(kind: Any) -> bool:
    return bool(kind.model_config.get("validate_assignment"))


class _Field(NamedTuple):
    name: str
    left: str


def _fields(kind: type) -> list[_Field]:
    """The fields of a dataclass or attrs class, with what a new object has in them unless it is told."""
    of_dataclass = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    of_attrs = getattr(kind, "__attrs_attrs__", ())
    return [*map(_dataclass_field, of_dataclass), *map(_attrs_field, of_attrs)]


def _dataclass_field(field: Any) -> _Field:
    if type(field.default) is not type(dataclasses.MISSING):  # a copy of it comes back from pickling
        return _Field(field.name, left_by_value(field.default))
    is_empty = field.default_factory in _CONTAINERS
    return _Field(field.name, "empty" if is_empty else "value")


def _attrs_field(field: Any) -> _Field:
    factory = getattr(field.default, "factory", None)
    left = "empty" if factory in _CONTAINERS else left_by_value(field.default)
    return _Field(field.name, left)


def _generated(name: str, fields: list[_Field]) -> SelfAccesses:
    if name == "__init__":
        writes = [
            Write(each.name, 0, "self", "set", each.left, True)  # type: ignore[arg-type]
            for each in fields
        ]
        called = [Read(each, 0, is_called=True, is_used=False) for each in ("__post_init__", "__attrs_post_init__")]
        return SelfAccesses(tuple(called), tuple(writes))
    return SelfAccesses(tuple([Read(each.name, 0) for each in fields] if name in _READING else ()))


_CONTAINERS = (list, dict, set, frozenset, tuple, bytearray, collections.deque)


def left_by_value(value: object) -> str:
    """What an attribute has in it that has a value: "nothing", "empty" (an empty container) or "value"."""
    if value is None:
        return "nothing"
    is_container = type(value).__module__ in {"builtins", "collections"} and isinstance(
        value, (*_CONTAINERS, str, bytes)
    )
    return "empty" if is_container and not len(value) else "value"  # type: ignore[arg-type]
