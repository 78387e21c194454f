"""Fixtures that every test may use."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

import stored
from stored._settings import layers, validity
from stored._storage.limits import finish_trims
from stored._storage.reports import clear_reports

# how long an example takes tells how busy the other cores are
hypothesis.settings.register_profile(
    "on all cores",
    deadline=None,
    max_examples=60 if os.environ.get("STORED_FAULTS") else 25,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("on all cores")

collect_ignore = ["typing/api.py"]  # for mypy alone


def pytest_collection_finish() -> None:
    """What was imported stays: many tests collect garbage, which need not look through it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path) -> Iterator[Path]:
    """A cache directory and a key file of the test's own, nothing reported so far, and no results in memory.

    Each object has results of its own, unless a test sets `memory_sets`: models of a module serve many tests.
    """
    directory = tmp_path / "cache"
    clear_reports()
    before = layers._layers, layers._current
    with stored.configure(
        cache_dir=directory,
        key_file=tmp_path / "config" / "key",
        persistence="rw",
        disable=False,
        store=None,
        memory_sets=0,
    ):
        yield directory
        finish_trims()
    layers._put_in_force(*before)  # calls of configure without a with block stay in force otherwise
    validity.invalidate()


@pytest.fixture
def while_waiting(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str, Callable[[], object]], list[Any]]:
    """A function that lets something happen while the next caller waits for a lock, and tells what came of it."""

    def arrange(holder: object, name: str, happen: Callable[[], object]) -> list[Any]:
        real, found = getattr(holder, name), list[Any]()

        @contextlib.contextmanager
        def waited() -> Iterator[None]:
            monkeypatch.setattr(holder, name, real)
            found.append(happen())
            yield

        monkeypatch.setattr(holder, name, waited())
        return found

    return arrange
