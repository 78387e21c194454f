"""The shipped contract finds stores that break it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from stored.stores import MemoryStore
from stored.testing import StoreContract
from stored.typing import Buffer


def test_a_contract_without_a_store_says_so(tmp_path: Path) -> None:
    """A subclass that forgets make_store is told its own name and what to do."""

    class TestForgetful(StoreContract):
        pass

    with pytest.raises(NotImplementedError, match="TestForgetful must override make_store"):
        TestForgetful().make_store(tmp_path)


def test_a_store_that_aliases_is_found() -> None:
    """A store whose readers see later writes fails the contract."""

    class Aliasing(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            self._buffers: dict[str, bytearray] = {}

        def write(self, name: str, parts: Sequence[Buffer]) -> None:
            self._buffers.setdefault(name, bytearray(5))[:] = b"".join(parts)

        def read(self, name: str) -> Buffer | None:
            return self._buffers.get(name)

    with pytest.raises(AssertionError):
        StoreContract().test_a_reader_keeps_its_bytes(Aliasing(), 5)


def test_a_store_that_lists_too_much_is_found() -> None:
    """A store that takes a folder for a mere beginning of names fails the contract."""

    class Prefixing(MemoryStore):
        def names(self, folder: str = "") -> Iterator[str]:
            return iter([name for name in super().names() if name.startswith(folder)])

    with pytest.raises(AssertionError):
        StoreContract().test_names_lists_a_folder_and_below(Prefixing())
