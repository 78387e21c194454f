"""Which attributes of a class are its parameters? `keyed_by`, the class decorator that names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from stored._keys.owner_parameters import FieldParameters
from stored._keys.parameter_names import STRING_METHODS, parameter_names
from stored.errors import OwnerError

__all__ = ["keyed_by"]

C = TypeVar("C", bound=type)


def keyed_by(
    *names: str,
    module: str | None = None,
    name: str | None = None,
    convert: Mapping[str, Callable[[Any], Any]] | None = None,
    only: bool = False,
) -> Callable[[C], C]:
    """Declare which attributes of a class are its parameters.

    The results of stored methods hold as long as these attributes keep their values, and are found again, in memory
    or on disk, by an object with equal values of equal types. A subclass is keyed by what its bases are keyed by;
    decorated itself, it adds names to theirs. Other attributes that a method is found to read join its parameters.

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
        Exactly these names count, in place of what bases tell and of what methods are found to read, also for
        subclasses that are not decorated themselves: results hold whatever becomes of any other attribute.

    Returns
    -------
    callable
        The class decorator; it returns the class itself.

    Raises
    ------
    OwnerError
        If no names are given, one is not the name of an attribute, `module` or `name` is no string, `only` is no bool,
        `convert` names no parameter, or a stored method depends on a parameter that is not among them.

    Examples
    --------
    >>> @keyed_by("H0", "Om0")
    ... class Cosmology:
    ...     def __init__(self, H0, Om0):
    ...         self.H0, self.Om0 = H0, Om0
    """
    for each in names:
        if not (isinstance(each, str) and each.isidentifier()):
            raise OwnerError(
                f'keyed_by takes the names of attributes, as in @keyed_by("H0", "Om0"), and got {each!r} of type'
                f" {type(each).__name__}"
            )
    if not names:
        raise OwnerError('keyed_by needs the names of the parameters, as in @keyed_by("H0", "Om0")')

    for option, text in (("module", module), ("name", name)):
        if not (text is None or isinstance(text, str)):
            raise OwnerError(f"{option} of keyed_by is {text!r} of type {type(text).__name__}; it must be a str")

    if not isinstance(only, bool):
        raise OwnerError(f"only of keyed_by is {only!r} of type {type(only).__name__}; it must be True or False")
    _check_convert(convert)

    def decorate(owner: C) -> C:
        if not isinstance(owner, type):
            raise OwnerError(f"keyed_by decorates classes, and got {owner!r} of type {type(owner).__name__}")
        _check_no_inherited_string(owner)
        declared = FieldParameters(names, module, name, convert, only)
        known = {*declared.names, *(() if only else parameter_names(owner) or ())}
        for each in declared.convert.keys() - known:
            raise OwnerError(f"convert of keyed_by names {each!r}, which is none of the parameters {', '.join(known)}")
        owner.__stored_parameters__ = declared  # type: ignore[attr-defined]
        parameters = FieldParameters(parameter_names(owner) or ())
        for attribute, value in vars(owner).items():
            depends = getattr(value, "__stored_depends__", None)
            if depends is not None:
                parameters.check_names(depends, f"depends of {owner.__qualname__}.{attribute}()")
        return owner

    return decorate


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
