"""A replacement for the storage module of Colossus, ``colossus.utils.storage``.

>>> import stored.compat.colossus
>>> stored.compat.colossus.install()
>>> stored.compat.colossus.uninstall()

From `install` to `uninstall`, all of Colossus stores its tables here. Code that uses ``colossus.utils.storage`` itself
can import this module in its place. Entries live in the directory that Colossus uses, ``.colossus/cache`` in
``colossus.settings.BASE_DIR`` or in the home directory, whatever directories are given to
`stored.configure`; its `persistence` and `disable` apply.

The cache files of Colossus itself, which are pickles, lie in the same directory and are neither read nor written;
`import_cache` imports what they hold.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal
from weakref import WeakSet

import numpy as np

from stored._engine import StorageUser as _StorageUser
from stored._engine import directory_of
from stored._keys import Key
from stored._storage import CachedResult
from stored.errors import ConfigurationError
from stored.typing import ABSENT, Absent

try:
    from colossus import settings as colossus_settings  # type: ignore[import-untyped]
    from colossus.utils import storage as _original  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError(
        f"stored.compat.colossus takes its settings from an installed Colossus, which cannot be imported ({error});"
        " install it with: pip install colossus",
        name=error.name,
    ) from error

# not before it is known that there is a Colossus, which these import
from stored.compat._import_files import import_files
from stored.compat._tier import ColossusTier, colossus_store

__all__ = ["StorageUser", "getCacheDir", "import_cache", "install", "uninstall"]


def getCacheDir(module: str | None = None) -> str:
    """The directory of the entries, or of those of a module, with a slash at its end; it is made if need be.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    return directory_of(colossus_store(), module)


