"""The faults of the storage module of Colossus, none of which StorageUser has.

Each check is run against StorageUser, and against the original, which must fail it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stored import StorageUser, getCacheDir
from tests.engine.models import CURVE, FALLING, Maker, Model, entries, in_another_process


def test_signatures_are_the_originals() -> None:
    """Every parameter of the original's methods has its place and its default."""
    from colossus.utils import storage

    for name in ("__init__", "getHash", "getUniqueFilename", "checkForChangedHash", "resetStorage", "storeObject"):
        original = inspect.signature(getattr(storage.StorageUser, name)).parameters.values()
        ours = inspect.signature(getattr(StorageUser, name)).parameters.values()
        assert [(each.name, each.default) for each in ours] == [(each.name, each.default) for each in original]
    original = inspect.signature(storage.StorageUser.getStoredObject).parameters.values()
    ours = inspect.signature(StorageUser.getStoredObject).parameters.values()
    assert [(each.name, each.default) for each in ours] == [(each.name, each.default) for each in original]
    assert list(inspect.signature(getCacheDir).parameters) == ["module"]


def check_a_store_after_a_change_goes_to_the_new_parameters(make: Maker, place: Path) -> None:
    """What is stored after a change and before any read is found under the new parameters."""
    model = make()
    model.n = 2.0
    model.su.storeObject("x", "new", persistent=False)
    assert model.su.getStoredObject("x") == "new"


def check_a_store_after_a_change_carries_nothing_along(make: Maker, place: Path) -> None:
    """What was stored for the old parameters is not found under the new ones."""
    model = make()
    model.su.storeObject("old", 1)
    model.n = 2.0
    model.su.storeObject("new", 2)
    assert model.su.getStoredObject("old") is None
    assert make(2.0).su.getStoredObject("old") is None


def check_a_new_table_has_new_interpolators(make: Maker, place: Path) -> None:
    """Interpolators made from a table end with it."""
    user = make().su
    user.storeObject("xy", CURVE)
    user.getStoredObject("xy", interpolator=True)
    user.storeObject("xy", FALLING)
    assert user.getStoredObject("xy", interpolator=True)(0.0) == pytest.approx(100.0)


def check_linear_and_cubic_are_two(make: Maker, place: Path) -> None:
    """The linear interpolator is not the cubic one, whichever was made first."""
    for inverse in (False, True):
        user = make().su
        user.storeObject("xy", CURVE)
        user.getStoredObject("xy", interpolator=True, inverse=inverse)
        linear = user.getStoredObject("xy", interpolator=True, inverse=inverse, linear_interp=True)
        x, y = CURVE[::-1] if inverse else CURVE
        assert float(linear((x[2] + x[3]) / 2)) == pytest.approx((y[2] + y[3]) / 2)


def check_an_object_name_is_only_a_name(make: Maker, place: Path) -> None:
    """An object may have a name that ends as an internal one might."""
    user = make().su
    user.storeObject("xy", CURVE)
    user.storeObject("xy_interpolator", "mine")
    assert user.getStoredObject("xy", interpolator=True) != "mine"


def check_two_processes_keep_both_objects(make: Maker, place: Path) -> None:
    """What another process stores meanwhile is still there after a store of one's own."""
    user = make().su
    user.getStoredObject("anything")
    in_another_process(make, "model.su.storeObject('theirs', 1)", place)
    user.storeObject("mine", 2)
    fresh = make().su
    assert (fresh.getStoredObject("theirs"), fresh.getStoredObject("mine")) == (1, 2)


def check_damage_costs_one_entry(make: Maker, place: Path) -> None:
    """When the file that the last store wrote is cut in half, what was stored before is still found."""
    user = make().su
    user.storeObject("first", 1)
    before = file_states(place)
    user.storeObject("second", 2)
    for each in file_states(place).items() - before.items():
        Path(each[0]).write_bytes(Path(each[0]).read_bytes()[: each[1][2] // 2])
    fresh = make().su
    assert fresh.getStoredObject("second") is None
    assert fresh.getStoredObject("first") == 1


def check_a_store_writes_its_object_only(make: Maker, place: Path) -> None:
    """With many objects stored, storing one more writes about as many bytes as it has."""
    user = make().su
    for number in range(20):
        user.storeObject(f"x{number}", np.arange(1000.0))
    before = file_states(place)
    user.storeObject("last", np.arange(1000.0))
    written = sum(size for _, (_, _, size) in file_states(place).items() - before.items())
    assert 8000 <= written < 16000


def check_a_returned_array_is_out_of_reach(make: Maker, place: Path) -> None:
    """Whatever a caller does to an array or a list that it got, the next caller gets what was stored."""
    user = make().su
    user.storeObject("array", CURVE.copy())
    with contextlib.suppress(ValueError):
        user.getStoredObject("array")[:] = 0.0
    assert np.array_equal(user.getStoredObject("array"), CURVE)


def check_a_returned_list_is_out_of_reach(make: Maker, place: Path) -> None:
    """A list that a caller got can be changed without consequence."""
    user = make().su
    user.storeObject("list", [1, [2]])
    user.getStoredObject("list").append(3)
    user.getStoredObject("list")[1].append(3)
    assert user.getStoredObject("list") == [1, [2]]


def check_a_stored_array_is_out_of_reach(make: Maker, place: Path) -> None:
    """Changing an array after storing it changes nothing stored."""
    user = make().su
    mine = CURVE.copy()
    user.storeObject("array", mine)
    mine[:] = 0.0
    assert np.array_equal(user.getStoredObject("array"), CURVE)


def check_the_latest_store_counts(make: Maker, place: Path) -> None:
    """A value stored in memory only is found although an older one is on disk."""
    user = make().su
    user.storeObject("a", "old")
    user.storeObject("a", "new", persistent=False)
    assert user.getStoredObject("a") == "new"


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]


def file_states(place: Path) -> dict[str, tuple[int, int, int]]:
    states = {str(each): each.stat() for each in entries(place)}
    return {name: (state.st_ino, state.st_mtime_ns, state.st_size) for name, state in states.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", CHECKS)
def test_what_the_original_gets_wrong_is_right_here(check: Callable[[Maker, Path], None], cache_dir: Path) -> None:
    """Each fault of the original that is known is none of this StorageUser."""
    check(Model, cache_dir)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", CHECKS)
def test_the_original_gets_it_wrong(
    check: Callable[[Maker, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same checks fail with the storage module of Colossus, so they test what they say."""
    from colossus import settings
    from colossus.utils import storage

    monkeypatch.setattr(settings, "BASE_DIR", str(tmp_path))
    with pytest.raises(AssertionError):
        check(functools.partial(Model, user_class=storage.StorageUser), tmp_path)
