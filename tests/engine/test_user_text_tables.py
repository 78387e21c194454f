"""Tables in text files that a StorageUser reads."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import InterpolatedUnivariateSpline

from stored import TableError
from tests.engine.models import AT, CURVE, FALLING, Model, X, count_interpolators, entries, found


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    file = tmp_path / "table.txt"
    np.savetxt(file, CURVE.T, header="x y")
    return file


def test_a_text_table_is_read(table_file: Path, cache_dir: Path) -> None:
    """The two columns are an object and can be interpolated; nothing of them goes to disk."""
    user = Model().su
    assert np.array_equal(user.getStoredObject("t", path=table_file), CURVE)
    made = user.getStoredObject("t", interpolator=True, path=str(table_file))
    assert np.array_equal(made(AT), InterpolatedUnivariateSpline(*CURVE)(AT))
    inverse = user.getStoredObject("t", interpolator=True, inverse=True, path=table_file)
    assert inverse(8.0) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="read-only"):
        user.getStoredObject("t", path=table_file)[0, 0] = 1.0
    assert not entries(cache_dir)
    assert found("t") is None


def test_a_text_table_is_kept(table_file: Path) -> None:
    """By default what was read stays in memory: it is found without the path, and when the file is gone."""
    user = Model().su
    user.getStoredObject("t", path=table_file)
    assert np.array_equal(user.getStoredObject("t"), CURVE)
    assert user.listObjects() == ["t"]
    table_file.unlink()
    assert np.array_equal(user.getStoredObject("t", path=table_file), CURVE)
    table_file.parent.joinpath("a file").write_text("")
    assert np.array_equal(user.getStoredObject("t", path=table_file.parent / "a file" / "table"), CURVE)


def test_a_settled_text_table_is_read_once(table_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old file that did not change is not read again, and its interpolators stay."""
    user = Model().su
    fresh = user.getStoredObject("t", path=table_file)
    assert (
        user.getStoredObject("t", path=table_file).base is not fresh.base
    )  # it might change again within a tick of its clock
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 10**10)  # rather than wait; nobody can set a time of change
    first = user.getStoredObject("t", path=table_file)
    assert user.getStoredObject("t", path=table_file).base is first.base
    made = count_interpolators(monkeypatch)
    user.getStoredObject("t", interpolator=True, path=table_file)
    user.getStoredObject("t", interpolator=True, path=table_file)
    assert len(made) == 1
    np.savetxt(table_file, FALLING.T)
    assert np.array_equal(user.getStoredObject("t", path=table_file), FALLING)


def test_store_path_data_false_keeps_nothing(table_file: Path) -> None:
    """With store_path_data=False the table is the caller's alone."""
    user = Model().su
    assert np.array_equal(user.getStoredObject("t", path=table_file, store_path_data=False), CURVE)
    made = user.getStoredObject("t", interpolator=True, path=table_file, store_path_data=False)
    assert made(2.0) == pytest.approx(8.0)
    assert user.getStoredObject("t") is None
    assert user.listObjects() == []


def test_a_changed_file_is_read_again(table_file: Path) -> None:
    """A file rewritten with as many bytes, and even with its old time, gives the new table and interpolators."""
    user = Model().su
    time_before = table_file.stat().st_mtime_ns
    old = user.getStoredObject("t", interpolator=True, path=table_file)
    for number in range(1, 4):
        np.savetxt(table_file, np.array([X, number + X]).T, header="x y")
        os.utime(table_file, ns=(time_before, time_before))
        assert np.array_equal(user.getStoredObject("t", path=table_file), [X, number + X])
        new = user.getStoredObject("t", interpolator=True, path=table_file)
        assert new is not old
        assert new(2.0) == pytest.approx(2.0 + number)


def test_another_path_is_another_table(tmp_path: Path, table_file: Path) -> None:
    """A name asked for with another path gives that file's table, and the first's again with the first."""
    other = tmp_path / "other.txt"
    np.savetxt(other, FALLING.T)
    user = Model().su
    for _ in range(2):
        assert np.array_equal(user.getStoredObject("t", path=table_file), CURVE)
        assert np.array_equal(user.getStoredObject("t", path=other), FALLING)
    assert user.getStoredObject("t", interpolator=True, path=other)(0.0) == pytest.approx(100.0)
    assert user.getStoredObject("t", interpolator=True, path=table_file)(0.0) == pytest.approx(0.0)


def test_a_stored_object_goes_before_a_file(table_file: Path) -> None:
    """An object stored under the name, in memory or on disk, is returned whatever the path, even to a missing file."""
    user = Model().su
    user.storeObject("t", FALLING)
    for each in (user, Model().su):
        assert np.array_equal(each.getStoredObject("t", path=table_file), FALLING)
        assert np.array_equal(each.getStoredObject("t", path="nowhere.txt"), FALLING)
    reader = Model(2.0).su
    reader.getStoredObject("t", path=table_file)
    reader.storeObject("t", FALLING, persistent=False)
    assert np.array_equal(reader.getStoredObject("t", path=table_file), FALLING)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error names file and object, with and without an interpolator."""
    for interpolator in (False, True):
        with pytest.raises(FileNotFoundError, match=r"nowhere\.txt' for object 'growth' was not found"):
            Model().su.getStoredObject("growth", interpolator=interpolator, path=tmp_path / "nowhere.txt")


def test_a_file_of_wrong_shape_is_an_error(tmp_path: Path) -> None:
    """A file of one column names itself in the error, and leaves nothing behind."""
    (tmp_path / "odd.txt").write_text("1\n2\n")
    user = Model().su
    with pytest.raises(TableError, match=r"odd\.txt' is not a table of two columns"):
        user.getStoredObject("t", path=tmp_path / "odd.txt")
    assert user.listObjects() == []


@pytest.mark.parametrize("persistence", ["", "w"])
def test_without_r_no_file_is_read(table_file: Path, persistence: str) -> None:
    """A user that does not read the disk does not read text files either, present or missing."""
    user = Model(persistence=persistence).su
    assert user.getStoredObject("t", path=table_file) is None
    assert user.getStoredObject("t", interpolator=True, path="nowhere.txt") is None
