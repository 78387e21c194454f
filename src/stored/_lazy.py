"""Which names of a package are imported when they are first used? It makes start-up faster."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_attributes"]


def lazy_attributes(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package, by PEP 562.

    Parameters
    ----------
    package : str
        The ``__name__`` of the package.
    modules : mapping of str to str
        For each name, the module within the package that defines it; for the name of a module, that module.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f"{package}.{modules[name]}")
        found = module if modules[name] == name else getattr(module, name)
        setattr(sys.modules[package], name, found)
        return found

    return __getattr__
