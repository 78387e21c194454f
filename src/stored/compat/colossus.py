"""The storage module of Colossus, on this engine.

>>> import stored.compat.colossus
>>> stored.compat.colossus.install()
>>> stored.compat.colossus.uninstall()

From `install` to `uninstall`, all of Colossus stores its tables here. Code that uses ``colossus.utils.storage`` itself
can import this module in its place. Entries live in the directory that Colossus uses, ``.colossus/cache`` in
``colossus.settings.BASE_DIR`` or in the home directory, whatever `stored.configure` says of directories; its
`persistence` and `disable` do count.

The cache files of Colossus itself, which are pickles, lie in the same directory and are neither read nor written;
`import_cache` takes over what they hold.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal
from weakref import WeakSet

import numpy as np

from stored._engine import StorageUser as _StorageUser
from stored._engine import directory_of
from stored._keys import Key, Space
from stored._storage import CachedResult, PersistentTier, copy_for_caller, freeze, headers
from stored.errors import ConfigurationError, DamagedEntryError, EntryWarning, warn_caller
from stored.stores import DirectoryStore
from stored.typing import ABSENT, Absent

try:
    from colossus import settings as colossus_settings  # type: ignore[import-untyped]
    from colossus import version as colossus_version
    from colossus.utils import storage as _original  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError(
        f"stored.compat.colossus takes its settings from an installed Colossus, which cannot be imported ({error});"
        " install it with: pip install colossus",
        name=error.name,
    ) from error

__all__ = ["StorageUser", "getCacheDir", "import_cache", "install", "uninstall"]


# --------------------------------------------------------------------------------------------------------------------
# Where entries live, and which of them hold
# --------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _directory(root: Path) -> DirectoryStore:
    return DirectoryStore(root)


def _store() -> DirectoryStore:
    base = colossus_settings.BASE_DIR
    home = Path.home() if base is None else Path(base).expanduser().absolute()
    return _directory(home / ".colossus" / "cache")


def getCacheDir(module: str | None = None) -> str:
    """The directory of the entries, or of those of a module, with a slash at its end; it is made if need be.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    return directory_of(_store(), module)


def _numbers(version: object) -> tuple[int, ...] | None:
    """The numbers of a version; None if it has none."""
    found = re.match(r"\d{1,9}(\.\d{1,9})*", version) if isinstance(version, str) else None
    return None if found is None else tuple(int(number) for number in found[0].split("."))


def _outdated(version: object) -> bool:
    """Do results of this version of Colossus no longer hold? What does not tell its version is old."""
    oldest = _numbers(colossus_settings.PERSISTENCE_OLDEST_VERSION)
    if oldest is None:
        raise ConfigurationError(
            f"colossus.settings.PERSISTENCE_OLDEST_VERSION is {colossus_settings.PERSISTENCE_OLDEST_VERSION!r}; it must"
            " be a version, such as '1.2.10'"
        )
    found = _numbers(version)
    return found is None or found < oldest


