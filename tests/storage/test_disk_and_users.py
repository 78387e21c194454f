"""What a StorageUser finds when its entries, their directory or the key that signs pickles cannot be used."""

from __future__ import annotations

import pickle
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import EntryWarning, PersistenceWarning, configure
from stored._keys import Key, Space
from stored._storage import PersistentTier, keys_of_same_method
from stored.stores import DirectoryStore
from stored.typing import ABSENT
from tests.engine.models import Model, entry_of, found, repeat
from tests.storage.entries import Parts
from tests.stores.entries import content

# -- pickles and the key that signs them ------------------------------------------------------------------------------


class Custom:
    """Neither plain data nor an array: pickled."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Custom) and other.value == self.value

    __hash__ = None  # type: ignore[assignment]


def test_other_objects_are_pickled_and_signed() -> None:
    """An object of any class is found by a user with the same key, and by none with another."""
    Model().su.storeObject("custom", Custom(3))
    assert found("custom") == Custom(3)


def test_a_pickle_signed_with_another_key_is_not_loaded(tmp_path: Path) -> None:
    """With another key the entry is a miss with one warning; with the old key it is there again."""
    Model().su.storeObject("custom", Custom(3))
    with configure(key_file=tmp_path / "other"):
        with pytest.warns(EntryWarning, match="not signed with your key") as caught:
            assert Model().su.getStoredObject("custom") is None
        assert [each.filename for each in caught] == [__file__]
    assert found("custom") == Custom(3)


def test_without_a_key_pickles_are_kept_in_memory(tmp_path: Path, cache_dir: Path) -> None:
    """When the key cannot be read or made, pickled objects lose persistence only, and plain ones nothing."""
    Model().su.storeObject("custom", Custom(3))
    (tmp_path / "blocked").write_text("a file where a directory is needed")
    with configure(key_file=tmp_path / "blocked" / "key"):
        user = Model(2.0).su
        with pytest.warns(PersistenceWarning, match="kept in memory only.*the key that signs pickles") as caught:
            user.storeObject("other", Custom(4))
        assert user.getStoredObject("other") == Custom(4)
        with pytest.warns(EntryWarning, match="the key that signs pickles cannot be read"):
            assert found("custom") is None
        user.storeObject("plain", [1, 2])
        assert found("plain", 2.0) == [1, 2]
    assert [each.filename for each in caught] == [__file__]
    assert found("custom") == Custom(3)


@pytest.mark.parametrize("persistence", ["r", "rw"])
def test_reading_makes_no_key(tmp_path: Path, persistence: str) -> None:
    """Where there is no key, nothing can be verified: a pickle is passed over, and no key file appears."""
    Model().su.storeObject("custom", Custom(3))
    missing = tmp_path / "none" / "key"
    nothing = "not signed with your key: there is no key file"
    with configure(key_file=missing, persistence=persistence), pytest.warns(EntryWarning, match=nothing):
        assert found("custom") is None
    assert not missing.parent.exists()


def test_what_cannot_be_pickled_is_kept_in_memory() -> None:
    """An object without any stored form is found in memory, with one PersistenceWarning at the caller's line."""
    user = Model().su
    value = threading.Lock()
    with pytest.warns(PersistenceWarning, match="object 'lock' is kept in memory only: .*cannot be pickled") as caught:
        repeat(lambda: user.storeObject("lock", value))
    assert [(each.category, each.filename) for each in caught] == [(PersistenceWarning, __file__)]
    assert user.getStoredObject("lock") is value
    assert found("lock") is None


def test_a_value_that_cannot_be_written_leaves_no_older_one() -> None:
    """After storing what cannot be pickled, another process does not find what it replaced."""
    user = Model().su
    user.storeObject("a", 1)
    with pytest.warns(PersistenceWarning, match="kept in memory only"):
        user.storeObject("a", threading.Lock())
    assert found("a") is None


# -- directories that cannot be used ----------------------------------------------------------------------------------


def file_in_the_way(place: Path) -> None:
    place.write_text("a file where the cache directory should be")


def file_above(place: Path) -> None:
    place.parent.rmdir()
    place.parent.write_text("a file where its parent should be")


def looping_link(place: Path) -> None:
    place.symlink_to(place)


