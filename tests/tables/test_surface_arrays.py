"""The fast way of numbers and arrays along two axes gives what the full way gives, or nothing."""

from __future__ import annotations

import functools
import math
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis
from stored._tables import patches as patches_module
from stored.errors import OutsideAxisError
from tests.tables.interpolants import MODES, ROOTS, interpolant_of, random_points

TABLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    **{outside: ({"outside": outside}, {"outside": outside}) for outside in MODES},
    "logarithms": ({"spacing": "log", "values": "log"}, {"spacing": "log1p"}),
    "logarithmic values": ({"values": "log"}, {}),
    "one logarithm": ({}, {"spacing": "log"}),
    "functions": ({"spacing": ROOTS, "outside": "clip"}, {"outside": "nan"}),
    "points": ({"points": 9}, {"points": 7}),
    "narrow": ({"rtol": 1e-10}, {"rtol": 1e-10}),
}


@functools.cache
def table(name: str) -> Any:
    """A function of x from 0.5 to 3 and y from 1 to 4."""
    x, y = TABLES[name]
    return interpolant_of(
        lambda x, y: np.sin(3 * x) * np.cos(2 * y) + 3, Axis("x", 0.5, 3.0, **x), Axis("y", 1.0, 4.0, **y)
    )


def full(f: Any, x: Any, y: Any) -> Any:
    """What the full way gives, or its error."""
    try:
        return f._evaluate_anywhere(f.read_arguments(x, y), None)
    except (TypeError, ValueError) as error:
        return error


def assert_same(f: Any, x: Any, y: Any) -> None:
    """The fast way gives nothing, or what the full way does."""
    found, expected = f.quick(x, y), full(f, x, y)
    if found is None:
        return
    assert type(found) is type(expected)
    assert np.shape(found) == np.shape(expected)
    if isinstance(found, np.ndarray):
        assert found.dtype == expected.dtype
        assert found.flags.writeable
        assert found.flags.c_contiguous
    if f._log or any(axis.spacing != "linear" for axis in f.axes):  # of which numpy rounds differently than math
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    else:
        np.testing.assert_array_equal(found, expected)


NUMBERS = [float, np.float64, np.float32, np.float16, np.longdouble]
INTEGERS = [int, np.int8, np.uint16, np.int32, np.int64, np.uint64]
DTYPES = ["f8", "f4", ">f8", "g", "i8", "u1", "?"]
SHAPES: list[tuple[int, ...]] = [(), (0,), (1,), (3,), (40,), (1, 3), (2, 1), (2, 3), (3, 40)]


@st.composite
def arguments(draw: st.DrawFn) -> Any:
    """A number or an array of some kind, mostly within 1 to 3."""
    beyond = [0.5, 0.4, 4.0, 4.5, math.nan, math.inf, -math.inf]
    value = st.floats(1.0, 3.0) | st.sampled_from([1.0, 3.0, *(beyond if draw(st.integers(0, 3)) == 0 else [])])
    if draw(st.booleans()):
        kind = draw(st.sampled_from(NUMBERS))
        integers: st.SearchStrategy[Any] = st.builds(lambda kind, n: kind(n), st.sampled_from(INTEGERS), st.just(2))
        return draw(value.map(kind) | integers | st.sampled_from([True, np.True_]))
    shape = draw(st.sampled_from(SHAPES))
    few = np.array(draw(st.lists(value, min_size=5, max_size=5)))
    with np.errstate(invalid="ignore"):
        array = np.resize(few, shape).astype(draw(st.sampled_from(DTYPES)))
    layout = draw(st.sampled_from(["plain", "transposed", "strided", "list", "read-only"]))
    if layout == "transposed":
        return array.T
    if layout == "strided":
        return np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else array
    if layout == "list":
        return array.tolist()
    array.flags.writeable = layout == "plain"
    return array


