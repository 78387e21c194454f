"""A message gives the line that registers a type, where that can help."""

from __future__ import annotations

from fractions import Fraction

from stored._keys.registration_line import registration_line


def test_types_of_libraries_can_be_registered() -> None:
    """Not those of Python of whose values nothing plain says all, as generators and locks."""
    assert registration_line(Fraction) == "give the type a form with stored.register(Fraction, key=...); "
    assert registration_line(type(each for each in ())) == ""
