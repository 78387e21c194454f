"""Which store do the settings name?"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from stored._settings import settings
from stored.stores import DirectoryStore, LayeredStore
from stored.typing import Store

__all__ = ["current_store"]


@lru_cache(maxsize=8)
def _directory_store(root: Path, shared: tuple[Path, ...]) -> DirectoryStore | LayeredStore:
    own = DirectoryStore(root)
    return LayeredStore(own, *map(DirectoryStore, shared)) if shared else own


def current_store() -> Store:
    """The store that the settings name."""
    now = settings()
    return now.store if now.store is not None else _directory_store(now.cache_dir, now.shared_dirs)
