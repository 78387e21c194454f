"""A class of a notebook goes to the workers of joblib and dask, and is edited there."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.travel.scripts import MODEL, RUNS
from tests.travel.test_functions import FUNCTIONS

manager = pytest.importorskip("jupyter_client.manager")
pytest.importorskip("ipykernel")


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """A function that runs a cell of a notebook, and gives what it prints."""
    for name, value in {
        "LOG_OF_TEST": tmp_path / "log",
        "STORED_CACHE_DIR": tmp_path / "cache",
        "STORED_KEY_FILE": tmp_path / "config" / "key",
        "IPYTHONDIR": tmp_path / "ipython",
        "JUPYTER_RUNTIME_DIR": tmp_path / "runtime",
    }.items():
        monkeypatch.setenv(name, str(value))
    kernels, client = manager.start_new_kernel(kernel_name="python3", cwd=str(tmp_path))

    def run(code: str) -> str:
        printed: list[str] = []
        errors: list[str] = []

        def hook(message: Any) -> None:
            content = message["content"]
            if message["msg_type"] == "stream" and content["name"] == "stdout":
                printed.append(content["text"])
            elif message["msg_type"] == "error":
                errors.append("\n".join(content["traceback"]))

        client.execute_interactive(code, output_hook=hook, timeout=120)
        assert not errors, errors[0]
        return "".join(printed)

    try:
        yield run
    finally:
        client.stop_channels()
        kernels.shutdown_kernel(now=True)


@pytest.mark.parametrize("name", ["joblib", "dask"])
def test_each_result_is_computed_once(name: str, cell: Callable[[str], str]) -> None:
    """By the workers, and after a helper's cell was edited and run again, once more."""
    pytest.importorskip({"dask": "distributed"}.get(name, name))
    cell(MODEL)
    cell("\n".join([line.removeprefix("        ") for line in RUNS[name].splitlines()]))
    ask = """
model = Model(2.0)
asked = [1.0, 2.0, 3.0] * 2
found = [list(each) for each in run(model, asked)]
print(json.dumps([found, [list(work(model, k)) for k in asked], computed()]))
"""
    for factor, count in ((3.0, 3), (5.0, 6), (5.0, 6)):
        cell(f"FACTOR = {factor}")
        found, mine, computed = json.loads(cell(ask))
        assert found == mine == [[2.0 * factor * k, 2.25, 0.5, "StoredMethod"] for k in [1.0, 2.0, 3.0] * 2]
        assert computed == count
    assert os.environ["STORED_CACHE_DIR"]


def test_functions_of_a_notebook(cell: Callable[[str], str]) -> None:
    """They go to workers by value, and cells that are run again are noticed."""
    pytest.importorskip("joblib")
    cell(FUNCTIONS)
    cell(textwrap.dedent(RUNS["joblib"]))
    ask = """
asked = [1.0, 2.0, 3.0] * 2
found = [list(each) for each in run(2.0, asked)]
print(json.dumps([found, [list(work(2.0, k)) for k in asked], computed()]))
"""
    for factor, count in ((3.0, 3), (5.0, 6), (5.0, 6)):
        cell(f"FACTOR = {factor}")
        found, mine, computed = json.loads(cell(ask))
        expected = [2.0 * factor * k for k in [1.0, 2.0, 3.0] * 2]
        assert found == mine == [[each, 2.25, 144, each, True, "StoredMethod"] for each in expected]
        assert computed == count
