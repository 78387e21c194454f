"""Results are written to one's own directory, and also read from those that are shared."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import stored
from stored import EntryWarning, configure, getCacheDir
from stored._storage import PersistentTier
from stored.stores import MemoryStore
from stored.typing import ABSENT
from tests.storage.entries import KEY
from tests.storage.models import CALLS, Custom, Model, entry_files, new_user


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Path]:
    """A directory of a group that is read beneath one's own, with results in it that another user has put there."""
    place = tmp_path / "group"
    with configure(cache_dir=place, key_file=tmp_path / "their key"):
        Model().power(2.0)
        Model().custom()
        new_user().storeObject("a", "theirs")
    CALLS.clear()
    before = snapshot(place)
    with configure(shared_dirs=[place]):
        yield place
    assert snapshot(place) == before, "nothing in the directory of a group is changed"


def snapshot(place: Path) -> dict[str, tuple[int, bytes]]:
    return {str(each): (each.stat().st_mtime_ns, each.read_bytes()) for each in place.rglob("*") if each.is_file()}


def test_results_of_a_group_are_found(group: Path, cache_dir: Path) -> None:
    """What one's own directory does not hold is read from a shared one, and nothing is written for it."""
    assert Model().power.cached(2.0)
    assert Model().power(2.0) == 4.0
    assert new_user().getStoredObject("a") == "theirs"
    assert new_user().listObjects() == ["a"]
    assert CALLS == []
    assert not cache_dir.exists()


def test_own_results_come_first(group: Path, tmp_path: Path, cache_dir: Path) -> None:
    """What is computed or stored is in one's own directory, and found there before the shared ones, in their order."""
    assert Model().power(3.0) == 9.0
    new_user().storeObject("a", "mine")
    assert Model().power.refresh(2.0) == 4.0
    assert new_user().getStoredObject("a") == "mine"
    assert len(entry_files(cache_dir)) == 3
    with configure(cache_dir=tmp_path / "fresh", shared_dirs=[group, cache_dir]):
        assert Model().power.cached(3.0)
        assert new_user().getStoredObject("a") == "theirs"
    with configure(cache_dir=tmp_path / "fresh", shared_dirs=[cache_dir, group]):
        assert new_user().getStoredObject("a") == "mine"


def test_a_shared_result_that_is_cleared_stays_hidden(group: Path) -> None:
    """A shared result that is cleared is hidden, by upkeep too, until it is computed again; others have it still."""
    Model().power.cache_clear()
    assert new_user().removeObject("a") is True
    with configure(max_bytes=0, max_age=0.0):
        stored.upkeep()
    assert not Model().power.cached(2.0)
    assert new_user().getStoredObject("a") is None
    assert new_user().listObjects() == []
    assert Model().power(2.0) == 4.0
    assert CALLS == [2.0]
    assert Model().power.cached(2.0)
    with configure(max_bytes=0):
        stored.upkeep()
    assert not Model().power.cached(2.0)
    with configure(cache_dir=group, shared_dirs=[]):
        assert Model().power.cached(2.0)


def test_pickles_of_others_are_not_loaded(group: Path, tmp_path: Path) -> None:
    """A pickle signed with another user's key is passed over with one warning, and computed; with that key it loads."""
    with configure(key_file=tmp_path / "their key"):
        assert Model().custom.cached()
    with pytest.warns(EntryWarning, match=f"{group}.* was not signed with your key") as caught:
        assert isinstance(Model().custom(), Custom)
    assert [each.filename for each in caught] == [__file__]
    assert CALLS == ["custom"]
    assert isinstance(Model().custom(), Custom)
    assert CALLS == ["custom"]


def test_the_cache_directory_is_ones_own(group: Path, cache_dir: Path) -> None:
    """With shared directories too, getCacheDir gives the one that is written to."""
    assert getCacheDir() == f"{cache_dir}/"
    assert getCacheDir("module") == f"{cache_dir}/module/"


def test_a_shared_directory_need_not_be_there(cache_dir: Path, tmp_path: Path) -> None:
    """A directory that is missing holds nothing; one's own serves as ever."""
    with configure(shared_dirs=[tmp_path / "missing"]):
        for _ in range(2):
            assert Model().power(2.0) == 4.0
        assert CALLS == [2.0]
        Model().power.cache_clear()
        assert entry_files(cache_dir) == []
    assert not (tmp_path / "missing").exists()


def test_upkeep_leaves_shared_directories_alone(group: Path, cache_dir: Path) -> None:
    """Upkeep tidies one's own directory only; a shared one is not even counted."""
    Model().power(3.0)
    (file,) = entry_files(cache_dir)
    assert stored.upkeep()[:5] == (1, file.stat().st_size, 0, 0, 0)


def test_a_tier_in_another_process_has_the_settings_of_that_process() -> None:
    """A tier that has used a store that cannot be pickled can be pickled all the same."""
    tier = PersistentTier("rw")
    with configure(store=Unpicklable()):
        assert tier.slot(KEY).save(1)
        there = pickle.loads(pickle.dumps(tier))
    assert there.slot(KEY).load() is ABSENT
    assert there.slot(KEY).save(2)
    assert tier.slot(KEY).load().value == 2


class Unpicklable(MemoryStore):
    def __reduce__(self) -> str:
        raise TypeError("it stays here")
