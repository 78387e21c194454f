"""Models of astronomers who use astropy: a halo in a cosmology, a cosmology of one's own, and a survey."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("astropy")

import astropy.units as u
from astropy.cosmology import FLRW, FlatLambdaCDM, LambdaCDM, Parameter, Planck18
from astropy.cosmology import Cosmology as Astropy
from astropy.table import QTable
from astropy.time import Time

from stored import configure, keyed_by, stored
from stored._adapters import BY_PICKLE, adapter_of
from stored._keys import canonical
from stored._storage.freezing import copy_for_caller, freeze
from stored.errors import OwnerError

calls: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_called() -> None:
    calls.clear()


@keyed_by("mass", "cosmo", "concentration")
class Halo:
    """A halo of the profile of Navarro, Frenk and White."""

    def __init__(self, mass: Any, cosmo: Any, concentration: float = 5.0) -> None:
        self.mass, self.cosmo, self.concentration = mass, cosmo, concentration

    @stored(ignore=("calls",))
    def radius(self, z: float) -> Any:
        calls.append("radius")
        density = 200 * self.cosmo.critical_density(z)
        return ((3 * self.mass / (4 * np.pi * density)) ** (1 / 3)).to(u.kpc)

    @stored(ignore=("calls",))
    def enclosed(self, r: Any) -> Any:
        calls.append("enclosed")
        x = (r * self.concentration / self.radius(0.0)).to_value(u.one)
        whole = np.log1p(self.concentration) - self.concentration / (1 + self.concentration)
        return self.mass * (np.log1p(x) - x / (1 + x)) / whole

    @stored(ignore=("calls",))
    def profile(self, radii: Any) -> QTable:
        calls.append("profile")
        return QTable({"r": radii, "mass": self.enclosed(radii)}, meta={"model": "NFW"})

    @stored(ignore=("calls",))
    def transits(self, start: Time, count: int) -> Time:
        calls.append("transits")
        return start + np.arange(count) * 3.5 * u.day


def plain(owner: Any, name: str, *arguments: Any) -> Any:
    return getattr(owner, name).__wrapped__(*arguments)


START = Time("2024-02-29T12:00:00", scale="tdb")

CASES: dict[str, tuple[Any, ...]] = {
    "radius": (0.5,),
    "enclosed": (8 * u.kpc,),
    "profile": (np.geomspace(1, 100, 4) * u.kpc,),
    "transits": (START, 3),
}


@pytest.mark.parametrize("name", CASES)
def test_a_halo_gives_what_the_plain_method_gives(name: str) -> None:
    """Computed, from memory, and from disk for a second user."""
    mass = 1e12 * u.Msun
    expected = canonical(plain(Halo(mass, Planck18), name, *CASES[name]))
    calls.clear()
    halo = Halo(mass, Planck18)
    first = getattr(halo, name)(*CASES[name])
    computed = len(calls)
    assert computed > 0
    assert canonical(getattr(halo, name)(*CASES[name])) == canonical(first) == expected
    assert canonical(getattr(Halo(1e12 * u.Msun, Planck18), name)(*CASES[name])) == expected
    assert len(calls) == computed


def test_another_user_reads_the_tables(tmp_path: Path) -> None:
    """The results hold no pickle."""
    found = Halo(1e12 * u.Msun, Planck18).profile([1, 2] * u.kpc)
    calls.clear()
    with configure(key_file=tmp_path / "another"):
        assert canonical(Halo(1e12 * u.Msun, Planck18).profile([1, 2] * u.kpc)) == canonical(found)
    assert calls == []


def test_other_parameters_and_units_are_other_calls() -> None:
    """Nothing is converted; a change inside a quantity is noticed, too."""
    halo = Halo(1e12 * u.Msun, Planck18)
    kpc, pc = halo.enclosed(8 * u.kpc), halo.enclosed(8000 * u.pc)
    assert u.allclose(kpc, pc, rtol=1e-12)
    assert calls.count("enclosed") == 2
    halo.mass = 2e12 * u.Msun
    assert u.allclose(halo.enclosed(8 * u.kpc), plain(halo, "enclosed", 8 * u.kpc))
    halo.mass *= 2
    assert u.allclose(halo.radius(0.0), plain(halo, "radius", 0.0))
    halo.cosmo = FlatLambdaCDM(50, 0.3)
    assert u.allclose(halo.radius(0.0), plain(halo, "radius", 0.0))
    halo.cosmo = FlatLambdaCDM(50 * u.km / u.s / u.Mpc, 0.3)
    calls.clear()
    halo.radius(0.0)
    assert calls == []


def test_a_caller_can_do_what_he_likes_with_a_result() -> None:
    """It is his own."""
    halo = Halo(1e12 * u.Msun, Planck18)
    radius = halo.radius(0.0)
    expected = radius.copy()
    radius *= 2
    table = halo.profile([1, 2] * u.kpc)
    table["mass"] *= 0
    table["more"] = 1
    assert halo.radius(0.0) == expected
    assert halo.profile([1, 2] * u.kpc).colnames == ["r", "mass"]
    assert (halo.profile([1, 2] * u.kpc)["mass"] > 0).all()


def test_results_are_verified_with_their_units() -> None:
    """What is computed anew agrees to rounding."""
    halo = Halo(1e12 * u.Msun, Planck18)
    with configure(verify=1.0):
        for name, arguments in CASES.items():
            getattr(halo, name)(*arguments)
            getattr(halo, name)(*arguments)


class Cosmology(FlatLambdaCDM):
    """Astropy's own, with stored distances."""

    @stored(ignore=("calls",))
    def comoving_distance(self, z: Any) -> Any:
        calls.append("distance")
        return super().comoving_distance(z)

    @stored(depends=("H0", "Om0"), ignore=("calls",))
    def hubble_time_today(self) -> Any:
        calls.append("time")
        return (1 / self.H0).to(u.Gyr)


