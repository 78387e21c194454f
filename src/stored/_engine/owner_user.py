"""Which StorageUser has an owner? The one that it holds, or one that is made on demand."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, cast

from stored._engine.copying import live_owner
from stored._engine.owners import OwnerRecord, owner_record
from stored._engine.space import Source, StorageSpace, UserSpace
from stored._engine.user import StorageUser
from stored._fork_safe_lock import ForkSafeLock
from stored._keys import Key, MainModule, Space, adopt_main, is_of_main, main_of
from stored._settings import SentSettings, adopt_settings, sent_settings
from stored._storage import PersistentTier, Slot, Values
from stored.errors import OwnerError

__all__ = ["storage_user"]


def storage_user(owner: object) -> StorageUser:
    """The storage space of an owner, to store objects in it by name, list it and reset it.

    Parameters
    ----------
    owner : object
        An object that tells its parameters in one of the ways in which owners of stored methods do.

    Returns
    -------
    StorageUser
        The one that the owner holds; for another owner one that is made on demand, and is the same with every call.
        It follows the owner's parameters, does not keep it alive, and shares its space with the stored methods.

    Raises
    ------
    OwnerError
        If the owner does not tell its parameters.

    Examples
    --------
    >>> from stored import keyed_by
    >>> @keyed_by("n")
    ... class Model:
    ...     n = 1.5
    >>> model = Model()
    >>> user = storage_user(model)
    >>> user.storeObject("limits", [2.6, 9.5], persistent=False)
    >>> model.n = 2.5
    >>> user.checkForChangedHash(), user.getStoredObject("limits")
    (True, None)
    """
    if isinstance(owner, FunctionType | MethodType | BuiltinFunctionType):
        raise OwnerError(
            f"storage_user() got {owner!r}: functions and methods have no parameters, and so no StorageUser; give the"
            " object whose results are to be stored by name; a stored function keeps its own"
        )
    record = owner_record(owner)
    if record.user is not None:
        return record.user
    record.present_space(owner)  # an OwnerError if the owner does not tell its parameters
    user = _own_user(owner, record)
    user.note_space()
    return user


_lock = ForkSafeLock()


def _own_user(owner: object, record: OwnerRecord) -> _UserOfOwner:
    """The StorageUser that is made on demand, the same for all threads."""
    with _lock:
        # owners without weak references share a record if their parameters are equal
        if record.own_user is None or not record.own_user.describes(owner):
            record.own_user = _UserOfOwner(owner)
        return cast("_UserOfOwner", record.own_user)


def _arrived_user(owner: object, main: MainModule | None, sent: SentSettings) -> StorageUser:
    """The StorageUser of an owner that is being unpickled with it, maybe in another process."""
    if main is not None:
        adopt_main(main)
    adopt_settings(sent)
    return _user_of_copy(owner)


def _user_of_copy(owner: object) -> StorageUser:
    """The StorageUser of an owner that is being copied or unpickled with it, and may have no parameters yet."""
    return _own_user(owner, owner_record(owner)) if type(owner).__weakrefoffset__ else _UserOfOwner(owner)


class _UserOfOwner(StorageUser):
    """The StorageUser of an owner that holds none."""

    def __init__(self, owner: object) -> None:
        self._owner = _reference(owner)
        self._owner_class = type(owner)
        self.func_name, self.func_hashstring, self.func_changed = self._name, self._text, None
        self.persistent = self._persistent_tier("rw")
        self._set_up()

    @property
    def module(self) -> str:  # type: ignore[override]
        """The folder of the entries."""
        return self._present().address.module

    def note_space(self) -> None:
        """Take the present parameters for those of before the next change, if there are none."""
        with self._lock:
            if self._space is None:
                self._space = self._new_space()

    def describes(self, owner: object) -> bool:
        """Does this user describe an owner?"""
        return self._owner() is owner and type(owner) is self._owner_class  # an assignment to __class__ can change that

    def describes_class(self, owner_class: type) -> bool:
        """Was this user made for an object of a class?"""
        return self._owner_class is owner_class

    def _live_owner(self) -> Any:
        return live_owner(self._owner)

    def _present(self) -> StorageSpace:
        owner = self._live_owner()
        return owner_record(owner).present_space(owner).of(owner)

    def _name(self) -> str:
        return self._present().address.name

    def _text(self) -> str:
        return self._present().address.string

    def _address(self) -> Space:
        return self._present().address

    def _slot(self, space: UserSpace, name: str) -> Slot:
        present = self._present()
        is_same = present.address == space.address  # else another thread has changed the parameters just now
        if space.address.private:  # numbers of objects, which are those of others in the next process
            return PersistentTier("").slot(Key(space.address, name))
        described, _, parameters = cast(Source, present.source)
        values: Values | None = (described.names, parameters, {}) if is_same else None
        return self.persistent.slot(Key(space.address, name), values)

    def _owner_records(self) -> list[tuple[Any, Any]]:
        owner = self._live_owner()
        return [(owner, owner_record(owner)), *super()._owner_records()]

    def __reduce__(self) -> tuple[Any, ...]:
        owner = self._live_owner()
        return _arrived_user, (owner, main_of(type(owner)) if is_of_main(type(owner)) else None, sent_settings())

    def __copy__(self) -> StorageUser:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _user_of_copy(copy.deepcopy(self._live_owner(), memo))


def _reference(owner: object) -> Callable[[], object]:
    """A weak reference to an owner, or a function that returns it if it takes none."""
    try:
        return weakref.ref(owner)
    except TypeError:
        return lambda: owner
