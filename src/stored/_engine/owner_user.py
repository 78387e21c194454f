"""Which StorageUser has an owner? The one that it holds, or one that is made on demand."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from typing import Any

from stored._engine.owners import OwnerRecord, owner_record
from stored._engine.space import StorageSpace
from stored._engine.user import StorageUser
from stored._keys import Space
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
    record = owner_record(owner)
    if record.user is not None:
        return record.user
    if record.own_user is None:
        record.own_user = _UserOfOwner(owner, record)
    return record.own_user


class _UserOfOwner(StorageUser):
    """The StorageUser of an owner that holds none."""

    def __init__(self, owner: object, record: OwnerRecord) -> None:
        self._owner = _reference(owner)
        self._record = weakref.ref(record)
        super().__init__(self._present().address.module, "rw", self._name, self._text, None)

    def _live_owner(self) -> Any:
        owner = self._owner()
        if owner is None:
            raise OwnerError("the object that this StorageUser belonged to is gone; keep it, or ask for another's")
        return owner

    def _present(self) -> StorageSpace:
        owner = self._live_owner()
        return owner_record(owner).present_space(owner).of(owner)

    def _name(self) -> str:
        return self._present().address.name

    def _text(self) -> str:
        return self._present().address.string

    def _address(self) -> Space:
        return self._present().address

    def _owner_records(self) -> list[Any]:
        record = self._record()
        return [] if record is None else [record]

    def __reduce__(self) -> tuple[Any, ...]:
        return storage_user, (self._live_owner(),)

    def __copy__(self) -> StorageUser:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return storage_user(copy.deepcopy(self._live_owner(), memo))


def _reference(owner: object) -> Callable[[], object]:
    """A weak reference to an owner, or a function that returns it if it takes none."""
    try:
        return weakref.ref(owner)
    except TypeError:
        return lambda: owner
