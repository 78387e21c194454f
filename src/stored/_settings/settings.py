"""What can be set, and do these settings go together?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from stored.errors import ConfigurationError
from stored.typing import Store, left_out

__all__ = ["GROUPS", "Group", "Settings", "check_together", "lies_within"]


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
    store : Store, optional
        Where entries live, in place of `cache_dir` and `shared_dirs`.
    shared_dirs : tuple of Path
        Directories that are read beneath `cache_dir`.
    map_shared_dirs : bool
        Are large arrays in them memory-mapped? Nobody may write into a file there in place then.
    group : str, optional
        The group of users, by name or number, with which `cache_dir` is shared.
    max_bytes : int, optional
        How much all entries may take.
    max_age : float, optional
        For how many seconds an entry is kept that is not used.
    min_compute_seconds : float
        What took less to compute is kept in memory only.
    lock_timeout : float, optional
        For how many seconds to wait for another process that computes the same result; by default for as long as it
        shows life.
    memory_sets : int
        For how many sets of parameters of a class, the last that objects had, memory keeps results.
    max_memory_bytes : int, optional
        How much the results of methods may take in memory.
    verify : float
        Which share of the calls that stored results answer is computed anew and compared.
    verify_rtol : float
        By how much numbers may differ then, relative to the larger.
    verify_seed : int
        By which these calls are chosen.
    """

    cache_dir: Path
    persistence: str
    disable: bool
    key_file: Path
    store: Store | None = None
    shared_dirs: tuple[Path, ...] = ()
    map_shared_dirs: bool = False
    group: str | None = None
    max_bytes: int | None = None
    max_age: float | None = None
    min_compute_seconds: float = 0.0
    lock_timeout: float | None = None
    memory_sets: int = 8
    max_memory_bytes: int | None = None
    verify: float = 0.0
    verify_rtol: float = 1e-9
    verify_seed: int = 0


def lies_within(path: Path, place: Path) -> bool:
    """Is a path that of a place, or below it, with all links followed?"""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(place))


class Group(NamedTuple):
    """Settings that must go together.

    Parameters
    ----------
    names : tuple of str
        Which they are.
    conflict_in : callable
        Takes all settings, and says why those of the group do not go together, or returns None if they do.
    remedy : str
        What an error says after that.
    kept : str
        What a warning says after that where those in force stay, with ``{now}`` for all settings.
    """

    names: tuple[str, ...]
    conflict_in: Callable[[Settings], str | None]
    remedy: str
    kept: str

    def of(self, total: Settings) -> dict[str, Any]:
        """The settings of the group."""
        return {name: getattr(total, name) for name in self.names}


def _key_in_a_cache(total: Settings) -> str | None:
    for place in (total.cache_dir, *total.shared_dirs):
        if lies_within(total.key_file, place):
            return f"the key file {total.key_file} lies inside the cache directory {place}"
    return None


def _limit_not_kept(total: Settings) -> str | None:
    limits = [f"{name}={getattr(total, name)}" for name in _LIMITS if getattr(total, name) is not None]
    if not limits or total.store is None or "trim" not in left_out(total.store):
        return None
    return f"the store {total.store!r} has no trim() to remove results, and so cannot keep {' and '.join(limits)}"


_LIMITS = ("max_bytes", "max_age")

GROUPS = (
    Group(
        ("cache_dir", "shared_dirs", "key_file"),
        _key_in_a_cache,
        "; whoever can write entries there could replace it, so choose a place outside",
        ", where whoever can write entries could replace it; so the key file {now.key_file} and the cache directory"
        " {now.cache_dir} are still in use; choose others with stored.configure(key_file=..., cache_dir=...)",
    ),
    Group(
        ("store", *_LIMITS),
        _limit_not_kept,
        "; set max_bytes=None and max_age=None (STORED_MAX_BYTES and STORED_MAX_AGE in the environment), or choose a"
        " store that trims, as DirectoryStore and MemoryStore do",
        "; so the store {now.store!r}, max_bytes={now.max_bytes} and max_age={now.max_age} are still in force; choose"
        " others with stored.configure(store=..., max_bytes=..., max_age=...)",
    ),
)


def check_together(candidate: Settings, groups: Iterable[Group] = GROUPS) -> Settings:
    """Settings, if they go together.

    Raises
    ------
    ConfigurationError
        If they do not.
    """
    for group in groups:
        conflict = group.conflict_in(candidate)
        if conflict is not None:
            raise ConfigurationError(f"{conflict}{group.remedy}")
    return candidate
