"""Entries of the layout of before are removed, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stored._storage.old_entries import remove_old_entries
from stored.stores import DirectoryStore, MemoryStore
from stored.typing import Store, Upkeep
from tests.stores.entries import content

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


@pytest.mark.parametrize("kind", ["directory", "memory"])
def test_exactly_the_old_entries_go(kind: str, tmp_path: Path) -> None:
    """Names of the old form and their marks are removed and counted; all others stay."""
    store: Store = MemoryStore() if kind == "memory" else DirectoryStore(tmp_path / "own")
    for name in (*OLD, *OTHERS):
        store.write(name, [content(15)])
    assert remove_old_entries(store) == Upkeep(0, 0, 3, 45, 0)
    assert remove_old_entries(store) == Upkeep()
    assert sorted(store.names()) == sorted(OTHERS)


def test_files_of_others_by_such_names_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not begin as an entry is no entry, and is not read, of whatever size it is."""
    store = DirectoryStore(tmp_path)
    store.write(OLD[0], [b"my results"])
    with monkeypatch.context() as patch:
        patch.setattr(store, "read", None)
        assert remove_old_entries(store) == Upkeep()
    assert store.read(OLD[0]) == b"my results"


def test_old_folders_go_when_they_are_empty(tmp_path: Path) -> None:
    """The folder of an owner goes with its last entry; it stays if something else is in it."""
    store = DirectoryStore(tmp_path / "own")
    for name in OLD:
        store.write(name, [b""])
    (store.root / f"other/_-{'1' * 32}" / "notes to self").touch()
    assert remove_old_entries(store).removed_entries == 3
    assert sorted(os.listdir(store.root)) == [".work", "CACHEDIR.TAG", "module", "other"]
    assert os.listdir(store.root / "module") == []
    assert os.listdir(store.root / "other") == [f"_-{'1' * 32}"]


def test_an_entry_that_vanishes_is_not_counted(tmp_path: Path) -> None:
    """What another process removes first is its business."""

    class Vanishing(MemoryStore):
        def delete(self, name: str) -> bool:
            return super().delete(name) and super().delete(name)

    store = Vanishing()
    store.write(OLD[0], [content(15)])
    assert remove_old_entries(store) == Upkeep()
    assert not list(store.names())
