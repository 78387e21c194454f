"""What a factory gives to the functions and classes that it makes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, cast

from stored._keys.source import code_text, qualified_name

__all__ = ["static_class", "static_closure"]

Constant = Callable[[object], bool]


def static_closure(function: Any, constant: Constant) -> dict[str, object]:
    """What a function takes from the function around it and cannot change: constants, functions and classes.

    A class made by a factory keeps one source for many meanings; these tell them apart. Names that the function
    rebinds (counters, say) and mutable values are left out. Of a decorated function, the decorators that lead to what
    they wrap by ``__wrapped__`` count too.

    Parameters
    ----------
    function : callable
        The function, decorated or not.
    constant : callable
        Tells whether a value, other than a function or a class, can stand in the result.
    """
    return _static_closure(function, constant, (function,))


def _static_closure(function: Any, constant: Constant, around: tuple[object, ...]) -> dict[str, object]:
    told: dict[str, object] = {}
    if isinstance(function, FunctionType):
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        without = {"__class__", *_rebound_names(function.__code__)}
        values = {name: stable_part(_contents(cell), constant, around) for name, cell in cells if name not in without}
        told = {name: value for name, value in values.items() if value is not ...}
    wrapped = _wrapped(function)
    if wrapped is not None and not _among(wrapped, around):
        told["__wrapped__"] = stable_part(wrapped, constant, around)
        if type(function) is FunctionType:  # not what only poses as one, which is the function that it wraps
            told["__code__"] = code_text(function)
    return told


def _wrapped(function: Any) -> object:
    found = inspect.getattr_static(function, "__wrapped__", None)  # objects that have any attribute have no end of them
    return None if found is None else function.__wrapped__


def stable_part(value: Any, constant: Constant, around: tuple[object, ...]) -> object:
    """A value with the functions in it told by code, closure and defaults; an ellipsis in place of what can change."""
    if _among(value, around):
        return ...
    inner = (*around, value)
    if isinstance(value, FunctionType):
        return code_text(value), _static_closure(value, constant, inner), _defaults(value, constant, inner)
    if type(value) is functools.partial:
        parts = (value.func, value.args, tuple(value.keywords.items()))
        return "partial", *(stable_part(part, constant, inner) for part in parts)
    if type(value) is tuple:
        return tuple([stable_part(each, constant, inner) for each in value])
    if isinstance(value, type):
        return _static_class(value, constant, inner)
    if _wrapped(value) is not None:
        return _static_closure(value, constant, inner)
    return value if constant(value) else ...


def _among(value: object, around: tuple[object, ...]) -> bool:
    return any(each is value for each in around)


def _defaults(function: FunctionType, constant: Constant, around: tuple[object, ...]) -> object:
    given = (function.__defaults__ or (), tuple((function.__kwdefaults__ or {}).items()))
    return stable_part(given, constant, around) if any(given) else ()


def static_class(kind: type, constant: Constant) -> object:
    """What tells a class from its likes: the names of its bases and, for each one made in a function, what is in it.

    That is the closures and defaults of its functions, and constants. The code of the functions does not count.
    """
    return _static_class(kind, constant, (kind,))


def _static_class(kind: type, constant: Constant, around: tuple[object, ...]) -> object:
    return tuple(
        (qualified_name(base), _static_attributes(base, constant, around) if "<locals>" in base.__qualname__ else {})
        for base in kind.__mro__
    )


def _static_attributes(kind: type, constant: Constant, around: tuple[object, ...]) -> dict[str, object]:
    told: dict[str, object] = {}
    for name, attribute in vars(kind).items():
        function = _function_of(attribute)
        if isinstance(function, FunctionType):
            closure = _static_closure(function, constant, (*around, function))
            defaults = _defaults(function, constant, around)
            told[name] = (closure, defaults) if closure or defaults else ...
        elif not (name.startswith("__") and name.endswith("__")):
            told[name] = stable_part(attribute, constant, around)
    return {name: value for name, value in told.items() if value is not ...}


def _function_of(attribute: Any) -> object:
    if isinstance(attribute, staticmethod | classmethod):
        return attribute.__func__
    if isinstance(attribute, property):
        return attribute.fget
    return attribute.func if isinstance(attribute, functools.cached_property) else attribute


def _contents(cell: Any) -> object:
    try:
        return cast(object, cell.cell_contents)
    except ValueError:  # not bound yet
        return ...


def _rebound_names(code: CodeType) -> set[str]:
    import dis

    return {str(step.argval) for step in dis.get_instructions(code) if step.opname in {"STORE_DEREF", "DELETE_DEREF"}}
