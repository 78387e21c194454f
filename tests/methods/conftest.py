"""Fixtures for the tests of stored methods."""

from __future__ import annotations

import pytest

from stored._settings import validity
from tests.methods.models import CALLS


@pytest.fixture(autouse=True)
def no_calls() -> None:
    """No method of the models has been called yet."""
    CALLS.clear()


@pytest.fixture(autouse=True)
def has_storage_users(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a `StorageUser` was ever made, which decides what shortcuts check; as it is, unless a test says it."""
    monkeypatch.setattr(validity, "has_storage_users", getattr(request, "param", validity.has_storage_users))
    validity.invalidate()
