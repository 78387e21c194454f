"""What does a factory give to the functions and classes that it makes?"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, cast

from stored._keys.source import code_text, qualified_name

__all__ = ["stable_class", "stable_closure"]

IsConstant = Callable[[object], bool]


def stable_closure(function: Any, is_constant: IsConstant) -> dict[str, object]:
    """The variables of enclosing functions that a function uses, if they cannot change: constants, functions, classes.

    Functions that a factory makes have the same code, and differ in these. Variables that the function assigns to
    (counters, for example) and mutable values are left out. Of a decorated function, the decorators that set
    ``__wrapped__`` are included.

    Parameters
    ----------
    function : callable
        The function, decorated or not.
    is_constant : callable
        Can a value, other than a function or a class, never change, and has it a canonical text?
    """
    return _stable_closure(function, is_constant, (function,))


def _stable_closure(function: Any, is_constant: IsConstant, around: tuple[object, ...]) -> dict[str, object]:
    parts: dict[str, object] = {}
    if isinstance(function, FunctionType):
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        ignored = {"__class__", *_assigned_names(function.__code__)}
        values = {name: _cell_value(cell) for name, cell in cells if name not in ignored}
        stable = {name: stable_part(value, is_constant, around) for name, value in values.items()}
        parts = {name: value for name, value in stable.items() if value is not ...}
    wrapped = _wrapped_function(function)
    if wrapped is not None and not _is_among(wrapped, around):
        parts["__wrapped__"] = stable_part(wrapped, is_constant, around)
        if type(function) is FunctionType:  # a wrapt proxy only pretends to be one, and has the code of what it wraps
            parts["__code__"] = code_text(function)
    return parts


def _wrapped_function(function: Any) -> object:
    # static: an object that answers to every name (a mock) would have a __wrapped__ without end
    found = inspect.getattr_static(function, "__wrapped__", None)
    return None if found is None else function.__wrapped__


def stable_part(value: Any, is_constant: IsConstant, around: tuple[object, ...]) -> object:
    """A value with code, closure and defaults in place of the functions in it, and an ellipsis for what can change."""
    if _is_among(value, around):
        return ...
    inner = (*around, value)
    if isinstance(value, FunctionType):
        return code_text(value), _stable_closure(value, is_constant, inner), _defaults(value, is_constant, inner)
    if type(value) is functools.partial:
        parts = (value.func, value.args, tuple(value.keywords.items()))
        return "partial", *(stable_part(part, is_constant, inner) for part in parts)
    if type(value) is tuple:
        return tuple([stable_part(each, is_constant, inner) for each in value])
    if isinstance(value, type):
        return _stable_class(value, is_constant, inner)
    if _wrapped_function(value) is not None:
        return _stable_closure(value, is_constant, inner)
    return value if is_constant(value) else ...


def _is_among(value: object, around: tuple[object, ...]) -> bool:
    return any(each is value for each in around)


def _defaults(function: FunctionType, is_constant: IsConstant, around: tuple[object, ...]) -> object:
    defaults = (function.__defaults__ or (), tuple((function.__kwdefaults__ or {}).items()))
    return stable_part(defaults, is_constant, around) if any(defaults) else ()


def stable_class(kind: type, is_constant: IsConstant) -> object:
    """What distinguishes a class from others that the same function makes.

    These are the names of the class and its bases and, for each of them that was made in a function, its constants and
    the closures and defaults of its functions. The code of the functions does not count.
    """
    return _stable_class(kind, is_constant, (kind,))


def _stable_class(kind: type, is_constant: IsConstant, around: tuple[object, ...]) -> object:
    return tuple(
        (qualified_name(base), _stable_attributes(base, is_constant, around) if "<locals>" in base.__qualname__ else {})
        for base in kind.__mro__
    )


def _stable_attributes(kind: type, is_constant: IsConstant, around: tuple[object, ...]) -> dict[str, object]:
    parts: dict[str, object] = {}
    for name, attribute in vars(kind).items():
        function = _function_of(attribute)
        if isinstance(function, FunctionType):
            closure = _stable_closure(function, is_constant, (*around, function))
            defaults = _defaults(function, is_constant, around)
            parts[name] = (closure, defaults) if closure or defaults else ...
        elif not (name.startswith("__") and name.endswith("__")):
            parts[name] = stable_part(attribute, is_constant, around)
    return {name: value for name, value in parts.items() if value is not ...}


def _function_of(attribute: Any) -> object:
    if isinstance(attribute, staticmethod | classmethod):
        return attribute.__func__
    if isinstance(attribute, property):
        return attribute.fget
    return attribute.func if isinstance(attribute, functools.cached_property) else attribute


def _cell_value(cell: Any) -> object:
    try:
        return cast(object, cell.cell_contents)
    except ValueError:  # the variable has no value yet
        return ...


def _assigned_names(code: CodeType) -> set[str]:
    import dis

    return {str(step.argval) for step in dis.get_instructions(code) if step.opname in {"STORE_DEREF", "DELETE_DEREF"}}
