"""Which group of users does a name or a number mean? Only one that this user is in can share files with others."""

from __future__ import annotations

import os

__all__ = ["find_group"]


def find_group(group: str | int) -> int:
    """The number of a group.

    Parameters
    ----------
    group : str or int
        Its name, or its number.

    Raises
    ------
    ValueError
        If there is no such group, or the user is not in it.
    """
    import grp  # here, since few programs share files

    try:
        if isinstance(group, bool) or not isinstance(group, str | int):
            raise TypeError
        number = grp.getgrnam(group).gr_gid if isinstance(group, str) and not group.isdecimal() else int(group)
    except (KeyError, TypeError, ValueError):  # the last for a null character
        raise ValueError(
            f"it must be the name or the number of a group of users, and there is none of this name; {_own_groups()}"
        ) from None
    if number not in {os.getegid(), *os.getgroups()} and os.geteuid() != 0:
        raise ValueError(
            f"it must be a group that user {os.geteuid()} is in; {_own_groups()} (after you have been added to one, log"
            " in again)"
        )
    return number


def _own_groups() -> str:
    return f"yours have the numbers {', '.join(map(str, sorted({os.getegid(), *os.getgroups()})))}"
