"""A model of counts of haloes, by a user of hmf: masses, mass functions and numbers in a cosmology of astropy."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("astropy")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what hmf imports
    hmf = pytest.importorskip("hmf")

import astropy.units as u
from astropy.cosmology import FlatLambdaCDM, Planck18

from stored import configure, keyed_by, stored
from stored._keys import canonical

calls: list[str] = []


@keyed_by("cosmo", "z", "hmf_model")
class HaloCounts:
    """The numbers of haloes above a mass, for each square degree and redshift."""

    def __init__(self, cosmo: Any, z: float, hmf_model: str = "Tinker08") -> None:
        self.cosmo, self.z, self.hmf_model = cosmo, z, hmf_model

    @stored(ignore=("calls",))
    def mass_function(self, dlog10m: float = 0.2) -> dict[str, Any]:
        calls.append("mass_function")
        found = hmf.MassFunction(
            z=self.z,
            cosmo_model=self.cosmo,
            hmf_model=self.hmf_model,
            Mmin=12,
            Mmax=15,
            dlog10m=dlog10m,
            transfer_model="EH",
        )
        volume = u.Mpc**3 / self.cosmo.h**3
        return {"m": found.m * u.Msun / self.cosmo.h, "dndlog10m": found.dndlog10m / volume, "sigma": found.sigma}

    @stored(ignore=("calls",))
    def counts(self, m_min: Any) -> Any:
        calls.append("counts")
        table = self.mass_function()
        above = table["m"] >= m_min
        density = np.sum(table["dndlog10m"][above]) * 0.2
        return (density * self.cosmo.differential_comoving_volume(self.z)).to(1 / u.deg**2)


def test_counts_of_haloes(tmp_path: Path) -> None:
    """They are those of the plain method: computed, kept, for another user, and after a change of each parameter."""
    model = HaloCounts(Planck18, 0.5)
    expected = HaloCounts.counts.__wrapped__(HaloCounts(Planck18, 0.5), 1e13 * u.Msun)  # type: ignore[attr-defined]
    calls.clear()
    for _ in range(2):
        assert canonical(model.counts(1e13 * u.Msun)) == canonical(expected)
    with configure(key_file=tmp_path / "another"):
        assert canonical(HaloCounts(Planck18, 0.5).counts(1e13 * u.Msun)) == canonical(expected)
        HaloCounts(Planck18, 0.5).mass_function()
    assert calls == ["counts"]
    for change in ({"z": 1.0}, {"hmf_model": "PS"}, {"cosmo": FlatLambdaCDM(70, 0.3, Tcmb0=2.725, Ob0=0.05)}):
        vars(model).update(change)
        assert model.counts(1e13 * u.Msun) != expected
        assert model.counts(1e13 * u.Msun) == HaloCounts.counts.__wrapped__(model, 1e13 * u.Msun)  # type: ignore[attr-defined]
