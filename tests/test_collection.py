"""Every process collects the same tests, so that several can share them."""

from __future__ import annotations

import pytest


def test_no_name_of_a_test_holds_an_address(request: pytest.FixtureRequest) -> None:
    """The names of all collected tests are free of addresses, which differ between processes."""
    assert [item.nodeid for item in request.session.items if " at 0x" in item.nodeid] == []
