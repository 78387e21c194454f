"""The example that registers cosmologies of CCL by a key: models that hold them are computed once for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stored import keyed_by, stored
from stored._keys import canonical
from tests.science.examples import example

pyccl = pytest.importorskip("pyccl")
example("register_pyccl")


def cosmology(**options: Any) -> Any:
    return pyccl.Cosmology(**{"Omega_c": 0.27, "Omega_b": 0.045, "h": 0.67, "sigma8": 0.8, "n_s": 0.96, **options})


@keyed_by("cosmo")
class Distances:
    """As users of CCL write it."""

    computed: list[int] = []

    def __init__(self, cosmo: Any) -> None:
        self.cosmo = cosmo

    @stored(ignore=("self.computed",))
    def chi(self, a: Any) -> Any:
        self.computed.append(1)
        return pyccl.comoving_radial_distance(self.cosmo, a)


def test_a_model_of_ccl_is_computed_once_for_each_cosmology() -> None:
    """By content, not by object."""
    a = np.linspace(0.3, 0.9, 4)
    for _ in range(2):
        np.testing.assert_array_equal(Distances(cosmology()).chi(a), pyccl.comoving_radial_distance(cosmology(), a))
    assert len(Distances.computed) == 1
    assert np.all(Distances(cosmology(h=0.7)).chi(a) < Distances(cosmology()).chi(a))
    assert len(Distances.computed) == 2


def test_parameters_classes_and_accuracy_count() -> None:
    """The last are settings of CCL at the time when a cosmology is made."""
    texts = {canonical(each) for each in (cosmology(), cosmology(w0=-0.9), pyccl.CosmologyVanillaLCDM())}
    pyccl.gsl_params.INTEGRATION_EPSREL *= 0.5
    try:
        texts.add(canonical(cosmology()))
    finally:
        pyccl.gsl_params.reload()
    assert len(texts) == 4
    assert canonical(cosmology()) == canonical(cosmology())
