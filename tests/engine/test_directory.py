"""The directory of the entries, and of those of a module."""

from __future__ import annotations

from pathlib import Path

import pytest

from stored import ConfigurationError, configure, getCacheDir
from stored.stores import MemoryStore
from tests.engine.models import Model, found


def test_the_cache_directory_is_made(cache_dir: Path) -> None:
    """The directory is given, or a module's, made for its owner only and with a slash at the end."""
    assert getCacheDir() == f"{cache_dir}/"
    place = getCacheDir("engine")
    assert place == f"{cache_dir}/engine/"
    assert Path(place).stat().st_mode & 0o777 == 0o700
    assert Path(getCacheDir("../elsewhere")).resolve().is_relative_to(cache_dir.resolve())


def test_a_store_without_a_directory_has_none() -> None:
    """With entries elsewhere, getCacheDir says so, and a StorageUser works all the same."""
    with configure(store=MemoryStore()):
        with pytest.raises(ConfigurationError, match="which has no directory"):
            getCacheDir()
        Model().su.storeObject("a", 1)
        assert found("a") == 1
        assert Model().su.getUniqueFilename().startswith("memory:engine/")
    assert found("a") is None


def test_the_directory_above_shared_ones_is_ones_own(cache_dir: Path, tmp_path: Path) -> None:
    """With directories of a group beneath it, the cache directory is where results are written."""
    (tmp_path / "shared").mkdir()
    with configure(cache_dir=cache_dir, shared_dirs=[tmp_path / "shared"]):
        assert getCacheDir() == f"{cache_dir}/"
