"""What values contain, looked at one by one or at one moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stored._keys.contents import at_one_moment, content_key, content_of
from tests.keys.values import PlainObject


def plain(**attributes: Any) -> PlainObject:
    found = PlainObject(1.0)
    vars(found).update(attributes)
    return found


def linked() -> list[Any]:
    """Objects that refer to one another, and to one without a form."""
    shared = plain(values=[1, 2.0], array=np.arange(3))
    first, second = plain(shared=shared), plain(shared=shared)
    first.other, second.other = second, first
    return [first, second, shared, {"a": [first, shared]}, plain(stream=iter(())), [plain(stream=iter(()))], (1, 2)]


def test_at_one_moment_contents_are_what_they_are_one_by_one() -> None:
    """In any order, also of values that contain themselves, and beside values without a form."""
    values = linked()
    alone = [content_of(each) for each in values]
    keys = [content_key(each) for each in values]
    for order in (1, -1):
        with at_one_moment():
            for each, content, key in list(zip(values, alone, keys, strict=True))[::order]:
                found = content_of(each)
                assert found == content
                assert content is None or content.is_same(each)
                assert content_key(each) == key
    assert alone[4] is None
    assert content_key(values[4]) != content_key(plain(stream=iter(())))


class Describing:
    """An owner with a string for which something else is looked into, as by a stored method."""

    other: list[Any]

    def getHashableString(self) -> str:
        return repr(content_key(self.other)) + repr(content_key(plain(stream=iter(()))).count(">"))


def test_what_an_owner_tells_may_look_into_other_values() -> None:
    """Also into one without a form, and into parts of what it is in."""
    values = linked()
    owner = Describing()
    owner.other = [values[1], values[2]]
    values[1].other = None
    values[0].owner = owner
    alone = [content_key(each) for each in (values[0], owner)]
    with at_one_moment():
        assert [content_key(each) for each in (values[0], owner)] == alone
    with at_one_moment(), at_one_moment(is_new=True):
        assert [content_key(each) for each in (owner, values[0])] == alone[::-1]


@pytest.mark.parametrize("index", range(4))
def test_after_the_moment_changes_are_seen(index: int) -> None:
    """Of an object that all others contain."""
    values = linked()
    with at_one_moment():
        found = content_of(values[index])
    assert found is not None
    values[2].values[1] = 2
    assert not found.is_same(values[index])
    with at_one_moment():
        assert not found.is_same(values[index])
