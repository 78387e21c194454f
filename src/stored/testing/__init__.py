"""Does a store keep the contract? Tests for authors of stores, who inherit them; importing it needs pytest."""

import pytest

# so that a test which fails shows the values that it has compared
pytest.register_assert_rewrite("stored.testing._contract", "stored.testing._processes")

from stored.testing._contract import BAD_NAMES, StoreContract  # noqa: E402

__all__ = ["BAD_NAMES", "StoreContract"]