@pytest.mark.parametrize("name", TABLES)
@given(x=arguments(), y=arguments())
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_the_fast_way_changes_nothing(name: str, x: Any, y: Any) -> None:
    """Values, types, dtypes and shapes are those of the full way, for all kinds of numbers, arrays and tables."""
    assert_same(table(name), x, y)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("kind", [*NUMBERS, *INTEGERS])
def test_all_numbers_inside_take_the_fast_way(name: str, kind: Callable[[Any], Any]) -> None:
    """Whatever type a number has, it need not go the full way, beside a number or beside an array."""
    f = table(name)
    for x, y in ((kind(2), kind(3)), (1.7, kind(3)), (kind(2), np.array([1.0, 2.5])), (np.full(50, 2.5), kind(3))):
        assert f.quick(x, y) is not None
        assert_same(f, x, y)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("shape", SHAPES)
def test_all_arrays_inside_take_the_fast_way(name: str, shape: tuple[int, ...]) -> None:
    """Of whatever shape, and beside one of another shape with which it is broadcast."""
    f = table(name)
    x = np.resize([0.5, 3.0, 1.3, 2.9], shape)
    for y in (np.resize([1.0, 4.0, 2.0], shape), np.array(4.0), np.ones((2, *[1] * len(shape)))):
        assert f.quick(x, y) is not None
        assert_same(f, x, y)
        assert_same(f, y, x)


@pytest.mark.parametrize(
    "other",
    [
        *(None, "2", b"2", 2j, [2.0], (2.0,), {}, np.datetime64(0, "s"), np.array(["2"]), np.array([2j])),
        *(np.array([None]), np.full(100, 2j), np.ma.array([2.0]), 10**400, 10**25, -(10**25), 0.4, 4.1),
        *(math.nan, math.inf, np.array([0.4]), np.array([math.nan]), np.full(100, math.nan), np.full(100, 4.1)),
        np.ones((3, 5)),
    ],
)
def test_what_needs_care_is_left(other: Any) -> None:
    """Anything but numbers and arrays inside gives None, also beside a number, or an array that it does not fit."""
    f = table("raise")
    beside: list[Any] = [2.0, 2, np.full(3, 2.0), np.full(100, 2.0), other, None]
    if np.shape(other) == (3, 5):
        beside = [np.ones((2, 5)), np.ones(4)]
    for each in beside:
        assert f.quick(other, each) is None
        assert f.quick(each, other) is None


def test_integers_that_numpy_does_not_take_are_left() -> None:
    """Along an axis that is that long, an integer beyond 64 bits is refused, as the full way refuses it."""
    f = interpolant_of(lambda x, y: x * 1e-30 + y + 2, Axis("x", 0.0, 1e30), Axis("y", 0.0, 1.0))
    assert f.quick(1e25, 0.5) == full(f, 1e25, 0.5)
    assert f.quick(10**25, 0.5) is None
    with pytest.raises(TypeError, match="must be a real number"):
        f(10**25, 0.5)


@pytest.mark.parametrize("name", TABLES)
def test_numbers_and_arrays_of_any_length_agree(name: str) -> None:
    """At random points, and at edges of patches, one by one, a few and many at once, in any order."""
    f = table(name)
    x, y = random_points(*f.axes, 20_000)
    for each, axis in ((x, f.axes[0]), (y, f.axes[1])):
        low, high = axis.coordinate_limits()
        each[:257] = axis.backward(np.linspace(low, high, 257))
    many = f(x, y)
    rtol = 0.0 if name in {*MODES, "points", "narrow"} else 1e-13
    numbers = [f.quick(*each) for each in zip(x[:2000].tolist(), y[:2000].tolist(), strict=True)]
    np.testing.assert_allclose(numbers, many[:2000], rtol=rtol)
    few = np.concatenate([f(x[start : start + 8], y[start : start + 8]) for start in range(0, 2000, 8)])
    np.testing.assert_allclose(few, many[:2000], rtol=rtol)
    np.testing.assert_allclose(full(f, x, y), many, rtol=rtol)
    order = np.random.default_rng(3).permutation(x.size)
    np.testing.assert_array_equal(f(x[order], y[order]), many[order])


