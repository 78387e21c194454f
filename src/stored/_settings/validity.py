"""For how long shortcuts hold: until something changes that they do not look at themselves."""

from __future__ import annotations

import weakref
from typing import Protocol

__all__ = ["validity"]


class Invalidatable(Protocol):
    """What holds good until the next epoch."""

    def invalidate(self) -> None:
        """Forget what was said for the epoch that has ended."""


class Validity:
    """What shortcuts hold good for: a new object whenever something changes that they do not look at themselves.

    Attributes
    ----------
    now : object
        Compared by identity.
    has_users : bool
        Has any `StorageUser` been made? Until then no owner can hold one.
    """

    def __init__(self) -> None:
        self.token = object()
        self.has_storage_users = False
        self._watching: list[weakref.ref[Invalidatable]] = []  # each step on a list is one for all threads

    def watch(self, one: Invalidatable) -> None:
        """Tell one when all shortcuts lapse."""
        self._watching.append(weakref.ref(one, self._watching.remove))

    def invalidate(self) -> None:
        """Let all shortcuts lapse."""
        self.token = object()
        for each in list(self._watching):
            one = each()
            if one is not None:
                one.invalidate()

    def note_storage_user(self) -> None:
        """A `StorageUser` is being made."""
        if not self.has_storage_users:
            self.has_storage_users = True
            self.invalidate()


validity = Validity()
