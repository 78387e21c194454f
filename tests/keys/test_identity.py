"""`object_number` tells objects of a process apart, also one that comes to be where another was."""

from __future__ import annotations

import gc

from stored._keys import object_number


class Thing:
    pass


def test_an_object_keeps_its_number() -> None:
    """For as long as it lives."""
    first, second = Thing(), Thing()
    assert object_number(first) == object_number(first)
    assert object_number(first) != object_number(second)


def test_numbers_are_not_used_again() -> None:
    """Objects that come one after another often have one address."""
    numbers = set()
    for _ in range(100):
        numbers.add(object_number(Thing()))
        gc.collect(0)
    assert len(numbers) == 100


def test_without_weak_references_there_is_a_new_one_each_time() -> None:
    """Nothing would tell that the object is still the same."""
    value = iter([])
    assert object_number(value) != object_number(value)
