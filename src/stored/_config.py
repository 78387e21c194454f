"""Settings of the process: where entries live, what is written, and whether anything is stored at all.

The environment is read when stored is imported: ``STORED_CACHE_DIR`` (the directory of the entries),
``STORED_PERSISTENCE`` (any of ``r`` and ``w``), ``STORED_DISABLE`` (1, true, yes or on) and
``STORED_KEY_FILE`` (the key that signs pickles). `configure` overrides it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from stored.errors import ConfigurationError
from stored.typing import ABSENT, Absent, SupportsStore

__all__ = ["Settings", "check_persistence", "configure", "epoch", "settings"]


_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What `configure` sets.

    Parameters
    ----------
    cache_dir : Path
        The directory of the entries.
    persistence : str
        What the disk is used for: ``"rw"``, ``"r"``, ``"w"`` or ``""``. A `StorageUser` can have less, not more.
    disable : bool
        Call stored methods as if they were not decorated.
    key_file : Path
        The key that signs pickled results.
    store : SupportsStore, optional
        Where entries live, in place of `cache_dir`.
    """

    cache_dir: Path
    persistence: str
    disable: bool
    key_file: Path
    store: SupportsStore | None = None


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


def _checked(name: str, value: Any) -> Any:
    if name in {"cache_dir", "key_file"}:
        return _checked_path(name, value)
    if name == "persistence":
        return check_persistence(value)
    if name == "disable" and not isinstance(value, bool):
        raise ConfigurationError(f"disable is {value!r}; it must be True or False")
    if name == "store" and not (value is None or _is_store(value)):
        raise ConfigurationError(f"store is {value!r}; it must be a stored.stores.Store, or None for the cache_dir")
    return value


def _checked_path(name: str, value: Any) -> Path:
    try:
        if not os.fspath(value).strip() or "\0" in os.fspath(value):
            raise ValueError
        return Path(value).expanduser().absolute()
    except (TypeError, ValueError, RuntimeError):  # the last for a home directory that is not known
        raise ConfigurationError(f"{name} is {value!r}; it must be a path") from None


def _is_store(value: object) -> bool:
    methods = ("read", "read_start", "write", "delete", "names", "location")
    return not isinstance(value, type) and all(hasattr(value, each) for each in methods)


def _joined(candidate: Settings) -> Settings:
    """Settings, if they go together."""
    if Path(os.path.realpath(candidate.key_file)).is_relative_to(os.path.realpath(candidate.cache_dir)):
        raise ConfigurationError(
            f"the key file {candidate.key_file} lies inside the cache directory {candidate.cache_dir}; whoever can"
            " write entries there could replace it, so choose a place outside"
        )
    return candidate


def _from_environment(environment: Mapping[str, str]) -> Settings:
    cache = environment.get("STORED_CACHE_DIR") or _base(environment, "XDG_CACHE_HOME", ".cache") / "stored"
    key = environment.get("STORED_KEY_FILE") or _base(environment, "XDG_CONFIG_HOME", ".config") / "stored" / "key"
    return _joined(
        Settings(
            cache_dir=_checked_path("STORED_CACHE_DIR", cache),
            persistence=check_persistence(environment.get("STORED_PERSISTENCE", "rw"), "STORED_PERSISTENCE"),
            disable=_switch("STORED_DISABLE", environment.get("STORED_DISABLE", "")),
            key_file=_checked_path("STORED_KEY_FILE", key),
        )
    )


def _base(environment: Mapping[str, str], variable: str, usual: str) -> Path:
    """A base directory; the XDG specification has relative ones ignored."""
    base = Path(environment.get(variable, ""))
    return base if base.is_absolute() else _home() / usual


def _home() -> Path:
    """The home directory, or a directory of the user's own that stands in for it."""
    try:
        return Path.home()
    except RuntimeError:  # as in a container, for a user without an entry in the user database
        return _private_directory(Path(tempfile.gettempdir()) / f"stored-{os.geteuid()}")


def _private_directory(place: Path) -> Path:
    """A directory that nobody else can write in, made if need be: its name could be known to others."""
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o700)
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


_current = _from_environment(os.environ)


class Epoch:
    """What shortcuts hold good for: a new object whenever something changes that they do not look at themselves.

    Attributes
    ----------
    now : object
        Compared by identity.
    has_users : bool
        Has any `StorageUser` been made? Until then no owner can hold one.
    """

    __slots__ = ("has_users", "now")

    def __init__(self) -> None:
        self.now = object()
        self.has_users = False

    def begin(self) -> None:
        """Let all shortcuts lapse."""
        self.now = object()

    def note_user(self) -> None:
        """A `StorageUser` is being made."""
        if not self.has_users:
            self.has_users = True
            self.begin()


epoch = Epoch()


def settings() -> Settings:
    """The settings in force."""
    return _current


class configure:  # noqa: N801  (reads as the function that it is to its callers)
    """Change settings for the process, or for the length of a ``with`` block.

    Parameters
    ----------
    cache_dir : path-like, optional
        The directory of the entries. Setting it also takes back an earlier `store`.
    persistence : {"rw", "r", "w", ""}, optional
        What the disk is used for.
    disable : bool, optional
        Call stored methods as if they were not decorated. Objects stored by name stay in memory.
    key_file : path-like, optional
        The key that signs pickled results; it must lie outside the directory of the entries.
    store : Store, optional
        Where entries live, in place of a directory.

    Raises
    ------
    ConfigurationError
        If a value cannot be used; no setting is changed then.

    Examples
    --------
    >>> with configure(disable=True):
    ...     pass
    """

    def __init__(
        self,
        *,
        cache_dir: str | os.PathLike[str] | Absent = ABSENT,
        persistence: str | Absent = ABSENT,
        disable: bool | Absent = ABSENT,
        key_file: str | os.PathLike[str] | Absent = ABSENT,
        store: SupportsStore | Absent | None = ABSENT,
    ) -> None:
        global _current
        asked = {
            "cache_dir": cache_dir,
            "persistence": persistence,
            "disable": disable,
            "key_file": key_file,
            "store": store,
        }
        checked = {name: _checked(name, value) for name, value in asked.items() if value is not ABSENT}
        if "cache_dir" in checked:
            checked.setdefault("store", None)
        self._before, _current = _current, _joined(replace(_current, **checked))
        epoch.begin()

    def __enter__(self) -> Settings:
        return _current

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        global _current
        _current = self._before
        epoch.begin()
