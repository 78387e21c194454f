"""What are the parameters behind a StorageUser at one moment, and are they still the same?"""

from __future__ import annotations

from stored._engine.user import StorageUser
from stored._keys import SAME_CLASS_TEST, Space, UnchangedCheck, no_storage_user_checks

__all__ = ["UserSnapshot"]


class UserSnapshot:
    """The parameters behind a StorageUser at one moment.

    Parameters
    ----------
    user : StorageUser
        The StorageUser.
    owner_class : type
        The class of the owner.
    attribute : str or None
        The attribute in which the owner holds the user, if it does.
    """

    def __init__(self, user: StorageUser, owner_class: type, attribute: str | None) -> None:
        self._user = user
        self._owner_class = owner_class
        self._attribute = attribute
        self._state = user.current_state()

    @property
    def space(self) -> Space:
        """The owner and its parameters, as keys have them."""
        return self._state.space

    def holds(self, owner: object) -> bool:
        """Is the hashable string still the same, and the storage not reset?"""
        return self._user.current_state() is self._state

    def unchanged_check(self, may_hold_user: bool) -> UnchangedCheck | None:
        """Are user, state and string the same? After a change, `holds` calls the user's change callback."""
        attribute = self._attribute
        conditions = None if attribute is None else no_storage_user_checks(self._owner_class, attribute)
        if conditions is None:
            return None
        held = f"{{owner}}.{attribute} is {{expected}}.user and {{expected}}.user._state is {{expected}}.state"
        tests = [SAME_CLASS_TEST, *conditions, held, "{expected}.user.func_hashstring() == {expected}.string"]
        expected = {
            "owner_class": self._owner_class,
            "user": self._user,
            "state": self._state,
            "string": self._state.space.string,
        }
        return UnchangedCheck(" and ".join(tests), expected, refers_to_owner=True)  # through func_hashstring
