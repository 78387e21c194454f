"""`StorageUser`: the storage space of one owner, by the names of the Colossus storage module."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any, Literal, Self, cast

from stored._engine.copying import check_copied_with_owner
from stored._engine.state import CallbackFlag, State
from stored._engine.text_tables import file_state, is_outdated, load_text_table
from stored._keys import Key, Space, checked_string, digest
from stored._settings import validity
from stored._storage import CachedResult, ForkSafeLock, PersistentTier, copy_for_caller, freeze, headers, key_in_header
from stored._tables import Spline, spline
from stored.errors import OwnerError
from stored.typing import ABSENT, Absent

__all__ = ["StorageUser"]


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
        validity.note_storage_user()
        return super().__new__(cls)

    def __init__(
        self,
        module: str,
        persistence: str,
        func_name: Callable[[], str],
        func_hashstring: Callable[[], str],
        func_changed: Callable[[], object] | None,
    ) -> None:
        self.module = _checked_text(module, "module")
        self.func_name = _callable(func_name, "func_name")
        self.func_hashstring = _callable(func_hashstring, "func_hashstring")
        self.func_changed = None if func_changed is None else _callable(func_changed, "func_changed")
        self.persistent = self._persistent_tier(persistence)
        self._begin()
        self.resetStorage()

    def _begin(self) -> None:
        self._lock = ForkSafeLock()
        self._callback = CallbackFlag()
        self._state: State | None = None
        self.decorated: Any = None  # results of decorated methods, which end with this object

    def _persistent_tier(self, persistence: str) -> PersistentTier:
        return PersistentTier(persistence)

    def __repr__(self) -> str:
        return f"<StorageUser {self.module}/{self.func_name()} {self.getHash()}>"

    def __getstate__(self) -> dict[str, Any]:
        kept = ("module", "func_name", "func_hashstring", "func_changed", "persistent", "_state")
        state = {name: getattr(self, name) for name in kept}
        return {**state, "_state": State(self._state.space)} if self._state is not None else state

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
        check_copied_with_owner(self.func_hashstring, memo)
        memo[id(self)] = copied = type(self).__new__(type(self))
        copied.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return copied

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
            self._state = State(self._space())

    def current_state(self) -> State:
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
            return cast(State, self._state)

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
        name, value = _checked_text(object_name, "object_name"), freeze(object_data)
        record = CachedResult(value, copy_for_caller(value, deep=False), persistent=bool(persistent))
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
        name = _checked_text(object_name, "object_name")
        record = state.objects.get(name)
        if record is ABSENT or (path is not None and is_outdated(record, path)):
            with state.lock:
                record = self._found(state, name, path, store_path_data)
        if record is ABSENT:
            return None
        if not interpolator:
            found, keep = record.for_caller(), record.copy is None
        else:
            found, keep = _interpolator(record, name, bool(inverse), bool(linear_interp), store_interpolator)
        if keep and record.source is None:
            state.take_shortcut(name, record, (bool(interpolator), bool(inverse), bool(linear_interp)), found)
        return found

    def _found(self, state: State, name: str, path: Any, keep: bool) -> CachedResult | Literal[Absent.ABSENT]:
        record = state.objects.get(name)
        if record is not ABSENT and (path is None or not is_outdated(record, path)):
            return record  # another thread was first
        record = self.persistent.load(Key(state.space, name))
        if record is ABSENT and path is not None and self.persistence_read:
            source = file_state(path)  # taken first: a file that changes while it is read is read again
            record = CachedResult(freeze(load_text_table(path, name)), persistent=False, source=source)
        if record is not ABSENT and (keep or record.source is None):
            state.put(name, record)
        return record

    def removeObject(self, object_name: str) -> bool:
        """Forget an object, in memory and, if writing is allowed, on disk; was there one?"""
        name, state = _checked_text(object_name, "object_name"), self.current_state()
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
            for name, header in headers(self.persistent.store(), state.space.folder()):
                key = key_in_header(header)
                if key is not None and key == Key(state.space, key.object) and key.entry_name() == name:
                    names.add(key.object)
        return sorted(names)


def _checked_text(found: object, name: str) -> str:
    if isinstance(found, str):
        return str.__str__(found)  # whatever its class shows it as
    raise TypeError(f"{name} is {found!r} of type {type(found).__name__}; it must be a str")


def _callable(function: Any, name: str) -> Any:
    if callable(function):
        return function
    raise OwnerError(f"{name} is {function!r}; it must be a function without arguments")


def _interpolator(record: CachedResult, name: str, inverse: bool, linear: bool, keep: bool) -> tuple[Spline, bool]:
    """The interpolator, and whether it is kept."""
    made: Spline | None = record.derived.get((inverse, linear))
    if made is None:
        made = spline(record.value, name, inverse=inverse, linear=linear)
        if keep:
            record.derived[inverse, linear] = made
    return made, (inverse, linear) in record.derived
