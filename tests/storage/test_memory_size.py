"""How much a value takes in memory is estimated, without what it shares and what is mapped from files."""

from __future__ import annotations

import math
import mmap
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stored._storage import is_mapped, memory_size


@pytest.mark.parametrize(
    ("value", "least"),
    [
        (1.5, 24),
        (None, 16),
        ("x" * 10_000, 10_000),
        (b"x" * 10_000, 10_000),
        (np.zeros(1000), 8000),
        ([np.zeros(1000), (np.zeros(1000), {"a": np.zeros(1000)})], 24_000),
        (np.array([b"x" * 1000, "y" * 1000], dtype=object), 2000),
        (SimpleNamespace(values=np.zeros(1000)), 8000),
        (np.zeros((100, 10), order="F").T, 8000),
        (np.zeros(1000, dtype="U5"), 20_000),
    ],
)
def test_sizes_are_those_of_all_that_a_value_refers_to(value: Any, least: int) -> None:
    """With a little more for the objects themselves."""
    assert least <= memory_size(value) <= least * 1.1 + 1000


def test_what_stands_in_a_value_twice_counts_once() -> None:
    """Arrays, also by parts of them, lists, and values that contain themselves."""
    array = np.zeros(1000)
    assert memory_size([array, array[:500], array[::2], array.reshape(10, 100), [array]]) < 9000
    loop: list[Any] = ["x" * 1000]
    loop.append(loop)
    assert memory_size(loop) < 1500


def test_a_part_of_an_array_keeps_all_of_it() -> None:
    """The array whose memory it shows is in memory with it."""
    assert memory_size(np.zeros(1000)[:1]) >= 8000


def test_classes_functions_and_modules_belong_to_the_program() -> None:
    """They would be in memory without the value."""
    found = [math, math.sin, len, test_a_part_of_an_array_keeps_all_of_it, Path, [].append]
    assert memory_size(found) <= sys.getsizeof(found) + 200


def test_large_containers_are_estimated() -> None:
    """Of very many objects some are looked at, and the others count alike."""
    numbers = [float(number) for number in range(300_000)]
    assert memory_size(numbers) == pytest.approx(300_000 * (24 + 8), rel=0.7)


def test_mapped_arrays_take_no_memory(tmp_path: Path) -> None:
    """The system has the file, and takes it out of memory when it needs room; so with all parts of the array."""
    file = tmp_path / "array"
    np.zeros(1000).tofile(file)
    with file.open("rb") as stream:
        data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    mapped = np.frombuffer(memoryview(data)[8:], dtype=float)
    for array in (mapped, mapped[10:], np.frombuffer(data), mapped.view(int), np.memmap(file, mode="r")):
        assert is_mapped(array)
        assert memory_size(array) < 1000
    assert not is_mapped(np.array(mapped))
    assert not is_mapped(np.frombuffer(b"12345678"))
    assert memory_size(np.array(mapped)) >= mapped.nbytes
