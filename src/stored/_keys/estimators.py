"""What do objects tell by ``get_params()``, as the estimators of scikit-learn do?"""

from __future__ import annotations

import inspect
from typing import Any

from stored.errors import OwnerError

__all__ = ["params_of", "tells_params"]


def tells_params(kind: type) -> bool:
    """Has a class ``get_params()``, which can be called without arguments, and ``set_params()``?"""
    if not all(callable(getattr(kind, name, None)) for name in ("get_params", "set_params")):
        return False
    try:
        _, *others = inspect.signature(kind.get_params).parameters.values()  # type: ignore[attr-defined]
    except (ValueError, TypeError):  # it is compiled, or takes no object
        return False
    return not any(each.default is each.empty and not each.kind.name.startswith("VAR_") for each in others)


def params_of(value: Any) -> dict[str, Any]:
    """What an object tells by ``get_params()``, without the parameters of estimators in it, which tell their own.

    Raises
    ------
    OwnerError
        If that is no dictionary of names and values.
    """
    parameters = inspect.signature(value.get_params).parameters
    found = value.get_params(deep=False) if "deep" in parameters else value.get_params()
    if not (isinstance(found, dict) and all(isinstance(name, str) for name in found)):
        raise OwnerError(
            f"{type(value).__qualname__}.get_params() returned {found!r:.200} of type {type(found).__name__}; it must"
            " return a dict of the parameters by their names"
        )
    return found
