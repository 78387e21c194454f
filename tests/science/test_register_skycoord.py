"""The example that registers `SkyCoord`: exact, shared, and never the coordinates of another frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("astropy.coordinates")

from astropy import units as u
from astropy.coordinates import SkyCoord

from stored import keyed_by, stored
from stored._keys import canonical
from tests.adapters import round_trips
from tests.adapters.round_trips import by_two_users, comes_back, read_as
from tests.science.examples import example

example("register_skycoord")

ALL: dict[str, Any] = {
    "degrees": lambda: SkyCoord(10.5 * u.deg, -5 * u.deg),
    "hours": lambda: SkyCoord("12h30m", "-5d"),
    "galactic": lambda: SkyCoord(l=[1, 2] * u.deg, b=[3, 4] * u.deg, distance=[5, 6] * u.kpc, frame="galactic"),
    "distance": lambda: SkyCoord(10.5 * u.deg, -5 * u.deg, distance=3 * u.Mpc),
}
round_trips.GOOD |= {f"sky {name}": make for name, make in ALL.items()}


@pytest.mark.parametrize("name", ALL)
def test_coordinates_come_back_exactly(name: str, tmp_path: Path) -> None:
    """A second user finds them."""
    for found in (comes_back(ALL[name]()), *by_two_users(tmp_path, [f"sky {name}"])[0]):
        assert canonical(found) == canonical(ALL[name]())
        assert np.all(found.separation(ALL[name]()) == 0)


def test_each_has_a_key_of_its_own() -> None:
    """Also if numbers are equal in other frames and units."""
    texts = {canonical(make()) for make in ALL.values()}
    assert len(texts) == len(ALL)
    assert canonical(SkyCoord(1 * u.deg, 2 * u.deg, frame="galactic")) != canonical(SkyCoord(1 * u.deg, 2 * u.deg))


def test_what_is_not_known_is_no_key() -> None:
    """Frames with attributes of their own, velocities, other representations, times and names."""
    named = SkyCoord(1 * u.deg, 2 * u.deg)
    named.info.name = "target"
    for value in (
        named,
        SkyCoord(1 * u.deg, 2 * u.deg, obstime="J2040"),
        SkyCoord(x=1, y=2, z=3, unit="kpc", representation_type="cartesian"),
        SkyCoord(1 * u.deg, 2 * u.deg, frame="fk5"),
        SkyCoord(1 * u.deg, 2 * u.deg, pm_ra_cosdec=1 * u.mas / u.yr, pm_dec=1 * u.mas / u.yr),
    ):
        with pytest.raises(TypeError, match="known to") as caught:
            canonical(value)
        assert "SkyCoord" in caught.value.__notes__[0]


@keyed_by("center")
class Field:
    """Sources around a place on the sky, as an astronomer would write it."""

    computed: list[int] = []

    def __init__(self, center: Any) -> None:
        self.center = center

    @stored(ignore=("self.computed",))
    def offsets(self, sources: Any) -> Any:
        self.computed.append(1)
        return self.center.separation(sources).deg

    @stored
    def brightest(self) -> Any:
        return self.center.directional_offset_by(30 * u.deg, 1 * u.arcmin)


def test_a_model_with_coordinates() -> None:
    """As parameter, argument and result, and after a change of the parameter."""
    sources = SkyCoord([10, 11] * u.deg, [-5, -4] * u.deg)
    field = Field(ALL["degrees"]())
    for _ in range(3):
        np.testing.assert_array_equal(field.offsets(sources), field.center.separation(sources).deg)
    assert len(Field.computed) == 1
    found = Field(ALL["degrees"]()).brightest()
    assert found.separation(field.center).arcmin == pytest.approx(1.0)
    field.center = ALL["hours"]()
    np.testing.assert_array_equal(field.offsets(sources), field.center.separation(sources).deg)
    assert len(Field.computed) == 2


def test_forged_coordinates_are_damage() -> None:
    """Whatever is in them."""
    name = "astropy.coordinates.sky_coordinate.SkyCoord"
    for plain in (None, {}, {"frame": "fk5"}, {"frame": "icrs", "lon": (1.0, "deg")}, {"frame": "icrs", "a": 1}):
        assert read_as(name, plain) is None
