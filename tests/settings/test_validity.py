"""For how long are shortcuts valid?"""

from __future__ import annotations

from stored._settings import validity


def test_watchers_may_be_freed_while_others_are_invalidated() -> None:
    """A watcher that is freed when another is invalidated is not invalidated itself."""

    class Watcher:
        other: Watcher | None = None
        invalidations = 0

        def invalidate(self) -> None:
            Watcher.invalidations += 1
            self.other = None

    first = Watcher()
    validity.watch(first)
    first.other = Watcher()
    validity.watch(first.other)
    validity.invalidate()
    validity.invalidate()
    assert Watcher.invalidations == 2
