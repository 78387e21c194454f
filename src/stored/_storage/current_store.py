"""Which store do the settings name?"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from stored._settings import Settings, settings
from stored.stores import DirectoryStore, LayeredStore
from stored.typing import Store

__all__ = ["current_store"]


@lru_cache(maxsize=8)
def _directory_store(root: Path, shared: tuple[Path, ...]) -> DirectoryStore | LayeredStore:
    own = DirectoryStore(root)
    return LayeredStore(own, *map(DirectoryStore, shared)) if shared else own


_latest: tuple[Settings | None, Any] = (None, None)
"""The settings that were asked for last, and their store; one object, since several threads may replace it."""


def current_store(now: Settings | None = None) -> Store:
    """The store that settings name, by default those in force."""
    global _latest
    if now is None:
        now = settings()
    latest = _latest
    if latest[0] is now:
        return cast(Store, latest[1])
    store = now.store if now.store is not None else _directory_store(now.cache_dir, now.shared_dirs)
    _latest = now, store
    return store
