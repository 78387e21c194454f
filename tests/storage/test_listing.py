"""What a store contains is listed by names and headers; a listing that fails is not taken for an empty one."""

from __future__ import annotations

import platform
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest

from stored import PersistenceWarning, __version__, configure
from stored._keys import Key, Space
from stored._storage import Header, PersistentTier, headers, headers_of_method, headers_of_space
from stored._storage.listing import keys_of_same_method
from stored.stores import LayeredStore, MemoryStore
from stored.typing import Buffer
from tests.storage.entries import Parts
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


# -- what is listed ---------------------------------------------------------------------------------------------------


class Counting(MemoryStore):
    """A store that notes which names are read."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def read(self, name: str) -> Buffer | None:
        self.seen.append(name)
        return super().read(name)


ONE, OTHER = Space("listing", "m", (("p", "1"),)), Space("listing", "m", (("p", "2"),))
KEYS = [
    Key(ONE, "f", "mod.C.f", "1", (("x", "1"),)),
    Key(ONE, "f", "mod.C.f", "2", (("x", "1"),)),
    Key(ONE, "f", "mod.C.f of mod.D", "1", (("x", "1"),)),
    Key(ONE, "g", "mod.C.g", "1"),
    Key(ONE, "f"),
    Key(OTHER, "f", "mod.C.f", "1", (("x", "1"),)),
    Key(Space("listing", "n", (("p", "1"),)), "f", "mod.C.f", "1"),
    Key(Space("elsewhere", "m", (("p", "1"),)), "f", "mod.C.f", "1"),
]


@pytest.fixture
def filled() -> Iterator[Counting]:
    """A store with an entry for each key, none of which was read so far."""
    store = Counting()
    with configure(store=store):
        for number, key in enumerate(KEYS):
            PersistentTier("rw").slot(key, (("p",), (1,), {"x": number})).save(number, seconds=number)
        store.seen.clear()
        yield store


def listed(found: Iterable[Header]) -> list[int]:
    """Which of the keys are listed."""
    return sorted(KEYS.index(each.key) for each in found)


def test_all_headers(filled: Counting) -> None:
    """A header tells where an entry is, its key, values, time and writer."""
    before = time.time()
    assert listed(headers(filled)) == list(range(8))
    for header in headers(filled):
        number = KEYS.index(header.key)
        assert header.name == header.key.entry_name
        assert header.values["arguments"] == ({"x": number} if KEYS[number].arguments else {})
        assert header.seconds == number
        assert before - 60 < header.created <= before
        assert header.writer == {
            "stored": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
        }


def test_headers_of_a_space(filled: Counting) -> None:
    """All of one owner's entries are found by their names, and no others are read."""
    methods = [("f", "mod.C.f"), ("g", "mod.C.g"), ("f", "mod.C.f of mod.D")]
    assert listed(headers_of_space(filled, ONE, methods)) == [0, 1, 2, 3, 4]
    assert len(filled.seen) == 5
    assert listed(headers_of_space(filled, ONE)) == [4]
    assert listed(headers_of_space(filled, OTHER, methods)) == [5]
    assert listed(headers_of_space(filled, Space("listing", "m", "1"))) == []


def test_headers_of_a_method(filled: Counting) -> None:
    """All of a method's entries, those of classes that inherit it included, are found by their names."""
    assert listed(headers_of_method(filled, "listing", "f", "mod.C.f")) == [0, 1, 2, 5, 6]
    assert len(filled.seen) == 5
    assert listed(headers_of_method(filled, "listing", "f", "mod.C.f of mod.D")) == [0, 1, 2, 5, 6]
    assert listed(headers_of_method(filled, "listing", "f", "")) == [4]
    assert listed(headers_of_method(filled, "elsewhere", "f", "mod.C.f")) == [7]
    assert listed(headers_of_method(filled, "nowhere", "f", "mod.C.f")) == []


def test_keys_of_the_same_method(filled: Counting) -> None:
    """They are of owners of the same name, and of the very same definition."""
    assert sorted(map(KEYS.index, keys_of_same_method(filled, KEYS[0]))) == [0, 1, 5]
    assert len(filled.seen) == 4
    assert len(list(keys_of_same_method(filled, KEYS[0], limit=1))) == 1


def long_entry(number: int) -> tuple[str, bytes]:
    """The name and the bytes of an entry of the first key's method that has 1 MB of quotes in its key."""
    key = Key(Space("listing", "m", '"' * 500_000), "f", "mod.C.f", "1", (("x", str(number)),))
    return key.entry_name, Parts(b"1", key=key.data).joined()


class Measuring(MemoryStore):
    """A store that counts the bytes that are read of each entry."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[int] = []

    def read_start(self, name: str, length: int) -> Buffer | None:
        start = super().read_start(name, length)
        self.taken.append(0 if start is None else memoryview(start).nbytes)
        return start


@pytest.mark.parametrize("is_whole", [True, False], ids=["keys", "damaged"])
def test_of_many_long_headers_some_are_compared(is_whole: bool) -> None:
    """However long headers are, of at most 16 MiB keys are taken, one after another, and none is remembered."""
    store = Measuring()
    for number in range(24):
        name, data = long_entry(number)
        store.write(name, [data if is_whole else data.replace(b'"arguments"', b'"argumentX"')])
    tracemalloc.start()
    try:
        found = sum(1 for _ in keys_of_same_method(store, KEYS[0]))
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == (17 if is_whole else 0)
    assert sum(store.taken) < 18 << 20
    assert peak < 24 << 20
    assert left < 1 << 20


def test_no_more_than_the_header_is_read() -> None:
    """Of an entry with a long header, its beginning is read, and then its header; of a damaged one the beginning."""
    store = Measuring()
    store.write(KEYS[0].entry_name, [Parts(b"1" * 10**6, key=b"k" * 10_000).joined()])
    store.write(KEYS[1].entry_name, [b"damaged" * 10**6])
    assert list(headers(store)) == []
    assert sorted(store.taken) == [4096, 4096, 72 + 10_000 + 29]


def test_only_entries_at_their_places_are_listed(filled: Counting) -> None:
    """Damaged and misplaced entries, and what is no entry, are passed over."""
    whole = filled.read(KEYS[0].entry_name)
    assert whole is not None
    filled.write(KEYS[0].entry_name, [b"damaged"])
    filled.write(KEYS[1].entry_name, [whole])
    filled.write(f"{KEYS[2].entry_name}.removed", [b""])
    assert listed(headers(filled)) == [2, 3, 4, 5, 6, 7]


def test_nothing_is_listed_while_disabled(filled: Counting) -> None:
    """The store is not looked at then."""
    with configure(disable=True):
        assert list(headers(filled)) == []
    assert filled.seen == []


def test_a_header_that_cannot_be_read_is_reported(filled: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else there is is listed, and the trouble is named once, with the folder."""

    def read(name: str, length: int) -> Buffer | None:
        if name in {KEYS[0].entry_name, KEYS[1].entry_name}:
            raise OSError("connection lost")
        return MemoryStore.read_start(filled, name, length)

    monkeypatch.setattr(filled, "read_start", read)
    with pytest.warns(PersistenceWarning, match="connection lost.*not all is shown") as caught:
        assert listed(headers(filled)) == [2, 3, 4, 5, 6, 7]
    assert len(caught) == 1
    assert KEYS[0].entry_name.rpartition("/")[0] in str(caught[0].message)
