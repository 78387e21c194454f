"""Fixtures of the tests of storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from stored import configure
from tests.storage.models import CALLS, entry_files, store


@pytest.fixture(autouse=True)
def no_calls() -> None:
    """Nothing was computed so far."""
    CALLS.clear()


@pytest.fixture
def size(tmp_path: Path) -> int:
    """What one of the objects takes on disk."""
    with configure(cache_dir=tmp_path / "measured"):
        store("a")
    return entry_files(tmp_path / "measured")[0].stat().st_size
