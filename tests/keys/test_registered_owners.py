"""Owners of classes that somebody has registered."""

from __future__ import annotations

import pytest

from stored import register, stored
from stored.errors import OwnerError

calls: list[str] = []


class Instrument:
    """Has an attribute without a form, of which the key tells all."""

    def __init__(self, gain: float) -> None:
        self.gain = gain
        self.handle = memoryview(b"opened")

    @stored(ignore=("calls",))
    def signal(self, flux: float) -> float:
        calls.append("signal")
        return flux * self.gain * len(self.handle)


class Filtered(Instrument):
    """Has an attribute that the key does not tell."""

    def __init__(self, gain: float, width: float) -> None:
        super().__init__(gain)
        self.width = width

    @stored(ignore=("calls",))
    def passed(self, flux: float) -> float:
        calls.append("passed")
        return flux * self.gain * self.width


register(Instrument, key=lambda value: value.gain, subclasses=True)


@pytest.fixture(autouse=True)
def _nothing_called() -> None:
    calls.clear()


def test_the_key_of_a_registered_type_tells_the_parameters() -> None:
    """As a whole: what methods read beside it does not count."""
    assert [Instrument(gain).signal(1.0) for gain in (1.0, 2.0, 1.0)] == [6.0, 12.0, 6.0]
    assert len(calls) == 2
    instrument = Instrument(3.0)
    assert [instrument.signal(1.0), instrument.signal(1.0)] == [18.0, 18.0]
    instrument.gain = 1.0
    assert instrument.signal(1.0) == 6.0
    assert len(calls) == 3


def test_attributes_of_a_subclass_join_them() -> None:
    """Its methods may read more than the key tells."""
    assert [Filtered(1.0, width).passed(1.0) for width in (1.0, 2.0, 1.0)] == [1.0, 2.0, 1.0]
    assert len(calls) == 2


class Labelled(Instrument):
    """Has an attribute of the name under which keys have what the key of a registered type tells."""

    def __init__(self, gain: float, key: float) -> None:
        super().__init__(gain)
        self.key = key

    @stored
    def scaled(self) -> float:
        return self.gain * self.key

    @stored
    def total(self) -> float:
        return self.gain + sum(vars(self)[name] for name in ("key",))


def test_an_attribute_may_have_any_name() -> None:
    """It does not stand for the key, nor the key for it."""
    owner = Labelled(2.0, 3.0)
    assert [owner.scaled(), owner.total()] == [6.0, 5.0]
    owner.gain = 4.0
    assert [owner.scaled(), owner.total()] == [12.0, 7.0]
    owner.key = 5.0
    assert [owner.scaled(), owner.total()] == [20.0, 9.0]


def test_another_key_is_another_parameter() -> None:
    """The code of the function counts, so that the same value of another one is another parameter."""
    owner = Instrument(1.0)
    owner.signal(1.0)
    register(Instrument, key=lambda value: value.gain * 1.0, subclasses=True)
    assert Instrument(1.0).signal(1.0) == 6.0
    assert len(calls) == 2


def test_a_key_has_no_parts() -> None:
    """There is nothing to choose from."""

    class Chosen(Instrument):
        @stored(depends=("gain",))
        def power(self) -> float:
            return self.gain**2

    with pytest.raises(OwnerError, match="the key of a registered type tells them as a whole"):
        Chosen(1.0).power()
