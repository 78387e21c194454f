"""What does a method use that its code does not show? What `uses=` of the decorator names."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stored._keys.by_function import ByFunction
from stored._keys.canonical import canonical, text_or_none
from stored._keys.distributions import distribution_text, installed_version
from stored._keys.watched_values import FileWatch, ValueWatch

__all__ = ["NO_USES", "Uses", "note_uses", "uses_of"]


_CODE = (type, types.FunctionType, types.ModuleType)


class Uses:
    """What a method uses that its code does not show.

    Parameters
    ----------
    label : str
        What messages call the method.
    things : iterable
        Functions, classes and modules, which count by their code; functions that take no arguments, by what they
        return too; files, as `pathlib.Path`, by their content; names of installed distributions, by version; other
        strings and values, as they are.

    Raises
    ------
    TypeError
        If it is a single thing, or has something in it that has no form.
    """

    def __init__(self, label: str, things: Any) -> None:
        if isinstance(things, str) or not isinstance(things, Iterable):
            raise TypeError(f"uses of {label}() is {things!r}; give a tuple, as in uses=(helper, Path('table.dat'))")
        self.things = tuple(things)
        folders = [each for each in self.things if isinstance(each, Path) and each.is_dir()]
        if folders:
            raise TypeError(
                f"uses of {label}() has the folder {str(folders[0])!r} in it, of which no content is read; name its"
                " files, as in uses=tuple(Path('folder').glob('*.dat'))"
            )
        for each in self.things:
            if not isinstance(each, (Path, *_CODE)) and text_or_none(each) is None:
                raise TypeError(
                    f"uses of {label}() has {each!r} of type {type(each).__name__} in it, which has no form; give"
                    " functions, classes, modules, paths of files (pathlib.Path), names of distributions, or other"
                    " strings and numbers"
                )

    def roots(self) -> list[Any]:
        """The functions, classes and modules."""
        return [each for each in self.things if isinstance(each, _CODE)]

    def watches(self) -> list[FileWatch | ValueWatch]:
        """What tells whether the files and the values of functions are the same."""
        files = [FileWatch(each) for each in self.things if isinstance(each, Path)]
        return [*files, *[ValueWatch(each) for each in self.things if _takes_nothing(each)]]

    def texts(self) -> list[str]:
        """The texts of all else."""
        others = [each for each in self.things if not isinstance(each, (Path, *_CODE))]
        return [_text(each) for each in others]


NO_USES = Uses("", ())

_by_function = ByFunction[Uses]()


def note_uses(function: types.FunctionType, uses: Uses) -> None:
    """Note what a stored method uses, which counts for everybody who reaches its function."""
    if uses.things:
        _by_function.note(function, uses)


def uses_of(function: object) -> Uses | None:
    """What a function uses, if it is that of a stored method that says so."""
    return _by_function.of(function)


def _takes_nothing(value: Any) -> bool:
    return isinstance(value, types.FunctionType) and not inspect.signature(value).parameters


def _text(value: Any) -> str:
    version = installed_version(value) if isinstance(value, str) else ""
    if not version:
        return canonical(value)
    return distribution_text(value) or f"{value} {version}"
