"""Which settings does the environment give? It is read when stored is imported.

``STORED_CACHE_DIR`` (the directory of the entries), ``STORED_PERSISTENCE`` (any of ``r`` and ``w``), ``STORED_DISABLE``
(1, true, yes or on), ``STORED_KEY_FILE`` (the key that signs pickles), ``STORED_SHARED_DIRS`` (directories to read,
separated as in ``PATH``), ``STORED_MAP_SHARED_DIRS`` (as ``STORED_DISABLE``), ``STORED_GROUP`` (the group of users, by
name or number, that shares the directory of the entries), and the numbers ``STORED_MAX_BYTES``, ``STORED_MAX_AGE``,
``STORED_MIN_COMPUTE_SECONDS``, ``STORED_LOCK_TIMEOUT``, ``STORED_MEMORY_SETS``, ``STORED_MAX_MEMORY_BYTES``,
``STORED_VERIFY``, ``STORED_VERIFY_RTOL`` and ``STORED_VERIFY_SEED``.

Without the first and the fourth, entries are in ``$XDG_CACHE_HOME/stored`` (``~/.cache/stored``), and the key is
``$XDG_CONFIG_HOME/stored/key`` (``~/.config/stored/key``); if that lies inside the directory of the entries, as it does
where both variables name one directory, it is ``$XDG_CACHE_HOME/stored-key/key``.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from stored._private_folder import make_private_folder
from stored._settings.checks import CHECKS, check_persistence, checked_path, checked_paths
from stored._settings.settings import Settings, check_together, lies_within
from stored.errors import ConfigurationError

__all__ = ["NUMBERS", "settings_from_environment"]

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})


def settings_from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that variables give, and the defaults of all others.

    Raises
    ------
    ConfigurationError
        If a variable has a value that cannot be used.
    """
    cache, key = _places(environment)
    shared = [each for each in environment.get("STORED_SHARED_DIRS", "").split(os.pathsep) if each]
    return check_together(
        Settings(
            cache_dir=checked_path("STORED_CACHE_DIR", cache),
            persistence=check_persistence(environment.get("STORED_PERSISTENCE", "rw"), "STORED_PERSISTENCE"),
            disable=_switch("STORED_DISABLE", environment.get("STORED_DISABLE", "")),
            key_file=checked_path("STORED_KEY_FILE", key),
            shared_dirs=checked_paths("STORED_SHARED_DIRS", shared),
            map_shared_dirs=_switch("STORED_MAP_SHARED_DIRS", environment.get("STORED_MAP_SHARED_DIRS", "")),
            group=CHECKS["group"]("STORED_GROUP", environment.get("STORED_GROUP") or None),
            **{
                name: CHECKS[name](variable, _number(variable, environment[variable]))
                for name, variable in NUMBERS.items()
                if environment.get(variable)
            },
        )
    )


def _places(environment: Mapping[str, str]) -> tuple[str | Path, str | Path]:
    """The cache directory and the key file."""
    own_cache, own_key = environment.get("STORED_CACHE_DIR"), environment.get("STORED_KEY_FILE")
    cache = own_cache or _base(environment, "XDG_CACHE_HOME", ".cache") / "stored"
    key = own_key or _base(environment, "XDG_CONFIG_HOME", ".config") / "stored" / "key"
    if isinstance(cache, Path) and isinstance(key, Path) and (lies_within(key, cache) or lies_within(cache, key)):
        key = cache.with_name("stored-key") / "key"  # both are defaults
    return cache, key


NUMBERS = {
    "max_bytes": "STORED_MAX_BYTES",
    "max_age": "STORED_MAX_AGE",
    "min_compute_seconds": "STORED_MIN_COMPUTE_SECONDS",
    "lock_timeout": "STORED_LOCK_TIMEOUT",
    "memory_sets": "STORED_MEMORY_SETS",
    "max_memory_bytes": "STORED_MAX_MEMORY_BYTES",
    "verify": "STORED_VERIFY",
    "verify_rtol": "STORED_VERIFY_RTOL",
    "verify_seed": "STORED_VERIFY_SEED",
}
"""The variables of numbers, by the names of the settings."""

_UNITS = dict.fromkeys(NUMBERS.values(), " of seconds") | {
    "STORED_MAX_BYTES": " of bytes",
    "STORED_MEMORY_SETS": " of sets of parameters",
    "STORED_MAX_MEMORY_BYTES": " of bytes",
    **dict.fromkeys(["STORED_VERIFY", "STORED_VERIFY_RTOL", "STORED_VERIFY_SEED"], ""),
}


def _number(variable: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ConfigurationError(f"{variable} is {value!r}; it must be a number{_UNITS[variable]}") from None


def _base(environment: Mapping[str, str], variable: str, usual: str) -> Path:
    """A base directory; the XDG specification has relative ones ignored."""
    base = Path(environment.get(variable, ""))
    return base if base.is_absolute() else _home() / usual


def _home() -> Path:
    """The home directory, or a directory of the user's own that stands in for it."""
    try:
        return Path.home()
    except RuntimeError:  # as in a container, for a user without an entry in the user database
        import tempfile  # here, since it takes a third of the library's own start-up time

        return _private_directory(Path(tempfile.gettempdir()) / f"stored-{os.geteuid()}")


def _private_directory(place: Path) -> Path:
    """A directory that nobody else can write in, made if need be: its name could be known to others."""
    with contextlib.suppress(FileExistsError):
        make_private_folder(place)
    state = place.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise ConfigurationError(
            f"no home directory is known, and {place}, to be used in its place, is not a directory that only user"
            f" {os.geteuid()} can use; remove it, or set STORED_CACHE_DIR and STORED_KEY_FILE"
        )
    return place


def _switch(name: str, value: str) -> bool:
    found = value.strip().lower()
    if found not in _ON | _OFF:
        raise ConfigurationError(
            f"{name} is {value!r}; it must be 1, true, yes or on, or else 0, false, no, off or empty"
        )
    return found in _ON
