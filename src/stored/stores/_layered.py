"""How are several stores used as one? The user's own store is read and written, stores of others are only read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from stored._entry_form import ENTRY_ENDING, REMOVED, is_entry_name
from stored.typing import Buffer, Store, Turn, Upkeep, Usage, Waiting, count_written, left_out

__all__ = ["LayerError", "LayeredStore"]


class LayerError(OSError):
    """A lower store cannot be read, and no other store has what was asked for.

    Attributes
    ----------
    layer : str
        Where the lower store is.
    """

    def __init__(self, layer: str, error: OSError) -> None:
        super().__init__(error.errno, error.strerror or str(error))
        self.layer = layer


class LayeredStore(Store):
    """A store that is read and written, over others that are only read.

    A name is read from the first store that has it. All writes go to the upper store. A deleted name is gone although a
    lower store still has it: a mark in the upper store hides it.

    Parameters
    ----------
    upper : Store
        The user's own store.
    *lower : Store
        Stores of others, in the order in which they are read.
    """

    def __init__(self, upper: Store, *lower: Store) -> None:
        self.upper = upper
        self.lower = lower

    def __repr__(self) -> str:
        return f"LayeredStore({', '.join(map(repr, (self.upper, *self.lower)))})"

    def read(self, name: str) -> Buffer | None:
        """All bytes under a name, from the first store that has it."""
        return self._read_first(name, lambda store: store.read(name))

    def read_start(self, name: str, length: int) -> Buffer | None:
        """The first bytes under a name."""
        return self._read_first(name, lambda store: store.read_start(name, length))

    def _read_first(self, name: str, read: Callable[[Store], Buffer | None]) -> Buffer | None:
        with contextlib.suppress(NotADirectoryError):  # there is no upper store, and so no mark
            found = read(self.upper)
            if found is not None or self._is_removed(name):
                return found
        failure: LayerError | None = None
        for store in self.lower:
            try:
                found = read(store)
            except OSError as error:
                failure = failure or LayerError(store.location(), error)
                continue
            if found is not None:
                return found
        if failure is not None:
            raise failure
        return None

    def _is_removed(self, name: str) -> bool:
        return self.upper.read_start(f"{name}{REMOVED}", 1) is not None

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Write to the upper store."""
        self.upper.write(name, parts)

    def delete(self, name: str) -> bool:
        """Remove a name from the upper store, and hide those below."""
        was_here = self.upper.delete(name)
        if self.read_start(name, 0) is None:
            return was_here
        self.upper.write(f"{name}{REMOVED}", [])
        return True

    def names(self, folder: str = "") -> Iterator[str]:
        """The names in a folder of any store, except those that were deleted."""
        above = set(self.upper.names(folder))
        marks = {name for name in above if name.endswith(REMOVED)}
        yield from above - marks
        seen = above | {name.removesuffix(REMOVED) for name in marks}
        for store in self.lower:
            try:
                below = set(store.names(folder)) - seen
            except OSError as error:
                raise LayerError(store.location(), error) from error
            yield from below
            seen |= below

    def location(self, name: str = "") -> str:
        """Where a name is, or would be written."""
        return (self._store_of(name) if name else self.upper).location(name)

    def _store_of(self, name: str) -> Store:
        with contextlib.suppress(OSError):  # the name may be a folder
            for store in (self.upper, *self.lower):
                if store.read_start(name, 0) is not None:
                    return store
        return self.upper

    def touch(self, name: str) -> None:
        """Note a use, in the upper store."""
        self.upper.touch(name)

    def declare_wait(self, name: str) -> AbstractContextManager[None]:
        """As in the upper store."""
        return self.upper.declare_wait(name)

    def compute_turn(
        self, name: str, limit: float | None, tell: Callable[[Waiting], object] | None = None
    ) -> AbstractContextManager[Turn]:
        """As in the upper store."""
        return self.upper.compute_turn(name, limit, tell)

    def clear_leftovers(self) -> int:
        """Remove what processes that died have left in the upper store."""
        return self.upper.clear_leftovers()

    def count_written(self, size: int) -> Usage | None:
        """As in the upper store."""
        return count_written(self.upper, size)

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        """Remove what is beyond the limits from the upper store, and marks that hide nothing any more."""
        done = self.upper.trim(ending, max_bytes, max_age)
        for mark in [name for name in self.upper.names() if is_entry_name(name, ENTRY_ENDING + REMOVED)]:
            with contextlib.suppress(OSError):  # what a lower store has cannot be known
                if self._hides_nothing(mark.removesuffix(REMOVED)) and self.upper.read_start(mark, 1) == b"":
                    self.upper.delete(mark)
        return done

    def _hides_nothing(self, name: str) -> bool:
        return all(store.read_start(name, 0) is None for store in self.lower)

    def writable_by_others(self) -> str:
        """The first of the stores to which other users can write."""
        return next(filter(None, (store.writable_by_others() for store in (self.upper, *self.lower))), "")

    def left_out(self) -> frozenset[str]:
        """What the upper store leaves out."""
        return left_out(self.upper)
