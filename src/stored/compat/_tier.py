"""Where do the entries of the drop-in for Colossus live, and which of them are still valid?"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from colossus import settings as colossus_settings  # type: ignore[import-untyped]
from colossus import version as colossus_version

from stored._keys import Key, Space
from stored._settings import Settings, settings
from stored._storage import Access, CachedResult, PersistentTier, Slot, Values, headers_of_space
from stored.errors import ConfigurationError, DamagedEntryError
from stored.stores import DirectoryStore
from stored.typing import ABSENT, Absent

__all__ = ["ColossusTier", "colossus_store", "imported_key", "is_outdated"]


@lru_cache(maxsize=8)
def _directory(root: Path) -> DirectoryStore:
    return DirectoryStore(root, anywhere=True)  # Colossus has files of its own in its cache


def colossus_store() -> DirectoryStore:
    """The directory of entries that the settings of Colossus name now."""
    base = colossus_settings.BASE_DIR
    home = Path.home() if base is None else Path(base).expanduser().absolute()
    return _directory(home / ".colossus" / "cache")


def _version_numbers(version: object) -> tuple[int, ...] | None:
    """The numbers of a version; None if it has none."""
    found = re.match(r"\d{1,9}(\.\d{1,9})*", version) if isinstance(version, str) else None
    return None if found is None else tuple(int(number) for number in found[0].split("."))


def is_outdated(version: object) -> bool:
    """Are results of this version of Colossus too old to use? Those of an unknown version are.

    Raises
    ------
    ConfigurationError
        If ``colossus.settings.PERSISTENCE_OLDEST_VERSION`` is no version.
    """
    oldest = _version_numbers(colossus_settings.PERSISTENCE_OLDEST_VERSION)
    if oldest is None:
        raise ConfigurationError(
            f"colossus.settings.PERSISTENCE_OLDEST_VERSION is {colossus_settings.PERSISTENCE_OLDEST_VERSION!r}; it must"
            " be a version, such as '1.2.10'"
        )
    found = _version_numbers(version)
    return found is None or found < oldest


class ColossusTier(PersistentTier):
    """Entries in the directory of Colossus; each says by which version of Colossus it was made.

    An object that `import_cache` has imported is stored under the MD5 of its hashable string, since an old file holds
    nothing else of the string. It is found when a string with that MD5 is asked for.

    Parameters
    ----------
    persistence : str
        Any of the letters r and w.
    version : str, optional
        The version of Colossus that made the results, by default the installed one.
    """

    def __init__(self, persistence: str, version: str | None = None) -> None:
        super().__init__(persistence)
        self._version = version

    def store(self) -> DirectoryStore:
        """Where results live now."""
        return colossus_store()

    @property
    def writer(self) -> Mapping[str, str]:  # type: ignore[override]
        """The programs that write, with their versions."""
        return {**super().writer, "colossus": self._version or colossus_version.__version__}

    def check_writer(self, writer: Mapping[str, Any]) -> None:
        """Refuse entries that `PERSISTENCE_OLDEST_VERSION` has made outdated."""
        version = writer.get("colossus")
        if is_outdated(version):
            raise DamagedEntryError(
                f"it was made by Colossus {'of an unknown version' if version is None else version}, and"
                f" PERSISTENCE_OLDEST_VERSION is {colossus_settings.PERSISTENCE_OLDEST_VERSION}"
            )

    def slot(self, key: Key, values: Values | None = None, now: Settings | None = None) -> Slot:
        """The place of one result, and of the object that was imported for its key."""
        access = self.access(settings() if now is None else now, self.store())
        return (Slot if key.version else ColossusSlot)(access, key, values)

    def imported_names(self, space: Space) -> set[str]:
        """The names of the objects that were imported for a space, and not replaced since."""
        found = headers_of_space(self.store(), _key_if_imported(space, "").space)
        return {each.key.object for each in found if each.key == _key_if_imported(space, each.key.object)}


class ColossusSlot(Slot):
    """The place of an object that is stored by name, and of the one that was imported for its key."""

    __slots__ = ("_imported",)

    def __init__(self, access: Access, key: Key, values: Values | None = None) -> None:
        super().__init__(access, key, values)
        self._imported = Slot(access, _key_if_imported(key.space, key.object))

    def load(self) -> CachedResult | Literal[Absent.ABSENT]:
        """The result, else the one that was imported for its key, else `ABSENT`."""
        result = super().load()
        # an entry that cannot be used must not bring back what it had replaced
        if result is ABSENT and self.access.reads and not _has_entry(self, if_unknown=True):
            return self._imported.load()
        return result

    def save(self, value: object, seconds: float = 0.0, packages: Mapping[str, str] | None = None) -> bool:
        """Write a value, and remove what was imported for its key."""
        self._forget_imported()
        return super().save(value, seconds, packages)

    def forget(self) -> bool:
        """Remove the entry, and what was imported for its key; was there one?"""
        imported = self._forget_imported()
        return super().forget() or imported

    def _forget_imported(self) -> bool:
        return self.access.writes and _has_entry(self._imported, if_unknown=False) and self._imported.forget()


def _has_entry(slot: Slot, *, if_unknown: bool) -> bool:
    """Is there an entry, usable or not? `if_unknown` if the store cannot tell."""
    try:
        return slot.store.read_start(slot.name, 1) is not None
    except OSError:
        return if_unknown


def _key_if_imported(space: Space, name: str) -> Key:
    """The key under which an object of a space is, if it was imported."""
    md5 = hashlib.md5(space.string.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return imported_key(space.module, space.name, md5, name)


def imported_key(module: str, owner: str, md5: str, name: str) -> Key:
    """The key under which an imported object is, by what an old cache file holds of it."""
    # only decorated methods have a version: with one, the key is never that of an object stored by name
    return Key(Space(module, owner, f"md5:{md5}"), name, version="stored.compat.colossus import_cache")
