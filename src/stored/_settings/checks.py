"""Is the value that was given for a setting one that it can have?"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stored._unix_group import find_group
from stored.errors import ConfigurationError
from stored.typing import Store

__all__ = ["CHECKS", "check_persistence", "checked_path", "checked_paths"]


def check_persistence(persistence: object, name: str = "persistence") -> str:
    """A persistence, if it is one; messages call it by the name.

    Raises
    ------
    ConfigurationError
        If it is anything but a combination of the letters r and w.
    """
    if isinstance(persistence, str) and set(persistence) <= {"r", "w"}:
        return persistence
    raise ConfigurationError(
        f"{name} is {persistence!r}; it must be 'rw' (read and write), 'r' (read only), 'w' (write only) or ''"
        " (memory only)"
    )


def _checked_switch(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ConfigurationError(f"{name} is {value!r}; it must be True or False")


def _checked_store(name: str, value: Any) -> Any:
    if value is None or _is_store(value):
        return value
    raise ConfigurationError(f"{name} is {value!r}; it must be a stored.stores.Store, or None for the cache_dir")


def _checked_group(name: str, value: Any) -> str | None:
    """The group as text; a number may be given as one, or as text."""
    if value is None:
        return None
    try:
        find_group(value)
    except ValueError as error:
        raise ConfigurationError(f"{name} is {value!r}; {error}") from None
    return str(value)


def checked_path(name: str, value: Any) -> Path:
    try:
        if not os.fspath(value).strip() or "\0" in os.fspath(value):
            raise ValueError
        return Path(value).expanduser().absolute()
    except (TypeError, ValueError, RuntimeError):  # the last for a home directory that is not known
        raise ConfigurationError(f"{name} is {value!r}; it must be a path") from None


def checked_paths(name: str, value: Any) -> tuple[Path, ...]:
    if isinstance(value, str | bytes | os.PathLike):
        raise ConfigurationError(f"{name} is {value!r}; it must be a sequence of paths: [{value!r}]")
    try:
        return tuple([checked_path(f"{name}[{index}]", each) for index, each in enumerate(value)])
    except TypeError:
        raise ConfigurationError(f"{name} is {value!r}; it must be a sequence of paths") from None


def _checked_bytes(name: str, value: Any) -> int | None:
    number = _checked_limit(name, value)
    if number is not None and not number.is_integer():
        raise ConfigurationError(f"{name} is {value!r}; it must be a whole number of bytes, or None for no limit")
    return None if number is None else int(number)


def _checked_count(name: str, value: Any) -> int:
    number = _checked_number(name, value)
    if not number.is_integer():
        raise ConfigurationError(f"{name} is {value!r}; it must be a whole number")
    return int(number)


def _checked_limit(name: str, value: Any) -> float | None:
    return None if value is None else _checked_number(name, value, ", or None for no limit")


def _checked_number(name: str, value: Any, otherwise: str = "") -> float:
    try:
        number = math.nan if isinstance(value, bool | str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if 0 <= number < math.inf:
        return number
    raise ConfigurationError(f"{name} is {value!r}; it must be a finite number that is not negative{otherwise}")


def _checked_share(name: str, value: Any) -> float:
    number = _checked_number(name, value)
    if number <= 1:
        return number
    raise ConfigurationError(f"{name} is {value!r}; it must be a share of all calls, from 0 to 1")


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "cache_dir": checked_path,
    "key_file": checked_path,
    "persistence": lambda name, value: check_persistence(value, name),
    "disable": _checked_switch,
    "store": _checked_store,
    "shared_dirs": checked_paths,
    "map_shared_dirs": _checked_switch,
    "group": _checked_group,
    "max_bytes": _checked_bytes,
    "max_age": _checked_limit,
    "min_compute_seconds": _checked_number,
    "lock_timeout": _checked_limit,
    "memory_sets": _checked_count,
    "max_memory_bytes": _checked_bytes,
    "verify": _checked_share,
    "verify_rtol": _checked_number,
    "verify_seed": _checked_count,
}


def _is_store(value: object) -> bool:
    methods = [name for name in vars(Store) if not name.startswith("_") and name not in _ADDED_LATER]
    return not isinstance(value, type) and all(hasattr(value, each) for each in methods)


_ADDED_LATER = ("count_written", "left_out")
"""Methods that stores which do not inherit from `Store` need not have."""
