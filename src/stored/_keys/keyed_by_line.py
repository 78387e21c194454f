"""Which line should a user write above a class, so that its objects tell their parameters?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stored._keys.canonical import text_or_none
from stored._keys.class_fields import fields_of
from stored._keys.init_arguments import (
    content_line,
    init_arguments,
    kept_arguments,
    named_arguments,
    shadowed_arguments,
)
from stored._keys.parameter_names import declarations, parameter_names
from stored.errors import OwnerError

__all__ = ["check_declarations", "naming_of_parameter", "undeclared_text", "unset_text"]


def _line_with(names: Iterable[str], only: bool = False) -> str:
    """The decorator that names these attributes."""
    given = [f'"{name}"' for name in names] + ["only=True"] * only
    return f"@keyed_by({', '.join(given)})"


def undeclared_text(owner: type) -> str:
    """What an error says of a class that does not tell its parameters."""
    return (
        f"{owner.__module__}.{owner.__qualname__} has stored methods, but does not tell its parameters. Write"
        f" {_line_for(owner)}. Other ways: hold a StorageUser in the attribute storageUser or su; define"
        " getHashableString(), and optionally getName(); or make the class a frozen dataclass or a frozen attrs class"
    )


def _line_for(owner: type) -> str:
    """The line to write above a class, and what it means."""
    if fields_of(owner):
        return "@keyed_by above the class, which takes its fields"
    try:
        taken, kept = init_arguments(owner), kept_arguments(owner)
    except OwnerError:  # they have no names
        line = content_line(owner)
        if line:
            return f"{line.removeprefix('write ')}, with all other attributes on which its results depend"
        return f"{_line_with(['H0', 'Om0'])} above the class, with the attributes on which its results depend"
    if not taken:
        return "@keyed_by above the class, whose objects are made without arguments; what its methods read counts"
    if all(kept.get(name) == name for name in taken):
        return "@keyed_by above the class, which takes the attributes in which __init__ keeps its arguments"
    line = _line_with(kept.values() or ["H0", "Om0"])
    return f"{line} above the class, with all attributes on which its results depend"


def unset_text(owner: type, names: Sequence[str], error: AttributeError) -> str:
    """What an error says of an object of a class that has no attribute for one of its parameters."""
    if error.name in _arguments_declared(owner):
        return _not_kept_text(owner, error.name)
    return (
        f"{owner.__qualname__} is keyed by {', '.join(names)}, but {error}; set every parameter before a stored method"
        " is called"
    )


def _arguments_declared(owner: type) -> list[str]:
    """The arguments of ``__init__`` that are parameters."""
    declared = declarations(owner)
    bases = [base for base, each in declared if each.names is None] if declared else [owner]
    return [name for base in bases for name in named_arguments(base)]


def check_declarations(owner: type) -> None:
    """Refuse what only the complete class shows to be wrong, where it takes its fields or arguments for parameters.

    Raises
    ------
    OwnerError
        If an argument of ``__init__`` is an attribute of the class alone, or `convert` names no parameter.
    """
    for base, declared in declarations(owner):
        shadowed = shadowed_arguments(base) if declared.names is None else []
        if shadowed:
            raise OwnerError(_not_kept_text(owner, shadowed[0]))
        names = (parameter_names(base) or ()) if declared.convert else ()
        for each in declared.convert.keys() - set(names):
            raise OwnerError(f"convert of keyed_by names {each!r}, which is none of the parameters {', '.join(names)}")


def _not_kept_text(owner: type, name: str) -> str:
    """What an error says of an argument of ``__init__`` that is no attribute of the object."""
    others = [each for each in kept_arguments(owner).values() if each != name]
    line = f", or name the attributes on which results depend: {_line_with(others)}" if others else ""
    return (
        f"{owner.__qualname__} is keyed by the arguments of its __init__, which are to be attributes of the same names;"
        f" it takes {name!r}, but {owner.__name__}.{name} is not set; write self.{name} = {name} in __init__{line}"
    )


def naming_of_parameter(owner: type, names: Sequence[str], values: Sequence[object], name: str) -> tuple[str, str, str]:
    """What an error says of a parameter that has no form: its place, and the line that names the others alone."""
    place = f"{owner.__name__}.{name}"
    others = [each for each, value in zip(names, values, strict=True) if each != name and text_or_none(value)]
    if not others:
        return "", place, f"a method that does not depend on {place} can say so: @stored(depends=())"
    line = _line_with(others, only=True)
    return "", place, f"if no result depends on {place}, write {line} above the class"
