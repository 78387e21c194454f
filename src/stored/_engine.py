"""The engine: `StorageUser`, the storage space of one owner."""

from __future__ import annotations

import copy
import os
import threading
import time
from collections.abc import Callable
from types import FunctionType
from typing import Any, Literal, Self, cast

from stored._codecs import frozen, hand_out_for
from stored._config import epoch
from stored._keys import Key, Space, digest, module_folder
from stored._memory import ForkSafeLock, MemoryTier, Record
from stored._owners import OWN_TEST, Proof, checked_string, user_guards
from stored._persistence import PersistentTier, current_store, readable_key
from stored._tables import Spline, load_text_table, spline
from stored.errors import ConfigurationError, OwnerError
from stored.stores import DirectoryStore, LayeredStore
from stored.typing import ABSENT, Absent

__all__ = ["StorageUser", "UserSnapshot", "directory_of", "getCacheDir"]


class _State:
    """What a StorageUser holds in memory for one hashable string."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.lock = ForkSafeLock()  # held while memory and store change together; reading memory needs none
        self.objects: MemoryTier[Record] = MemoryTier(lock=self.lock)
        self.shortcuts: dict[str, dict[tuple[bool, bool, bool], Any]] = {}

    def put(self, name: str, record: Record) -> None:
        """Keep a record, and forget what was made of the one before."""
        self.objects.put(name, record)
        self.shortcuts.pop(name, None)

    def discard(self, name: str) -> bool:
        """Forget a record; was there one?"""
        was_there = self.objects.discard(name)
        self.shortcuts.pop(name, None)
        return was_there

    def take_shortcut(self, name: str, record: Record, form: tuple[bool, bool, bool], found: Any) -> None:
        """Answer at once, from now on, what was found in a record; its form is interpolator, inverse and linear."""
        if not self.lock.acquire(blocking=False):
            return  # whoever holds it may be writing for long; a later call takes the shortcut
        try:
            if self.objects.get(name) is record:  # and not replaced meanwhile
                self.shortcuts.setdefault(name, {})[form] = found
        finally:
            self.lock.release()

    def __reduce__(self) -> tuple[type[_State], tuple[Space]]:
        return _State, (self.space,)


class _Callback(threading.local):
    """Is this thread in the change callback? A process forked meanwhile by another thread is not."""

    runs = False


class UserSnapshot:
    """The parameters behind a StorageUser at one moment.

    Parameters
    ----------
    user : StorageUser
        It tells them.
    own : type
        The class of the owner.
    attribute : str or None
        Where the owner holds the user, if it does.
    """

    def __init__(self, user: StorageUser, own: type, attribute: str | None) -> None:
        self._user = user
        self._own = own
        self._attribute = attribute
        self._state = user.current_state()

    @property
    def space(self) -> Space:
        """Whose results they stand for."""
        return self._state.space

    def holds(self, owner: object) -> bool:
        """Is the hashable string still the same, and the storage not reset?"""
        return self._user.current_state() is self._state

    def proof(self, guarded: bool) -> Proof | None:
        """The user, its state and the string are the same; a change is left to `holds`, which tells of it."""
        attribute = self._attribute
        guards = None if attribute is None else user_guards(self._own, attribute)
        if guards is None:
            return None
        held = f"{{owner}}.{attribute} is {{known}}.user and {{known}}.user._state is {{known}}.state"
        tests = [OWN_TEST, *guards, held, "{known}.user.func_hashstring() == {known}.string"]
        known = {"own": self._own, "user": self._user, "state": self._state, "string": self._state.space.string}
        return Proof(" and ".join(tests), known, refers_to_owner=True)  # through func_hashstring


class StorageUser:
    """The storage space of one owner.

    Objects are stored and found by name, for as long as the owner's hashable string stays what it was; a change is
    noticed at the next access. Method names and meanings are those of the storage module of Colossus.

    Parameters
    ----------
    module : str
        The folder of the entries.
    persistence : {"rw", "r", "w", ""}
        Is the disk read and written, read only, written only, or not used at all?
    func_name : callable
        Takes nothing and returns the name of the owner.
    func_hashstring : callable
        Takes nothing and returns the hashable string: name and parameters of the owner. Whatever must discard results
        must change it.
    func_changed : callable or None
        Called, with nothing, once for each change of the hashable string, before the storage is reset.

    Raises
    ------
    ConfigurationError
        If the persistence has other letters.
    OwnerError
        If a function cannot be called, or returns no text.
    TypeError
        If the module is no text.

    Examples
    --------
    >>> user = StorageUser("docs", "", lambda: "model", lambda: "model 1.5", None)
    >>> user.storeObject("limits", [2.6, 9.5])
    >>> user.getStoredObject("limits")
    [2.6, 9.5]
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """However it is made, by copying or unpickling too, owners can hold it from now on."""
        epoch.note_user()
        return super().__new__(cls)

    def __init__(
        self,
        module: str,
        persistence: str,
        func_name: Callable[[], str],
        func_hashstring: Callable[[], str],
        func_changed: Callable[[], object] | None,
    ) -> None:
        self.module = _text(module, "module")
        self.func_name = _callable(func_name, "func_name")
        self.func_hashstring = _callable(func_hashstring, "func_hashstring")
        self.func_changed = None if func_changed is None else _callable(func_changed, "func_changed")
        self.persistent = self._persistent_tier(persistence)
        self._begin()
        self.resetStorage()

    def _begin(self) -> None:
        self._lock = ForkSafeLock()
        self._callback = _Callback()
        self._state: _State | None = None
        self.decorated: Any = None  # results of decorated methods, which end with this object

    def _persistent_tier(self, persistence: str) -> PersistentTier:
        return PersistentTier(persistence)

    def __repr__(self) -> str:
        return f"<StorageUser {self.module}/{self.func_name()} {self.getHash()}>"

    def __getstate__(self) -> dict[str, Any]:
        kept = ("module", "func_name", "func_hashstring", "func_changed", "persistent", "_state")
        state = {name: getattr(self, name) for name in kept}
        return {**state, "_state": _State(self._state.space)} if self._state is not None else state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Come back with empty memory, knowing the parameters of before: a change since then is still announced."""
        self._begin()
        self.__dict__.update(state)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy with the owner, which methods follow; a plain function would go on describing the original.

        Raises
        ------
        OwnerError
            If the owner is being copied, and func_hashstring is a plain function that refers to it.
        """
        if isinstance(self.func_hashstring, FunctionType):
            for each in _referred_to(self.func_hashstring):
                if id(each) in memo:
                    raise _describes_the_original(each)
        memo[id(self)] = copied = type(self).__new__(type(self))
        copied.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return copied

    def describes_instead(self, owner: object) -> object | None:
        """The other object of an owner's class whose parameters the hashable string tells, as far as can be seen."""
        alike = [each for each in _referred_to(self.func_hashstring) if type(each) is type(owner)]
        return None if not alike or any(each is owner for each in alike) else alike[0]

    def rebound(self, original: object, copied: object) -> StorageUser:
        """A user with the same functions, called on a copy of the object that they belong to.

        Raises
        ------
        OwnerError
            If the functions are not methods, and so cannot be called on the copy.
        """
        rebound = copy.copy(self)
        functions: list[Any] = [self.func_name, self.func_hashstring, self.func_changed]
        for index, function in enumerate(functions):
            if getattr(function, "__self__", None) is original:
                functions[index] = function.__func__.__get__(copied)
            elif function is self.func_hashstring:
                raise _describes_the_original(copied)
        rebound.func_name, rebound.func_hashstring, rebound.func_changed = functions
        return rebound

    # -- the hashable string ------------------------------------------------------------------------------------------

    @property
    def persistence_read(self) -> bool:
        """Is the disk read?"""
        return self.persistent.reads

    @property
    def persistence_write(self) -> bool:
        """Is the disk written?"""
        return self.persistent.writes

    def _string(self) -> str:
        return checked_string(self.func_hashstring(), "func_hashstring()")

    def getHash(self) -> str:
        """The digest of the hashable string, 32 hex digits."""
        return digest(self._string())

    def getUniqueFilename(self) -> str:
        """Where the entries of this owner, with its parameters of now, are."""
        return self.persistent.store().location(self._space().folder())

    def _space(self) -> Space:
        return Space(self.module, checked_string(self.func_name(), "func_name()"), self._string())

    def checkForChangedHash(self) -> bool:
        """Has the hashable string changed since the storage was last used or reset?"""
        return self._state is not None and self._string() != self._state.space.string

    def resetStorage(self) -> None:
        """Empty the memory and take the hashable string of now; what is on disk stays, and is found as needed."""
        with self._lock:
            self._state = _State(self._space())

    def current_state(self) -> _State:
        """The state for the hashable string of now, after the change callback if that is new."""
        state = self._state
        if state is not None and self._string() == state.space.string:
            return state
        with self._lock:
            # a callback that stores or reads sees the new parameters, and is not called again
            if self.checkForChangedHash() and not self._callback.runs:
                self._announce_change()
            if self._state is None or self.checkForChangedHash():
                self.resetStorage()
            return cast(_State, self._state)

    def _announce_change(self) -> None:
        before = self._state
        self._callback.runs = True
        try:
            if self.func_changed is not None:
                self.func_changed()
        except BaseException:
            self._state = before  # so that the change is announced again
            raise
        finally:
            self._callback.runs = False

    # -- objects ------------------------------------------------------------------------------------------------------

    def storeObject(self, object_name: str, object_data: Any, persistent: bool = True) -> None:
        """Store an object, in place of one of the same name and all that was made from it.

        Parameters
        ----------
        object_name : str
            Any name.
        object_data : object
            Any value. Arrays and plain containers are copied: later changes to them change nothing stored. For
            persistence, a value that is neither plain data nor arrays is pickled and signed.
        persistent : bool
            Write it to disk too, if the persistence of this user allows. An object stored with ``False`` hides a
            persistent one of the same name until the memory is reset.
        """
        name, value = _text(object_name, "object_name"), frozen(object_data)
        record = Record(value, hand_out_for(value, private=False), persistent=bool(persistent))
        state = self.current_state()
        with state.lock:
            state.put(name, record)
            if persistent:
                self.persistent.save(Key(state.space, name), record)

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

        Parameters
        ----------
        object_name : str
            The name under which it was stored.
        interpolator : bool
            Return a spline over the object, which must be a table: an array of shape (2, n), or a tuple (x, y, z) with
            z of shape (len(x), len(y)).
        inverse : bool
            With `interpolator`, interpolate x(y); the values must be monotonic.
        path : path-like, optional
            A text file of two columns, ``#`` beginning a comment, that is read if no such object is stored. It is read
            again when it has changed. Like all of the disk, it is not used by a user without ``"r"``.
        store_interpolator : bool
            Keep the interpolator in memory.
        store_path_data : bool
            Keep what was read from `path` in memory.
        linear_interp : bool
            Interpolate linearly.

        Returns
        -------
        object
            The object, arrays read-only; a scipy ``InterpolatedUnivariateSpline`` or ``RectBivariateSpline`` with
            `interpolator`; None if nothing is found.

        Raises
        ------
        TableError
            If an interpolator is asked for that the object cannot give.
        FileNotFoundError
            If `path` is needed and does not exist.
        """
        state = self._state
        if state is None or self.func_hashstring() != state.space.string:
            state = self.current_state()
        if path is None:
            try:
                return state.shortcuts[object_name][interpolator, inverse, linear_interp]
            except (KeyError, TypeError):  # not there, or no name
                pass
        if inverse and not interpolator:
            raise ValueError(f"object {object_name!r} was asked for with inverse=True; that needs interpolator=True")
        name = _text(object_name, "object_name")
        record = state.objects.get(name)
        if record is ABSENT or (path is not None and _outdated(record, path)):
            with state.lock:
                record = self._found(state, name, path, store_path_data)
        if record is ABSENT:
            return None
        if not interpolator:
            found, keep = record.handed_out(), record.hand_out is None
        else:
            found, keep = _interpolator(record, name, bool(inverse), bool(linear_interp), store_interpolator)
        if keep and record.source is None:
            state.take_shortcut(name, record, (bool(interpolator), bool(inverse), bool(linear_interp)), found)
        return found

    def _found(self, state: _State, name: str, path: Any, keep: bool) -> Record | Literal[Absent.ABSENT]:
        record = state.objects.get(name)
        if record is not ABSENT and (path is None or not _outdated(record, path)):
            return record  # another thread was first
        record = self.persistent.load(Key(state.space, name))
        if record is ABSENT and path is not None and self.persistence_read:
            source = _file_state(path)  # taken first: a file that changes while it is read is read again
            record = Record(frozen(load_text_table(path, name)), persistent=False, source=source)
        if record is not ABSENT and (keep or record.source is None):
            state.put(name, record)
        return record

    def removeObject(self, object_name: str) -> bool:
        """Forget an object, in memory and, if writing is allowed, on disk; was there one?"""
        name, state = _text(object_name, "object_name"), self.current_state()
        with state.lock:
            in_memory = state.discard(name)
            return self.persistent.forget(Key(state.space, name)) or in_memory

    def listObjects(self) -> list[str]:
        """The names of all objects that are stored for the parameters of now, sorted.

        Entries on disk are listed by their headers; one whose content is damaged shows so when it is asked for.
        """
        state = self.current_state()
        names = {str(name) for name in state.objects.keys()}
        if self.persistence_read:
            for name, header in self.persistent.headers(state.space.folder()):
                key = readable_key(header)
                if key is not None and key == Key(state.space, key.object) and key.entry() == name:
                    names.add(key.object)
        return sorted(names)


def _text(found: object, name: str) -> str:
    if isinstance(found, str):
        return str.__str__(found)  # whatever its class shows it as
    raise TypeError(f"{name} is {found!r} of type {type(found).__name__}; it must be a str")


def _callable(function: Any, name: str) -> Any:
    if callable(function):
        return function
    raise OwnerError(f"{name} is {function!r}; it must be a function without arguments")


def _describes_the_original(owner: object) -> OwnerError:
    return OwnerError(
        f"a copied {type(owner).__qualname__} holds the StorageUser of the object it was copied from, whose"
        " func_hashstring describes that object; give each copy a StorageUser of its own, or pass methods of the object"
        " as its functions"
    )


def _referred_to(function: Any) -> list[object]:
    """The objects that a function can reach without a global name."""
    cells = [_cell_contents(cell) for cell in getattr(function, "__closure__", None) or ()]
    defaults = getattr(function, "__defaults__", None) or ()
    partial = (*getattr(function, "args", ()), *getattr(function, "keywords", {}).values())
    return [getattr(function, "__self__", None), *cells, *defaults, *partial]


def _cell_contents(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not bound
        return None


_SAME_TIME = 2_000_000_000
"""Two changes of a file within so many nanoseconds may leave it with the same times, on some file systems."""


def _file_state(path: str | os.PathLike[str]) -> object:
    """What tells a file from itself after a change; equal to nothing if it changed just now, and may again unseen."""
    try:
        state = os.stat(path)
    except OSError:
        return None
    settled = time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > _SAME_TIME
    return (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns) if settled else object()


def _outdated(record: Record, path: str | os.PathLike[str]) -> bool:
    """Was a table read from another file than this, or before the file changed? A file that is gone cannot tell."""
    now = _file_state(path)
    return record.source is not None and now is not None and record.source != now


def _interpolator(record: Record, name: str, inverse: bool, linear: bool, keep: bool) -> tuple[Spline, bool]:
    """The interpolator, and whether it is kept."""
    made: Spline | None = record.made.get((inverse, linear))
    if made is None:
        made = spline(record.value, name, inverse=inverse, linear=linear)
        if keep:
            record.made[inverse, linear] = made
    return made, (inverse, linear) in record.made


def getCacheDir(module: str | None = None) -> str:
    """The directory of the entries, or of those of a module, with a slash at its end; it is made if need be.

    Raises
    ------
    ConfigurationError
        If entries do not live in a directory.
    OSError
        If the directory cannot be made.
    """
    store = current_store()
    if isinstance(store, LayeredStore):
        store = store.upper
    if not isinstance(store, DirectoryStore):
        raise ConfigurationError(f"entries live in {store!r}, which has no directory")
    return directory_of(store, module)


def directory_of(store: DirectoryStore, module: str | None) -> str:
    """The directory of a module's entries, made if need be."""
    place = store.root if module is None else store.root / module_folder(module)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"{place}{os.sep}"
