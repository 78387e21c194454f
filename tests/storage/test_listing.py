"""A listing that fails is reported, and not taken for an empty one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stored import PersistenceWarning, configure
from stored.stores import LayeredStore, MemoryStore
from tests.storage.models import CALLS, Model, new_user, store
from tests.stores.test_files import without_handles
from tests.stores.test_layered import Failing


@pytest.mark.parametrize("use", [lambda: Model().power.cache_clear(), lambda: new_user().listObjects()])
def test_a_listing_that_fails_is_reported(use: Callable[[], object]) -> None:
    """A listing that fails is not taken for an empty one: there is one warning, and what is there stays."""
    Model().power(2.0)
    store("a")
    with without_handles(), pytest.warns(PersistenceWarning, match=r"cannot be listed .*; not all is shown") as caught:
        use()
        use()
    assert [each.filename for each in caught] == [__file__]
    assert new_user().listObjects() == ["a"]
    assert Model().power(2.0) == 4.0
    assert CALLS == [2.0]


def test_a_layer_that_cannot_be_listed_is_reported() -> None:
    """What one's own layer holds is listed, and the layer that cannot be is named."""
    store = LayeredStore(MemoryStore(), Failing())
    with configure(store=store), pytest.warns(PersistenceWarning, match="shared directory the failing one cannot be"):
        new_user().storeObject("a", 1)
        assert new_user().listObjects() == ["a"]