@pytest.mark.parametrize("name", ["raise", "points", "logarithms"])
def test_large_tables_give_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is converted on demand, and gathered in rows, is what is at hand of a small table."""
    f = table(name)
    monkeypatch.setattr(patches_module, "_MOST_FLOATS", 0)
    monkeypatch.setattr(patches_module, "_MOST_COLUMNS", 0)
    other = pickle.loads(pickle.dumps(f))
    x, y = random_points(*f.axes, 9000)
    found = other(x, y), [other(*each) for each in zip(x[:99].tolist(), y[:99].tolist(), strict=True)]
    derivatives = other.derivative(x, y, (1, 1)), other.derivative(x[0], y[0], (1, 1))
    monkeypatch.undo()
    np.testing.assert_array_equal(found[0], f(x, y))
    assert found[1] == [f(*each) for each in zip(x[:99].tolist(), y[:99].tolist(), strict=True)]
    np.testing.assert_array_equal(derivatives[0], f.derivative(x, y, (1, 1)))
    assert derivatives[1] == f.derivative(x[0], y[0], (1, 1))


def test_arguments_are_not_changed() -> None:
    """Coordinates are computed in memory of the call's own, and results are new arrays."""
    f = table("logarithms")
    for size in (3, 300):
        x, y = np.full(size, 2.0), np.full(size, 3.0)
        first, second = f(x, y), f(x, y)
        first[...] = 0.0
        assert np.all(second != 0.0)
        assert np.all(x == 2.0)
        assert np.all(y == 3.0)


def test_threads_do_not_share_memory() -> None:
    """Several threads evaluate one surface at different points at once."""
    f = table("logarithms")
    points = [random_points(*f.axes, size) for size in (5, 500, 30_000, 60_000)] * 4
    expected = [f(*each) for each in points]
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(lambda each: f(*each), points), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_surfaces_are_pickled_after_use() -> None:
    """What is made on demand stays out of the pickle, and is made again."""
    f = interpolant_of(lambda x, y: x + y**2, Axis("x", 0.0, 1.0), Axis("y", 0.0, 1.0))
    before = len(pickle.dumps(f))
    expected = f(0.3, 0.4), f(np.full(99, 0.3), 0.4).tolist(), f.derivative(0.3, 0.4)
    assert len(pickle.dumps(f)) == before
    again = pickle.loads(pickle.dumps(f))
    assert (again(0.3, 0.4), again(np.full(99, 0.3), 0.4).tolist(), again.derivative(0.3, 0.4)) == expected


@pytest.mark.parametrize("name", TABLES)
def test_lists_and_masked_arrays_give_the_numbers_of_arrays(name: str) -> None:
    """What goes the full way is evaluated alike, and keeps its shape and its mask."""
    f = table(name)
    x, y = [[1.0, 2.5], [3.0, 0.5]], [2.0, 4.0]
    found = f(x, y)
    np.testing.assert_allclose(found, f(np.array(x), np.array(y)), rtol=1e-13)
    np.testing.assert_array_equal(found, full(f, x, y))
    masked = f(np.ma.array([1.0, 2.0], mask=[False, True]), 2.0)
    assert masked.mask.tolist() == [False, True]
    assert masked[0] == pytest.approx(f(1.0, 2.0), rel=1e-13)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
@pytest.mark.parametrize("size", [1, 5, 500])
def test_what_is_outside_limits_of_fewer_digits_is_outside(kind: Any, size: int) -> None:
    """Arguments are not rounded to the precision of the limits."""
    axes = Axis("x", kind(1), kind(3)), Axis("y", kind(1), kind(3))
    made = interpolant_of(lambda x, y: x * y, *axes)
    beyond, inside = float(np.nextafter(3.0, 4.0)), np.full(size, 2.0)
    np.testing.assert_allclose(made(inside, 2.0), 4.0, rtol=1e-12)
    for x in (beyond, np.full(size, beyond)):
        with pytest.raises(OutsideAxisError):
            made(x, inside)