class Coupled(LambdaCDM):
    """Matter that does not dilute as it should, with attributes and memos of its own."""

    def __init__(self, H0: float, Om0: float, Ode0: float, coupling: float = 0.0) -> None:
        super().__init__(H0, Om0, Ode0)
        object.__setattr__(self, "coupling", coupling)

    def Om(self, z: Any) -> Any:
        return super().Om(z) * (1 + self.coupling)

    @stored(ignore=("calls",))
    def matter(self, z: float) -> Any:
        calls.append("matter")
        return self.Om(z)

    @stored(ignore=("calls",))
    def distance(self, z: float) -> Any:
        calls.append("distance")
        return self.luminosity_distance(z) / self.hubble_distance


@pytest.mark.parametrize("zs", [1.0, np.array([0.5, 1.0])])
def test_a_cosmology_of_ones_own_is_an_owner(zs: Any) -> None:
    """Its parameters are those of astropy's class, by their names."""
    expected = FlatLambdaCDM(70, 0.3).comoving_distance(zs)
    for _ in range(2):
        assert (Cosmology(70, 0.3).comoving_distance(zs) == expected).all()
    assert calls == ["distance"]
    assert (Cosmology(71, 0.3).comoving_distance(zs) != expected).all()
    assert calls == ["distance"] * 2
    told = str(Cosmology(70, 0.3).comoving_distance.dependencies())
    assert all(f"{name} = " in told for name in ("H0", "Om0", "Tcmb0", "Neff", "m_nu", "Ob0", "name", "meta"))
    assert "astropy = " in told
    assert "one object only" not in told


def test_parameters_can_be_chosen_by_their_names() -> None:
    """Another baryon density does not count for what depends on H0 and Om0."""
    first = Cosmology(70, 0.3).hubble_time_today()
    assert Cosmology(70, 0.3, Ob0=0.05).hubble_time_today() == first
    assert calls == ["time"]
    with pytest.raises(OwnerError, match="names 'H1', which is none of the parameters"):

        @keyed_by("name")
        class Wrong(FlatLambdaCDM):
            @stored(depends=("H1",))
            def age_today(self) -> float:
                return 1.0


def test_what_a_users_class_adds_counts() -> None:
    """Its attributes that methods read, also by way of astropy's methods; a different one is another result."""
    for coupling in (0.0, 0.5, 0.0, 0.5):
        cosmo = Coupled(70, 0.3, 0.7, coupling)
        assert cosmo.matter(1.0) == pytest.approx(plain(cosmo, "matter", 1.0))
        assert cosmo.distance(1.0) == plain(cosmo, "distance", 1.0)
    calls.clear()
    Coupled(70, 0.3, 0.7, 0.5).matter(1.0)
    Coupled(70, 0.3, 0.7, 0.5).distance(1.0)
    assert calls == []


