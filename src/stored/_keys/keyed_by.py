"""Which attributes of a class are its parameters? `keyed_by`, the class decorator that names them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar, overload

from stored._keys.owner_parameters import FieldParameters
from stored._keys.parameter_names import (
    STRING_METHODS,
    Declaration,
    declarations,
    normalise_name,
    parameter_names,
)
from stored.errors import OwnerError

__all__ = ["keyed_by"]

C = TypeVar("C", bound=type)


@overload
def keyed_by(owner: C, /) -> C: ...


@overload
def keyed_by(
    *names: str,
    module: str | None = None,
    name: str | None = None,
    convert: Mapping[str, Callable[[Any], Any]] | None = None,
    only: bool = False,
) -> Callable[[C], C]: ...


def keyed_by(
    *names: Any,
    module: str | None = None,
    name: str | None = None,
    convert: Mapping[str, Callable[[Any], Any]] | None = None,
    only: bool = False,
) -> Any:
    """Declare which attributes of a class are its parameters.

    The results of stored methods hold as long as these attributes keep their values, and are found again, in memory
    or on disk, by an object with equal values of equal types. A subclass is keyed by what its bases are keyed by;
    decorated itself, it adds names to theirs. Other attributes that a method is found to read join its parameters.

    Without names, as bare ``@keyed_by`` or with options only, the parameters are the fields of a dataclass, an attrs
    class, a pydantic model or a named tuple, those of a subclass included; of any other class, the arguments of its
    ``__init__``, which have to be attributes of the same names. They are looked up when the first method is called, so
    that the order of decorators does not matter. Fields that ``__init__`` does not set join where they are read.

    Parameters
    ----------
    *names : str
        The attributes. Their values can be numbers, strings, arrays, functions, containers of these, and other
        owners.
    module : str, optional
        The folder of the results, by default the class's module.
    name : str, optional
        The name of the owner, by default the class's qualified name.
    convert : mapping of str to callable, optional
        Functions of the values of parameters, of this class or its bases: a parameter is keyed, and compared, by what
        its function returns. With ``convert={"H0": float}``, 70 and 70.0 have the same results. Methods see the
        parameter as it is.
    only : bool
        Exactly these names count (without names: all fields, or the arguments of ``__init__``), in place of what bases
        tell, the fields of a frozen base included, and of what methods are found to read, also for subclasses that are
        not decorated themselves: results hold whatever becomes of any other attribute.

    Returns
    -------
    callable or type
        The class decorator, which returns the class itself; bare, the class.

    Raises
    ------
    OwnerError
        If one of the names is not the name of an attribute, `module` or `name` is no string, `only` is no bool,
        `convert` names no parameter, or a stored method depends on a parameter that is not among them. At the first
        call of a method, if an argument of ``__init__`` has no name (``*args``), or is no attribute of the object.

    Examples
    --------
    >>> @keyed_by("H0", "Om0")
    ... class Cosmology:
    ...     def __init__(self, H0, Om0):
    ...         self.H0, self.Om0 = H0, Om0

    The fields of a dataclass:

    >>> from dataclasses import dataclass
    >>> @keyed_by
    ... @dataclass
    ... class Halo:
    ...     mass: float
    ...     concentration: float = 5.0

    What ``__init__`` keeps, here by a property, under a name that does not change with the class:

    >>> @keyed_by(name="profile")
    ... class Profile:
    ...     def __init__(self, scale):
    ...         self._scale = scale
    ...     @property
    ...     def scale(self):
    ...         return self._scale

    All fields of a frozen dataclass count without a decorator; here, only some of them:

    >>> @keyed_by("mass", only=True)
    ... @dataclass(frozen=True)
    ... class Labelled:
    ...     mass: float
    ...     log: object = None
    """
    bare = names[0] if len(names) == 1 and isinstance(names[0], type) else None
    given = () if bare is not None else names
    for each in given:
        if not (isinstance(each, str) and each.isidentifier()):
            raise OwnerError(
                f'keyed_by takes the names of attributes, as in @keyed_by("H0", "Om0"), or stands bare above a class;'
                f" it got {each!r} of type {type(each).__name__}"
            )
    _check_options(module, name, convert, only)
    named = tuple(map(normalise_name, given)) or None
    converted = {normalise_name(each): function for each, function in (convert or {}).items()}
    declaration = Declaration(named, module, name, converted, only)
    decorate = functools.partial(_declare, declaration)
    return decorate if bare is None else decorate(bare)


def _declare(declaration: Declaration, owner: C) -> C:
    """Note on a class what is said of it, as far as it is not refused."""
    if not isinstance(owner, type):
        raise OwnerError(f"keyed_by decorates classes, and got {owner!r} of type {type(owner).__name__}")
    _check_no_inherited_string(owner)
    if declaration.names is not None:
        bases = () if declaration.is_whole else _names_known_by_now(owner)
        if bases is not None:
            _check_converted(declaration, {*declaration.names, *bases})
    owner.__stored_parameters__ = declaration  # type: ignore[attr-defined]
    names = _names_known_by_now(owner)
    if names is not None:
        _check_depends(owner, FieldParameters(names))
    return owner


def _names_known_by_now(owner: type) -> tuple[str, ...] | None:
    """The parameters of a class; None if decorators that come later may make its fields."""
    if any(each.names is None for _, each in declarations(owner)):
        return None
    return parameter_names(owner) or ()


def _check_converted(declaration: Declaration, known: Collection[str]) -> None:
    for each in declaration.convert.keys() - known:
        raise OwnerError(f"convert of keyed_by names {each!r}, which is none of the parameters {', '.join(known)}")


def _check_depends(owner: type, parameters: FieldParameters) -> None:
    for attribute, value in vars(owner).items():
        depends = getattr(value, "__stored_depends__", None)
        if depends is not None:
            parameters.check_names(depends, f"depends of {owner.__qualname__}.{attribute}()")


def _check_options(module: object, name: object, convert: object, only: object) -> None:
    for option, text in (("module", module), ("name", name)):
        if not (text is None or isinstance(text, str)):
            raise OwnerError(f"{option} of keyed_by is {text!r} of type {type(text).__name__}; it must be a str")
    if not isinstance(only, bool):
        raise OwnerError(f"only of keyed_by is {only!r} of type {type(only).__name__}; it must be True or False")
    _check_convert(convert)


def _check_convert(convert: Any) -> None:
    if convert is None or (isinstance(convert, Mapping) and all(map(callable, convert.values()))):
        return
    raise OwnerError(
        f"convert of keyed_by is {convert!r}; give a function for each parameter that is to be converted, such as"
        " {'H0': float}"
    )


def _check_no_inherited_string(owner: type) -> None:
    """Refuse names that would have no effect, because a base class defines a hashable string."""
    for name in STRING_METHODS:
        if callable(getattr(owner, name, None)) and name not in vars(owner):
            raise OwnerError(
                f"{owner.__qualname__} inherits {name}(), which comes before keyed_by and does not know the parameters"
                f" named here; override {name}() so that it tells them"
            )
