"""What `configure` sets is told to processes that are started meanwhile, by the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored import configure
from stored._settings import settings
from stored._settings.environment import settings_from_environment
from stored._settings.exported import Exported

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "cache_dir": st.sampled_from(["/a/cache", "/b/c d", "/ü"]),
    "key_file": st.sampled_from(["/keys/key", "/keys/other"]),
    "persistence": st.sampled_from(["rw", "r", "w", ""]),
    "disable": st.booleans(),
    "shared_dirs": st.lists(st.sampled_from(["/s/one", "/s/two"]), unique=True),
    "map_shared_dirs": st.booleans(),
    "max_bytes": st.none() | st.integers(0, 10**15),
    "max_age": st.none() | st.floats(0, 1e9),
    "min_compute_seconds": st.floats(0, 1e9),
    "lock_timeout": st.none() | st.floats(0, 1e9),
    "memory_sets": st.integers(0, 10**6),
    "max_memory_bytes": st.none() | st.integers(0, 10**15),
    "verify": st.floats(0, 1),
    "verify_rtol": st.floats(0, 1e9),
    "verify_seed": st.integers(0, 10**9),
}


def variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("STORED_")}


@given(st.lists(st.fixed_dictionaries({}, optional=VALUES), min_size=1, max_size=3))
def test_a_process_that_starts_within_blocks_has_their_settings(blocks: list[dict[str, Any]]) -> None:
    """And after them, the environment is that of before."""
    before, told = settings()._replace(store=None), variables()
    opened = []
    try:
        for values in blocks:
            opened.append(configure(**values))
            assert settings_from_environment(os.environ) == settings()
    finally:
        for each in reversed(opened):
            with each:
                pass
    assert settings() == before
    assert variables() == told


def test_what_the_program_sets_itself_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For the processes that it starts; what was taken away, too."""
    with configure(lock_timeout=5.0, max_bytes=1000):
        monkeypatch.setenv("STORED_LOCK_TIMEOUT", "7")
        monkeypatch.delenv("STORED_MAX_BYTES")
        with configure(lock_timeout=6.0):
            assert os.environ["STORED_LOCK_TIMEOUT"] == "7"
    assert os.environ["STORED_LOCK_TIMEOUT"] == "7"
    assert "STORED_MAX_BYTES" not in os.environ


def test_what_the_environment_told_before_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of before stands there again when what `configure` has set is over."""
    monkeypatch.setenv("STORED_MAX_AGE", "5e0")
    first = settings_from_environment(os.environ)
    exported = Exported(first)
    for _ in range(2):
        exported.export(first._replace(max_age=7.0))
        assert os.environ["STORED_MAX_AGE"] == "7.0"
    exported.export(first)
    assert os.environ["STORED_MAX_AGE"] == "5e0"


def test_a_path_that_no_variable_can_tell(tmp_path: Path) -> None:
    """A colon separates directories: one in a path would make two of it."""
    with configure(shared_dirs=[tmp_path / "a:b", tmp_path / "c"]):
        assert os.environ["STORED_SHARED_DIRS"] == str(tmp_path / "c")


def told_settings() -> Any:
    return settings()._replace(store=None)


def test_workers_that_start_within_a_block(tmp_path: Path) -> None:
    """What they import is imported anew."""
    with configure(cache_dir=tmp_path / "elsewhere", lock_timeout=3.0), get_context("spawn").Pool(1) as pool:
        assert pool.apply(told_settings) == settings()


def test_other_programs_that_start_within_a_block(tmp_path: Path) -> None:
    """As those that dask starts for its workers."""
    ask = "import stored; print(stored.getCacheDir())"
    with configure(cache_dir=tmp_path / "elsewhere"):
        done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{tmp_path / 'elsewhere'}/"
