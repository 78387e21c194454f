"""Which text stands for a value in a key? Functions, methods and classes."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

import numpy as np

from stored._keys.canonical import Encoder, add_encoders, canonical, digest, pairs_text, text_of, unstable_key_error
from stored._keys.source import code_text, qualified_name


def _function_text(function: types.FunctionType) -> str:
    """Module, name and code, with defaults and closure: functions of the same code can differ in these."""
    free = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    try:
        closure = [(name, cell.cell_contents) for name, cell in free if cell.cell_contents is not function]
    except ValueError:  # a variable that has no value yet, and can be given any
        raise unstable_key_error(function) from None
    parts = [
        digest(code_text(function)),
        text_of(function.__defaults__),
        text_of(function.__kwdefaults__),
        pairs_text(closure),
    ]
    return f"function({qualified_name(function)!a}, {', '.join(parts)})"


def _global_text(value: Any) -> str:
    """The text of a compiled function, or one of a library: the name by which its module has it, if the module does."""
    name = getattr(value, "__qualname__", value.__name__)
    for module in (getattr(value, "__module__", None), "numpy", "scipy.special"):
        if _find(module, name) is value:
            return f"function({f'{module}.{name}'!a})"
    raise unstable_key_error(value)


def _find(module: str | None, name: str) -> object:
    found: object = sys.modules.get(module or "")
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _type_text(kind: type) -> str:
    """The text of a class: its name, and what its body and those of its bases say."""
    if _find(kind.__module__, kind.__qualname__) is not kind:
        raise unstable_key_error(kind)
    parts = [
        (name, class_part(each))
        for base in kind.__mro__
        for name, each in vars(base).items()
        if name != "__firstlineno__"
    ]
    return f"type({qualified_name(kind)!a}, {digest(canonical([pair for pair in parts if pair[1] is not None]))})"


def class_part(attribute: Any) -> object:
    """What an attribute adds to the text of its class: the code of a function, or a constant; None for all else."""
    function = getattr(attribute, "__func__", getattr(attribute, "fget", attribute))
    if isinstance(function, types.FunctionType):
        return code_text(function)
    return attribute if type(attribute) in {bool, int, float, complex} else None


def _method_text(method: types.MethodType) -> str:
    return f"method({text_of(method.__self__)}, {text_of(method.__func__)})"


def _partial_text(value: functools.partial[Any]) -> str:
    return f"partial({text_of(value.func)}, {text_of(value.args)}, {text_of(value.keywords)})"


_NUMPY_FUNCTIONS: dict[type, Encoder] = {np.ufunc: _global_text, type(np.mean): _global_text}

add_encoders(
    exact={
        types.FunctionType: _function_text,
        types.BuiltinFunctionType: _global_text,
        types.MethodType: _method_text,
        functools.partial: _partial_text,
        type: _type_text,
        **_NUMPY_FUNCTIONS,
    },
    kinds={types.MethodType: _method_text, type: _type_text},
    constants=(types.BuiltinFunctionType, *_NUMPY_FUNCTIONS),
)
