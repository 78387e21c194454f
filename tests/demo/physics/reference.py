"""What the tests of the demonstration's physics share: parameters, tolerances, and Colossus to compare with."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st

H0, OM0, OB0, SIGMA8, NS, TCMB0, NEFF = 67.66, 0.3111, 0.0490, 0.8102, 0.9665, 2.7255, 3.046
EH98 = (H0 / 100.0, OM0, OB0, TCMB0)
REDSHIFTS = (-0.995, -0.9, -0.5, -1e-3, 0.0, 1e-6, 0.5, 1.0, 3.0, 10.0, 50.0, 200.0, 499.0)

# pytest's default absolute tolerance of 1e-12 would hide errors in small quantities such as sigma or Or0.
close = partial(pytest.approx, abs=0.0)
redshifts = st.floats(-0.995, 499.0)
matter = st.floats(0.05, 1.0)


def make_colossus(**kwargs: Any) -> Any:
    """Make a Colossus cosmology that answers from its integrals, not from interpolation tables."""
    cosmology = pytest.importorskip("colossus.cosmology.cosmology")
    parameters = {"flat": True, "H0": H0, "Om0": OM0, "Ob0": OB0, "sigma8": SIGMA8, "ns": NS, "Tcmb0": TCMB0}
    return cosmology.Cosmology(
        name="reference", interpolation=False, persistence="", **{**parameters, "Neff": NEFF, **kwargs}
    )
