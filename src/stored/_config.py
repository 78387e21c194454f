"""Settings of the process: where entries live, what is written, and whether anything is stored at all.

The environment is read when stored is imported: ``STORED_CACHE_DIR`` (the directory of the entries),
``STORED_PERSISTENCE`` (any of ``r`` and ``w``), ``STORED_DISABLE`` (1, true, yes or on), ``STORED_KEY_FILE`` (the key
that signs pickles), ``STORED_SHARED_DIRS`` (directories to read, separated as in ``PATH``), ``STORED_MAX_BYTES``,
``STORED_MAX_AGE``, ``STORED_MIN_COMPUTE_SECONDS`` and ``STORED_LOCK_TIMEOUT`` (numbers). `configure` overrides it.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from stored.errors import ConfigurationError, StoredWarning, warn_caller
from stored.typing import ABSENT, Absent, SupportsStore

__all__ = ["Settings", "check_persistence", "configure", "epoch", "settings"]


_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})


class Settings(NamedTuple):
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
        Where entries live, in place of `cache_dir` and `shared_dirs`.
    shared_dirs : tuple of Path
        Directories that are read beneath `cache_dir`.
    max_bytes : int, optional
        How much all entries may take.
    max_age : float, optional
        For how many seconds an entry is kept that is not used.
    min_compute_seconds : float
        What took less to compute is kept in memory only.
    lock_timeout : float
        For how many seconds to wait for another process that computes the same result.
    """

    cache_dir: Path
    persistence: str
    disable: bool
    key_file: Path
    store: SupportsStore | None = None
    shared_dirs: tuple[Path, ...] = ()
    max_bytes: int | None = None
    max_age: float | None = None
    min_compute_seconds: float = 0.0
    lock_timeout: float = 600.0

    @property
    def are_limited(self) -> bool:
        """Are entries dropped that are too many, or too old?"""
        return self.max_bytes is not None or self.max_age is not None


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


def _checked_path(name: str, value: Any) -> Path:
    try:
        if not os.fspath(value).strip() or "\0" in os.fspath(value):
            raise ValueError
        return Path(value).expanduser().absolute()
    except (TypeError, ValueError, RuntimeError):  # the last for a home directory that is not known
        raise ConfigurationError(f"{name} is {value!r}; it must be a path") from None


def _checked_paths(name: str, value: Any) -> tuple[Path, ...]:
    if isinstance(value, str | bytes | os.PathLike):
        raise ConfigurationError(f"{name} is {value!r}; it must be a sequence of paths: [{value!r}]")
    try:
        return tuple([_checked_path(f"{name}[{index}]", each) for index, each in enumerate(value)])
    except TypeError:
        raise ConfigurationError(f"{name} is {value!r}; it must be a sequence of paths") from None


def _checked_bytes(name: str, value: Any) -> int | None:
    number = _checked_limit(name, value)
    if number is not None and not number.is_integer():
        raise ConfigurationError(f"{name} is {value!r}; it must be a whole number of bytes, or None for no limit")
    return None if number is None else int(number)


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


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "cache_dir": _checked_path,
    "key_file": _checked_path,
    "persistence": lambda name, value: check_persistence(value, name),
    "disable": _checked_switch,
    "store": _checked_store,
    "shared_dirs": _checked_paths,
    "max_bytes": _checked_bytes,
    "max_age": _checked_limit,
    "min_compute_seconds": _checked_number,
    "lock_timeout": _checked_number,
}


def _is_store(value: object) -> bool:
    methods = [name for name in vars(SupportsStore) if not name.startswith("_")]
    return not isinstance(value, type) and all(hasattr(value, each) for each in methods)


def _conflict(candidate: Settings) -> str | None:
    """Why settings do not go together; None if they do."""
    for place in (candidate.cache_dir, *candidate.shared_dirs):
        if Path(os.path.realpath(candidate.key_file)).is_relative_to(os.path.realpath(place)):
            return f"the key file {candidate.key_file} lies inside the cache directory {place}"
    return None


def _joined(candidate: Settings) -> Settings:
    """Settings, if they go together."""
    conflict = _conflict(candidate)
    if conflict is None:
        return candidate
    raise ConfigurationError(f"{conflict}; whoever can write entries there could replace it, so choose a place outside")


