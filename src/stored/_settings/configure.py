"""Settings of the process: what is in force, and how a program changes it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import TracebackType

from stored._settings.checks import CHECKS
from stored._settings.environment import settings_from_environment
from stored._settings.settings import Settings, check_together
from stored._settings.validity import validity
from stored.typing import ABSENT, Absent, SupportsStore

__all__ = ["configure", "settings"]

_current = settings_from_environment(os.environ)


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
        global _current
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
        checked = {name: CHECKS[name](name, value) for name, value in asked.items() if value is not ABSENT}
        if not checked.keys().isdisjoint({"cache_dir", "shared_dirs"}):
            checked.setdefault("store", None)
        self._before, _current = _current, check_together(_current._replace(**checked))
        validity.invalidate()

    def __enter__(self) -> Settings:
        return _current

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        global _current
        _current = self._before
        validity.invalidate()
