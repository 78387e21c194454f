"""Which text stands for a value in a key? Functions, methods, modules, and what is made of them."""

from __future__ import annotations

import enum
import functools
import operator
import types
from typing import Any

import numpy as np

from stored._keys.attributes import checked_names
from stored._keys.canonical import Encoder, Walk, add_forms, digest, pairs_text, text_or_digest
from stored._keys.closures import closure_cells, rebound_variables, variable
from stored._keys.code_facts import code_facts
from stored._keys.compiled_modules import compiled_text
from stored._keys.libraries import find_by_name, has_known_name, is_library_module, is_of_main
from stored._keys.qualified_names import module_name, qualified_name
from stored._keys.unstable_values import refuse

__all__ = ["closure_text", "function_text", "variables_without_value"]


def function_text(function: types.FunctionType, walk: Walk, with_code: bool = True) -> str:
    """The text of a function: its name and code, defaults, closure and attributes, and what its code reaches.

    Functions of the same code can differ in all of these. Variables of enclosing functions that the function itself
    rebinds and does not read, such as counters, and memos that it has not filled yet, are left out of a walk of code.
    Of a library's function, its name is all.
    """
    if is_known_of_library(function):
        return f"function({qualified_name(function)!a})"
    if is_single_dispatch(function):
        return f"singledispatch({walk.part(function.registry, '.registry')})"  # type: ignore[attr-defined]
    parts = [
        _code_digest(function) if with_code else "",
        _defaults_text(function, walk),
        closure_text(function, walk),
        _attributes_text(function, walk),
        walk.reached_text(function) if with_code else "",
    ]
    names = _names_text(function) if walk.has_names else ""
    return text_or_digest("function", f"function({names}, {'; '.join(parts)})")


def _names_text(function: Any) -> str:
    """Module and qualified name of a function, and its name, if that is another one."""
    name, qualname = function.__name__, function.__qualname__
    return ascii(qualified_name(function)) + ("" if name == qualname.rpartition(".")[2] else f" {name!a}")


def _attributes_text(value: Any, walk: Walk, left_out: frozenset[str] = frozenset()) -> str:
    """The attributes that somebody has given to a function."""
    found = sorted(checked_names(vars(value)).items())
    return ", ".join([f"{name!a}={walk.code_part(each, f'.{name}')}" for name, each in found if name not in left_out])


def is_single_dispatch(function: types.FunctionType) -> bool:
    """Was it made by `functools.singledispatch`, whose closure has a memo of the classes that it has met?"""
    made_by = function.__globals__.get("__name__"), function.__code__.co_qualname
    return made_by == ("functools", "singledispatch.<locals>.wrapper")


def is_library_function(function: types.FunctionType) -> bool:
    """Is a function's code that of the standard library, or of an installed package?"""
    return is_library_module(function.__globals__.get("__name__"))


def is_known_of_library(function: types.FunctionType) -> bool:
    """Is a function what a module of a library has under its name? Wrappers take the name of what they wrap."""
    is_of_library = is_library_function(function) and is_library_module(function.__module__)
    return is_of_library and find_by_name(function.__module__, function.__qualname__) is function


def _code_digest(function: types.FunctionType) -> str:
    """The code of a user's function; that of a library differs from version to version, and its name stands for it."""
    if is_library_function(function):
        return f"{function.__globals__['__name__']}.{function.__code__.co_qualname}"
    return digest(code_facts(function.__code__).text)


def _defaults_text(function: types.FunctionType, walk: Walk) -> str:
    values = [walk.code_part(each, f".__defaults__[{n}]") for n, each in enumerate(function.__defaults__ or ())]
    named = (function.__kwdefaults__ or {}).items()
    values += [f"{name}={walk.code_part(each, f'.__kwdefaults__[{name!r}]')}" for name, each in named]
    return ", ".join(values)


def closure_text(function: types.FunctionType, walk: Walk) -> str:
    """The text of what a function closes over."""
    texts = []
    left_out = variables_without_value(function) if walk.is_of_code else frozenset()
    for name, cell in closure_cells(function):
        if name in left_out or walk.leaves_out(name):
            continue
        try:
            value = cell.cell_contents
        except ValueError:  # the variable has no value yet
            texts.append(f"{name} unset")
            continue
        text = _own_class_text(value, walk) if name == "__class__" else walk.code_part(value, f".{name}")
        texts.append(f"{name}={text}")
    return ", ".join(texts)


