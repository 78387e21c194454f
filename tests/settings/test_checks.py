"""Which values a setting can have, and what becomes of them."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import ConfigurationError, configure
from stored._settings import settings
from stored.stores import MemoryStore


class NotAStore:
    """Reads, and no more."""

    def read(self, name: str) -> None: ...


BAD: list[tuple[str, Any, str]] = [
    *(
        ("cache_dir", value, "cache_dir is .*; it must be a path")
        for value in (None, 5, b"bytes", [], "", "a\0b", Path)
    ),
    *(("key_file", value, "key_file is .*; it must be a path") for value in (None, 1.5, "", "~no such user/k")),
    *(
        ("persistence", value, "it must be 'rw'")
        for value in (None, True, False, "x", "rwx", "RW", 1, ["r"], b"r", " ")
    ),
    *(("disable", value, "it must be True or False") for value in (None, 0, 1, "", "no")),
    *(("store", value, "it must be a stored.stores.Store") for value in (1, "/dir", True, NotAStore(), MemoryStore)),
    *(
        ("shared_dirs", value, "shared_dirs is .*; it must be a sequence of paths")
        for value in ("/a", b"/a", Path("/a"), None, 5)
    ),
    *(
        ("shared_dirs", value, r"shared_dirs\[1\] is .*; it must be a path")
        for value in (["/a", ""], ["/a", 5], ("/a", None), ["/a", b"/b"])
    ),
    *(
        (name, value, f"{name} is .*; it must be a finite number that is not negative")
        for name in ("max_bytes", "max_age", "min_compute_seconds", "lock_timeout")
        for value in (-1, -1e-9, math.inf, math.nan, 10**400, True, "1", b"1", [], 1j, configure)
    ),
    ("min_compute_seconds", None, "min_compute_seconds is None; it must be a finite"),
    *(("max_bytes", value, "it must be a whole number of bytes, or None") for value in (0.5, 1e-300, np.float64(1.5))),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD, ids=lambda each: repr(each)[:20])
def test_a_bad_value_changes_nothing(name: str, value: Any, message: str) -> None:
    """A value that cannot be used is a ConfigurationError, which is a ValueError, and no setting changes."""
    before = settings()
    good = {"persistence": "r", "disable": True, "cache_dir": "/somewhere/else"}
    with pytest.raises(ConfigurationError, match=message) as caught:
        configure(**{**good, name: value})
    assert isinstance(caught.value, ValueError)
    assert settings() is before


@pytest.mark.parametrize("value", ["rw", "wr", "r", "w", ""])
def test_persistence_is_of_two_letters(value: str) -> None:
    """Any combination of r and w is a persistence."""
    with configure(persistence=value) as now:
        assert now.persistence == value


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path means the working directory of now, ~ the home directory; text and paths will do."""
    monkeypatch.chdir(tmp_path)
    with configure(cache_dir="relative", key_file=Path("~/k")) as now:
        monkeypatch.chdir("/")
        assert now.cache_dir == tmp_path / "relative"
        assert now.key_file == Path.home() / "k"


def test_directories_can_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any sequence of paths will do, and each means what it does now; an empty one takes them back."""
    monkeypatch.chdir(tmp_path)
    with configure(shared_dirs=(each for each in ("relative", Path("/a"), "~/b"))) as now:
        monkeypatch.chdir("/")
        assert now.shared_dirs == (tmp_path / "relative", Path("/a"), Path.home() / "b")
        with configure(cache_dir=tmp_path / "own") as now:
            assert len(now.shared_dirs) == 3
        with configure(shared_dirs=[]) as now:
            assert now.shared_dirs == ()


def test_limits_are_numbers(tmp_path: Path) -> None:
    """Whole numbers and others, of numpy too, become plain ones; None takes a limit away."""
    with configure(
        max_bytes=np.int64(10), max_age=Fraction(1, 2), min_compute_seconds=1, lock_timeout=np.float32(0.5)
    ) as now:
        numbers = [now.max_bytes, now.max_age, now.min_compute_seconds, now.lock_timeout]
        assert list(map(repr, numbers)) == ["10", "0.5", "1.0", "0.5"]
        with configure(max_bytes=None) as now:
            assert (now.max_bytes, now.max_age) == (None, 0.5)
            with configure(max_age=None, max_bytes=1e9, lock_timeout=None) as now:
                assert repr(now.max_bytes) == "1000000000"
                assert (now.max_age, now.lock_timeout) == (None, None)


def test_a_number_of_sets_is_whole() -> None:
    """Half a set of parameters is none."""
    with pytest.raises(ConfigurationError, match=r"memory_sets is 2.5; it must be a whole number"):
        configure(memory_sets=2.5)  # type: ignore[arg-type]
