"""Constants, expansion, ages and distances against closed forms and Colossus 1.4."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants

from stored.demo import _physics as physics
from tests.demo.physics.reference import H0, NEFF, OM0, REDSHIFTS, TCMB0, close, matter, redshifts


@pytest.mark.parametrize(
    ("ours", "scipys", "tolerance"),
    [
        (physics.SPEED_OF_LIGHT, constants.c, 0.0),
        (physics.GRAVITATION, constants.G, 2.2e-5),
        (physics.STEFAN_BOLTZMANN, constants.Stefan_Boltzmann, 1e-9),
        (physics.MEGAPARSEC, 1e6 * constants.parsec, 1e-15),
        (physics.GIGAYEAR, 1e9 * constants.Julian_year, 1e-15),
    ],
)
def test_constants_are_those_of_scipy(ours: float, scipys: float, tolerance: float) -> None:
    """Constants equal scipy's (CODATA, IAU): G within its CODATA uncertainty, sigma to its printed digits."""
    assert ours == close(scipys, rel=tolerance)


class TestHubbleRatio:
    """The expansion rate."""

    @given(matter, st.floats(0.0, 1e-3))
    def test_is_one_today(self, Om0: float, Or0: float) -> None:
        """A flat universe expands at the Hubble constant today, to rounding."""
        assert physics.hubble_ratio(0.0, Om0 * (1.0 - Or0), Or0) == close(1.0, rel=1e-15)

    @pytest.mark.parametrize("z", REDSHIFTS)
    def test_agrees_with_colossus(self, colossus: Any, z: float) -> None:
        """The closed form agrees with Colossus to rounding (measured: 2e-16)."""
        assert physics.hubble_ratio(z, OM0, colossus.Or0) == close(colossus.Ez(z), rel=1e-14)


class TestRadiationDensity:
    """The density of photons and neutrinos."""

    def test_agrees_with_colossus(self, colossus: Any) -> None:
        """The only difference to Colossus is its older G and sigma, 3.4e-5 together (measured beyond that: 1e-11)."""
        theirs = pytest.importorskip("colossus.utils.constants")
        ratio = physics.GRAVITATION / (1e-3 * theirs.G_CGS)
        ratio *= physics.STEFAN_BOLTZMANN / (1e-3 * theirs.SIGMA_SB)
        assert ratio == close(1.0, rel=4e-5)
        assert physics.radiation_density(H0, TCMB0, NEFF) == close(ratio * colossus.Or0, rel=1e-9)

    def test_scales_with_its_parameters(self) -> None:
        """The density goes as T^4 / H0^2, and grows linearly with the number of neutrino species."""
        density = physics.radiation_density
        assert density(2 * H0, 2 * TCMB0, NEFF) == close(4.0 * density(H0, TCMB0, NEFF), rel=1e-14)
        assert density(H0, TCMB0, 2.0) + density(H0, TCMB0, 4.0) == close(2 * density(H0, TCMB0, 3.0), rel=1e-14)
        assert density(H0, 0.0, NEFF) == 0.0