class _Tier(PersistentTier):
    """Entries in the directory of Colossus, which say by which Colossus they were made.

    What `import_cache` took over waits under the MD5 of its hashable string, all that an old file tells of it, and is
    found by asking for a string of that MD5.

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
        return _store()

    def writer(self) -> dict[str, str]:
        """The programs that write, with their versions."""
        return {**super().writer(), "colossus": self._version or colossus_version.__version__}

    def check_writer(self, writer: Mapping[str, Any]) -> None:
        """Refuse entries that `PERSISTENCE_OLDEST_VERSION` has made outdated."""
        version = writer.get("colossus")
        if _outdated(version):
            raise DamagedEntryError(
                f"it was made by Colossus {'of an unknown version' if version is None else version}, and"
                f" PERSISTENCE_OLDEST_VERSION is {colossus_settings.PERSISTENCE_OLDEST_VERSION}"
            )

    def load(self, key: Key) -> CachedResult | Literal[Absent.ABSENT]:
        """The record of a key, of an imported one if there is no entry of its own, or `ABSENT`."""
        record = super().load(key)
        # an entry that cannot be used must not bring back what it had replaced
        if record is ABSENT and not key.definition and self.reads and not self._stands(key, otherwise=True):
            return super().load(_imported(key.space, key.object))
        return record

    def _stands(self, key: Key, *, otherwise: bool) -> bool:
        """Is there an entry, usable or not? `otherwise` if the store cannot tell."""
        try:
            return self.store().read_start(key.entry_name(), 1) is not None
        except OSError:
            return otherwise

    def save(self, key: Key, record: CachedResult) -> bool:
        """Write a record, for good in place of an imported one."""
        self._forget_imported(key)
        return super().save(key, record)

    def forget(self, key: Key) -> bool:
        """Remove the entry of a key, and what was imported for it; was there one?"""
        imported = self._forget_imported(key)
        return super().forget(key) or imported

    def _forget_imported(self, key: Key) -> bool:
        if key.definition or not self.writes:
            return False
        imported = _imported(key.space, key.object)
        return self._stands(imported, otherwise=False) and super().forget(imported)

    def imported_names(self, space: Space) -> set[str]:
        """The names of the objects that were imported for a space, and not replaced since."""
        found = [header["key"] for _, header in headers(self.store(), _imported(space, "").space.folder())]
        names = {str(key.get("object")): key for key in found}
        return {name for name, key in names.items() if key == _imported(space, name).as_json()}


# --------------------------------------------------------------------------------------------------------------------
# The storage module
# --------------------------------------------------------------------------------------------------------------------


class StorageUser(_StorageUser):
    """The storage space of one owner, as Colossus knows it.

    In Colossus, a caller may write to an array that it was given; here that array is a copy of its own, and writing to
    it changes nothing stored.

    Parameters
    ----------
    module : str
        The folder of the entries.
    persistence : {"rw", "r", "w", ""} or None
        Is the disk read and written, read only, written only, or not used at all? None stands for
        ``colossus.settings.PERSISTENCE``.
    func_name : callable
        Takes nothing and returns the name of the owner.
    func_hashstring : callable
        Takes nothing and returns the hashable string: name and parameters of the owner.
    func_changed : callable or None
        Called, with nothing, once for each change of the hashable string, before the storage is reset.

    Raises
    ------
    ConfigurationError
        If the persistence has other letters.
    OwnerError
        If a function cannot be called, or returns no text.
    """

    persistent: _Tier
    _in_place_of: Any = None

    def __init__(
        self,
        module: str,
        persistence: str | None,
        func_name: Callable[[], str],
        func_hashstring: Callable[[], str],
        func_changed: Callable[[], object] | None,
    ) -> None:
        letters = colossus_settings.PERSISTENCE if persistence is None else persistence
        super().__init__(module, letters, func_name, func_hashstring, func_changed)

    def _persistent_tier(self, persistence: str) -> _Tier:
        return _Tier(persistence)

    @property
    def storage_pers(self) -> MutableMapping[str, Any]:
        """The objects stored with ``persistent=True``, in memory and on disk; to set one is to store it."""
        return _Objects(self, persistent=True)

    @property
    def storage_temp(self) -> MutableMapping[str, Any]:
        """The objects that are in memory only; to set one is to store it."""
        return _Objects(self, persistent=False)

    def getStoredObject(
        self,
        object_name: str,
        interpolator: bool = False,
        inverse: bool = False,
        path: str | os.PathLike[str] | None = None,
        store_interpolator: bool = True,
        store_path_data: bool = True,
        linear_interp: bool = False,
    ) -> Any:
        """Find an object in memory, on disk, or in a text file.

        As `stored.StorageUser.getStoredObject`, but for arrays, which are writable copies.
        """
        found = super().getStoredObject(
            object_name, interpolator, inverse, path, store_interpolator, store_path_data, linear_interp
        )
        return found if interpolator else _private(found)

    def listObjects(self) -> list[str]:
        """The names of all objects that `getStoredObject` finds now, sorted."""
        names = set(super().listObjects())
        if self.persistence_read:
            names |= self.persistent.imported_names(self.current_state().space)
        return sorted(names)


def _private(value: Any) -> Any:
    """A value with copies of its arrays; the engine hands out plain containers anew each time."""
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if type(value) in {tuple, list}:
        return type(value)([_private(each) for each in value])
    if type(value) is dict:
        return {name: _private(each) for name, each in value.items()}
    return value


class _Objects(MutableMapping[str, Any]):
    """The objects of a user, of one kind, as they are at the moment of each access."""

    def __init__(self, user: StorageUser, *, persistent: bool) -> None:
        self._user = user
        self._persistent = persistent

    def __repr__(self) -> str:
        return f"<{'persistent' if self._persistent else 'memory-only'} objects of {self._user!r}: {list(self)}>"

    def _record(self, name: object) -> CachedResult | Literal[Absent.ABSENT]:
        state = self._user.current_state()
        record = state.objects.get(name)
        if record is not ABSENT and record.persistent is self._persistent:
            return record
        if self._persistent and isinstance(name, str):
            return self._user.persistent.load(Key(state.space, name))
        return ABSENT

    def __getitem__(self, name: str) -> Any:
        record = self._record(name)
        if record is ABSENT:
            raise KeyError(name)
        return _private(record.for_caller())

    def __setitem__(self, name: str, value: Any) -> None:
        self._user.storeObject(name, value, persistent=self._persistent)

    def __delitem__(self, name: str) -> None:
        if self._record(name) is ABSENT:
            raise KeyError(name)
        state = self._user.current_state()
        record = state.objects.get(name)
        if record is not ABSENT and record.persistent is self._persistent:
            state.discard(name)
        if self._persistent:
            self._user.persistent.forget(Key(state.space, name))
        if self._record(name) is not ABSENT:  # without this, clear() would never end
            raise PermissionError(f"object {name!r} is on disk, and cannot be removed there by this StorageUser")

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._user.listObjects() if self._record(name) is not ABSENT)

    def __len__(self) -> int:
        return sum(1 for _ in self)


# --------------------------------------------------------------------------------------------------------------------
# Cache files of Colossus
# --------------------------------------------------------------------------------------------------------------------

_OLD_FILE = re.compile(r"(.*)_([0-9a-f]{32})", re.DOTALL)
_FIRST_VERSION = "1.0.0"
"""What Colossus takes a file for that does not tell its version."""


def _imported(space: Space, name: str) -> Key:
    """The key under which an object of a space is, if it was imported."""
    md5 = hashlib.md5(space.string.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return _imported_by_md5(space.module, space.name, md5, name)


def _imported_by_md5(module: str, owner: str, md5: str, name: str) -> Key:
    # a definition, as only decorated methods have it, keeps it apart from all that users store by name
    return Key(Space(module, owner, f"md5:{md5}"), name, definition="stored.compat.colossus import_cache")


def import_cache(directory: str | os.PathLike[str]) -> int:
    """Take over cache files that Colossus wrote.

    .. warning::
        The files are pickles, and loading a pickle runs whatever code it holds. Import only files that you, or
        programs you trust, have written.

    Every object becomes an entry in the directory of `getCacheDir`, where a `StorageUser` with the module, the name
    and the hashable string of the file finds it. The files stay as they are. Outdated ones, by
    ``colossus.settings.PERSISTENCE_OLDEST_VERSION``, are passed over, and damaged ones are too, each with an
    `EntryWarning`. What Colossus has filed under the wrong parameters, as it could after a change, is wrong in the
    entries too.

    Parameters
    ----------
    directory : path-like
        A cache directory of Colossus, such as ``~/.colossus/cache``: the parent of the directories of its modules.

    Returns
    -------
    int
        How many objects were imported.

    Raises
    ------
    NotADirectoryError
        If there is no such directory.
    ConfigurationError
        If nothing may be written: `stored.configure` has taken the persistence, or disabled it.
    """
    root = Path(directory).expanduser()
    if not root.is_dir():
        raise NotADirectoryError(f"{os.fspath(directory)!r} is not a directory; give the cache directory of Colossus")
    if not _Tier("w").writes:
        raise ConfigurationError(
            "import_cache writes entries, and stored.configure() allows no writing; give it persistence='rw' and"
            " disable=False"
        )
    named = [(path, _OLD_FILE.fullmatch(path.name)) for path in sorted(root.rglob("*"))]
    return sum(_import_file(path, root, *name.groups()) for path, name in named if name is not None and path.is_file())


def _import_file(path: Path, root: Path, owner: str, md5: str) -> int:
    """Import a file; how many objects does it hold?"""
    module = "" if path.parent == root else path.parent.relative_to(root).as_posix()
    objects = _load_pickle(path)
    version = objects.pop("colossus_version", _FIRST_VERSION)
    if _outdated(version):
        return 0
    tier = _Tier("w", version)
    imported = 0
    for name, value in objects.items():
        kept = freeze(value)
        record = CachedResult(kept, copy_for_caller(kept, deep=False))
        imported += tier.save(_imported_by_md5(module, owner, md5, name), record)
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


# --------------------------------------------------------------------------------------------------------------------
# In the place of the original
# --------------------------------------------------------------------------------------------------------------------

_NAME = "colossus.utils.storage"
_ours = sys.modules[__name__]
_cosmologies: WeakSet[Any] = WeakSet()
"""Those that were given another StorageUser, and may no longer be the current one when it is taken back."""


def install() -> None:
    """Put this module in the place of ``colossus.utils.storage``, in all modules of Colossus, imported or not.

    The StorageUsers that modules hold, and that of the current cosmology, are exchanged for such of this module. They
    begin with empty memory: what they had computed is read from entries, or computed anew. Other cosmologies that were
    made before go on with what they have. The original module is not changed, only its references.
    """
    _exchange(_original, _ours, _user_in_place_of)


def uninstall() -> None:
    """Undo `install`, in modules that were imported since as well.

    A StorageUser that was exchanged is put back as it was. One made since then, by a module or for the current
    cosmology, becomes one of Colossus, which then reads and writes its own files; other cosmologies made since go on
    with what they have. Entries stay, and are found after the next `install`.
    """
    _exchange(_ours, _original, _original_user)
    _cosmologies.clear()


def _exchange(old: ModuleType, new: ModuleType, exchanged_user: Callable[[Any], Any]) -> None:
    """Put one storage module, and what is made of it, in the place of the other wherever Colossus refers to it."""
    sys.modules[_NAME] = new
    replacements = {id(old): new, id(old.StorageUser): new.StorageUser, id(old.getCacheDir): new.getCacheDir}
    holders = []
    for module in _modules_of_colossus():
        for name, value in list(vars(module).items()):
            if id(value) in replacements:
                setattr(module, name, replacements[id(value)])
            elif type(value) is old.StorageUser:
                holders.append((module, name))
    for cosmology in _known_cosmologies():
        if type(getattr(cosmology, "storageUser", None)) is old.StorageUser:
            holders.append((cosmology, "storageUser"))
            _cosmologies.add(cosmology)
    for holder, name in holders:
        setattr(holder, name, exchanged_user(getattr(holder, name)))


def _modules_of_colossus() -> list[ModuleType]:
    named = [module for name, module in list(sys.modules.items()) if f"{name}.".startswith("colossus.")]
    return [each for each in named if isinstance(each, ModuleType) and each is not _original and each is not _ours]


def _known_cosmologies() -> list[Any]:
    current = getattr(sys.modules.get("colossus.cosmology.cosmology"), "current_cosmo", None)
    return [*_cosmologies, *([] if current is None or current in _cosmologies else [current])]


def _user_in_place_of(original: Any) -> StorageUser:
    if original.func_changed is not None and original.checkForChangedHash():
        original.func_changed()  # the new StorageUser begins with the parameters of now, and sees no change
    letters = ("r" if original.persistence_read else "") + ("w" if original.persistence_write else "")
    user = StorageUser(original.module, letters, original.func_name, original.func_hashstring, original.func_changed)
    user._in_place_of = original
    return user


def _original_user(user: StorageUser) -> Any:
    """The StorageUser that was there, or for one made since then, such as Colossus would have made."""
    user.current_state()  # tells the owner of a change that the original might not see
    if user._in_place_of is not None:
        return user._in_place_of
    letters = user.persistent.persistence
    return _original.StorageUser(user.module, letters, user.func_name, user.func_hashstring, user.func_changed)