def _from_environment(environment: Mapping[str, str]) -> Settings:
    cache = environment.get("STORED_CACHE_DIR") or _base(environment, "XDG_CACHE_HOME", ".cache") / "stored"
    key = environment.get("STORED_KEY_FILE") or _base(environment, "XDG_CONFIG_HOME", ".config") / "stored" / "key"
    shared = [each for each in environment.get("STORED_SHARED_DIRS", "").split(os.pathsep) if each]
    return _joined(
        Settings(
            cache_dir=_checked_path("STORED_CACHE_DIR", cache),
            persistence=check_persistence(environment.get("STORED_PERSISTENCE", "rw"), "STORED_PERSISTENCE"),
            disable=_switch("STORED_DISABLE", environment.get("STORED_DISABLE", "")),
            key_file=_checked_path("STORED_KEY_FILE", key),
            shared_dirs=_checked_paths("STORED_SHARED_DIRS", shared),
            **{
                name: _CHECKS[name](variable, _number(variable, environment[variable]))
                for name, variable in _NUMBERS.items()
                if environment.get(variable)
            },
        )
    )


_NUMBERS = {
    "max_bytes": "STORED_MAX_BYTES",
    "max_age": "STORED_MAX_AGE",
    "min_compute_seconds": "STORED_MIN_COMPUTE_SECONDS",
    "lock_timeout": "STORED_LOCK_TIMEOUT",
}

_UNITS = dict.fromkeys(_NUMBERS.values(), " of seconds") | {"STORED_MAX_BYTES": " of bytes"}


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


class Lapsing(Protocol):
    """What holds good until the next epoch."""

    def lapse(self) -> None:
        """Forget what was said for the epoch that has ended."""


class Epoch:
    """What shortcuts hold good for: a new object whenever something changes that they do not look at themselves.

    Attributes
    ----------
    now : object
        Compared by identity.
    has_users : bool
        Has any `StorageUser` been made? Until then no owner can hold one.
    """

    def __init__(self) -> None:
        self.now = object()
        self.has_users = False
        self._watching: list[weakref.ref[Lapsing]] = []  # each step on a list is one for all threads

    def watch(self, one: Lapsing) -> None:
        """Tell one when all shortcuts lapse."""
        self._watching.append(weakref.ref(one, self._watching.remove))

    def begin(self) -> None:
        """Let all shortcuts lapse."""
        self.now = object()
        for each in list(self._watching):
            one = each()
            if one is not None:
                one.lapse()

    def note_user(self) -> None:
        """A `StorageUser` is being made."""
        if not self.has_users:
            self.has_users = True
            self.begin()


epoch = Epoch()


def settings() -> Settings:
    """The settings in force."""
    return _current


class _Layer(NamedTuple):
    """What one `configure` sets.

    Parameters
    ----------
    setter : callable
        Returns the `configure` object, or None when that is gone: nothing can take the layer away then.
    values : mapping
        Checked settings by name.
    """

    setter: Callable[[], configure | None]
    values: Mapping[str, Any]


_layers: list[_Layer] = [_Layer(lambda: None, _current._asdict())]  # in the order in which they apply
_lock = threading.RLock()  # held to change settings, not to read them
# a fork waits for a change under way in another thread, which would never be completed in the child
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def _total(layers: Iterable[_Layer]) -> Settings:
    """The settings that layers give together."""
    values: dict[str, Any] = {}
    for layer in layers:
        values.update(layer.values)
    return Settings(**values)


def _merged(layers: Iterable[_Layer]) -> list[_Layer]:
    """Layers, of which neighbours that nothing can take away are one: calls in a loop would fill memory otherwise."""
    result: list[_Layer] = []
    for layer in layers:
        if result and result[-1].setter() is None and layer.setter() is None:
            result[-1] = layer._replace(values={**result[-1].values, **layer.values})
        else:
            result.append(layer)
    return result


def _put_in_force(layers: Iterable[_Layer], total: Settings) -> None:
    """Replace the layers and the settings that they give."""
    global _layers, _current
    _layers, _current = _merged(layers), total


def _places(of: Settings) -> dict[str, Any]:
    """The settings that must go together."""
    return {"cache_dir": of.cache_dir, "shared_dirs": of.shared_dirs, "key_file": of.key_file}


