"""A group is one that this user is in, by name or number."""

from __future__ import annotations

import grp
import os
from typing import Any

import pytest

from stored._unix_group import find_group


def test_groups_by_name_and_number() -> None:
    """Text of digits is a number."""
    own = os.getegid()
    assert find_group(own) == find_group(str(own)) == find_group(grp.getgrgid(own).gr_name) == own


@pytest.mark.parametrize("group", ["no such group", "", "a\0b", True, 1.5, None, b"root"])
def test_what_is_no_group(group: Any) -> None:
    """The error names the groups that can be used."""
    with pytest.raises(ValueError, match=rf"name or the number of a group .* yours have the numbers .*{os.getegid()}"):
        find_group(group)


def test_a_group_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user can share with those groups only that they are in; the superuser with all."""
    monkeypatch.setattr(os, "geteuid", lambda: 54001)
    monkeypatch.setattr(os, "getgroups", lambda: [54000])
    assert find_group(54000) == 54000
    with pytest.raises(ValueError, match=r"a group that user 54001 is in; yours .* 54000 .*log in again"):
        find_group(54003)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_group(54003) == 54003
