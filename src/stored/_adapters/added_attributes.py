"""Which attributes has somebody set on an object, beside those that its library sets?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

__all__ = ["rest_of", "with_rest"]


def rest_of(value: Any, known: Collection[str]) -> dict[str, Any]:
    """The attributes of a value beside known ones, which somebody has set."""
    return {name: each for name, each in vars(value).items() if name not in known}


def with_rest(made: Any, rest: Any, known: Collection[str]) -> Any:
    """The value itself, which gets what `rest_of` has found on another; a `ValueError` for anything else."""
    if type(rest) is not dict or not all(type(name) is str and name not in known for name in rest):
        raise ValueError("these are no attributes that somebody has set")
    vars(made).update(rest)
    return made
