"""Colossus, to compare with."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo.physics.reference import make_colossus


@pytest.fixture(scope="module")
def colossus() -> Any:
    """Give a Colossus cosmology with radiation."""
    return make_colossus()
