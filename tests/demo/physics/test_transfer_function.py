"""The transfer function against Colossus 1.4, and its properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored.demo import _physics as physics
from stored.demo._physics.transfer_function import fit_transfer_function
from tests.demo.physics.reference import EH98, OM0, TCMB0, close


class TestTransferFunction:
    """The transfer function of Eisenstein & Hu (1998)."""

    @pytest.mark.parametrize(
        ("h", "Om0", "Ob0", "Tcmb0"), [EH98, (0.5, 1.0, 0.3, 2.728), (0.9, 0.15, 0.01, 2.5), (0.7, 0.3, 0.29, 2.7255)]
    )
    def test_agrees_with_colossus(self, h: float, Om0: float, Ob0: float, Tcmb0: float) -> None:
        """The same formulas in another order agree to rounding (measured: 3e-15 of T), wiggles included.

        The absolute tolerance is for the zeros of T, which a universe almost all of baryons has.
        """
        spectrum = pytest.importorskip("colossus.cosmology.power_spectrum")
        k = np.logspace(-8.0, 4.0, 20_001)
        expected = spectrum.modelEisenstein98(k, h, Om0, Ob0, Tcmb0)
        np.testing.assert_allclose(physics.transfer_function(k, h, Om0, Ob0, Tcmb0), expected, rtol=1e-11, atol=1e-17)

    def test_is_one_on_large_scales(self) -> None:
        """T is exactly 1 at k = 0 and tends to 1 there, from below and monotonically."""
        transfer = physics.transfer_function(np.logspace(-8.0, -3.0, 200), *EH98)
        assert physics.transfer_function(0.0, *EH98) == 1.0
        assert transfer[0] == close(1.0, abs=1e-6)
        assert np.all(np.diff(transfer) < 0.0)

    @given(st.floats(0.0, 1e6))
    def test_is_a_fraction(self, k: float) -> None:
        """Growth since equality can only suppress power: T lies in (0, 1] for a universe like ours."""
        assert 0.0 < physics.transfer_function(k, *EH98) <= 1.0

    def test_keeps_shape_and_order(self) -> None:
        """An array gives an array of its shape, element by element what a float gives, and a float a float."""
        k = np.array([[1.0, 1e-3, 0.1], [0.0, 1e3, 0.05]])
        transfer = physics.transfer_function(k, *EH98)
        assert transfer.shape == k.shape
        assert isinstance(physics.transfer_function(0.1, *EH98), float)
        expected = [[physics.transfer_function(float(value), *EH98) for value in row] for row in k]
        np.testing.assert_allclose(transfer, expected, rtol=1e-14)

    def test_oscillates_with_the_sound_horizon(self) -> None:
        """Against a universe nearly without baryons there are acoustic peaks, spaced by 2 pi over the sound horizon.

        The spacing is known to the sampling and to what is left of the trend, a few percent.
        """
        k = np.linspace(0.1, 0.4, 3001)
        ratio = physics.transfer_function(k, *EH98) / physics.transfer_function(k, EH98[0], OM0, 1e-6, TCMB0)
        wiggles = ratio - np.polynomial.Polynomial.fit(k, ratio, 5)(k)
        peaks = k[1:-1][(wiggles[1:-1] > wiggles[:-2]) & (wiggles[1:-1] > wiggles[2:])]
        horizon = fit_transfer_function(*EH98).sound_horizon * EH98[0]
        assert np.mean(np.diff(peaks)) == close(2.0 * math.pi / horizon, rel=0.05)
