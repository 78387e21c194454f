"""What does the body of a class say? Its functions, properties, constants and fields, in every version of Python."""

from __future__ import annotations

import enum
import functools
import types
from collections.abc import Iterator
from typing import Any

from stored._keys.canonical import Walk
from stored._keys.canonical_code import function_text, is_library_function

__all__ = ["class_content", "field_texts"]

_WITHOUT_MEANING = frozenset(
    {
        *("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__slots__", "__match_args__"),
        *(
            "__annotations__",
            "__annotate__",
            "__annotate_func__",
            "__annotations_cache__",
            "__conditional_annotations__",
        ),
        *("__firstlineno__", "__static_attributes__", "__classdictcell__", "__classcell__"),
        *("__orig_bases__", "__parameters__", "__type_params__", "__abstractmethods__", "_abc_impl", "_is_protocol"),
        *("__stored_parameters__", "__stored_spaces__", "__dataclass_params__", "__dataclass_fields__"),
        *("__attrs_attrs__", "__attrs_own_setattr__", "__attrs_props__", "__non_callable_proto_members__"),
        *("__protocol_attrs__", "__callable_proto_members_only__"),
    }
)
"""Attributes that Python, `dataclass` and the like add; fields are told in another way."""

_OF_NAMED_TUPLES = frozenset(
    {"__new__", "_make", "_replace", "__replace__", "__repr__", "_asdict", "__getnewargs__", "_fields_defaults"}
)


def class_content(kind: type, walk: Walk, with_code: bool = True) -> str:
    """The text of what the body of a class says, in an order that does not count.

    Parameters
    ----------
    kind : type
        The class.
    walk : Walk
        The walk that found it.
    with_code : bool
        Does the code of its functions count, beside their closures and defaults?
    """
    texts = [f"{name}={_attribute_text(name, each, walk, with_code)}" for name, each in sorted(_attributes(kind))]
    return f"{', '.join(texts)}; {', '.join(field_texts(kind, walk))}"


def _attributes(kind: type) -> Iterator[tuple[str, Any]]:
    is_made = {"__dataclass_fields__", "__attrs_attrs__", "_fields"} & vars(kind).keys()
    for name, attribute in list(vars(kind).items()):
        if name in _WITHOUT_MEANING or isinstance(attribute, _SLOTS) or _is_kept_by_python(name, attribute):
            continue
        if isinstance(kind, enum.EnumMeta) and not _is_users_code(attribute):
            continue  # the members are told in another way, and the rest is made of them
        if is_made and _is_generated(name, attribute):
            continue
        yield name, attribute


_SLOTS = (types.MemberDescriptorType, types.GetSetDescriptorType)


def _is_kept_by_python(name: str, attribute: Any) -> bool:
    """Is it of those that Python and decorators keep for themselves, also later, such as ``__slotnames__``?"""
    if not (name.startswith("__") and name.endswith("__")):
        return False
    return not isinstance(_function_of(attribute), types.FunctionType | int | float | str | types.NoneType)


def _function_of(attribute: Any) -> Any:
    for name in ("__func__", "fget", "func"):
        function = getattr(attribute, name, None) if isinstance(attribute, _HOLDERS) else None
        if function is not None:
            return function
    return attribute


_HOLDERS = (staticmethod, classmethod, property, functools.cached_property)


def _is_users_code(attribute: Any) -> bool:
    function = _function_of(attribute)
    return isinstance(function, types.FunctionType) and not is_library_function(function)


def _is_generated(name: str, attribute: Any) -> bool:
    """Was a method, or the descriptor of a field, written by `dataclass`, attrs or `namedtuple`?"""
    function = _function_of(attribute)
    if not isinstance(function, types.FunctionType):
        return type(attribute).__name__ == "_tuplegetter" or name in {"_fields", "_field_defaults", "__hash__"}
    code = function.__code__
    if code.co_qualname.startswith("__create_fn__") or code.co_filename.startswith("<attrs generated"):
        return True
    is_library = is_library_function(function) or function.__globals__["__name__"].startswith("namedtuple_")
    return is_library and (name in _OF_NAMED_TUPLES or name.startswith("__"))


def _attribute_text(name: str, attribute: Any, walk: Walk, with_code: bool) -> str:
    function = _function_of(attribute)
    if with_code or not isinstance(function, types.FunctionType):
        return walk.lenient_part(attribute, f".{name}")
    plain: Any = function
    while type(plain) is not types.FunctionType:  # a stored method
        plain = plain.__wrapped__
    return f"{type(attribute).__name__}({function_text(plain, walk, with_code=False)})"


def field_texts(kind: Any, walk: Walk) -> list[str]:
    """The texts of the members of an enumeration, or of the fields of a named tuple, a dataclass or an attrs class."""
    own = vars(kind)
    if isinstance(kind, enum.EnumMeta):
        return [f"{name}: {walk.part_or_none(each._value_) or ''}" for name, each in kind._member_map_.items()]
    values: list[tuple[str, Any]] = []
    if "_fields" in own:
        values = [(name, own.get("_field_defaults", {}).get(name, ...)) for name in kind._fields]
    for each in own.get("__dataclass_fields__", {}).values():
        values.append((each.name, (each.default, each.default_factory, each.init, each.compare, each.kw_only)))
    for each in own.get("__attrs_attrs__", ()):
        values.append((each.name, (each.default, each.converter, each.init, each.eq, each.kw_only)))
    return [f"{name}: {_field_text(value, walk, name)}" for name, value in values]


def _field_text(value: Any, walk: Walk, name: str) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return ", ".join([_default_text(each, walk, name) for each in parts])


def _default_text(value: Any, walk: Walk, name: str) -> str:
    kind = type(value).__name__
    if kind in {"_MISSING_TYPE", "_Nothing"}:  # the marks of dataclasses and attrs for no default
        return ""
    if kind == "Factory":  # of attrs
        value = value.factory
    return walk.lenient_part(value, f".{name}")