def use_everything() -> None:
    """Go through all that a user can do, and find in memory what cannot be on disk."""
    model = Model()
    assert model.su.getStoredObject("a") is None
    model.su.storeObject("a", 1)
    model.su.storeObject("b", [2])
    assert model.su.getStoredObject("a") == 1
    assert model.su.getStoredObject("b") == [2]
    assert model.su.getStoredObject("c") is None
    assert model.su.listObjects() == ["a", "b"]
    model.n = 2.0
    assert model.su.getStoredObject("a") is None


# root may write anywhere by mode, so the places are such that nobody can
@pytest.mark.parametrize("spoil", [file_in_the_way, file_above, looping_link])
def test_an_unwritable_place_costs_persistence_only(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """Results are returned from memory with one warning at the caller's line, however many there are."""
    place = tmp_path / "parent" / "cache"
    place.parent.mkdir()
    spoil(place)
    with configure(cache_dir=place):
        with pytest.warns(PersistenceWarning) as caught:
            use_everything()
        assert [(each.category, each.filename) for each in caught] == [(PersistenceWarning, __file__)]
        assert str(place) in str(caught[0].message)


@pytest.mark.parametrize("spoil", [file_in_the_way, file_above])
def test_a_place_without_entries_has_none_to_remove(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """Removing where no directory can be finds nothing, and warns of nothing."""
    place = tmp_path / "parent" / "cache"
    place.parent.mkdir()
    spoil(place)
    with configure(cache_dir=place):
        assert Model().su.removeObject("a") is False


def test_what_cannot_be_removed_is_reported(tmp_path: Path) -> None:
    """When an entry cannot be reached to remove it, memory forgets it, and a warning says that the disk may not."""
    place = tmp_path / "cache"
    looping_link(place)
    with configure(cache_dir=place, persistence="w"):
        user = Model().su
        with pytest.warns(PersistenceWarning, match="kept in memory only"):
            user.storeObject("a", 1)
        with pytest.warns(PersistenceWarning, match="cannot be removed .*, and will be found again") as caught:
            assert user.removeObject("a") is True
        assert [each.filename for each in caught] == [__file__]
        assert user.getStoredObject("a") is None


def test_a_place_that_serves_again_is_used_again(tmp_path: Path) -> None:
    """When the trouble is over results persist, and trouble that comes back is reported again."""
    place = tmp_path / "cache"
    with configure(cache_dir=place):
        user = Model().su
        for _ in range(2):
            file_in_the_way(place)
            with pytest.warns(PersistenceWarning, match=f"writing to {place} failed"):
                user.storeObject("a", 1)
            place.unlink()
            user.storeObject("b", 2)
            assert found("b") == 2
            assert found("a") is None
            shutil.rmtree(place)


def test_a_place_that_does_not_exist_is_made(tmp_path: Path) -> None:
    """A missing directory holds nothing, silently, and is made by the first store."""
    with configure(cache_dir=tmp_path / "not" / "yet"):
        assert found("a") is None
        assert Model().su.listObjects() == []
        assert Model().su.removeObject("a") is False
        assert not (tmp_path / "not").exists()
        Model().su.storeObject("a", 1)
        assert found("a") == 1


def test_a_directory_may_vanish(cache_dir: Path) -> None:
    """When the directory is deleted under way, memory still answers, and the next store makes it anew."""
    user = Model().su
    user.storeObject("a", 1)
    shutil.rmtree(cache_dir)
    assert user.getStoredObject("a") == 1
    user.storeObject("b", 2)
    assert user.listObjects() == ["a", "b"]
    assert found("a") is None
    assert found("b") == 2


def test_a_directory_replaced_by_a_file(cache_dir: Path) -> None:
    """When a file takes the place of the directory under way, memory still answers, with one warning."""
    user = Model().su
    user.storeObject("a", 1)
    shutil.rmtree(cache_dir)
    file_in_the_way(cache_dir)
    assert user.getStoredObject("a") == 1
    with pytest.warns(PersistenceWarning) as caught:
        repeat(lambda: user.storeObject("a", 2))
    assert len(caught) == 1
    user.storeObject("b", 3)
    assert (user.getStoredObject("a"), user.getStoredObject("b")) == (2, 3)


def test_an_entry_that_is_a_directory(cache_dir: Path) -> None:
    """An entry that cannot be read is a miss with one warning."""
    Model().su.storeObject("a", 1)
    entry = entry_of(cache_dir, "a")
    entry.unlink()
    entry.mkdir()
    with pytest.warns(PersistenceWarning, match="cannot be read .*; the result is computed anew") as caught:
        assert repeat(lambda: Model().su.getStoredObject("a")) == [None] * 3
    assert [each.filename for each in caught] == [__file__]


def test_warnings_as_errors_lose_nothing(cache_dir: Path) -> None:
    """When a warning is made an error, the object is in memory nevertheless, and the user goes on working."""
    file_in_the_way(cache_dir)
    user = Model().su
    with pytest.raises(PersistenceWarning):
        user.storeObject("a", 1)
    assert user.getStoredObject("a") == 1
    user.storeObject("b", 2)
    assert user.getStoredObject("b") == 2


# -- entries that cannot be used --------------------------------------------------------------------------------------


VALUE = {"x": np.arange(100.0), "y": "text"}


def truncated(data: bytes) -> bytes:
    return data[:-1]


def cut_short(data: bytes) -> bytes:
    return data[:20]


def emptied(data: bytes) -> bytes:
    return b""


def extended(data: bytes) -> bytes:
    return data + b"\0"


def foreign(data: bytes) -> bytes:
    return pickle.dumps({"x": 1}) * 10


def of_another_version(data: bytes) -> bytes:
    return data[:8] + b"\1" + data[9:]


def altered(offset: float) -> Callable[[bytes], bytes]:
    def alter(data: bytes) -> bytes:
        at = int(offset * (len(data) - 1))
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return alter


DAMAGES = [truncated, cut_short, emptied, extended, foreign, of_another_version, *map(altered, (0, 0.02, 0.5, 1))]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_a_miss(cache_dir: Path, damage: Callable[[bytes], bytes]) -> None:
    """It gives None and one EntryWarning at the caller's line; the next store replaces it, and it is readable."""
    Model().su.storeObject("a", VALUE)
    Model().su.storeObject("b", 2)
    entry = entry_of(cache_dir, "a")
    entry.write_bytes(damage(entry.read_bytes()))
    model = Model()
    with pytest.warns(EntryWarning, match="was not used: .*; the result is computed anew") as caught:
        assert repeat(lambda: model.su.getStoredObject("a")) == [None] * 3
        assert repeat(lambda: Model().su.getStoredObject("a")) == [None] * 3
    assert [(each.category, each.filename) for each in caught] == [(EntryWarning, __file__)]
    assert str(entry) in str(caught[0].message)
    assert model.su.getStoredObject("b") == 2
    model.su.storeObject("a", VALUE)
    assert repr(found("a")) == repr(VALUE)
    entry.write_bytes(damage(entry.read_bytes()))
    with pytest.warns(EntryWarning, match="was not used"):  # new damage is reported again
        assert found("a") is None


def test_a_renamed_entry_is_a_miss(cache_dir: Path) -> None:
    """An entry under the name of another, of the same owner or of other parameters, never gives its value."""
    Model().su.storeObject("a", 1)
    Model().su.storeObject("b", 2)
    Model(2.0).su.storeObject("c", 3)
    source = entry_of(cache_dir, "a").read_bytes()
    for name, n in (("b", 1.0), ("c", 2.0)):
        entry_of(cache_dir, name).write_bytes(source)
        with pytest.warns(EntryWarning, match="belongs to another result") as caught:
            assert found(name, n) is None
        assert len(caught) == 1
        Model(n).su.storeObject(name, 5)
        assert found(name, n) == 5
    assert found("a") == 1


@pytest.mark.parametrize("writer", [..., None, 2, "stored"])
def test_an_entry_that_does_not_name_its_writer_is_a_miss(cache_dir: Path, writer: Any) -> None:
    """A well-formed entry without the description of this library is passed over."""
    key = Key(Space("engine", "m", "model 1.0"), "a")
    entry = Parts(b"1", key=key.data).change(writer=writer).joined()
    DirectoryStore(cache_dir).write(key.entry_name, [entry])
    with pytest.warns(EntryWarning, match="does not say who wrote it"):
        assert found("a") is None


def test_a_damaged_entry_can_be_removed(cache_dir: Path) -> None:
    """Removing works without reading."""
    Model().su.storeObject("a", 1)
    entry_of(cache_dir, "a").write_bytes(b"damaged")
    assert Model().su.removeObject("a") is True
    assert found("a") is None


# -- the persistent tier ----------------------------------------------------------------------------------------------


def test_the_tier_forgets_all_of_a_method() -> None:
    """forget_all removes every version and argument of one method in one space, and nothing else."""
    tier, space, other = PersistentTier("rw"), Space("engine", "m", "1"), Space("engine", "m", "2")
    gone = [Key(space, "f", "mod.f", version, (("x", x),)) for version in "ab" for x in "12"]
    kept = [Key(space, "f", "mod.g", "a"), Key(other, "f", "mod.f", "a"), Key(space, "f"), Key(space, "ff", "mod.f")]
    kept.append(Key(space, "f", "mod.f of mod.Heir", "a"))
    damaged, foreign = (Key(space, "f", "mod.f", version).entry_name for version in "cd")
    tier.store().write(damaged, [content(100)])
    tier.store().write(foreign, [b"of another program"])
    for key in gone + kept:
        assert tier.slot(key).save(1)
    PersistentTier("r").forget_all(space, "f", "mod.f")
    assert all(tier.slot(key).load() is not ABSENT for key in gone + kept)
    tier.forget_all(space, "f", "mod.f")
    assert all(tier.slot(key).load() is ABSENT for key in gone)
    assert all(tier.slot(key).load() is not ABSENT for key in kept)
    assert tier.store().read(damaged) is None
    assert tier.store().read(foreign) == b"of another program"


def test_what_cannot_be_read_is_cleared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is an entry is not known then, and whether it can be removed is seen."""
    tier, space = PersistentTier("rw"), Space("engine", "m", "1")
    key = Key(space, "f", "mod.f", "a")
    assert tier.slot(key).save(1)
    with monkeypatch.context() as patch, pytest.warns(PersistenceWarning, match="cannot be listed"):
        patch.setattr(DirectoryStore, "read_start", refuse_to_read)
        tier.forget_all(space, "f", "mod.f")
    assert tier.slot(key).load() is ABSENT


def refuse_to_read(store: DirectoryStore, name: str, length: int) -> None:
    raise PermissionError(name)


def test_the_tier_finds_keys_of_the_same_method(cache_dir: Path) -> None:
    """keys_of_same_method gives keys of the method for any parameters, at most so many, and skips unreadable ones."""
    tier = PersistentTier("rw")
    keys = [Key(Space("engine", "m", str(n)), "f", "mod.f", "a", (("x", "1"),)) for n in range(4)]
    others = [Key(Space("engine", "m", "1"), "f", "mod.g"), Key(Space("engine", "n", "1"), "f", "mod.f")]
    for key in keys + others:
        tier.slot(key).save(1)
    half = Key(Space("engine", "m", "4"), "f", "mod.f")
    tier.store().write(half.entry_name, [Parts(b"null", key=b'{"module":"engine"}').joined()])
    assert sorted(keys_of_same_method(tier.store(), keys[0]), key=lambda key: key.data) == keys
    assert len(list(keys_of_same_method(tier.store(), keys[0], limit=2))) == 2
    assert list(keys_of_same_method(tier.store(), Key(Space("nowhere", "m", "1"), "f", "mod.f"))) == []


@pytest.mark.parametrize("trouble", ["value", "store"])
def test_a_long_call_is_shortened_in_messages(tmp_path: Path, trouble: str) -> None:
    """A warning about a call with large arguments begins like the call, and is not as long."""
    (tmp_path / "blocked").write_text("a file where a directory is needed")
    arguments = (("table", "[" + "1.5, " * 5000 + "]"),)
    key = Key(Space("m", "owner", "s"), "f", "definition", "1", arguments)
    value = (lambda: 1) if trouble == "value" else 1
    shortened = r"owner\.f\(table=\[1\.5.*\.\.\. is kept in memory only"
    with configure(cache_dir=tmp_path / "blocked"), pytest.warns(PersistenceWarning, match=shortened) as caught:
        assert not PersistentTier("rw").slot(key).save(value)
    assert len(str(caught[0].message)) < 200 + 400 + len(str(tmp_path))
