"""What every store inherits."""

from __future__ import annotations

import pytest

from stored.stores import MemoryStore


@pytest.mark.parametrize(
    ("before", "now"),
    [("needing", "declare_wait"), ("turn", "compute_turn"), ("open_to", "writable_by_others")],
)
def test_a_name_of_before_is_refused(before: str, now: str) -> None:
    """A store that overrides a method by the name it had before gets an error with the name of now."""
    with pytest.raises(TypeError, match=rf"Older defines {before}\(\), which is called {now}\(\) now"):
        type("Older", (MemoryStore,), {before: lambda self: None})
