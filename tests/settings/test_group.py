"""The setting `group` names a group of the user, in this process, in those that it starts, and in workers elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

import stored
from stored import configure, getCacheDir
from stored._settings import SentSettings, adopt_settings, sent_settings, settings
from stored._settings.environment import settings_from_environment
from stored._settings.layers import remove_layer
from stored._settings.sent import _adopted
from stored._storage import current_store
from stored.errors import ConfigurationError
from stored.stores import DirectoryStore, MemoryStore
from tests.test_private_folder import umask

OWN = os.getegid()


@pytest.mark.parametrize("group", [OWN, str(OWN)])
def test_a_group_is_kept_as_text(group: Any) -> None:
    """As a process that starts within the block reads it from the environment."""
    with configure(group=group) as now:
        assert now.group == str(OWN)
        assert settings_from_environment(os.environ).group == str(OWN)
        with configure(group=None):
            assert settings().group is settings_from_environment(os.environ).group is None


@pytest.mark.parametrize("group", ["no such group", True, 1.5, []])
def test_what_is_no_group(group: Any) -> None:
    """It is refused as other values are, and by the variable too."""
    with pytest.raises(ConfigurationError, match=r"^group is .*; it must be the name or the number of a group"):
        configure(group=group)
    with pytest.raises(ConfigurationError, match=r"^STORED_GROUP is .*; it must be the name or the number of a group"):
        settings_from_environment({"STORED_GROUP": str(group)})


def test_a_group_takes_a_store_back() -> None:
    """It is about the cache directory; none is not."""
    store = MemoryStore()
    with configure(store=store):
        with configure(group=OWN):
            assert isinstance(current_store(), DirectoryStore)
        with configure(group=None):
            assert current_store() is store


@pytest.fixture
def _forgotten() -> Any:
    yield
    remove_layer(_adopted.setter)
    _adopted.sent = _adopted.setter = None


@pytest.mark.usefixtures("_forgotten")
@pytest.mark.parametrize(("group", "expected"), [(str(OWN), str(OWN)), ("no such group", None)])
def test_a_worker_elsewhere(group: str, expected: str | None) -> None:
    """It shares the directory as its sender does, unless its user is not in the group there."""
    with configure(group=OWN):
        assert sent_settings().values["group"] == str(OWN)
    sent = SentSettings(("another process", 1), 1, {"group": group, "min_compute_seconds": 0.25})
    adopt_settings(sent)
    assert (settings().group, settings().min_compute_seconds) == (expected, 0.25)


def test_results_in_a_shared_directory(cache_dir: Path) -> None:
    """Whatever is made below the directory that is shared is open to the group, and to nobody else."""
    with umask(0o077), configure(group=OWN):
        stored.StorageUser("module", "rw", lambda: "name", lambda: "string", None).storeObject("x", [1, 2])
        assert getCacheDir("other") == f"{cache_dir}/other/"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in cache_dir.rglob("*") if path.is_dir()}
    assert modes == {0o2770}
    assert {stat.S_IMODE(path.stat().st_mode) for path in cache_dir.rglob("*") if path.is_file()} == {0o660}
