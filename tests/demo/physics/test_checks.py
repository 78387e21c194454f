"""The ranges of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from stored.demo import _physics as physics
from tests.demo.physics.reference import EH98, H0, NEFF, NS, OM0, TCMB0


class TestParameterChecks:
    """Errors name the parameter that is wrong."""

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: physics.hubble_ratio(-1.0, OM0, 0.0), "z is -1.0"),
            (lambda: physics.age(math.nan, H0, OM0, 0.0), "z is nan"),
            (lambda: physics.age(0.0, 0.0, OM0, 0.0), "H0 is 0.0"),
            (lambda: physics.comoving_distance(math.inf, H0, OM0, 0.0), "z is inf"),
            (lambda: physics.comoving_distance(0.0, -H0, OM0, 0.0), "H0 is -67.66"),
            (lambda: physics.growth_factor(0.0, 0.0, 0.0), "Om0 is 0.0"),
            (lambda: physics.growth_factor(0.0, OM0, -0.1), "Or0 is -0.1"),
            (lambda: physics.hubble_ratio(0.0, 0.9, 0.2), r"Om0 \+ Or0 is 1.1"),
            (lambda: physics.radiation_density(0.0, TCMB0, NEFF), "H0 is 0.0"),
            (lambda: physics.radiation_density(H0, -1.0, NEFF), "Tcmb0 is -1.0"),
            (lambda: physics.radiation_density(H0, TCMB0, math.nan), "Neff is nan"),
            (lambda: physics.transfer_function(-0.1, *EH98), "k has a negative"),
            (lambda: physics.transfer_function(np.array([0.1, np.nan]), *EH98), "k has a negative or non-finite"),
            (lambda: physics.transfer_function(0.1, 0.7, 0.3, 0.4, TCMB0), "Ob0 is 0.4 and Om0 0.3"),
            (lambda: physics.transfer_function(0.1, 0.7, 0.3, 0.0, TCMB0), "Ob0 is 0.0"),
            (lambda: physics.sigma_unnormalised(0.0, NS, *EH98), "R is 0.0"),
            (lambda: physics.sigma_unnormalised(8.0, -3.0, *EH98), "ns is -3.0"),
        ],
    )
    def test_bad_parameters_are_refused(self, call: Callable[[], float], message: str) -> None:
        """A value outside its range is a ValueError that says which value and what it should be."""
        with pytest.raises(ValueError, match=message):
            call()
