"""Which objects do the cache files of Colossus hold? They are imported as entries."""

from __future__ import annotations

import os
import pickle
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stored._storage import Slot, freeze
from stored.compat._tier import ColossusTier, imported_key, is_outdated
from stored.errors import EntryWarning, UntrustedEntryError, error_text, warn_caller

__all__ = ["import_files"]

_OLD_FILE = re.compile(r"(.*)_([0-9a-f]{32})", re.DOTALL)
_FIRST_VERSION = "1.0.0"
"""The version that Colossus assumes of a file without one."""


def import_files(root: Path) -> int:
    """Import all cache files below a directory; how many objects were imported?"""
    named = [(path, _OLD_FILE.fullmatch(path.name)) for path in sorted(_files(root))]
    return sum(_import_file(path, root, *name.groups()) for path, name in named if name is not None)


def _files(root: Path) -> Iterator[Path]:
    """All that is below a directory and is no folder; links to folders are not followed."""
    for folder, _, names in os.walk(root, onerror=_report_folder):
        yield from (Path(folder, name) for name in names)


def _report_folder(error: OSError) -> None:
    warn_caller(f"{error.filename} was passed over, since it cannot be listed ({error})", EntryWarning)


def _import_file(path: Path, root: Path, owner: str, md5: str) -> int:
    """Import a file; how many objects were imported?"""
    module = "" if path.parent == root else path.parent.relative_to(root).as_posix()
    objects = _load_pickle(path)
    version = objects.pop("colossus_version", _FIRST_VERSION)
    if is_outdated(version):
        return 0
    tier = ColossusTier("w", version)
    return sum(
        _import_object(path, tier.slot(imported_key(module, owner, md5, name)), name, value)
        for name, value in objects.items()
    )


def _import_object(path: Path, slot: Slot, name: str, value: Any) -> bool:
    """Import an object; was it imported?"""
    try:
        kept = freeze(value)
        return slot.write(kept)
    except (OSError, UntrustedEntryError) as error:
        slot.report_failed_write(error)  # once, since it concerns all objects
    except Exception as error:  # the object's class may raise anything
        warn_caller(f"object {name!r} of {path} was passed over ({error_text(error)})", EntryWarning)
    return False


def _load_pickle(path: Path) -> dict[str, Any]:
    """The objects in a cache file of Colossus; none, with a warning, if it cannot be read."""
    if path.is_symlink() and not os.path.exists(path):  # it leads nowhere
        return {}
    try:
        found = _loaded(path)
        if not isinstance(found, dict):
            raise TypeError(f"it holds a {type(found).__name__}, and no objects by name")
        # the methods of a dict of another class, and of such texts, may do anything
        named = {str.__str__(name): value for name, value in dict.items(found) if isinstance(name, str)}
        others = dict.__len__(found) - len(named)
    except (Exception, SystemExit) as error:  # as from a module that is a script, imported to find a class
        trouble = error_text(error)
        warn_caller(
            f"{path} was passed over, since it is not a readable cache file of Colossus ({trouble})", EntryWarning
        )
        return {}
    if others:
        warn_caller(f"{others} of the objects in {path} were passed over, since their names are no texts", EntryWarning)
    return named


def _loaded(path: Path) -> Any:
    """What a regular file holds as a pickle."""
    with open(path, "rb", opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no regular file")
        return pickle.load(file)


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe is not waited for
