"""A store tells what it leaves out, and what it cannot keep is refused when it is set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from stored import ConfigurationError, StoredWarning, configure
from stored._settings import settings
from stored._settings.environment import settings_from_environment
from stored.stores import DirectoryStore, LayeredStore, MemoryStore
from stored.testing import StoreContract
from stored.typing import Buffer, Store, check_name, left_out

LIMITS = [{"max_bytes": 10**6}, {"max_age": 60.0}, {"max_bytes": 0, "max_age": 0.0}]


class Least(Store):
    """A store that does what it must, and nothing else."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}

    def read(self, name: str) -> Buffer | None:
        return self._data.get(check_name(name))

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        self._data[check_name(name)] = b"".join(parts)

    def delete(self, name: str) -> bool:
        return self._data.pop(check_name(name), None) is not None

    def names(self, folder: str = "") -> Iterator[str]:
        prefix = f"{check_name(folder)}/" if folder else ""
        return iter([name for name in list(self._data) if name.startswith(prefix)])

    def location(self, name: str = "") -> str:
        return f"least{name}"


class TestLeast(StoreContract):
    is_shared = False

    def make_store(self, directory: Path) -> Least:
        return Least()


class PlainFiles(Least):
    """A store of several processes that does what it must, and nothing else."""

    def __init__(self, directory: Path) -> None:
        self._files = DirectoryStore(directory)
        self.read, self.write = self._files.read, self._files.write  # type: ignore[method-assign]
        self.delete, self.names = self._files.delete, self._files.names  # type: ignore[method-assign]

    def __reduce__(self) -> tuple[Any, ...]:
        return PlainFiles, (self._files.root,)


class TestPlainFiles(StoreContract):
    def make_store(self, directory: Path) -> PlainFiles:
        return PlainFiles(directory / "root")


class Delegating:
    """A store that inherits from nothing, and passes all on but what was added later."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        if name in ("left_out", "count_written", "_store"):
            raise AttributeError(name)
        return getattr(self._store, name)


def test_a_store_tells_what_it_leaves_out(tmp_path: Path) -> None:
    """That is what it does not override; of another class, what it has not."""
    assert left_out(Least()) == {"touch", "declare_wait", "compute_turn", "clear_leftovers", "count_written", "trim"}
    assert left_out(MemoryStore()) == {"declare_wait", "compute_turn", "clear_leftovers"}
    assert left_out(DirectoryStore(tmp_path)) == frozenset()
    assert left_out(cast("Store", Delegating(Least()))) == {"count_written"}


@pytest.mark.parametrize("limits", LIMITS)
def test_limits_are_refused_that_a_store_cannot_keep(limits: dict[str, Any]) -> None:
    """Whichever is set first, and at once: the error names store, limits and remedies, and nothing changes."""
    place = Least()
    for store in (place, LayeredStore(place, MemoryStore())):
        for first, second in (({}, {"store": store, **limits}), (limits, {"store": store}), ({"store": store}, limits)):
            with configure(**first):
                before = settings()
                with pytest.raises(ConfigurationError, match=r"cannot keep max_.*choose a store that trims") as caught:
                    configure(**second)
                assert settings() is before
    assert f"{place!r}" in str(caught.value)
    assert all(f"{name}={value}" in str(caught.value) for name, value in limits.items())


@pytest.mark.parametrize("limits", LIMITS)
def test_limits_are_taken_that_a_store_can_keep(tmp_path: Path, limits: dict[str, Any]) -> None:
    """A store that trims has them, also as the upper one of several; so has one that only looks like a store."""
    for store in (MemoryStore(), DirectoryStore(tmp_path), LayeredStore(MemoryStore(), Least())):
        with configure(store=store, **limits) as now:
            assert now.store is store
    with configure(store=Delegating(MemoryStore()), **limits):  # type: ignore[arg-type]
        pass
    with configure(store=Least(), max_bytes=None, max_age=None), configure(persistence="r"):
        pass


def test_limits_of_the_environment_are_refused_too(tmp_path: Path) -> None:
    """A store that cannot keep them is refused, until they are taken away."""
    given = settings_from_environment({"HOME": str(tmp_path), "STORED_MAX_BYTES": "1000"})
    with configure(max_bytes=given.max_bytes):
        with pytest.raises(ConfigurationError, match=r"cannot keep max_bytes=1000; .*STORED_MAX_BYTES"):
            configure(store=Least())
        with configure(store=Least(), max_bytes=None) as now:
            assert now.max_bytes is None


def test_what_a_block_leaves_behind_stays_as_it_is() -> None:
    """If a limit comes back that the store set meanwhile cannot keep, both stay, with a warning; other settings go."""
    with configure(max_bytes=1000):
        block = configure(max_bytes=None, persistence="r")
        place = Least()
        inner = configure(store=place)
        with pytest.warns(StoredWarning, match="cannot keep max_bytes=1000; so the store .* still in force") as caught:
            block.__exit__(None, None, None)
        assert caught[0].filename == __file__
        assert (settings().store, settings().max_bytes, settings().persistence) == (place, None, "rw")
        inner.__exit__(None, None, None)
        assert (settings().store, settings().max_bytes) == (None, 1000)
