"""Where do an owner's parameters come from, itself or a StorageUser, and where do its results persist?"""

from __future__ import annotations

from typing import Protocol

from stored._engine import StorageUser, UserSnapshot
from stored._keys import Describer, FieldParameters, Snapshot, Space, UnchangedCheck
from stored._storage import PersistentTier

__all__ = ["DescribedParameters", "OwnerParameters", "UserParameters"]


class OwnerParameters(Protocol):
    """How one owner tells its parameters, and where its results persist."""

    persistent: PersistentTier

    def snapshot(self, owner: object) -> Snapshot:
        """The parameters now."""


class DescribedParameters:
    """An owner that describes itself; its results go where the settings say."""

    persistent = PersistentTier("rw")

    def __init__(self, describer: Describer) -> None:
        self.snapshot = describer.snapshot


class UserParameters:
    """An owner that holds a StorageUser: its decorated methods share that space.

    Parameters that its class names count as well: the StorageUser may be that of a base class, and not know them.
    """

    def __init__(self, user: StorageUser, attribute: str | None, fields: FieldParameters | None) -> None:
        self.user = user
        self.persistent = user.persistent
        self._attribute = attribute
        self._fields = fields

    def snapshot(self, owner: object) -> Snapshot:
        """The parameters now."""
        user_snapshot = UserSnapshot(self.user, type(owner), self._attribute)
        return user_snapshot if self._fields is None else CombinedSnapshot(user_snapshot, self._fields.snapshot(owner))


class CombinedSnapshot:
    """The parameters of an owner that a StorageUser and its class tell, together."""

    def __init__(self, user: Snapshot, fields: Snapshot) -> None:
        self._user, self._fields = user, fields
        self.space = Space(user.space.module, user.space.name, user.space.pairs() + fields.space.pairs())

    def holds(self, owner: object) -> bool:
        """Are both still the same?"""
        return self._user.holds(owner) and self._fields.holds(owner)

    def unchanged_check(self, may_hold_user: bool) -> UnchangedCheck | None:
        """None: such owners are rare, and take no shortcuts."""