class StorageUser(_StorageUser):
    """The storage space of one owner, as Colossus knows it.

    Callers get writable arrays, as in Colossus; here these are copies: writing to them changes nothing stored.

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

    persistent: ColossusTier
    _replaced: Any = None

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

    def _persistent_tier(self, persistence: str) -> ColossusTier:
        return ColossusTier(persistence)

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
        return found if interpolator else _writable_copy(found)

    def listObjects(self) -> list[str]:
        """The names of all objects that `getStoredObject` finds now, sorted."""
        names = set(super().listObjects())
        if self.persistence_read:
            names |= self.persistent.imported_names(self.current_space().address)
        return sorted(names)


def _writable_copy(value: Any) -> Any:
    """A value with copies of its arrays; of plain containers, each caller gets a new one already."""
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if type(value) in {tuple, list}:
        return type(value)([_writable_copy(each) for each in value])
    if type(value) is dict:
        return {name: _writable_copy(each) for name, each in value.items()}
    return value


class _Objects(MutableMapping[str, Any]):
    """The persistent objects of a user, or those in memory only, as a mapping that is always up to date."""

    def __init__(self, user: StorageUser, *, persistent: bool) -> None:
        self._user = user
        self._persistent = persistent

    def __repr__(self) -> str:
        return f"<{'persistent' if self._persistent else 'memory-only'} objects of {self._user!r}: {list(self)}>"

    def _find(self, name: object) -> CachedResult | Literal[Absent.ABSENT]:
        space = self._user.current_space()
        result = space.objects.get(name, ABSENT)
        if result is not ABSENT and result.persistent is self._persistent:
            return result
        if self._persistent and isinstance(name, str):
            return self._user.persistent.slot(Key(space.address, name)).load()
        return ABSENT

    def __getitem__(self, name: str) -> Any:
        result = self._find(name)
        if result is ABSENT:
            raise KeyError(name)
        return _writable_copy(result.for_caller())

    def __setitem__(self, name: str, value: Any) -> None:
        self._user.storeObject(name, value, persistent=self._persistent)

    def __delitem__(self, name: str) -> None:
        if self._find(name) is ABSENT:
            raise KeyError(name)
        space = self._user.current_space()
        result = space.objects.get(name, ABSENT)
        if result is not ABSENT and result.persistent is self._persistent:
            space.discard(name)
        if self._persistent:
            self._user.persistent.slot(Key(space.address, name)).forget()
        if self._find(name) is not ABSENT:  # without this, clear() would never end
            raise PermissionError(f"object {name!r} is on disk, and cannot be removed there by this StorageUser")

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._user.listObjects() if self._find(name) is not ABSENT)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def import_cache(directory: str | os.PathLike[str]) -> int:
    """Import cache files that Colossus wrote.

    .. warning::
        The files are pickles, and loading a pickle runs whatever code it holds. Import only files that you, or
        programs you trust, have written.

    Every object becomes an entry in the directory of `getCacheDir`, where a `StorageUser` with the module, the name and
    the hashable string of the file finds it. The files stay as they are. Files that are outdated by
    ``colossus.settings.PERSISTENCE_OLDEST_VERSION`` are skipped without a warning. A file that cannot be read or
    loaded, whatever its pickle raises, and an object that cannot be stored are passed over with an `EntryWarning` each;
    everything else is imported. What Colossus has stored under wrong parameters, as it could after a change, is wrong
    in the entries too. An imported object is found by the MD5 of the hashable string, which is all that a file holds of
    it.

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
        If `stored.configure` allows no writing.
    """
    root = Path(directory).expanduser()
    if not root.is_dir():
        raise NotADirectoryError(f"{os.fspath(directory)!r} is not a directory; give the cache directory of Colossus")
    if not ColossusTier("w").writes:
        raise ConfigurationError(
            "import_cache writes entries, and stored.configure() allows no writing; give it persistence='rw' and"
            " disable=False"
        )
    return import_files(root)


_NAME = "colossus.utils.storage"
_ours = sys.modules[__name__]
_cosmologies: WeakSet[Any] = WeakSet()
"""Those whose StorageUser was replaced: `uninstall` must find them even if they are no longer the current one."""


def install() -> None:
    """Put this module in the place of ``colossus.utils.storage``, in all modules of Colossus, imported or not.

    The StorageUsers that modules hold, and that of the current cosmology, are replaced by StorageUsers of this module.
    They begin with empty memory: what they had computed is read from entries, or computed again. Other cosmologies that
    were made before keep the StorageUser that they have. The original module is not changed, only its references.
    """
    _exchange(_original, _ours, _replacement_user)


def uninstall() -> None:
    """Undo `install`, in modules that were imported since as well.

    A StorageUser that was replaced is put back as it was. One made since then, by a module or for the current
    cosmology, is replaced by one of Colossus, which then reads and writes its own files; other cosmologies made since
    keep the one that they have. Entries stay, and are found after the next `install`.
    """
    _exchange(_ours, _original, _original_user)
    _cosmologies.clear()


def _exchange(old: ModuleType, new: ModuleType, replacement_of: Callable[[Any], Any]) -> None:
    """Replace one storage module and its StorageUsers by the other, wherever Colossus refers to them."""
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
        setattr(holder, name, replacement_of(getattr(holder, name)))


def _modules_of_colossus() -> list[ModuleType]:
    named = [module for name, module in list(sys.modules.items()) if f"{name}.".startswith("colossus.")]
    return [each for each in named if isinstance(each, ModuleType) and each is not _original and each is not _ours]


def _known_cosmologies() -> list[Any]:
    current = getattr(sys.modules.get("colossus.cosmology.cosmology"), "current_cosmo", None)
    return [*_cosmologies, *([] if current is None or current in _cosmologies else [current])]


def _replacement_user(original: Any) -> StorageUser:
    if original.func_changed is not None and original.checkForChangedHash():
        original.func_changed()  # the new StorageUser begins with the present parameters, and sees no change
    letters = ("r" if original.persistence_read else "") + ("w" if original.persistence_write else "")
    user = StorageUser(original.module, letters, original.func_name, original.func_hashstring, original.func_changed)
    user._replaced = original
    return user


def _original_user(user: StorageUser) -> Any:
    """The StorageUser of Colossus that one replaced; for one made since `install`, a new one with its functions."""
    user.current_space()  # calls func_changed if the hash changed, since the original might not notice
    if user._replaced is not None:
        return user._replaced
    letters = user.persistent.persistence
    return _original.StorageUser(user.module, letters, user.func_name, user.func_hashstring, user.func_changed)