def _add(layer: _Layer) -> None:
    """Apply a layer over all others.

    Raises
    ------
    ConfigurationError
        If the settings do not go together then.
    """
    layers = [*_layers, layer]
    total = _total(layers)
    if _conflict(total) is not None:  # because of this layer, or already before it: see _remove
        total = total._replace(**_places(_joined(_current._replace(**layer.values))))
    _put_in_force(layers, total)


def _remove(setter: configure) -> str | None:
    """Take a layer away; if the others do not go together, places stay as they are, and the reason is returned once."""
    is_known = _places(_current) != _places(_total(_layers))
    layers = [layer for layer in _layers if layer.setter() is not setter]
    total = _total(layers)
    conflict = _conflict(total)
    _put_in_force(layers, total if conflict is None else total._replace(**_places(_current)))
    return None if is_known else conflict


class configure:  # noqa: N801  (reads as the function that it is to its callers)
    """Change settings for the process, or for the length of a ``with`` block.

    Settings apply to all threads, and the latest value of each one counts. Leaving a block takes back what this block
    has set, and nothing else: what was set by other blocks, which may end in any order and in other threads, and by
    calls without ``with``, inside the block too, stays. An object that is used for several blocks, one after the other
    or at once, sets its values again with the first, and takes them back with the last.

    Leaving a block raises no error: if the directories and the key file that remain cannot be used together, those in
    force stay, with a warning, until a later change makes them fit.

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
        Where entries live, in place of directories.
    shared_dirs : sequence of path-like, optional
        Directories, such as those of a group, in which results are looked for that the cache directory does not hold.
        Nothing is written there; what is cleared is hidden from this user only. Setting it also takes back an earlier
        `store`.
    max_bytes : int or None, optional
        How much all results may take on disk: beyond that, the least recently used go, until a tenth is free. Several
        processes that write at once can exceed it, each by a tenth. No limit by default.
    max_age : float or None, optional
        For how many seconds a result is kept on disk that is not used there. No limit by default.
    min_compute_seconds : float, optional
        Results of methods that took less time to compute are kept in memory only. 0 by default: all are written.
    lock_timeout : float, optional
        For how many seconds to wait for another process that computes the same result, before computing it too. 600 by
        default.

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
        shared_dirs: Iterable[str | os.PathLike[str]] | Absent = ABSENT,
        max_bytes: float | Absent | None = ABSENT,
        max_age: float | Absent | None = ABSENT,
        min_compute_seconds: float | Absent = ABSENT,
        lock_timeout: float | Absent = ABSENT,
    ) -> None:
        asked = {
            "cache_dir": cache_dir,
            "persistence": persistence,
            "disable": disable,
            "key_file": key_file,
            "store": store,
            "shared_dirs": shared_dirs,
            "max_bytes": max_bytes,
            "max_age": max_age,
            "min_compute_seconds": min_compute_seconds,
            "lock_timeout": lock_timeout,
        }
        checked = {name: _CHECKS[name](name, value) for name, value in asked.items() if value is not ABSENT}
        if not checked.keys().isdisjoint({"cache_dir", "shared_dirs"}):
            checked.setdefault("store", None)
        self._values = checked
        self._blocks = 0  # how many with blocks of this object have been entered, and not left
        with _lock:
            self._apply()
        epoch.begin()

    def _apply(self) -> None:
        _add(_Layer(weakref.ref(self), self._values))

    def __enter__(self) -> Settings:
        with _lock:
            if all(layer.setter() is not self for layer in _layers):  # an earlier block has taken it back
                self._apply()
            self._blocks += 1
            now = _current
        epoch.begin()
        return now

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        conflict = None
        with _lock:
            self._blocks -= 1
            if self._blocks <= 0:
                self._blocks = 0
                conflict = _remove(self)
        epoch.begin()
        if conflict is not None:
            now = settings()
            warn_caller(
                f"after a block of stored.configure, {conflict}, where whoever can write entries could replace it; so"
                f" the key file {now.key_file} and the cache directory {now.cache_dir} are still in use; choose others"
                " with stored.configure(key_file=..., cache_dir=...)",
                StoredWarning,
            )
