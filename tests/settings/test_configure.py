"""Settings can be changed and restored, and are never half changed."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from stored import configure
from stored._settings import settings
from stored.stores import DirectoryStore, MemoryStore
from tests.settings.processes import SHOW, start


def test_configure_overrides_the_environment() -> None:
    """What the program says counts more than the environment, and what it does not say stays."""
    done = start(
        f"import stored; stored.configure(persistence='w')\n{SHOW}", STORED_PERSISTENCE="r", STORED_DISABLE="1"
    )
    assert json.loads(done.stdout)[1:3] == ["w", True]


def test_configure_stays(tmp_path: Path) -> None:
    """Without a with block, settings are changed for good, also within a block of another call."""
    with configure(persistence="w", max_age=1):
        configure(cache_dir=tmp_path / "new", persistence="r", disable=True, key_file=tmp_path / "k")
        now = settings()
        assert (now.cache_dir, now.persistence, now.disable, now.key_file) == (
            tmp_path / "new",
            "r",
            True,
            tmp_path / "k",
        )
    assert settings() == now._replace(max_age=None)


def test_configure_changes_what_is_named_only(tmp_path: Path) -> None:
    """What is not given stays as it is."""
    before = settings()
    with configure(persistence="r") as now:
        assert now is settings()
        assert (now.persistence, now.cache_dir, now.key_file) == ("r", before.cache_dir, before.key_file)
        with configure(disable=True):
            assert (settings().persistence, settings().disable) == ("r", True)


def interrupted() -> None:
    assert settings().disable
    raise KeyboardInterrupt


def test_a_block_restores(tmp_path: Path) -> None:
    """After with blocks, nested or ended by an error, everything is as it was before."""
    before = settings()
    with configure(persistence="r"):
        outer = settings()
        with pytest.raises(KeyboardInterrupt), configure(disable=True):
            interrupted()
        assert settings() == outer
        with configure(cache_dir=tmp_path / "other"), configure(persistence=""):
            assert settings() == outer._replace(cache_dir=tmp_path / "other", persistence="")
        assert settings() == outer
    assert settings() == before


def test_a_store_takes_the_place_of_the_directory(tmp_path: Path) -> None:
    """A store is used in place of the directory until it is taken back, or a directory is set."""
    store = MemoryStore()
    with configure(store=store) as now:
        assert now.store is store
        with configure(persistence="r") as now:
            assert now.store is store
        with configure(store=None) as now:
            assert now.store is None
        with configure(cache_dir=tmp_path / "d") as now:
            assert now.store is None
        with configure(cache_dir=tmp_path / "d", store=DirectoryStore(tmp_path)) as now:
            assert isinstance(now.store, DirectoryStore)


def test_shared_directories_take_a_store_back() -> None:
    """Directories that are shared go beneath the directory of the entries, not beneath a store."""
    with configure(store=MemoryStore()) as now:
        assert now.store is not None
        with configure(shared_dirs=["/a"]) as now:
            assert now.store is None
        with configure(shared_dirs=["/a"], store=MemoryStore()) as now:
            assert now.store is not None


def test_an_object_can_be_used_for_several_blocks() -> None:
    """One after the other, one inside the other, or left too often: it applies from the first to the last."""
    before = settings()
    block = configure(max_age=1)
    for _ in range(2):
        with block as outer:
            with block as inner:
                assert outer == inner == before._replace(max_age=1.0)
            assert settings() == outer
        assert settings() == before
    block.__exit__(None, None, None)
    with block, configure(max_age=2):
        assert settings().max_age == 2
    with contextlib.ExitStack() as stack:
        stack.push(configure(max_age=1))  # left without having been entered
        assert settings().max_age == 1
    assert settings() == before


def test_a_directory_takes_a_store_back_for_its_block_only(tmp_path: Path) -> None:
    """A store that was set before a directory is used again after the block, in whatever order the blocks end."""
    store = MemoryStore()
    outer, inner = configure(store=store), configure(cache_dir=tmp_path / "d")
    inner.__exit__(None, None, None)
    assert settings().store is store
    with inner:
        outer.__exit__(None, None, None)
        assert (settings().store, settings().cache_dir) == (None, tmp_path / "d")
