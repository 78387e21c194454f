"""Upkeep removes leftovers and what is beyond the limits, if writing is allowed."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import stored
from stored import ConfigurationError, configure
from stored.stores import MemoryStore
from stored.typing import Store, Upkeep
from tests.storage.models import Model, leave_draft, set_ages, store
from tests.stores.entries import content
from tests.stores.test_files import fail, without_handles
from tests.stores.test_left_out import Least

NO_LIMITS = "no result is removed for its size or its age, since neither max_bytes nor max_age is set"


class Uncounted(MemoryStore):
    """A store that trims and keeps no count."""

    count_written = Store.count_written


def test_upkeep_removes_and_counts(cache_dir: Path, size: int) -> None:
    """Leftovers and what is beyond the limits are removed, and the rest is counted."""
    store(*"abcd")
    set_ages(cache_dir, a=500, b=400)
    leave_draft(cache_dir)
    assert stored.upkeep() == Upkeep(4, 4 * size, 0, 0, 1, (NO_LIMITS,))
    with configure(max_age=450.0):
        assert stored.upkeep() == Upkeep(3, 3 * size, 1, size, 0)
    with configure(max_bytes=2 * size):
        assert stored.upkeep() == Upkeep(1, size, 2, 2 * size, 0)
    shutil.rmtree(cache_dir)
    assert stored.upkeep() == Upkeep(not_done=(NO_LIMITS,))
    with configure(store=MemoryStore(), max_age=1e6):
        store("a")
        assert stored.upkeep()[:5] == Upkeep(1, size)[:5]


def test_upkeep_tells_what_it_cannot_do(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a store leaves out is told with its place and the reason, and so are files that cannot be locked."""
    store("a")
    with configure(shared_dirs=[cache_dir / "group"], max_bytes=10**6):
        assert stored.upkeep().not_done == (f"nothing is removed from what is only read: {cache_dir / 'group'}",)
        fail(monkeypatch, fcntl, "flock", errno.ENOLCK)
        assert "files cannot be locked, so leftovers stay for a day" in stored.upkeep().not_done[0]
    with configure(store=Least()):
        no_trim, no_leftovers = stored.upkeep().not_done
    assert (
        no_trim == "least has no trim(): what is there is not counted, and nothing is removed for its size or its age"
    )
    assert "not looked for: least has none, or no clear_leftovers()" in no_leftovers
    with configure(store=Uncounted(), max_bytes=10**6):
        (no_count, *_) = stored.upkeep().not_done
    assert "memory: keeps no count (count_written), so each process counts" in no_count


def test_the_text_says_what_is_not_done() -> None:
    """What was done comes first; each thing that was not has a line."""
    first, *others = str(Upkeep(1, 10, not_done=("this", "that"))).splitlines()
    assert first.startswith("1 results in 10 bytes; removed 0 results")
    assert others == ["not done: this", "not done: that"]


@pytest.mark.parametrize("settings", [{"persistence": "r"}, {"persistence": ""}, {"disable": True}])
def test_upkeep_needs_the_right_to_write(cache_dir: Path, settings: dict[str, Any]) -> None:
    """Where nothing may be written nothing is removed, and that is an error with a way out."""
    draft = leave_draft(cache_dir)
    with configure(**settings), pytest.raises(ConfigurationError, match="give it persistence='rw' and disable=False"):
        stored.upkeep()
    assert draft.exists()


def test_upkeep_that_fails_is_an_error(cache_dir: Path) -> None:
    """If the directory cannot be read, whoever asks for upkeep gets the error."""
    leave_draft(cache_dir)
    with without_handles(), pytest.raises(OSError, match="Too many open files"):
        stored.upkeep()


def test_drafts_of_the_key_are_removed(tmp_path: Path, cache_dir: Path) -> None:
    """What a process left that died while it made the key goes with upkeep, an hour later; other files stay."""
    Model().custom()
    folder = tmp_path / "config"
    old, new, other = (folder / name for name in (f"key.1.{'0' * 16}", f"key.2.{'0' * 16}", "key.old"))
    for file in (old, new, other):
        file.write_bytes((folder / "key").read_bytes())
    for file in (old, other):
        os.utime(file, (1.0, 1.0))
    stored.upkeep()
    assert sorted(each.name for each in folder.iterdir()) == sorted(["key", new.name, other.name])


def test_a_folder_of_the_key_that_cannot_be_listed_keeps_nothing_from_going(
    cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key can be used in it; what is in the cache directory is tidied all the same."""
    draft = leave_draft(cache_dir)
    (tmp_path / "config").mkdir(exist_ok=True)
    real = os.listdir

    def listdir(path: Any) -> list[str]:
        if isinstance(path, int):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    assert stored.upkeep().leftovers == 1
    assert not draft.exists()


def test_entries_of_earlier_layouts_in_a_home_stay(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of any layout is removed from a directory that may not be a cache."""
    old = cache_dir / "module" / f"Model-{'0' * 32}" / f"power-{'1' * 32}.stored"
    old.parent.mkdir(parents=True)
    old.write_bytes(content(15))
    monkeypatch.setenv("HOME", str(cache_dir))
    with pytest.raises(PermissionError, match="home directory"):
        stored.upkeep()
    assert old.exists()


def test_entries_of_earlier_layouts_are_removed(cache_dir: Path, size: int) -> None:
    """They are counted among what was removed, and the others stay; nobody reads them."""
    store("a")
    old = cache_dir / "module" / f"Model-{'0' * 32}" / f"power-{'1' * 32}.stored"
    old.parent.mkdir(parents=True)
    old.write_bytes(content(15))
    assert stored.upkeep()[:5] == (1, size, 1, 15, 0)
    assert not old.parent.exists()
    assert stored.upkeep()[:5] == (1, size, 0, 0, 0)