def test_a_cosmology_of_ones_own_is_a_parameter() -> None:
    """By its class, its parameters and its own attributes, whatever it has computed of these so far."""
    one, other = Coupled(70, 0.3, 0.7, 0.1), Coupled(70, 0.3, 0.7, 0.1)
    before = canonical(one)
    one.hubble_distance  # noqa: B018  # which it keeps
    assert canonical(one) == before == canonical(other)
    assert canonical(Coupled(70, 0.3, 0.7, 0.2)) != before
    assert canonical(Coupled(71, 0.3, 0.7, 0.1)) != before
    assert canonical(LambdaCDM(70, 0.3, 0.7)) != before
    halo = Halo(1e12 * u.Msun, one)
    assert halo.radius(0.0) == plain(halo, "radius", 0.0)


def test_a_cosmology_of_ones_own_is_a_result_of_its_own() -> None:
    """What is kept is a copy, with methods of its own."""
    value = Cosmology(70, 0.3, meta={"a": [1]})
    kept = freeze(value)
    value.meta["a"].append(2)
    assert kept.meta == {"a": [1]}
    hand_out = copy_for_caller(kept)
    assert hand_out is not None
    found = hand_out(kept)
    found.meta.clear()
    assert kept.meta == {"a": [1]}
    assert found.comoving_distance(1.0) == FlatLambdaCDM(70, 0.3).comoving_distance(1.0)
    assert found._age.__self__ is found
    assert found.age(0.0) == value.age(0.0)


class Overriding(FlatLambdaCDM):
    """It sets what astropy has computed of the parameters, in several ways."""

    __slots__ = ("slot",)

    def __init__(self, name: str, value: Any) -> None:
        super().__init__(70, 0.3, Tcmb0=2.7)
        if name == "memo by its name":
            object.__setattr__(self, "Ogamma0", value)
        elif name == "memo of its own":
            self.__dict__["own"] = value
        elif name == "slot":
            object.__setattr__(self, "slot", value)
        elif name == "method":
            object.__setattr__(self, "_age", self._integral_age if value == 1 else self._integral_lookback_time)
        else:
            object.__setattr__(self, name, value)

    @cached_property
    def own(self) -> int:
        return sum(each * 0 for each in (1, 2))


def inverse_efunc(z: float, exponent: float) -> float:
    return float((1 + z) ** -exponent)


WAYS = ["memo by its name", "memo of its own", "slot", "_inv_efunc_scalar_args", "_nu_info"]


@pytest.mark.parametrize("way", WAYS)
def test_what_a_users_class_overrides_counts(way: str) -> None:
    """Also under a name that astropy uses, in a slot, or in the place of a memo."""
    texts = [canonical(Overriding(way, value)) for value in (1.0, 2.0, 1.0)]
    assert texts[0] == texts[2] != texts[1]
    value = Overriding(way, 1.0)
    assert canonical(freeze(value)) == texts[0]
    assert adapter_of(Overriding).encode(value) is BY_PICKLE  # type: ignore[union-attr,misc]


def test_a_method_in_the_place_of_another_counts() -> None:
    """Of the cosmology itself."""
    assert canonical(Overriding("method", 1)) != canonical(Overriding("method", 2))
    assert canonical(Overriding("method", 1)) == canonical(Overriding("method", 1))


@stored(ignore=("calls",))
def distance_in(cosmo: Any) -> float:
    calls.append("distance")
    return float(cosmo.comoving_distance(1.0).value)


def test_distances_in_cosmologies_that_override_what_is_integrated() -> None:
    """The stored one is the plain one."""
    for exponent in (1.0, 2.0, 1.0):
        cosmo = Overriding("_inv_efunc_scalar", inverse_efunc)
        object.__setattr__(cosmo, "_inv_efunc_scalar_args", (exponent,))
        assert distance_in(cosmo) == distance_in.__wrapped__(cosmo)
    assert len(calls) == 5