def variables_without_value(function: types.FunctionType) -> frozenset[str]:
    """The variables that a function closes over and rebinds, and whose values change no result of it."""
    rebound = rebound_variables(function.__code__)
    if not rebound:
        return frozenset()
    facts = code_facts(function.__code__)
    read = {each.root for each in facts.reads if each.origin is None}
    empty = {name for name in facts.memos & rebound if variable(function, name) is None}
    return frozenset((rebound - read) | empty)


def _own_class_text(kind: Any, walk: Walk) -> str:
    """The text of the class in which a method is defined, which it has for super()."""
    if has_known_name(kind) and not is_of_main(kind):
        return qualified_name(kind)
    return walk.part(kind, ".__class__")


def _proxy_text(value: Any, walk: Walk) -> str:
    """The text of what stands for a function, and shows another type than it has: what it wraps, and how."""
    parts = [walk.part(value.__wrapped__, ".__wrapped__")]
    if any("__stored_method__" in vars(base) for base in type(value).__mro__):
        parts.append(value.__stored_method__.options_text)
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
            return f"function({f'{module}.{name}'!a}{_build(module)})"
    refuse(value)


def _build(module: str | None) -> str:
    """What stands for the build of a compiled module of the user's own; empty for others."""
    text = "" if module is None else compiled_text(module)
    return f", {text}" if text else ""


def _is_of_cython(value: Any) -> bool:
    """Is it a function that Cython has compiled?"""
    return type(value).__name__ in {"cython_function_or_method", "fused_cython_function"}


def _descriptor_text(value: Any) -> str:
    """The text of a method of a compiled class, such as ``str.upper``."""
    build = _build(value.__objclass__.__module__)
    return f"function({f'{qualified_name(value.__objclass__)}.{value.__name__}'!a}{build})"


def _partial_text(value: Any, walk: Walk) -> str:
    arguments = walk.part(value.args, ".args")
    keywords = walk.part(value.keywords, ".keywords")
    kind, attributes = type(value), _attributes_text(value, walk)
    name = kind.__name__ if kind.__module__ == "functools" else walk.part(kind, ".__class__")
    return f"{name}({walk.part(value.func, '.func')}, {arguments}, {keywords}; {attributes})"


def _cached_function_text(value: Any, walk: Walk) -> str:
    wrapped, options = walk.part(value.__wrapped__, ".__wrapped__"), walk.text(value.cache_parameters())
    return f"lru_cache({wrapped}, {options}; {_attributes_text(value, walk, _OF_CACHED_FUNCTIONS)})"


_OF_CACHED_FUNCTIONS = frozenset(
    {"__wrapped__", "cache_parameters", "__doc__", "__annotations__", "__annotate__", "__type_params__"}
)
"""Attributes that `lru_cache` sets."""


def _property_text(value: Any, walk: Walk) -> str:
    parts = [(name, getattr(value, name)) for name in ("fget", "fset", "fdel")]
    return f"{type(value).__name__}({pairs_text(walk, parts)})"


def _alias_text(value: Any, walk: Walk) -> str:
    """The text of a type hint such as ``list[int]`` or ``int | None``."""
    origin = getattr(value, "__origin__", None)
    return f"{type(value).__name__}({walk.part(origin, '')}, {walk.part(value.__args__, '.__args__')})"


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
        **dict.fromkeys((property, types.DynamicClassAttribute, enum.property), _property_text),
        functools.singledispatchmethod: lambda value, walk: (
            f"singledispatchmethod({walk.part(value.dispatcher, '')}, {walk.part(value.func, '')})"
        ),
        types.GenericAlias: _alias_text,
        types.UnionType: _alias_text,
        functools.cached_property: lambda value, walk: f"cached_property({walk.part(value.func, '')})",
        functools.partial: _partial_text,
        functools.partialmethod: _partial_text,
        type(functools.lru_cache(len)): _cached_function_text,
        **_GETTERS,
    },
    kinds=[
        (_is_of_cython, lambda value, walk: _named_text(value)),
        (_is_method_proxy, _method_text),
        (_is_function_proxy, _proxy_text),
        (lambda value: isinstance(value, functools.partial), _partial_text),
    ],
)
