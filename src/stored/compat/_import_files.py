"""Which objects do the cache files of Colossus hold? They are imported as entries."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

from stored._storage import CachedResult, copy_for_caller, freeze
from stored.compat._tier import ColossusTier, imported_key, is_outdated
from stored.errors import EntryWarning, warn_caller

__all__ = ["import_files"]

_OLD_FILE = re.compile(r"(.*)_([0-9a-f]{32})", re.DOTALL)
_FIRST_VERSION = "1.0.0"
"""The version that Colossus assumes of a file without one."""


def import_files(root: Path) -> int:
    """Import all cache files below a directory; how many objects were imported?"""
    named = [(path, _OLD_FILE.fullmatch(path.name)) for path in sorted(root.rglob("*"))]
    return sum(_import_file(path, root, *name.groups()) for path, name in named if name is not None and path.is_file())


def _import_file(path: Path, root: Path, owner: str, md5: str) -> int:
    """Import a file; how many objects were imported?"""
    module = "" if path.parent == root else path.parent.relative_to(root).as_posix()
    objects = _load_pickle(path)
    version = objects.pop("colossus_version", _FIRST_VERSION)
    if is_outdated(version):
        return 0
    tier = ColossusTier("w", version)
    imported = 0
    for name, value in objects.items():
        kept = freeze(value)
        result = CachedResult(kept, copy_for_caller(kept, deep=False))
        imported += tier.slot(imported_key(module, owner, md5, name)).save(result.value)
    return imported


def _load_pickle(path: Path) -> dict[str, Any]:
    """The objects in a cache file of Colossus; none, with a warning, if it cannot be read."""
    try:
        with open(path, "rb") as file:
            found = pickle.load(file)
        if isinstance(found, dict) and all(isinstance(name, str) for name in found):
            return found
        trouble = f"it holds a {type(found).__name__}, and no objects by name"
    except Exception as error:  # a pickle may raise anything
        trouble = f"{type(error).__name__}: {error}"
    warn_caller(f"{path} was passed over, since it is not a readable cache file of Colossus ({trouble})", EntryWarning)
    return {}
