"""Each trouble with a store is reported once, at the caller's line, with a way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stored import PersistenceWarning, configure
from tests.storage.models import Model, new_user, store
from tests.stores.test_files import without_handles


def test_known_trouble_is_not_reported_again() -> None:
    """Of a directory that could not be read there is no other warning that it cannot be listed."""
    store("a")
    with without_handles():
        with pytest.warns(PersistenceWarning, match="cannot be read"):
            assert new_user().getStoredObject("a") is None
        assert new_user().listObjects() == []


def open_directory(tmp_path: Path) -> Path:
    """A directory with an entry in which everybody can write."""
    with configure(cache_dir=tmp_path / "made"):
        store("a")
    (tmp_path / "made").rename(tmp_path / "open")
    (tmp_path / "open").chmod(0o777)
    return tmp_path / "open"


@pytest.mark.parametrize("use", [lambda: new_user().getStoredObject("a"), lambda: new_user().storeObject("b", 1)])
def test_a_directory_open_to_everybody_is_reported(tmp_path: Path, use: Callable[[], object]) -> None:
    """Whoever reads or writes where everybody can write is warned once, at the caller's line, with a way out."""
    place = open_directory(tmp_path)
    message = rf"{place} can be written to by everybody on this computer: .*chmod o-w"
    with configure(cache_dir=place):
        with pytest.warns(PersistenceWarning, match=message) as caught:
            use()
        use()
        new_user().storeObject("c", 1)
    assert [each.filename for each in caught] == [__file__]


def test_a_shared_directory_open_to_everybody_is_reported(tmp_path: Path) -> None:
    """The directory that is named is the one that others can write to, though one's own is private."""
    place = open_directory(tmp_path)
    with configure(shared_dirs=[place]), pytest.warns(PersistenceWarning, match=f"{place} can be written to by"):
        assert new_user().getStoredObject("a") is not None


def test_a_private_directory_is_not_reported(tmp_path: Path) -> None:
    """A directory that others can read, or have no entry in, is nothing to warn of."""
    place = open_directory(tmp_path)
    with configure(cache_dir=place):
        assert new_user().getStoredObject("b") is None
        place.chmod(0o755)
        assert new_user().getStoredObject("a") is not None


def test_a_shared_directory_that_cannot_be_read_is_reported_once(tmp_path: Path, cache_dir: Path) -> None:
    """Whatever is asked for and stored, there is one warning, with the directory and the way out."""
    (tmp_path / "group").touch()
    with (
        configure(shared_dirs=[tmp_path / "group"]),
        pytest.warns(PersistenceWarning, match=rf"{tmp_path}/group cannot be read .*shared_dirs") as caught,
    ):
        assert [Model().power(float(x)) for x in range(4)] == [0.0, 1.0, 4.0, 9.0]
        assert new_user().listObjects() == []
    assert [each.filename for each in caught] == [__file__]
