"""Which settings go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from stored import ConfigurationError, configure
from stored._settings import settings


@pytest.mark.parametrize("inside", ["key", "deep/er/key", ".", "../cache/key", "link/../../cache/key"])
def test_the_key_is_not_kept_with_the_entries(tmp_path: Path, inside: str) -> None:
    """A key file inside the cache directory, on whatever way, is refused: who writes entries could replace it."""
    cache = tmp_path / "cache"
    (cache / "link").mkdir(parents=True)
    before = settings()
    with pytest.raises(ConfigurationError, match="lies inside the cache directory"):
        configure(cache_dir=cache, key_file=cache / inside)
    with configure(key_file=tmp_path / "elsewhere"), pytest.raises(ConfigurationError, match="lies inside"):
        configure(key_file=cache / inside)
    with pytest.raises(ConfigurationError, match="lies inside"):
        configure(cache_dir=before.key_file.parent)
    assert settings() == before


def test_links_do_not_hide_where_the_key_is(tmp_path: Path) -> None:
    """The directories that are meant count, not their names; a directory with a like name is another."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "cache")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ConfigurationError, match="lies inside"):
        configure(cache_dir=tmp_path / "cache", key_file=tmp_path / "link" / "key")
    with pytest.raises(ConfigurationError, match="lies inside"):
        configure(cache_dir=tmp_path / "link", key_file=tmp_path / "cache" / "key")
    with configure(cache_dir=tmp_path / "cache", key_file=tmp_path / "cache2" / "key") as now:
        assert now.key_file == tmp_path / "cache2" / "key"
    with configure(cache_dir=tmp_path / "loop") as now:
        assert now.cache_dir == tmp_path / "loop"


def test_the_key_is_not_kept_with_shared_entries(tmp_path: Path) -> None:
    """A key file inside any of the shared directories, by its name or through a link, is refused."""
    (tmp_path / "group").mkdir()
    (tmp_path / "link").symlink_to("group")
    shared = [tmp_path / "other", tmp_path / "group"]
    for key in ("group/key", "link/key", "link/deeper/key", "other"):
        with pytest.raises(ConfigurationError, match="lies inside the cache directory"):
            configure(shared_dirs=shared, key_file=tmp_path / key)
    with configure(key_file=tmp_path / "group" / "key"), pytest.raises(ConfigurationError, match="lies inside"):
        configure(shared_dirs=[tmp_path / "link"])
    with configure(shared_dirs=shared, key_file=tmp_path / "group2" / "key") as now:
        assert now.shared_dirs == tuple(shared)
