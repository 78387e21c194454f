"""What is known of long files of source code is kept on disk, so that other processes need not read them.

It is written once results are: a program that keeps none writes nothing.
"""

from __future__ import annotations

import contextlib

from stored._keys import Key, Space, load_facts_by, unsaved_facts
from stored._methods.code_history import code_slot
from stored._methods.opened_files import NOTING_NO_FILES
from stored._storage import PersistentTier, Slot
from stored.errors import StoredError
from stored.typing import ABSENT

__all__ = ["save_facts"]

_TIER = PersistentTier("rw")


def _slot(filename: str) -> Slot:
    return code_slot(_TIER, Key(Space("stored", "files", ""), filename))


def _load(filename: str) -> object:
    with NOTING_NO_FILES:
        found = _slot(filename).load_quietly()
        return None if found is ABSENT else found.value


load_facts_by(_load)


def save_facts() -> None:
    """Keep what was read of files since this was last called."""
    for filename, text in unsaved_facts():
        with contextlib.suppress(OSError, StoredError):  # they are read again next time
            _slot(filename).write(text)
