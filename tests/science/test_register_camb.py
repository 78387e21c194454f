"""The example that registers the parameters of CAMB: models keyed by them are computed once for each set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import keyed_by, stored
from stored._adapters import adapter_of
from stored._keys import canonical
from tests.adapters import round_trips
from tests.adapters.round_trips import by_two_users, comes_back
from tests.science.examples import example

camb = pytest.importorskip("camb")
example("register_camb")


def parameters(**options: Any) -> Any:
    return camb.set_params(**{"H0": 67.5, "ombh2": 0.022, "omch2": 0.122, "As": 2e-9, "ns": 0.965, **options})


round_trips.GOOD["CAMB"] = parameters


@keyed_by("pars")
class Background:
    """Distances of a cosmology, as users of CAMB compute them."""

    computed: list[int] = []

    def __init__(self, pars: Any) -> None:
        self.pars = pars

    @stored(ignore=("self.computed",))
    def distances(self, z: Any) -> Any:
        self.computed.append(1)
        return camb.get_background(self.pars).comoving_radial_distance(z)


def test_parameters_come_back(tmp_path: Path) -> None:
    """With all that they are; a second user finds them."""
    ((first, second),) = by_two_users(tmp_path, ["CAMB"])
    assert str(first) == str(second) == str(comes_back(parameters())) == str(parameters())


def test_a_model_of_camb_is_computed_once_for_each_set_of_parameters() -> None:
    """A parameter that is changed in place is noticed."""
    z = np.linspace(0.1, 2, 5)
    model = Background(parameters())
    expected = camb.get_background(parameters()).comoving_radial_distance(z)
    for each in (model, model, Background(parameters())):
        np.testing.assert_allclose(each.distances(z), expected, rtol=1e-12)
    assert len(Background.computed) == 1
    model.pars.H0 = 70.0
    assert np.all(model.distances(z) < expected)
    model.pars.DarkEnergy.w = -0.9
    assert len(Background.computed) == 2
    model.distances(z)
    assert len(Background.computed) == 3


def test_every_part_counts() -> None:
    """Whichever is set to something else."""
    texts = {canonical(parameters(**{name: value})) for name, value in (("ns", 0.96), ("tau", 0.06), ("mnu", 0.1))}
    assert len(texts | {canonical(parameters())}) == 4


def test_forged_states_are_refused() -> None:
    """Also those with pointers."""
    adapter = adapter_of(camb.CAMBparams)
    assert adapter is not None
    assert adapter.decode is not None
    good = adapter.encode(parameters())  # type: ignore[misc]
    for plain in ({}, {**good, "CustomSources": 1}, {**good, "H0": "text"}):
        with pytest.raises((ValueError, TypeError)):
            adapter.decode(plain)
