"""What does the body of a class say? Its functions, properties, constants and fields, in every version of Python."""

from __future__ import annotations

import enum
import functools
import types
from collections.abc import Iterator
from typing import Any

from stored._keys.attributes import attributes_of, is_filled
from stored._keys.canonical import Walk
from stored._keys.canonical_code import function_text, is_library_function
from stored._keys.libraries import find_by_name, has_known_name, is_of_main
from stored._keys.set_on_subclasses import set_on_subclasses
from stored.typing import ABSENT

__all__ = ["WITHOUT_MEANING", "class_content", "field_texts", "is_of_enum", "member_text"]

WITHOUT_MEANING = frozenset(
    {
        *("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__slots__"),
        *(
            "__annotations__",
            "__annotate__",
            "__annotate_func__",
            "__annotations_cache__",
            "__conditional_annotations__",
        ),
        *("__firstlineno__", "__static_attributes__", "__classdictcell__", "__classcell__"),
        *("__orig_bases__", "__parameters__", "__type_params__", "__abstractmethods__", "_abc_impl", "_is_protocol"),
        *(
            "__stored_parameters__",
            "__stored_spaces__",
            "__stored_reached__",
            "__stored_sent__",
            "__dataclass_params__",
            "__dataclass_fields__",
        ),
        *("__attrs_attrs__", "__attrs_own_setattr__", "__attrs_props__", "__non_callable_proto_members__"),
        *("__protocol_attrs__", "__callable_proto_members_only__", "_is_runtime_protocol"),
        *("__slotnames__", "__attrs_base_of_slotted__", "__required_keys__", "__optional_keys__"),
        *("__class_vars__", "__private_attributes__", "__signature__"),
        *("__readonly_keys__", "__mutable_keys__", "__closed__", "__extra_items__"),
    }
)
"""Attributes that Python, `dataclass` and the like add; fields are told in another way."""

_OF_NAMED_TUPLES = frozenset(
    {"__new__", "_make", "_replace", "__replace__", "__repr__", "_asdict", "__getnewargs__", "_fields_defaults"}
)


def class_content(kind: type, walk: Walk, with_code: bool = True, is_of_owner: bool = False) -> str:
    """The text of what the body of a class says, in an order that does not count.

    Parameters
    ----------
    kind : type
        The class.
    walk : Walk
        The walk that found it.
    with_code : bool
        Does the code of its functions count, beside their closures and defaults?
    is_of_owner : bool
        Is it the class of an owner? Values without a form are left out then, since those that methods read join their
        keys.
    """
    texts = []
    for name, each in sorted(_attributes(kind)):
        is_value = is_of_owner and not hasattr(type(each), "__get__")
        text = walk.part_or_none(each) or "..." if is_value else _attribute_text(name, each, walk, with_code)
        texts.append(f"{name!a}={text}")
    return f"{', '.join(texts)}; {', '.join(field_texts(kind, walk))}"


def _attributes(kind: type) -> Iterator[tuple[str, Any]]:
    own = list(vars(kind).items())
    is_made = {"__dataclass_fields__", "__attrs_attrs__", "_fields"} & vars(kind).keys()
    without_meaning = WITHOUT_MEANING | set_on_subclasses(kind)
    for name, attribute in own:
        if name in without_meaning or name.startswith("__pydantic_") or isinstance(attribute, _SLOTS):
            continue
        if isinstance(kind, enum.EnumMeta) and is_of_enum(kind, name, attribute):
            continue
        if is_made and _is_generated(name, attribute):
            continue
        if "_is_protocol" in vars(kind) and _is_library_method(attribute):
            continue  # which `Protocol` adds, not the same ones in every version
        yield name, attribute


_SLOTS = (types.MemberDescriptorType, types.GetSetDescriptorType)


def is_of_enum(kind: enum.EnumMeta, name: str, attribute: Any) -> bool:
    """Is it a member, which is told in another way, or what Python has made of the members and bases of the class?"""
    if name in kind._member_map_:
        return True
    if name.startswith("_") and name.endswith("_") and not name.startswith("__"):  # no name that users can give
        return not _is_users_code(attribute)
    is_inherited = any(vars(base).get(name, ABSENT) is attribute for base in kind.__mro__[1:])
    return is_inherited or _module_of(_function_of(attribute)) == "enum"


def _module_of(function: Any) -> Any:
    return function.__globals__.get("__name__") if isinstance(function, types.FunctionType) else None


