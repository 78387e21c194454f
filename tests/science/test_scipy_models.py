"""A power spectrum with splines and sparse matrices, as users of scipy write it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy.interpolate")

from scipy import interpolate, sparse

from stored import configure, keyed_by, stored
from tests.adapters.round_trips import user
from tests.faults.processes import in_processes

K = np.geomspace(1e-3, 10.0, 60)


@keyed_by("ns", "transfer")
class Power:
    """Its transfer function is a spline that somebody hands over; its covariance is sparse."""

    computed: list[str] = []

    def __init__(self, ns: float, transfer: Any) -> None:
        self.ns, self.transfer = ns, transfer

    @stored(ignore=("self.computed",))
    def spline(self) -> Any:
        self.computed.append("spline")
        return interpolate.InterpolatedUnivariateSpline(np.log(K), self.ns * np.log(K) + 2 * self.transfer(np.log(K)))

    def __call__(self, k: Any) -> Any:
        return np.exp(self.spline()(np.log(k)))

    @stored(ignore=("self.computed",))
    def covariance(self, window: Any) -> Any:
        self.computed.append("covariance")
        return sparse.csr_array(sparse.diags_array(self(K) ** 2) @ window)

    @stored(ignore=("self.computed",))
    def parts(self) -> dict[str, Any]:
        self.computed.append("parts")
        return {"growth": interpolate.CubicSpline(K, K**2), "peaks": [interpolate.PPoly([[1.0], [0.0]], [0, 1])]}


def transfer(slope: float = -2.0) -> Any:
    return interpolate.CubicSpline(np.log(K), np.log1p(K) * slope)


def window() -> Any:
    return sparse.eye_array(K.size, format="csr") + sparse.eye_array(K.size, k=1, format="csr") * 0.5


def plain(model: Power) -> Any:
    spline = Power.spline.__wrapped__(model)
    power = np.exp(spline(np.log(K)))
    return power, (sparse.diags_array(power**2) @ window()).toarray()


def use(slope: float = -2.0) -> list[str]:
    """Use a model, compare it with the plain calls, and return what was computed for it."""
    model = Power(0.96, transfer(slope))
    Power.computed.clear()
    power, covariance = model(K), model.covariance(window())
    found = list(Power.computed)
    expected = plain(model)
    np.testing.assert_array_equal(power, expected[0])
    np.testing.assert_array_equal(covariance.toarray(), expected[1])
    assert model.parts()["growth"](2.0) == pytest.approx(4.0)
    return found


def test_a_model_in_memory_in_other_processes_and_after_changes() -> None:
    """All give what the plain calls give, and each is computed once."""
    assert use() == ["spline", "covariance"]
    assert use() == []
    assert in_processes((use,), (use,)) == [[], []]
    assert use(-1.9) == ["spline", "covariance"]
    model = Power(0.96, transfer())
    before = model(K)
    model.transfer.c[-1] += 0.1
    np.testing.assert_allclose(model(K), before * np.exp(0.2), rtol=1e-6)
    model.ns = 1.0
    np.testing.assert_array_equal(model(K), plain(model)[0])


def test_results_are_the_callers_own() -> None:
    """Who changes a spline or a sparse array changes it for himself."""
    model = Power(0.96, transfer())
    for _ in range(3):
        covariance, growth = model.covariance(window()), model.parts()["growth"]
        assert covariance.toarray()[0, 0] == pytest.approx(model(K)[0] ** 2)
        assert growth.c[0, 0] == pytest.approx(0.0, abs=1e-6)
        covariance.data[:] = 0
        growth.c[:] = 7


def test_shared_results_are_found_by_others(tmp_path: Path) -> None:
    """Who has another key computes nothing, and gets no warning."""
    with user(tmp_path, "first"):
        assert use() == ["spline", "covariance"]
    with user(tmp_path, "second"):
        assert use() == []
        with configure(persistence=""):
            assert use(-1.5) == ["spline", "covariance"]
