"""Which fields does a class declare? Of dataclasses, attrs classes, pydantic models and named tuples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

__all__ = ["Field", "declares_fields", "field_names", "fields_of", "fields_that_may_be_unset", "frozen_fields"]


class Field(NamedTuple):
    """A field of a class.

    Attributes
    ----------
    name : str
        The attribute in which objects have it.
    is_given : bool
        Does ``__init__`` set it? Otherwise it may be missing.
    """

    name: str
    is_given: bool = True


def fields_of(owner: type) -> list[Field]:
    """The fields of a class and of its bases, those of the class first; none for a class that declares none."""
    found: dict[str, Field] = {}
    for base in owner.__mro__[:-1]:
        for each in _declared_by(base) or ():
            found.setdefault(each.name, each)
    return [*found.values()]


def field_names(owner: type, with_unset: bool) -> list[str]:
    """The names of the fields of a class, with or without those that ``__init__`` does not set."""
    return [each.name for each in fields_of(owner) if with_unset or each.is_given]


def fields_that_may_be_unset(owner: type) -> set[str]:
    """The fields of a class that its ``__init__`` does not set."""
    return {each.name for each in fields_of(owner) if not each.is_given}


def declares_fields(base: type) -> bool:
    """Does a class itself, not one of its bases, say which fields its objects have?"""
    return _declared_by(base) is not None


def frozen_fields(owner: type) -> list[Field] | None:
    """The fields of a frozen dataclass or a frozen attrs class; None for any other class."""
    for base in owner.__mro__[:-1]:
        if not vars(base).keys().isdisjoint({"__dataclass_params__", "__attrs_attrs__"}):
            return _declared_by(base) if _is_frozen(base) else None
        if not vars(base).keys().isdisjoint({"__init__", "__new__", "__setattr__"}):
            return None  # its objects may have state that is no field of the bases
    return None


def _is_frozen(base: Any) -> bool:
    """Can fields of objects not be set, by what a dataclass or an attrs class itself says?"""
    own = vars(base)
    if "__dataclass_params__" in own:
        return bool(own["__dataclass_params__"].frozen)
    return bool(base.__setattr__.__name__ == "_frozen_setattrs")


def _declared_by(base: type) -> list[Field] | None:
    own = vars(base)
    if "__dataclass_fields__" in own:
        return _of_dataclass(base)
    if "__attrs_attrs__" in own:
        return [Field(each.name, each.init) for each in own["__attrs_attrs__"]]
    pydantic = own.get("__pydantic_fields__", own.get("model_fields") if hasattr(base, "model_post_init") else None)
    if isinstance(pydantic, dict):
        return [*map(Field, pydantic), *_extra_of_model(base)]
    names = own.get("_fields")
    if issubclass(base, tuple) and isinstance(names, tuple):
        return [*map(Field, names)]
    return None


def _of_dataclass(base: Any) -> list[Field]:
    from dataclasses import fields

    return [Field(each.name, each.init) for each in fields(base)]


def _extra_of_model(base: Any) -> Iterator[Field]:
    """What a pydantic model takes beside its fields, where it says ``extra="allow"``: all of it in one attribute."""
    if getattr(base, "model_config", {}).get("extra") == "allow":
        yield Field("model_extra")