def _is_library_method(attribute: Any) -> bool:
    function = _function_of(attribute)
    return isinstance(function, types.FunctionType) and is_library_function(function)


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
        return type(attribute).__name__ == "_tuplegetter" or name in {"_fields", "_field_defaults"}
    code = function.__code__
    if code.co_qualname.startswith("__create_fn__") or code.co_filename.startswith("<attrs generated"):
        return True
    module = str(_module_of(function))
    if module.startswith("namedtuple_") or module in {"collections", "typing"}:
        return name in _OF_NAMED_TUPLES or name.startswith("__")
    return module in _GENERATORS and name.startswith("__")


_GENERATORS = frozenset({"dataclasses", "reprlib", "attr", "attr._make", "attrs"})
"""The modules of which `dataclass` and attrs take methods that they give to classes."""


def _attribute_text(name: str, attribute: Any, walk: Walk, with_code: bool) -> str:
    functions = [_function_of(attribute)]
    if isinstance(attribute, property):
        functions = [each for each in (attribute.fget, attribute.fset, attribute.fdel) if each is not None]
    if with_code or not all(isinstance(each, types.FunctionType) for each in functions):
        return walk.code_part(attribute, f".{name}")
    texts = [function_text(_unwrapped(each), walk, with_code=False) for each in functions]
    return f"{type(attribute).__name__}({', '.join(texts)})"


def _unwrapped(function: Any) -> types.FunctionType:
    while type(function) is not types.FunctionType:  # a stored method
        function = function.__wrapped__
    return function


def member_text(member: Any, walk: Walk, place: str = "") -> str:
    """The text of the value of a member of an enumeration, and of its attributes beside it.

    Of an enumeration that its module has under its name, that and the name of the member tell which one it is; so there
    a value without a form has an empty text.
    """
    kind = type(member)
    attributes = [pair for pair in attributes_of(member) if pair[0] not in _OF_MEMBERS and not is_filled(kind, pair[0])]
    parts = [("value", member._value_), *attributes]
    if not is_of_main(kind) and has_known_name(kind):
        return ", ".join([f"{name!a}={walk.part_or_none(each) or ''}" for name, each in parts])
    return ", ".join([f"{name!a}={walk.code_part(each, f'{place}.{name}')}" for name, each in parts])


_OF_MEMBERS = frozenset({"_value_", "_name_", "__objclass__", "_sort_order_", "_hashable_values_"})


def field_texts(kind: Any, walk: Walk) -> list[str]:
    """The texts of the members of an enumeration, or of the fields of a named tuple, a dataclass or an attrs class."""
    own = vars(kind)
    if isinstance(kind, enum.EnumMeta):
        return [f"{name!a}: {member_text(each, walk, f'.{name}')}" for name, each in kind._member_map_.items()]
    values: list[tuple[str, list[Any]]] = []
    if "_fields" in own:
        defaults = own.get("_field_defaults", {})
        values = [(name, [defaults[name]] if name in defaults else []) for name in kind._fields]
    for each in own.get("__dataclass_fields__", {}).values():
        parts = [each.default, each.default_factory, each.init, each.repr, each.hash, each.compare, each.kw_only]
        values.append((each.name, [*parts, each.metadata]))
    for each in own.get("__attrs_attrs__", ()):
        parts = [each.default, each.converter, each.validator, each.init, each.repr, each.hash, each.eq, each.order]
        values.append((each.name, [*parts, each.kw_only, each.on_setattr, each.metadata]))
    texts = [f"{name!a}: {', '.join([_part_text(part, walk, name) for part in parts])}" for name, parts in values]
    return texts + _options_of_dataclass(own)


def _options_of_dataclass(own: Any) -> list[str]:
    options = own.get("__dataclass_params__")
    names = ("init", "repr", "eq", "order", "unsafe_hash", "frozen")
    return [] if options is None else [f"{name}={getattr(options, name)}" for name in names]


def _part_text(value: Any, walk: Walk, name: str) -> str:
    """The text of what is told of a field; of a mark of dataclasses and attrs for no default, it is empty."""
    # by their types: a copy of the first comes back from pickling
    if type(value) is type(find_by_name("dataclasses", "MISSING")) or value is find_by_name("attr", "NOTHING"):
        return ""
    if type(value) is find_by_name("attr", "Factory"):
        return f"Factory({walk.code_part(value.factory, f'.{name}')}, {value.takes_self})"
    return walk.code_part(value, f".{name}")
