"""A class of a script or a notebook goes to the workers of others: each result is computed once, by anyone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.travel.scripts import RUNS, script_with, start

NEEDS = {"joblib": "joblib", "dask": "distributed", "multiprocess": "multiprocess", "cloudpickle": "cloudpickle"} | {
    "dill": "dill"
}
EXPECTED = [[2.0 * 3.0 * k, 2.25, 0.5, "StoredMethod"] for k in [*range(20)] * 2]


@pytest.mark.parametrize("name", RUNS)
def test_each_result_is_computed_once(name: str, tmp_path: Path) -> None:
    """By one of the workers; the parent, and a later process of the script, find them."""
    pytest.importorskip(NEEDS.get(name, "stored"))
    script = script_with(RUNS[name])
    told = start(script, tmp_path)
    assert told["found"] == told["mine"] == EXPECTED
    assert told["by workers"] == told["all"] == 20
    assert start(script, tmp_path)["all"] == 20
