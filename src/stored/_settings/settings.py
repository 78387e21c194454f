"""What can be set, and do these settings go together?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from stored.errors import ConfigurationError
from stored.typing import Store

__all__ = ["Settings", "check_together", "conflict_in", "lies_within"]


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


def conflict_in(candidate: Settings) -> str | None:
    """Why settings do not go together; None if they do."""
    for place in (candidate.cache_dir, *candidate.shared_dirs):
        if lies_within(candidate.key_file, place):
            return f"the key file {candidate.key_file} lies inside the cache directory {place}"
    return None


def check_together(candidate: Settings) -> Settings:
    """Settings, if they go together.

    Raises
    ------
    ConfigurationError
        If they do not.
    """
    conflict = conflict_in(candidate)
    if conflict is None:
        return candidate
    raise ConfigurationError(f"{conflict}; whoever can write entries there could replace it, so choose a place outside")