def test_what_somebody_sets_on_astropys_own_cosmology_counts() -> None:
    """It is pickled; memos do not count."""
    texts = []
    for note in (1, 2):
        cosmo = FlatLambdaCDM(70, 0.3)
        object.__setattr__(cosmo, "note", note)
        texts.append(canonical(cosmo))
        assert adapter_of(FlatLambdaCDM).encode(cosmo) is BY_PICKLE  # type: ignore[union-attr,misc]
    cosmo = FlatLambdaCDM(70, 0.3)
    before = canonical(cosmo)
    cosmo.hubble_distance  # noqa: B018  # which it keeps
    assert canonical(cosmo) == before
    assert len({before, *texts}) == 3


@dataclasses.dataclass(frozen=True, eq=False)
class Direct(FLRW):
    """A cosmology that is none of astropy's classes, with a parameter of its own."""

    tilt: Parameter = Parameter(default=0.0, doc="tilt", fvalidate="float")  # noqa: RUF009

    @property
    def is_flat(self) -> bool:
        return False

    def w(self, z: Any) -> Any:
        return -1.0 + z * 0


@dataclasses.dataclass(frozen=True, eq=False)
class Bare(Astropy):
    """A cosmology of which astropy computes nothing."""

    scale: float = 1.0

    @property
    def is_flat(self) -> bool:
        return True


def test_a_class_that_is_none_of_astropys_has_a_key() -> None:
    """All its attributes count that are none of its parameters."""
    for kind, arguments, others in ((Direct, (70, 0.3, 0.7), (71, 0.3, 0.7)), (Bare, (2.0,), (3.0,))):
        assert canonical(kind(*arguments)) == canonical(kind(*arguments))
        assert len({canonical(each) for each in (kind(*arguments), kind(*others), kind(*arguments, name="a"))}) == 3


@dataclasses.dataclass(frozen=True)
class Extended(FlatLambdaCDM):
    extra: float = 0.0

    @stored(ignore=("calls",))
    def scaled(self) -> float:
        calls.append("scaled")
        return float(self.Om0 * self.extra)


def test_fields_that_a_dataclass_adds_are_parameters() -> None:
    """They are told with those of astropy's class."""
    assert [Extended(70, 0.3, extra=each).scaled() for each in (1.0, 2.0, 1.0)] == [0.3, 0.6, 0.3]
    assert calls == ["scaled"] * 2
    adapter = adapter_of(Extended)
    assert adapter is not None
    assert adapter.fields is not None
    assert adapter.fields(Extended)[-3:] == ("name", "meta", "extra")


PROGRAM = """
import sys
import astropy.units as u
from astropy.cosmology import FlatLambdaCDM, Planck18
from astropy.table import QTable
from stored import keyed_by, stored

class Cosmology(FlatLambdaCDM):
    @stored
    def comoving_distance(self, z):
        print("distance")
        return super().comoving_distance(z)

@keyed_by("scale", "cosmo")
class Profile:
    def __init__(self, scale, cosmo):
        self.scale, self.cosmo = scale, cosmo

    @stored
    def table(self, radii):
        print("table")
        return QTable({"r": radii, "x": (radii / self.scale).to(u.one), "d": radii * self.cosmo.efunc(1.0)})

H0 = float(sys.argv[1])
print(Cosmology(H0, 0.3).comoving_distance(1.0))
table = Profile(3 * u.kpc, FlatLambdaCDM(H0, 0.3)).table([1, 2] * u.kpc)
print(list(table["d"]))
"""


def test_a_second_process_finds_results_and_computes_those_of_other_parameters(tmp_path: Path) -> None:
    """As a script that is run again."""
    script = tmp_path / "model.py"
    script.write_text(PROGRAM)
    found = [_run(script, H0, tmp_path) for H0 in ("70", "70", "71")]
    assert found[0][:1] + found[0][2:3] == ["distance", "table"]
    assert found[1] == [found[0][1], found[0][3]]
    assert found[2][:1] + found[2][2:3] == ["distance", "table"]
    assert found[2][1] != found[0][1]


def _run(script: Path, H0: str, folder: Path) -> list[str]:
    import os

    environment = {**os.environ, "STORED_CACHE_DIR": str(folder / "cache"), "HOME": str(folder)}
    command = [sys.executable, "-W", "error::UserWarning", str(script), H0]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()
