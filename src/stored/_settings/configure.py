"""`configure`: how a program changes its settings, for good or for the length of a block."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import TracebackType

from stored._settings.checks import CHECKS
from stored._settings.layers import add_layer, changing_settings, has_layer, remove_layer, settings
from stored._settings.settings import Settings
from stored.errors import StoredWarning, warn_caller
from stored.typing import ABSENT, Absent, Store

__all__ = ["configure"]


class configure:  # noqa: N801  (reads as the function that it is to its callers)
    """Change settings for the process, or for the length of a ``with`` block.

    Settings apply to all threads, and the latest value of each one counts. Leaving a block takes back what this block
    has set, and nothing else: what was set by other blocks, which may end in any order and in other threads, and by
    calls without ``with``, inside the block too, stays. An object that is used for several blocks, one after the other
    or at once, sets its values again with the first, and takes them back with the last.

    Processes that are started meanwhile have these settings too, but for `store`: they stand in the environment for as
    long as they are in force.

    Leaving a block raises no error: if the directories and the key file that remain cannot be used together, or the
    store and its limits, those in force stay, with a warning, until a later change makes them fit.

    Parameters
    ----------
    cache_dir : path-like, optional
        The directory of the entries. Setting it also takes back an earlier `store`.
    persistence : {"rw", "r", "w", ""}, optional
        What the disk is used for.
    disable : bool, optional
        Call stored methods as if they were not decorated. Objects stored by name stay in memory.
    key_file : path-like, optional
        The key that signs pickled results; it must lie outside the directory of the entries, in a folder that is this
        user's or root's, and that nobody else can write to.
    store : Store, optional
        Where entries live, in place of directories. One that has no `trim` cannot be used with `max_bytes` or
        `max_age`.
    shared_dirs : sequence of path-like, optional
        Directories, such as those of a group, in which results are looked for that the cache directory does not hold.
        Nothing is written there; what is cleared is hidden from this user only. Setting it also takes back an earlier
        `store`.
    map_shared_dirs : bool, optional
        Are large arrays in `shared_dirs` memory-mapped, as those in `cache_dir` are? Only if nobody writes into a file
        there in place, as ``cp`` over it does: that would change arrays that callers have. By default they are read.
    group : str, int or None, optional
        The group of users, by name or number, with which `cache_dir` is shared: all of them can read and write there,
        whatever the umask. The directory, and those above it that are missing, are made with mode 2770; if it is there
        and belongs to this user, it and the results in it are given to the group with the first write, and files and
        folders get the modes 0660 and 2770. A directory that is setgid and open to its group needs no `group`. Pickles,
        which only their writer can read, are not shared. Setting it also takes back an earlier `store`.
    max_bytes : int or None, optional
        How much all results may take on disk: beyond that, the least recently used go, until a tenth is free. Several
        processes that write at once can exceed it, each by a tenth. No limit by default.
    max_age : float or None, optional
        For how many seconds a result is kept on disk that is not used there. No limit by default.
    min_compute_seconds : float, optional
        Results of methods that took less time to compute are kept in memory only. 0 by default: all are written.
    lock_timeout : float, optional
        For how many seconds to wait for another process that computes the same result; then one of those who wait
        computes it too. By default, None, who computes is waited for as long as it shows life, and 600 seconds more;
        with 0 nobody waits.
    memory_sets : int, optional
        For how many sets of parameters of each class, the last that objects had, memory keeps the results of stored
        methods; those that objects have now are kept beside. Objects of one class with equal parameters share what is
        in memory. 8 by default; with 0 each object has results of its own, for its present parameters.
    max_memory_bytes : int or None, optional
        How much the results of stored methods may take in memory in all; beyond that, the least recently used go. Their
        size is estimated, and what is mapped from files does not count. No limit by default.
    verify : float, optional
        Which share of the calls that stored results answer is computed anew, from 0, the default, to 1. A result that
        differs is told by a `StaleResultWarning`, and replaced. Tables are compared at up to three of the points that
        are asked for, at twice their tolerance, and each call takes the long way meanwhile.
    verify_rtol : float, optional
        By how much numbers may differ then, relative to the larger; 1e-9 by default.
    verify_seed : int, optional
        The seed by which these calls are chosen, anew with each change of these settings; 0 by default.

    Raises
    ------
    ConfigurationError
        If a value cannot be used, or a limit is set for a store that cannot keep it; no setting is changed then.

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
        store: Store | Absent | None = ABSENT,
        shared_dirs: Iterable[str | os.PathLike[str]] | Absent = ABSENT,
        map_shared_dirs: bool | Absent = ABSENT,
        group: str | int | Absent | None = ABSENT,
        max_bytes: float | Absent | None = ABSENT,
        max_age: float | Absent | None = ABSENT,
        min_compute_seconds: float | Absent = ABSENT,
        lock_timeout: float | Absent | None = ABSENT,
        memory_sets: int | Absent = ABSENT,
        max_memory_bytes: float | Absent | None = ABSENT,
        verify: float | Absent = ABSENT,
        verify_rtol: float | Absent = ABSENT,
        verify_seed: int | Absent = ABSENT,
    ) -> None:
        asked = {
            "cache_dir": cache_dir,
            "persistence": persistence,
            "disable": disable,
            "key_file": key_file,
            "store": store,
            "shared_dirs": shared_dirs,
            "map_shared_dirs": map_shared_dirs,
            "group": group,
            "max_bytes": max_bytes,
            "max_age": max_age,
            "min_compute_seconds": min_compute_seconds,
            "lock_timeout": lock_timeout,
            "memory_sets": memory_sets,
            "max_memory_bytes": max_memory_bytes,
            "verify": verify,
            "verify_rtol": verify_rtol,
            "verify_seed": verify_seed,
        }
        checked = {name: CHECKS[name](name, value) for name, value in asked.items() if value is not ABSENT}
        if checked.get("group") is not None or not checked.keys().isdisjoint({"cache_dir", "shared_dirs"}):
            checked.setdefault("store", None)
        self._values = checked
        self._blocks = 0  # how many with blocks of this object have been entered, and not left
        with changing_settings():
            add_layer(self, checked)

    def __enter__(self) -> Settings:
        with changing_settings():
            if not has_layer(self):  # an earlier block has taken it back
                add_layer(self, self._values)
            self._blocks += 1
            return settings()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        warnings = []
        with changing_settings():
            self._blocks = max(self._blocks - 1, 0)
            if not self._blocks:
                warnings = remove_layer(self)
        for warning in warnings:
            warn_caller(f"after a block of stored.configure, {warning}", StoredWarning)
