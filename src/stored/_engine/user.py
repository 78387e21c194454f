"""What is a `StorageUser`? The storage space of one owner, with the method names of the Colossus storage module."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable
from typing import Any, Literal, Self

from stored._engine.copying import check_copied_with_owner
from stored._engine.space import UserSpace
from stored._engine.spaces import spaces_told_by
from stored._engine.text_tables import file_state, is_outdated, load_text_table
from stored._fork_safe_lock import ForkSafeLock
from stored._keys import Key, Space, checked_string, digest
from stored._settings import adopt_settings, sent_settings, validity
from stored._storage import CachedResult, PersistentTier, Slot, freeze_for_callers, headers_of_space
from stored._tables import Spline, copy_of_spline, spline
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
        If a function is not callable, or returns no text.
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
        """Note that owners can hold a StorageUser from now on, however it is made: copied or unpickled too."""
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
        self._set_up()
        self._take_new_space()

    def _set_up(self) -> None:
        self._lock = ForkSafeLock()
        self._callback = _CallbackFlag()
        self._space: UserSpace | None = None
        self.decorated: Any = None  # the records of owners with decorated methods, which are freed with this object

    def _persistent_tier(self, persistence: str) -> PersistentTier:
        return PersistentTier(persistence)

    def __repr__(self) -> str:
        return f"<StorageUser {self.module}/{self.func_name()} {self.getHash()}>"

    def __getstate__(self) -> dict[str, Any]:
        kept = ("module", "func_name", "func_hashstring", "func_changed", "persistent")
        state = {name: getattr(self, name) for name in kept}
        return {**state, "_sent": sent_settings(), "_address": None if self._space is None else self._space.address}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Start with empty memory and the parameters of before, so that a change since then is still announced.

        In another process, results are kept where the one did that sent it.
        """
        self._set_up()
        self.__dict__.update(state)
        adopt_settings(self.__dict__.pop("_sent"))
        address = self.__dict__.pop("_address", None)
        self._space = None if address is None else UserSpace(address, self.persistent)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy with the owner: the copy's methods describe the copy, but plain functions would describe the original.

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
        """How the names of the entries of this user's objects begin, for its present parameters."""
        return self.persistent.store().location(self._address().prefix)

    def _address(self) -> Space:
        return Space(self.module, checked_string(self.func_name(), "func_name()"), self._string())

    def _take_new_space(self) -> UserSpace:
        with self._lock:
            self._space = space = self._new_space()
        return space

    def _new_space(self) -> UserSpace:
        return UserSpace(self._address(), self.persistent)

    def checkForChangedHash(self) -> bool:
        """Has the hashable string changed since the storage was last used?

        A decorated method of an owner that holds this user uses it too.
        """
        return self._space is not None and self._string() != self._space.string

    def resetStorage(self) -> None:
        """Empty the memory, results of decorated methods too, and take the present hashable string.

        Entries on disk stay, and are found when asked for.
        """
        now = self._take_new_space()
        for owner, record in self._owner_records():
            record.empty(owner, self)
        for space in spaces_told_by(now.address):  # of objects that hold equal users, too
            space.empty()

    def _owner_records(self) -> list[tuple[Any, Any]]:
        """The owners that this user describes, with their records; None for one that has been freed."""
        return [] if self.decorated is None else self.decorated.records()

    def describes_class(self, owner_class: type) -> bool:
        """Was this user made on demand, for an object of a class?"""
        return False

    def current_space(self) -> UserSpace:
        """The space for the present name and hashable string; if the string is new, after the change callback."""
        space = self._space
        if space is not None and self._is_told_by(space):
            return space
        with self._lock:
            # a callback that stores or reads uses the new parameters, and is not called again
            if self.checkForChangedHash() and not self._callback.runs:
                self._announce_change()
            if self._space is None or not self._is_told_by(self._space):
                self._space = self._new_space()
            return self._space

    def _is_told_by(self, space: UserSpace) -> bool:
        """Are string and name those of a space? A change of the name alone is none that is announced."""
        return self._string() == space.string and self.func_name() == space.address.name

    def _announce_change(self) -> None:
        previous = self._space
        self._callback.runs = True
        try:
            if self.func_changed is not None:
                self.func_changed()
        except BaseException:
            self._space = previous  # so that the change is announced again
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
        name = _checked_text(object_name, "object_name")
        value, copy = freeze_for_callers(object_data)
        result = CachedResult(value, copy, persistent=bool(persistent))
        space = self.current_space()
        with space.lock:
            space.put(name, result)
            if persistent:
                self._slot(space, name).save(value)

    def _slot(self, space: UserSpace, name: str) -> Slot:
        return self.persistent.slot(Key(space.address, name))

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
        space = self._space
        if space is None or self.func_hashstring() != space.string or self.func_name() != space.address.name:
            space = self.current_space()
        if path is None:
            try:
                found = space.shortcuts[object_name][interpolator, inverse, linear_interp]
                return copy_of_spline(found) if interpolator else found
            except (KeyError, TypeError):  # no shortcut, or not a name
                pass
        if inverse and not interpolator:
            raise ValueError(f"object {object_name!r} was asked for with inverse=True; that needs interpolator=True")
        name = _checked_text(object_name, "object_name")
        result = space.objects.get(name, ABSENT)
        if result is ABSENT or (path is not None and is_outdated(result, path)):
            with space.lock:
                result = self._find(space, name, path, store_path_data)
        if result is ABSENT:
            return None
        if not interpolator:
            found, keep = result.for_caller(), result.copy is None
        else:
            found, keep = _interpolator(result, name, bool(inverse), bool(linear_interp), store_interpolator)
        if keep and result.source is None:
            space.add_shortcut(name, result, (bool(interpolator), bool(inverse), bool(linear_interp)), found)
        return copy_of_spline(found) if interpolator else found

    def _find(self, space: UserSpace, name: str, path: Any, keep: bool) -> CachedResult | Literal[Absent.ABSENT]:
        result = space.objects.get(name, ABSENT)
        if result is not ABSENT and (path is None or not is_outdated(result, path)):
            return result  # another thread was first
        result = self._slot(space, name).load()
        if result is ABSENT and path is not None and self.persistence_read:
            source = file_state(path)  # read first: a file that changes while it is loaded is loaded again
            table, copy = freeze_for_callers(load_text_table(path, name))
            result = CachedResult(table, copy, persistent=False, source=source)
        if result is not ABSENT and (keep or result.source is None):
            space.put(name, result)
        return result

    def removeObject(self, object_name: str) -> bool:
        """Remove an object from memory and, if writing is allowed, from disk; was there one?"""
        name, space = _checked_text(object_name, "object_name"), self.current_space()
        with space.lock:
            in_memory = space.discard(name)
            return self._slot(space, name).forget() or in_memory

    def listObjects(self) -> list[str]:
        """The names of all objects that are stored for the present parameters, and decorated calls, sorted.

        A result of a decorated method of an object that holds this user is listed as its call, such as
        ``"age(z=1)"``. Entries on disk are listed by their headers; that the content of one is damaged is found when it
        is asked for.
        """
        space = self.current_space()
        labels = {Key(space.address, str(name)).label() for name in list(space.objects)}
        records = [each for each in self._owner_records() if each[1].is_described_by(self)]
        addresses, methods = {space.address}, []
        for owner, record in records:
            addresses |= record.addresses(owner, self)
            methods += record.names_of_methods(owner)
        for each in addresses:
            for _, record in records:
                labels |= {key.label() for key in record.keys_in(each) if key.space in addresses}
            if self.persistence_read:
                found = headers_of_space(self.persistent.store(), each, methods)
                keys = [header.key for header in found if header.key.space in addresses]
                # only what a method has computed has a version; another is no object of this name
                labels |= {key.label() for key in keys if key.definition or not key.version}
        return sorted(labels)


class _CallbackFlag(threading.local):
    """Is this thread in the change callback? A process that another thread forks meanwhile is not."""

    runs = False


def _checked_text(found: object, name: str) -> str:
    if isinstance(found, str):
        return str.__str__(found)  # the plain text, whatever the subclass makes of it
    raise TypeError(f"{name} is {found!r} of type {type(found).__name__}; it must be a str")


def _callable(function: Any, name: str) -> Any:
    if callable(function):
        return function
    raise OwnerError(f"{name} is {function!r}; it must be a function without arguments")


def _interpolator(result: CachedResult, name: str, inverse: bool, linear: bool, keep: bool) -> tuple[Spline, bool]:
    """The interpolator; is it kept in memory?"""
    derived = {} if result.derived is None else result.derived
    interpolator: Spline | None = derived.get((inverse, linear))
    if interpolator is None:
        interpolator = spline(result.value, name, inverse=inverse, linear=linear)
        if keep:
            result.derived = {**derived, (inverse, linear): interpolator}
    return interpolator, keep or (inverse, linear) in derived
