"""The parameters behind a StorageUser at one moment."""

from __future__ import annotations

from stored._engine.user import StorageUser
from stored._keys import SAME_CLASS_TEST, Space, UnchangedCheck, no_storage_user_checks

__all__ = ["UserSnapshot"]


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

    def unchanged_check(self, may_hold_user: bool) -> UnchangedCheck | None:
        """The user, its state and the string are the same; a change is left to `holds`, which tells of it."""
        attribute = self._attribute
        guards = None if attribute is None else no_storage_user_checks(self._own, attribute)
        if guards is None:
            return None
        held = f"{{owner}}.{attribute} is {{expected}}.user and {{expected}}.user._state is {{expected}}.state"
        tests = [SAME_CLASS_TEST, *guards, held, "{expected}.user.func_hashstring() == {expected}.string"]
        known = {"owner_class": self._own, "user": self._user, "state": self._state, "string": self._state.space.string}
        return UnchangedCheck(" and ".join(tests), known, refers_to_owner=True)  # through func_hashstring
