"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import stored
from stored import _config
from stored._engine import PersistentTier

collect_ignore = ["typing/api.py"]  # for mypy alone


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path) -> Iterator[Path]:
    """A cache directory and a key file of the test's own, and nothing reported so far."""
    directory = tmp_path / "cache"
    PersistentTier._reported.clear()
    before = _config._layers, _config._current
    with stored.configure(
        cache_dir=directory, key_file=tmp_path / "config" / "key", persistence="rw", disable=False, store=None
    ):
        yield directory
    _config._layers, _config._current = before  # calls of configure without a with block stay in force otherwise
    _config.epoch.begin()