class TestAge:
    """The age of the universe."""

    @pytest.mark.parametrize("z", REDSHIFTS)
    def test_agrees_with_colossus(self, colossus: Any, z: float) -> None:
        """Ages agree once counted in the same years, within the 1.5e-8 that Colossus asks of its integral.

        Colossus counts tropical years, 2.1e-5 shorter than Julian ones. Measured: 5e-13 below z = 10, 2e-10 at z = 499.
        """
        theirs = pytest.importorskip("colossus.utils.constants")
        years = theirs.YEAR * 1e9 / physics.GIGAYEAR
        assert years == close(1.0, rel=2.2e-5)
        assert physics.age(z, H0, OM0, colossus.Or0) == close(years * colossus.age(z), rel=1e-9)

    @given(redshifts, st.floats(20.0, 200.0))
    def test_of_matter_alone(self, z: float, hubble: float) -> None:
        """An Einstein-de Sitter universe is 2 / (3 H(z)) old."""
        hubble_time = physics.MEGAPARSEC / 1e3 / hubble / physics.GIGAYEAR
        expected = 2.0 / 3.0 * hubble_time * (1.0 + z) ** -1.5
        assert physics.age(z, hubble, 1.0, 0.0) == close(expected, rel=1e-11)

    @given(redshifts, st.floats(0.05, 0.95))
    def test_of_matter_and_dark_energy(self, z: float, Om0: float) -> None:
        """Without radiation the age is the closed form with asinh (Carroll, Press & Turner 1992)."""
        ratio = (1.0 - Om0) / Om0
        hubble_time = physics.MEGAPARSEC / 1e3 / H0 / physics.GIGAYEAR
        expected = 2.0 / 3.0 * hubble_time * math.asinh(math.sqrt(ratio * (1.0 + z) ** -3)) / math.sqrt(1.0 - Om0)
        assert physics.age(z, H0, Om0, 0.0) == close(expected, rel=1e-11)

    @pytest.mark.parametrize("z", REDSHIFTS)
    @pytest.mark.parametrize("Or0", [1e-5, 1e-3, 0.1])
    def test_of_matter_and_radiation(self, z: float, Or0: float) -> None:
        """Without dark energy the age is an elementary integral; its closed form cancels, hence 1e-10."""
        Om0, scale = 1.0 - Or0, 1.0 / (1.0 + z)
        root = math.sqrt(Om0 * scale + Or0)
        integral = 2.0 / (3.0 * Om0**2) * ((Om0 * scale - 2.0 * Or0) * root + 2.0 * Or0**1.5)
        hubble_time = physics.MEGAPARSEC / 1e3 / H0 / physics.GIGAYEAR
        assert physics.age(z, H0, Om0, Or0) == close(hubble_time * integral, rel=1e-10)

    @given(redshifts, redshifts)
    def test_decreases_with_redshift(self, z1: float, z2: float) -> None:
        """The universe is never older at the higher redshift, up to the integral's tolerance."""
        low, high = sorted((z1, z2))
        assert physics.age(low, H0, OM0, 9e-5) >= physics.age(high, H0, OM0, 9e-5) * (1.0 - 1e-11)


class TestComovingDistance:
    """The line-of-sight comoving distance."""

    @pytest.mark.parametrize("z", REDSHIFTS)
    def test_agrees_with_colossus(self, colossus: Any, z: float) -> None:
        """Distances in Mpc/h agree to rounding (measured: 6e-16), though Colossus promises only 1.5e-8."""
        expected = colossus.comovingDistance(0.0, z)
        assert physics.comoving_distance(z, H0, OM0, colossus.Or0) == close(expected, rel=1e-11)

    @given(redshifts)
    def test_of_matter_alone(self, z: float) -> None:
        """In an Einstein-de Sitter universe the distance is 2 c / H0 (1 - (1 + z)^-1/2), also for tiny redshifts."""
        expected = -2.0 * physics.SPEED_OF_LIGHT * 1e-5 * math.expm1(-0.5 * math.log1p(z))
        assert physics.comoving_distance(z, H0, 1.0, 0.0) == close(expected, rel=1e-11)

    @pytest.mark.parametrize("z", [-0.5, 1.0, 30.0, 499.0])
    def test_of_matter_and_radiation(self, z: float) -> None:
        """Without dark energy the distance is an elementary integral."""
        Om0, Or0 = 0.999, 0.001
        expected = 2.0 / Om0 * (1.0 - math.sqrt(Om0 / (1.0 + z) + Or0)) * physics.SPEED_OF_LIGHT * 1e-5
        assert physics.comoving_distance(z, H0, Om0, Or0) == close(expected, rel=1e-11)

    def test_does_not_depend_on_the_hubble_constant(self) -> None:
        """In Mpc/h the Hubble constant cancels."""
        assert physics.comoving_distance(1.0, 50.0, OM0, 0.0) == physics.comoving_distance(1.0, 80.0, OM0, 0.0)
