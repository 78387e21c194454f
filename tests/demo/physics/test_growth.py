"""The growth factor against closed forms and Colossus 1.4."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import hyp2f1

from stored.demo import _physics as physics
from tests.demo.physics.reference import OM0, REDSHIFTS, close, make_colossus, matter, redshifts


class TestGrowthFactor:
    """The linear growth factor."""

    @given(matter)
    def test_is_one_today(self, Om0: float) -> None:
        """The growth factor is normalised to exactly 1 today."""
        assert physics.growth_factor(0.0, Om0, 0.0) == 1.0

    @given(redshifts)
    def test_of_matter_alone(self, z: float) -> None:
        """In an Einstein-de Sitter universe perturbations grow as the scale factor."""
        assert physics.growth_factor(z, 1.0, 0.0) == close(1.0 / (1.0 + z), rel=1e-11)

    @given(redshifts, st.floats(0.05, 0.95))
    def test_of_matter_and_dark_energy(self, z: float, Om0: float) -> None:
        """Heath's integral equals a 2F1(1/3, 1; 11/6; -a^3 (1 - Om0) / Om0), within what scipy's 2F1 is good for."""

        def closed_form(scale: float) -> float:
            return float(scale * hyp2f1(1.0 / 3.0, 1.0, 11.0 / 6.0, -(scale**3) * (1.0 - Om0) / Om0))

        expected = closed_form(1.0 / (1.0 + z)) / closed_form(1.0)
        assert physics.growth_factor(z, Om0, 0.0) == close(expected, rel=1e-10)

    @pytest.mark.parametrize("z", [z for z in REDSHIFTS if z <= 5.0])
    def test_agrees_with_colossus_at_low_redshift(self, colossus: Any, z: float) -> None:
        """Up to z = 5 both hold radiation constant and differ in the integrator alone (measured: 7e-13)."""
        assert physics.growth_factor(z, OM0, colossus.Or0) == close(colossus.growthFactor(z), rel=1e-10)

    @pytest.mark.parametrize(
        ("z", "difference"), [(7.0, 5.4e-4), (10.0, 1.19e-3), (20.0, 4.16e-3), (100.0, 0.0198), (499.0, 0.0988)]
    )
    def test_differs_from_colossus_by_radiation_at_high_redshift(
        self, colossus: Any, z: float, difference: float
    ) -> None:
        """Where Colossus turns to a formula with radiation, its D is larger by what the docstring says, within 1 %."""
        excess = colossus.growthFactor(z) / physics.growth_factor(z, OM0, colossus.Or0) - 1.0
        assert excess == close(difference, rel=1e-2)

    @pytest.mark.parametrize("z", REDSHIFTS)
    def test_agrees_with_colossus_without_radiation(self, z: float) -> None:
        """Without radiation both are Heath's integral; Colossus' stops at 1.5e-8 absolute, much at high redshift.

        Measured: 5e-10 for z up to 10, 6e-5 at z = 200, where the closed form sides with the quadrature here.
        """
        expected = make_colossus(relspecies=False).growthFactor(z)
        assert physics.growth_factor(z, OM0, 0.0) == close(expected, rel=1e-9 if z <= 10.0 else 1e-4)

    @given(redshifts, redshifts)
    def test_decreases_with_redshift(self, z1: float, z2: float) -> None:
        """Perturbations only grow with time, up to the integral's tolerance."""
        low, high = sorted((z1, z2))
        assert physics.growth_factor(low, OM0, 9e-5) >= physics.growth_factor(high, OM0, 9e-5) * (1.0 - 1e-11)
