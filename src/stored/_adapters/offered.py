"""Which adapters do other packages offer, by the entry-point group ``stored.adapters``?"""

from __future__ import annotations

import functools
import warnings
from typing import Any

from stored.errors import StoredWarning, error_text

__all__ = ["GROUP", "load_offered"]

GROUP = "stored.adapters"


@functools.cache
def _offers() -> dict[str, list[Any]]:
    """The entry points, by their names, which are those of packages whose types they register."""
    from importlib.metadata import entry_points

    found: dict[str, list[Any]] = {}
    for each in entry_points(group=GROUP):
        found.setdefault(each.name, []).append(each)
    return found


def load_offered(package: str) -> None:
    """Let other packages register the types of a package; one that fails is warned of, and its types stay unknown."""
    for each in _offers().get(package, ()):
        try:
            offered = each.load()
            if callable(offered):
                offered()
        except Exception as error:  # whatever somebody else's code raises
            warnings.warn(
                f"the adapters for {package} that {each.value} offers cannot be loaded ({error_text(error)}); their"
                " types are treated as unknown ones",
                StoredWarning,
                stacklevel=2,
            )
