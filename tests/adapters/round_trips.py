"""Values on their way to bytes and back, good ones and forged ones, and between two users."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from stored import configure, keyed_by, stored
from stored._adapters import adapter_named
from stored._keys import canonical
from stored._storage.format import describe, pack, unpack
from stored._storage.native import pack_native, unpack_native
from stored.errors import DamagedEntryError
from tests.storage.entries import entry_of

GOOD: dict[str, Callable[[], Any]] = {}
"""What the method of a `Maker` makes, by names."""


def round_trip(value: Any) -> Any:
    """What is read from the entry of a value that is written without pickle."""
    return unpack_native(unpack(entry_of(value)))


def comes_back(value: Any) -> Any:
    """What is read from the entry of a value; an error if it differs in type, or in what keys tell."""
    found = round_trip(value)
    assert type(found) is type(value)
    assert canonical(found) == canonical(value)
    return found


def read_as(name: str, plain: Any, code: str = "") -> Any:
    """What is read from an entry that says that a type's plain form is this; None if it is found to be damaged."""
    body, buffers = pack_native(plain)
    tree = b'["registered",%s,%s,%s]' % (pack_native(name)[0], pack_native(code)[0], body)
    parts, _ = pack(b"{}", describe("native", {}), b"", tree, buffers, 1.0, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return unpack_native(unpack(b"".join(bytes(each) for each in parts)))
        except DamagedEntryError:
            return None


def is_refused_or(name: str, plain: Any) -> bool:
    """Is an entry with this plain form damaged, or one of a value of the type?"""
    adapter = adapter_named(name)
    assert adapter is not None
    found = read_as(name, plain)
    return found is None or isinstance(found, adapter.kind)


numbers = st.none() | st.booleans() | st.integers(-3, 12) | st.integers() | st.floats() | st.text(max_size=4)

arrays = st.builds(
    lambda dtype, shape, start: (
        (np.arange(start, start + int(np.prod(shape)), dtype="d") % 7).reshape(shape).astype(dtype)
    ),
    st.sampled_from(["d", "D", "i", "l", "?", "f", ">d", "B"]),
    st.lists(st.integers(0, 5), max_size=4),
    st.integers(0, 3),
)

plain_trees = st.recursive(
    numbers | arrays,
    lambda inside: (
        st.lists(inside, max_size=5)
        | st.lists(inside, max_size=5).map(tuple)
        | st.dictionaries(st.text(max_size=4), inside, max_size=3)
    ),
    max_leaves=16,
)
"""Plain forms that mostly are of no value."""


def parts_of(plain: Any, place: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """The places of all that is in tuples in one another."""
    yield place
    if type(plain) is tuple:
        for number, each in enumerate(plain):
            yield from parts_of(each, (*place, number))


def changed(plain: Any, place: tuple[int, ...], new: Any) -> Any:
    """A plain form with something else at a place."""
    if not place:
        return new(plain) if callable(new) else new
    first, *rest = place
    return tuple(changed(each, tuple(rest), new) if at == first else each for at, each in enumerate(plain))


def _items(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, np.ndarray) and value.size else 0


def _with_item(array: Any, number: Any) -> Any:
    copied = array.copy()
    copied.flat[array.size // 2] = number
    return copied


changes = st.sampled_from(
    [
        *(None, 0, -1, 1, 10**6, 2**62, 2**80, 0.5, "text", (), [], True),
        _items(lambda array: array[:-1]),
        _items(lambda array: np.concatenate([array, array])),
        _items(lambda array: array[::-1]),
        _items(lambda array: array[None]),
        _items(lambda array: array.real.astype("f")),
        _items(lambda array: array.real.astype(">f8")),
        _items(lambda array: array.astype("D")),
        _items(lambda array: array.real.astype("l")),
        _items(lambda array: array.real.astype("U3")),
        *(_items(lambda array, number=number: _with_item(array, number)) for number in (-1, 100, 2**31 - 1)),
        _items(lambda array: _with_item(array, np.nan) if array.dtype.kind in "fc" else array),
        lambda value: value[:-1] if isinstance(value, tuple) else value,
        lambda value: (*value, 3) if isinstance(value, tuple) else value,
        lambda value: value + 1 if isinstance(value, int | float) else value,
    ]
)
"""What a forger could put in the place of a part."""


@keyed_by("number")
class Maker:
    """An owner whose method makes one of many values."""

    computed: list[str] = []

    def __init__(self) -> None:
        self.number = 1

    @stored(version="1", ignore=("self.computed",))
    def made(self, name: str) -> Any:
        """The value of a name."""
        self.computed.append(name)
        return GOOD[name]()


@contextmanager
def user(folder: Path, name: str) -> Iterator[None]:
    """A block that one of the users of a directory executes, who has a key of his own."""
    with configure(cache_dir=folder / "shared", key_file=folder / name / "key"), warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def by_two_users(folder: Path, names: list[str]) -> list[tuple[Any, Any]]:
    """What a first user computes and a second one finds; an error if he computes, or gets a warning."""
    with user(folder, "first"):
        first = [Maker().made(name) for name in names]
    computed = len(Maker.computed)
    with user(folder, "second"):
        second = [Maker().made(name) for name in names]
    assert len(Maker.computed) == computed
    return list(zip(first, second, strict=True))


@contextmanager
def suppressed() -> Iterator[None]:
    """A block in which a value of a forged entry may raise errors and warn, but must end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except Exception:
            return


def value_in(entry: bytes) -> Any:
    """The value of an entry; None if it is damaged."""
    try:
        return unpack_native(unpack(entry))
    except DamagedEntryError:
        return None
