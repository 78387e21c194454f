"""Which attributes does a class declare as its parameters, and what are their values?"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from stored._adapters import adapter_of
from stored._keys.class_fields import field_names, frozen_fields
from stored._keys.estimators import tells_params
from stored._keys.init_arguments import init_arguments, named_arguments, takes_unnamed
from stored.errors import OwnerError, error_text

__all__ = [
    "STRING_METHODS",
    "Converter",
    "Declaration",
    "checked_string",
    "converters",
    "declarations",
    "declares_whole",
    "is_keyed",
    "normalise_name",
    "owner_method_caller",
    "parameter_names",
    "parameter_value",
    "tells_by_get_params",
]

Converter: TypeAlias = Callable[[Any], Any]
"""Makes the value by which a parameter is keyed."""

STRING_METHODS = ("getHashableString", "_getHashableString")
"""The methods by which an owner tells a hashable string."""


def owner_method_caller(owner: type, *names: str) -> Callable[[Any], Any] | None:
    """A function that calls the first of these methods which a class has; None if it has none."""
    found = next((name for name in names if callable(getattr(owner, name, None))), None)
    return None if found is None else operator.methodcaller(found)


def checked_string(found: object, source: str) -> str:
    """A string that an owner's function returned; anything else is an `OwnerError` that names the function."""
    if not isinstance(found, str):
        raise OwnerError(f"{source} returned {found!r} of type {type(found).__name__}; it must return a str")
    return str.__str__(found)  # the characters, whatever __str__ of a subclass returns


class Declaration(NamedTuple):
    """What `keyed_by` says of a class.

    Attributes
    ----------
    names : tuple of str or None
        The attributes that are parameters; None for the fields of the class, or what its ``__init__`` takes and keeps.
    module, name : str or None
        The module and the name of the owner, in place of those of the class.
    convert : dict of str to callable
        The functions that make the values by which parameters are keyed, where these are others.
    is_whole : bool
        Do exactly these attributes count?
    """

    names: tuple[str, ...] | None
    module: str | None
    name: str | None
    convert: dict[str, Converter]
    is_whole: bool

    def names_for(self, owner: type, base: type, others_named: bool = False) -> tuple[str, ...]:
        """The parameters of the objects of a class, one of whose bases is declared so.

        Parameters
        ----------
        owner, base : type
            The class, and the base.
        others_named : bool
            Does another declaration name attributes, so that arguments need no names?

        Raises
        ------
        OwnerError
            If the arguments of ``__init__`` have no names.
        """
        if self.names is not None:
            return self.names
        # what __init__ leaves unset, as memos are, joins where it is read
        taken = named_arguments(base) if others_named else init_arguments(base)
        found = dict.fromkeys([*field_names(owner, with_unset=self.is_whole), *taken])
        return tuple(map(normalise_name, found))


def parameter_names(owner: type) -> tuple[str, ...] | None:
    """The attributes that are the parameters of a class's objects, None if it names none.

    All bases count: the names that `keyed_by` gave to any of them, and the fields of a frozen class; if the latest of
    them says ``only=True``, those of that one alone. Without these, the arguments of an estimator of scikit-learn; none
    of these if its class takes more than have names, since it tells all by ``get_params()``.

    Raises
    ------
    OwnerError
        If the arguments of an ``__init__`` count, and have no names.
    """
    declared = declarations(owner)
    if tells_by_get_params(owner):
        return None
    if declares_whole(owner):
        base, last = declared[-1]
        return last.names_for(owner, base)
    fields = _frozen_field_names(owner)
    if not declared and fields is None:
        return init_arguments(owner) if tells_params(owner) else None
    are_named = any(each.names is not None for _, each in declared)
    named = [name for base, each in declared for name in each.names_for(owner, base, are_named)]
    return tuple(dict.fromkeys([*named, *(fields or ())]))


def tells_by_get_params(owner: type) -> bool:
    """Are the parameters of an estimator what ``get_params()`` gives, for arguments of ``__init__`` have no names?

    Not if `keyed_by` names attributes, or converts some.
    """
    if any(each.names is not None or each.convert for _, each in declarations(owner)):
        return False
    return tells_params(owner) and takes_unnamed(owner) and _frozen_field_names(owner) is None


def is_keyed(owner: type) -> bool:
    """Has `keyed_by` named parameters of a class, or of one of its bases?"""
    return bool(declarations(owner))


def declares_whole(owner: type) -> bool:
    """Do exactly the declared names count, by ``only=True`` of `keyed_by`?"""
    declared = declarations(owner)
    return bool(declared) and declared[-1][1].is_whole


def converters(owner: type) -> dict[str, Converter]:
    """The functions that make the values by which parameters of a class are keyed, where they are others."""
    return {name: function for _, each in declarations(owner) for name, function in each.convert.items()}


def declarations(owner: type) -> list[tuple[type, Declaration]]:
    """What `keyed_by` says of a class and of its bases, with these; that of the class last."""
    return [
        (base, vars(base)["__stored_parameters__"])
        for base in owner.__mro__[::-1]
        if "__stored_parameters__" in vars(base)
    ]


def normalise_name(name: str) -> str:
    """A name in the normal form NFKC, in which Python has all identifiers."""
    if name.isascii():
        return name
    import unicodedata

    return unicodedata.normalize("NFKC", name)


def parameter_value(owner: object, name: str, convert: Mapping[str, Converter]) -> Any:
    """The value by which a parameter of an owner is keyed.

    Raises
    ------
    OwnerError
        Naming the parameter, if its value cannot be converted.
    """
    value = getattr(owner, name)
    function = convert.get(name)
    if function is None:
        return value
    try:
        return function(value)
    except Exception as error:  # whatever the user's function raises
        raise OwnerError(
            f"{type(owner).__name__}.{name} is {value!r} of type {type(value).__name__}, of which"
            f" convert={{{name!r}: ...}} of keyed_by makes no value: {error_text(error)}; give the attribute a value"
            " that the function takes, or keyed_by another function"
        ) from error


def _frozen_field_names(owner: type) -> tuple[str, ...] | None:
    """The fields of a frozen dataclass, a frozen attrs class or a registered type, None for any other class."""
    adapter = adapter_of(owner)
    if adapter is not None and adapter.fields is not None:
        return adapter.fields(owner)
    found = frozen_fields(owner)
    return None if found is None else tuple([each.name for each in found])
