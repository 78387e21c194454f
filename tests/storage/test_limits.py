"""What is on disk stays within the limits, and the least recently used results go first."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stored
from stored import PersistenceWarning, configure
from stored.stores import MemoryStore
from tests.storage.models import CONTENT, Model, entry_files, kept, leave_draft, new_user, set_ages, store


def test_the_least_recently_used_go_first(cache_dir: Path, size: int) -> None:
    """Beyond max_bytes what was neither read nor written for longest goes, until a tenth is free."""
    store(*"abcde")
    set_ages(cache_dir, a=500, b=400, c=300, d=200, e=100)
    with configure(max_bytes=5 * size):
        assert np.array_equal(new_user().getStoredObject("a"), CONTENT)
        store("f")
    assert kept(cache_dir) == "adef"


def test_the_limit_is_kept_with_every_write(cache_dir: Path, size: int) -> None:
    """However much one process stores, it never takes more than allowed, and the latest is always there."""
    with configure(max_bytes=5.5 * size // 1):
        for name in "abcdefghijklmnopqrst":
            store(name)
            assert len(entry_files(cache_dir)) <= 5
            assert name in kept(cache_dir)


def test_what_is_not_used_for_long_goes(cache_dir: Path) -> None:
    """Beyond max_age since its last use a result is dropped, whatever its size; others stay."""
    store(*"abc")
    set_ages(cache_dir, a=500, b=400, c=200)
    with configure(max_age=300.0):
        assert new_user().getStoredObject("a") is not None
        store("d")
    assert kept(cache_dir) == "acd"


def test_a_result_larger_than_all_is_kept_in_memory(cache_dir: Path, size: int) -> None:
    """What exceeds max_bytes by itself displaces nothing but its older self; one warning names both sizes."""
    store(*"ab")
    user = new_user()
    with configure(max_bytes=3 * size):
        with pytest.warns(
            PersistenceWarning, match=rf"object 'a' .* it takes 8\d+ bytes, and max_bytes is {3 * size}"
        ) as caught:
            for _ in range(2):
                user.storeObject("a", np.arange(1000.0))
        assert [each.filename for each in caught] == [__file__]
        assert len(user.getStoredObject("a")) == 1000
        assert new_user().getStoredObject("a") is None
    assert kept(cache_dir) == "b"


def test_results_of_other_processes_count(cache_dir: Path, size: int) -> None:
    """What others write is noticed by the time that a tenth of what is allowed has been written here, not before."""
    with configure(max_bytes=20 * size):
        store("a")
        (ours,) = entry_files(cache_dir)
        for number in range(25):
            theirs = ours.with_name(ours.name.replace("-a-", f"-x{number}-"))
            shutil.copy(ours, theirs)
            os.utime(theirs, (0.0, 0.0))
        store("b", "c")
        assert len(entry_files(cache_dir)) == 28
        store("d")
        assert len(entry_files(cache_dir)) == 18
        assert kept(cache_dir) == "abcd" + 14 * "x"


def test_limits_are_kept_every_hour(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is written, and yet an hour later a write drops what is too old by then."""
    with configure(max_age=300.0):
        store("a")
        set_ages(cache_dir, a=500)
        store("b")
        assert kept(cache_dir) == "ab"
        monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + 3601.0)
        store("c")
    assert kept(cache_dir) == "bc"


def test_short_ages_are_kept(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a max_age below an hour, writing tidies up accordingly often."""
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with configure(max_age=100.0):
        Model().power(1.0)
        for file in entry_files(cache_dir):
            os.utime(file, (1.0, 1.0))
        now[0] += 11.0
        Model().power(2.0)
        assert len(entry_files(cache_dir)) == 1


def test_without_limits_nothing_goes(cache_dir: Path) -> None:
    """By default results stay, however old."""
    store("a")
    set_ages(cache_dir, a=1e9)
    store("b")
    assert stored.upkeep().removed_entries == 0
    assert kept(cache_dir) == "ab"


# -- upkeep after a write ---------------------------------------------------------------------------------------------


def test_the_first_write_clears_leftovers(cache_dir: Path) -> None:
    """A process clears a directory when it first writes there, and not each time; reading clears nothing."""
    draft = leave_draft(cache_dir)
    assert new_user().getStoredObject("a") is None
    assert draft.exists()
    store("a")
    assert not draft.exists()
    leave_draft(cache_dir)
    store("b")
    assert draft.exists()


@pytest.mark.parametrize("step", ["clear_leftovers", "trim"])
def test_upkeep_that_fails_costs_nothing(step: str) -> None:
    """Results are stored though upkeep fails, with one warning at the caller's line."""

    class Failing(MemoryStore):
        def location(self, name: str = "") -> str:
            return f"a store without {step}"

        def refuse(self, *_: object) -> Any:
            raise OSError("no such thing")

    setattr(Failing, step, Failing.refuse)
    with configure(store=Failing(), max_bytes=10**6):
        with pytest.warns(
            PersistenceWarning, match=f"upkeep of a store without {step} failed .no such thing."
        ) as caught:
            for name in "abc":
                new_user().storeObject(name, CONTENT)
        assert [each.filename for each in caught] == [__file__]
        assert new_user().listObjects() == ["a", "b", "c"]
