"""When do all shortcuts end at once? When something changes that their own checks do not look at."""

from __future__ import annotations

import weakref
from typing import Protocol

__all__ = ["validity"]


class Invalidatable(Protocol):
    """What holds shortcuts."""

    def invalidate(self) -> None:
        """End all of them."""


class Validity:
    """What all shortcuts rest on beside their own checks; they end when it changes.

    Attributes
    ----------
    token : object
        Another object after each change; shortcuts compare it by identity.
    has_storage_users : bool
        Has any `StorageUser` been made? Until then no owner can hold one.
    """

    def __init__(self) -> None:
        self.token = object()
        self.has_storage_users = False
        self._watchers: list[weakref.ref[Invalidatable]] = []  # each step on a list is atomic

    def watch(self, watcher: Invalidatable) -> None:
        """Call the `invalidate` of a watcher, which is not kept alive, when all shortcuts end."""
        self._watchers.append(weakref.ref(watcher, self._watchers.remove))

    def invalidate(self) -> None:
        """End all shortcuts."""
        self.token = object()
        for reference in list(self._watchers):
            watcher = reference()
            if watcher is not None:
                watcher.invalidate()

    def note_storage_user(self) -> None:
        """Note that a `StorageUser` is being made: the first ends all shortcuts, whose checks do not look for one."""
        if not self.has_storage_users:
            self.has_storage_users = True
            self.invalidate()


validity = Validity()
