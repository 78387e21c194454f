"""Which text stands for a value in a key? Functions, methods, modules, and what is made of them."""

from __future__ import annotations

import functools
import operator
import types
from typing import Any

import numpy as np

from stored._keys.canonical import Encoder, Walk, add_forms, digest, pairs_text, refuse, text_or_digest
from stored._keys.closures import closure_cells
from stored._keys.libraries import find_by_name, is_library_module
from stored._keys.source import code_text, module_name, qualified_name

__all__ = ["function_text"]


def function_text(function: types.FunctionType, walk: Walk, with_code: bool = True) -> str:
    """The text of a function: its name and code, defaults, closure and attributes; of a library's, its name alone.

    Functions of the same code can differ in all of these. Parts without a form are left out of a lenient walk, and so
    are variables of enclosing functions that the function itself rebinds, such as counters.
    """
    if is_library_function(function) and find_by_name(function.__module__, function.__qualname__) is function:
        return f"function({qualified_name(function)!a})"
    parts = [
        _code_digest(function) if with_code else "",
        _defaults_text(function, walk),
        _closure_text(function, walk),
        ", ".join([f"{name}={walk.lenient_part(each, f'.{name}')}" for name, each in sorted(vars(function).items())]),
    ]
    return text_or_digest("function", f"function({qualified_name(function)!a}, {'; '.join(parts)})")


def is_library_function(function: types.FunctionType) -> bool:
    """Is a function's code that of the standard library, or of an installed package?"""
    return is_library_module(function.__globals__.get("__name__"))


def _code_digest(function: types.FunctionType) -> str:
    """The code of a user's function; that of a library differs from version to version, and its name stands for it."""
    if is_library_function(function):
        return f"{function.__globals__['__name__']}.{function.__code__.co_qualname}"
    return digest(code_text(function))


def _defaults_text(function: types.FunctionType, walk: Walk) -> str:
    values = [walk.lenient_part(each, f".__defaults__[{n}]") for n, each in enumerate(function.__defaults__ or ())]
    named = (function.__kwdefaults__ or {}).items()
    values += [f"{name}={walk.lenient_part(each, f'.__kwdefaults__[{name!r}]')}" for name, each in named]
    return ", ".join(values)


def _closure_text(function: types.FunctionType, walk: Walk) -> str:
    texts = []
    for name, cell in closure_cells(function, with_rebound=not walk.is_lenient):
        try:
            value = cell.cell_contents
        except ValueError:  # the variable has no value yet
            texts.append(f"{name} unset")
            continue
        # the class in which a method is defined, for super(): its own parameters tell it, or the method's
        text = qualified_name(value) if name == "__class__" else walk.lenient_part(value, f".{name}")
        texts.append(f"{name}={text}")
    return ", ".join(texts)


def _proxy_text(value: Any, walk: Walk) -> str:
    """The text of what stands for a function, and shows another type than it has: what it wraps, and how."""
    parts = [walk.part(value.__wrapped__, ".__wrapped__")]
    for name in ("_self_wrapper", "_self_enabled"):  # of the decorators of wrapt
        wrapper = getattr(value, name, None)
        parts += [] if wrapper is None else [walk.part(wrapper, f".{name}")]
    return f"wrapped({', '.join(parts)})"


def _is_function_proxy(value: Any) -> bool:
    shown = getattr(value, "__class__", None)
    return shown is types.FunctionType and type(value) is not shown and hasattr(value, "__wrapped__")


def _method_text(method: Any, walk: Walk) -> str:
    return f"method({walk.part(method.__self__, '.__self__')}, {walk.part(method.__func__, '.__func__')})"


def _is_method_proxy(value: Any) -> bool:
    """Is it a stored method of an object, which shows the type of a plain one?"""
    return getattr(value, "__class__", None) is types.MethodType


def _builtin_text(value: Any, walk: Walk) -> str:
    """The text of a compiled function: the name by which its module has it, or its object and name."""
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, types.ModuleType):
        return f"method({walk.part(owner, '.__self__')}, {value.__name__!a})"
    return _named_text(value)


def _named_text(value: Any) -> str:
    """The text of a function of a library: the name by which its module has it; refused if that has it not."""
    name = getattr(value, "__qualname__", value.__name__)
    for module in (getattr(value, "__module__", None), "numpy", "scipy.special"):
        if find_by_name(module, name) is value:
            return f"function({f'{module}.{name}'!a})"
    refuse(value)


def _descriptor_text(value: Any) -> str:
    """The text of a method of a compiled class, such as ``str.upper``."""
    return f"function({f'{qualified_name(value.__objclass__)}.{value.__name__}'!a})"


def _partial_text(value: functools.partial[Any], walk: Walk) -> str:
    arguments = walk.part(value.args, ".args")
    keywords = walk.part(value.keywords, ".keywords")
    return f"{type(value).__name__}({walk.part(value.func, '.func')}, {arguments}, {keywords})"


def _cached_function_text(value: Any, walk: Walk) -> str:
    return f"lru_cache({walk.part(value.__wrapped__, '.__wrapped__')}, {walk.text(value.cache_parameters())})"


def _getter_text(value: Any, walk: Walk) -> str:
    """The text of a callable of `operator`: what it was made of."""
    made_by, arguments = value.__reduce__()
    return f"{type(value).__name__}({walk.text(made_by)}, {walk.part(arguments, '.args')})"


def _module_text(value: types.ModuleType) -> str:
    return f"module({module_name(value.__name__)!a})"


_METHODS_OF_CLASSES = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)

_GETTERS: dict[type, Encoder] = dict.fromkeys(
    (operator.attrgetter, operator.itemgetter, operator.methodcaller), _getter_text
)

add_forms(
    leaves={
        types.ModuleType: _module_text,
        np.ufunc: _named_text,
        type(np.mean): _named_text,
        **dict.fromkeys(_METHODS_OF_CLASSES, _descriptor_text),
    },
    exact={
        types.FunctionType: function_text,
        types.BuiltinFunctionType: _builtin_text,
        types.MethodWrapperType: _builtin_text,
        types.MethodType: _method_text,
        staticmethod: lambda value, walk: f"staticmethod({walk.part(value.__func__, '')})",
        classmethod: lambda value, walk: f"classmethod({walk.part(value.__func__, '')})",
        property: lambda value, walk: (
            f"property({pairs_text(walk, [(name, getattr(value, name)) for name in ('fget', 'fset', 'fdel')])})"
        ),
        functools.cached_property: lambda value, walk: f"cached_property({walk.part(value.func, '')})",
        functools.partial: _partial_text,
        functools.partialmethod: _partial_text,
        type(functools.lru_cache(len)): _cached_function_text,
        **_GETTERS,
    },
    kinds=[(_is_method_proxy, _method_text), (_is_function_proxy, _proxy_text)],
)
