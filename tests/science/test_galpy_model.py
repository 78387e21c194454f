"""A model of the Milky Way, by a user of galpy: rotation curves and orbits in potentials."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("astropy")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of libraries in C that are not there
    potential = pytest.importorskip("galpy.potential")
    orbit = pytest.importorskip("galpy.orbit")

import astropy.units as u

from stored import configure, keyed_by, register, stored
from stored._keys import canonical

calls: list[str] = []

register(
    potential.Force,
    key=lambda force: sorted(vars(force).items()),
    subclasses=True,
)


@keyed_by("disk", "halo", "ro", "vo")
class Galaxy:
    """A disk in a halo."""

    def __init__(self, disk: Any, halo: Any, ro: Any = 8 * u.kpc, vo: Any = 220 * u.km / u.s) -> None:
        self.disk, self.halo, self.ro, self.vo = disk, halo, ro, vo

    @stored(ignore=("calls",))
    def rotation(self, radii: Any) -> Any:
        calls.append("rotation")
        squares = [
            potential.vcirc(each, radii / self.ro.to_value(u.kpc), use_physical=False) ** 2
            for each in (self.disk, self.halo)
        ]
        return np.sqrt(sum(squares)) * self.vo

    @stored(ignore=("calls",))
    def path(self, start: Any, times: Any) -> dict[str, Any]:
        calls.append("path")
        star = orbit.Orbit(start, ro=self.ro, vo=self.vo)
        star.integrate(times, self.disk, method="leapfrog")
        return {"t": times, "R": star.R(times, quantity=True), "vR": star.vR(times, quantity=True)}


def galaxy(**changed: Any) -> Galaxy:
    given = {
        "disk": potential.MiyamotoNagaiPotential(amp=0.6, a=0.4, b=0.05),
        "halo": potential.NFWPotential(amp=4.0, a=2.0),
    }
    return Galaxy(**{**given, **changed})


CASES: dict[str, tuple[Any, ...]] = {
    "rotation": (np.array([4.0, 8.0, 16.0]),),
    "path": ([8 * u.kpc, 10 * u.km / u.s, 230 * u.km / u.s, 0 * u.kpc, 5 * u.km / u.s, 0 * u.deg], [0, 0.02] * u.Gyr),
}


@pytest.mark.parametrize("name", CASES)
def test_a_galaxy(name: str, tmp_path: Path) -> None:
    """Results are those of the plain method: computed, kept, for another user, and after changes of parameters."""

    def plain(owner: Galaxy) -> str:
        return canonical(getattr(Galaxy, name).__wrapped__(owner, *CASES[name]))

    expected = plain(galaxy())
    calls.clear()
    for _ in range(2):
        assert canonical(getattr(galaxy(), name)(*CASES[name])) == expected
    with configure(key_file=tmp_path / "another"):
        assert canonical(getattr(galaxy(), name)(*CASES[name])) == expected
    assert calls == [name]
    for changed in (
        {"disk": potential.MiyamotoNagaiPotential(amp=0.7, a=0.4, b=0.05)},
        {"disk": potential.HernquistPotential(amp=0.6, a=0.4)},
        {"vo": 230 * u.km / u.s},
    ):
        found = canonical(getattr(galaxy(**changed), name)(*CASES[name]))
        assert found == plain(galaxy(**changed))
        assert found != expected
