"""How does an owner that holds a StorageUser tell its parameters?"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, cast

from stored._engine.user import StorageUser
from stored._keys import (
    SAME_CLASS_TEST,
    Described,
    FieldParameters,
    OwnerParameters,
    Space,
    UnchangedCheck,
    immutable_key,
    no_storage_user_checks,
    space_of,
)

__all__ = ["UserHolderParameters", "UserParameters"]


class UserParameters:
    """The hashable string of a StorageUser and, beside it, the parameters that the owner's class names.

    The StorageUser may be that of a base class, and not know these.

    Parameters
    ----------
    user : StorageUser
        The StorageUser.
    attribute : str or None
        The attribute in which the owner holds the user, if it does.
    fields : FieldParameters or None
        The parameters that the class names.
    """

    def __init__(self, user: StorageUser, attribute: str | None, fields: FieldParameters | None) -> None:
        self._user = user
        self._attribute = attribute
        self._fields = fields
        # not this object, which refers to the owner through its user
        self.described: Described = _OfUser(fields)

    def values(self, owner: object) -> tuple[Any, ...]:
        """The user's space now, if it is new after its change callback, and the values of the fields."""
        fields = () if self._fields is None else self._fields.values(owner)
        return self._user.current_space().address, *fields

    @property
    def quick_values(self) -> Callable[[Any], tuple[Any, ...]]:
        """The function that returns them."""
        return self.values

    def quick_key(self, values: tuple[Any, ...]) -> Hashable:
        """The user's space, and the key of the values of the fields."""
        fields = immutable_key(values[1:])
        return None if fields is None else (values[0], *fields)

    def check(self, owner: object, values: tuple[Any, ...]) -> None:
        """Refuse methods of the owner itself among the fields."""
        fields = cast(FieldParameters, self._fields)  # without fields, the key of values is never None
        fields.check(owner, values[1:])

    def unchanged_check(self, owner_class: type, values: tuple[Any, ...], may_hold_user: bool) -> UnchangedCheck | None:
        """Are user, space, string and name the same? After a change, `values` calls the user's change callback."""
        attribute, space = self._attribute, self._user.current_space()
        conditions = None if attribute is None else no_storage_user_checks(owner_class, attribute)
        if conditions is None or self._fields is not None or space.address != values[0]:
            return None  # owners with fields beside a user are rare, and take no shortcuts
        held = f"{{owner}}.{attribute} is {{expected}}.user and {{expected}}.user._space is {{expected}}.user_space"
        tests_of_user = [
            "{expected}.user.func_hashstring() == {expected}.string",
            "{expected}.user.func_name() == {expected}.name",
        ]
        tests = [SAME_CLASS_TEST, *conditions, held, *tests_of_user]
        expected = {"owner_class": owner_class, "user": self._user, "user_space": space}
        expected |= {"string": space.string, "name": space.address.name}
        return UnchangedCheck(" and ".join(tests), expected, refers_to_owner=True)  # through func_hashstring


class UserHolderParameters:
    """Parameters and attributes of an owner that holds a StorageUser, in place of the string of that.

    Parameters
    ----------
    fields : OwnerParameters
        The parameters and attributes.
    user : StorageUser
        The StorageUser.
    attribute : str or None
        The attribute in which the owner holds the user, if it does.
    """

    def __init__(self, fields: OwnerParameters, user: StorageUser, attribute: str | None) -> None:
        self._user = user
        self._attribute = attribute
        self._fields = fields
        self.described: Described = fields.described
        self.values = fields.values
        self.quick_values = fields.quick_values
        self.quick_key = fields.quick_key
        self.check = fields.check

    def unchanged_check(self, owner_class: type, values: tuple[Any, ...], may_hold_user: bool) -> UnchangedCheck | None:
        """Are they the same objects, and does the owner hold the same user?"""
        conditions = None if self._attribute is None else no_storage_user_checks(owner_class, self._attribute)
        check = self._fields.unchanged_check(owner_class, values, may_hold_user=False)
        if conditions is None or check is None:
            return None
        held = f"{{owner}}.{self._attribute} is {{expected}}.user"
        test = " and ".join([check.test, *conditions, held])
        return check._replace(test=test, expected={**check.expected, "user": self._user}, refers_to_owner=True)


class _OfUser:
    """Describes the space of a user, joined with the fields of a class if there are any."""

    def __init__(self, fields: FieldParameters | None) -> None:
        self._fields = fields
        self.names = ("", *(() if fields is None else fields.names))

    def space(self, owner_class: type, values: tuple[Any, ...]) -> Space:
        """The name that the user tells, with its string and the text of the fields."""
        user_space: Space = values[0]
        if self._fields is None:
            return user_space
        fields = self._fields.space(owner_class, values[1:])
        names, texts = zip(*user_space.pairs(), *fields.pairs(), strict=True)
        return space_of(user_space.module, user_space.name, texts, names, fields.private)
