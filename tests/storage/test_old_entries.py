"""Entries of the layout of before are removed, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stored._storage.old_entries import remove_old_entries
from stored.stores import DirectoryStore, LayeredStore, MemoryStore
from stored.typing import Store, Upkeep

OLD = [
    f"module/owner-{'0' * 32}/power-{'a' * 32}.stored",
    f"module/owner-{'0' * 32}/power-{'b' * 32}.stored.removed",
    f"other/_-{'1' * 32}/object-with-dashes-{'c' * 32}.stored",
]
OTHERS = [
    f"module/ab/owner-{'0' * 32}-power-{'0' * 8}-{'a' * 32}.stored",
    f"module/ab/owner-{'0' * 32}-power-{'0' * 8}-{'a' * 32}.stored.removed",
    f"module/owner-{'0' * 32}/power-{'a' * 31}.stored",
    f"module/owner-{'0' * 32}/power-{'A' * 32}.stored",
    f"module/owner-{'0' * 32}/power-{'a' * 32}.txt",
    f"module/owner-{'0' * 32}/deeper/power-{'a' * 32}.stored",
    f"module/owner-{'0' * 31}/power-{'a' * 32}.stored",
    f"owner-{'0' * 32}/power-{'a' * 32}.stored",
]


@pytest.mark.parametrize("kind", ["directory", "memory", "layers"])
def test_exactly_the_old_entries_go(kind: str, tmp_path: Path) -> None:
    """Names of the old form and their marks are removed and counted, in the upper layer only; all others stay."""
    lower = MemoryStore()
    own: Store = MemoryStore() if kind == "memory" else DirectoryStore(tmp_path / "own")
    store = LayeredStore(own, lower) if kind == "layers" else own
    for name in (*OLD, *OTHERS):
        own.write(name, [b"12345"])
        lower.write(name, [b"12345"])
    assert remove_old_entries(store) == Upkeep(0, 0, 3, 15, 0)
    assert remove_old_entries(store) == Upkeep()
    assert sorted(own.names()) == sorted(OTHERS)
    assert sorted(lower.names()) == sorted((*OLD, *OTHERS))


def test_old_folders_go_when_they_are_empty(tmp_path: Path) -> None:
    """The folder of an owner goes with its last entry; it stays if something else is in it."""
    store = DirectoryStore(tmp_path / "own")
    for name in OLD:
        store.write(name, [b""])
    (store.root / f"other/_-{'1' * 32}" / "notes to self").touch()
    assert remove_old_entries(store).removed_entries == 3
    assert sorted(os.listdir(store.root)) == [".work", "module", "other"]
    assert os.listdir(store.root / "module") == []
    assert os.listdir(store.root / "other") == [f"_-{'1' * 32}"]


def test_an_entry_that_vanishes_is_not_counted(tmp_path: Path) -> None:
    """What another process removes first is its business."""

    class Vanishing(MemoryStore):
        def read(self, name: str) -> None:
            super().delete(name)

    store = Vanishing()
    store.write(OLD[0], [b"x"])
    assert remove_old_entries(store) == Upkeep()
