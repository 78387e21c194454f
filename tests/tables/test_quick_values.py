"""The quick ways to the value of a curve give what the full way gives, or leave it to that."""

from __future__ import annotations

import functools
import gc
import math
import pickle
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis
from stored._tables.arguments import read_argument
from stored._tables.quick_values import CHUNK
from stored.errors import OutsideAxisError
from tests.tables.interpolants import MODES, ROOTS, interpolant_of

LOW, HIGH = 0.1, 7.3

OPTIONS: dict[str, dict[str, Any]] = {
    "linear": {},
    "from zero": {"low": 0.0},
    "below zero": {"low": -2.0},
    "log": {"spacing": "log"},
    "log1p": {"spacing": "log1p"},
    "log1p from zero": {"spacing": "log1p", "low": 0.0},
    "roots": {"spacing": ROOTS},
    "log values": {"values": "log"},
    "log of both": {"spacing": "log", "values": "log"},
    "points": {"points": 50},
}

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "smooth": lambda x: np.sin(x) + 2.0,
    "divided": lambda x: np.abs(x - 3.3) + 2.0,
}

SIZES = [1, 2, 28, 29, 50, 51, 100, 300, 1000, 1001, CHUNK, CHUNK + 1]
"""On both sides of where another way begins."""

REAL = [np.dtype(code) for code in "?bBhHiIlLqQefd"]


@functools.cache
def table(options: str, function: str = "smooth", outside: Any = "raise") -> Any:
    limits = {"low": LOW, "high": HIGH, "atol": 1e-7, "rtol": 1e-7, "outside": outside}
    return interpolant_of(FUNCTIONS[function], Axis("x", **{**limits, **OPTIONS[options]}))


def full_way(made: Any, x: Any) -> Any:
    """What a call gives that knows no quick ways."""
    (axis,) = made.axes
    return made._evaluate_anywhere(read_argument(axis.name, axis.unit, x), None)


def assert_same_array(found: Any, expected: Any) -> None:
    assert type(found) is type(expected) is np.ndarray
    assert (found.dtype, found.shape, found.flags.writeable) == (expected.dtype, expected.shape, True)
    assert found.tobytes() == expected.tobytes()


def points_inside(made: Any, size: int, seed: int = 0) -> Any:
    """Random points of an axis, with both limits and nodes among them if there is room."""
    (axis,) = made.axes
    random = np.random.default_rng(seed)
    x = random.uniform(axis.low, axis.high, size)
    special = np.array([axis.high, axis.low, *made.nodes[0][:3], np.nextafter(axis.high, 0.0)])[:size]
    x[random.permutation(size)[: special.size]] = special
    return x


tables = st.builds(table, st.sampled_from(list(OPTIONS)), st.sampled_from(list(FUNCTIONS)), st.sampled_from(MODES))


# -- numbers ----------------------------------------------------------------------------------------------------------

edges = [LOW, HIGH, 0.0, -2.0, math.nan, math.inf, -math.inf, -0.0]
near_edges = [math.nextafter(each, way) for each in (LOW, HIGH, 0.0) for way in (-9.0, 9.0)]
numbers = st.sampled_from([*edges, *near_edges]) | st.floats(-3.0, 9.0) | st.floats()
KINDS = [float, np.float64, np.float32, np.float16, np.longdouble]
integers = st.sampled_from([bool, np.bool, int, np.int8, np.uint8, np.int64, np.uint64, np.longlong, np.intc])


@given(
    made=tables,
    x=st.builds(lambda kind, x: kind(x), st.sampled_from(KINDS), numbers)
    | st.builds(lambda kind, x: kind(x), integers, st.integers(0, 9)),
)
@settings(max_examples=400, deadline=None)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
def test_a_number_of_any_kind_is_evaluated_quickly(made: Any, x: Any) -> None:
    """A number inside gives a float, that of the full way; one outside and NaN are left to that."""
    (axis,) = made.axes
    found = made.quick(x)
    if not axis.low <= float(x) <= axis.high:
        assert found is None
        return
    expected = full_way(made, x)
    assert type(found) is type(expected) is float
    if axis.spacing == axis.values == "linear":
        assert found == expected
    else:  # the logarithms of Python and numpy may differ in the last bit
        assert found == pytest.approx(expected, rel=1e-13)
    assert made(x) == found == made.quick(float(x))


@given(made=tables, x=numbers, dtype=st.sampled_from([*REAL, np.dtype(np.longdouble)]))
@settings(max_examples=200, deadline=None)
@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered in cast:RuntimeWarning")
def test_an_array_without_dimensions_is_a_number(made: Any, x: float, dtype: Any) -> None:
    """Its value is that of the number, as an array of the caller's own; outside it is left to the full way."""
    array = np.array(x).astype(dtype)
    found, expected = made.quick(array), made.quick(float(array))
    if expected is None:
        assert found is None
    else:
        assert_same_array(found, np.array(expected))


def test_a_longer_number_counts_as_the_float_that_it_rounds_to() -> None:
    """One just beyond the limit that rounds to it is inside, as for the full way; one that rounds beyond it is not."""
    made = table("linear")
    if np.finfo(np.longdouble).eps == np.finfo(float).eps:
        pytest.skip("longdouble is a float here")
    beyond = np.longdouble(HIGH) * (1 + np.finfo(np.longdouble).eps)
    assert beyond > HIGH
    assert made.quick(beyond) == full_way(made, beyond) == made(HIGH)
    assert made.quick(np.longdouble(np.nextafter(HIGH, 9.0))) is None


@pytest.mark.parametrize("x", [2**64, -(2**63) - 1, 10**400])
def test_an_integer_that_numpy_does_not_have_is_refused(x: int) -> None:
    """Also along an axis that is wide enough for it; the largest that it has is taken."""
    made = interpolant_of(lambda x: x + 2.0, Axis("x", -(2.0**70), 2.0**70, rtol=1e-6, atol=1.0))
    assert made.quick(x) is None
    with pytest.raises(TypeError, match="must be a real number"):
        made(x)
    assert made(2**64 - 1) == made(float(2**64))


def test_the_largest_integers_are_taken_quickly() -> None:
    """Along an axis of floats that all have integers of numpy's."""
    made = interpolant_of(lambda x: x + 2.0, Axis("x", -(2.0**62), 2.0**63, rtol=1e-6, atol=1.0))
    for x in (2**63, 2**63 - 1, -(2**62), 7):
        assert made.quick(x) == full_way(made, x)


# -- arrays -----------------------------------------------------------------------------------------------------------

LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda x: x,
    "every second": lambda x: np.repeat(x, 2)[::2],
    "backwards": lambda x: x[::-1],
    "column": lambda x: x[:, None],
    "two dimensions": lambda x: np.stack([x, x[::-1]]),
    "columns first": lambda x: np.asfortranarray(np.stack([x, x[::-1]])),
    "broadcast": lambda x: np.broadcast_to(x, (2, x.size)),
    "read-only": lambda x: np.frombuffer(x.tobytes()),
    "empty": lambda x: x[:0],
    "empty, two dimensions": lambda x: x[:0, None],
}


@given(made=tables, size=st.sampled_from(SIZES), layout=st.sampled_from(list(LAYOUTS)), seed=st.integers(0, 99))
@settings(max_examples=300, deadline=None)
def test_an_array_is_evaluated_quickly(made: Any, size: int, layout: str, seed: int) -> None:
    """Whatever its size and layout, it gives a new array with the full way's values to the bit, and stays the same."""
    x = LAYOUTS[layout](points_inside(made, size, seed))
    before = x.copy()
    found = made.quick(x)
    assert_same_array(found, full_way(made, x))
    assert_same_array(made(x), found)
    assert not np.shares_memory(found, x)
    assert x.tobytes() == before.tobytes()


@given(made=tables, size=st.sampled_from(SIZES[:10]), dtype=st.sampled_from(REAL), seed=st.integers(0, 99))
@settings(max_examples=200, deadline=None)
def test_an_array_of_other_numbers_is_one_of_floats(made: Any, size: int, dtype: Any, seed: int) -> None:
    """Integers, bools and shorter floats give what the same numbers give as floats."""
    inside = np.random.default_rng(seed).uniform(1.0, 7.0, size).astype(dtype)
    assert_same_array(made.quick(inside), made.quick(inside.astype(float)))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("options", OPTIONS)
def test_a_point_has_one_value_in_arrays_of_any_size(options: str, function: str) -> None:
    """The bits do not depend on how many points there are, nor on their order."""
    made = table(options, function)
    x = points_inside(made, SIZES[-1])
    values = made.quick(x)
    for size in SIZES:
        assert made.quick(x[:size]).tobytes() == values[:size].tobytes()
        assert made.quick(x[-size:]).tobytes() == values[-size:].tobytes()
    assert made.quick(x[::-1]).tobytes() == values[::-1].tobytes()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("options", OPTIONS)
def test_an_array_with_a_point_outside_is_left_to_the_full_way(options: str, size: int) -> None:
    """NaN, infinity, and the next float beyond a limit, which may round to it, give no value and no warning."""
    made = table(options)
    (axis,) = made.axes
    beyond = [np.nextafter(axis.high, 99.0), np.nextafter(axis.low, -99.0)]
    for outside in (math.nan, math.inf, -math.inf, 1e308, -1e308, -5.0, *beyond):
        for place in {0, size // 2, size - 1}:
            x = points_inside(made, size)
            x[place] = outside
            assert made.quick(x) is None
    with pytest.raises(OutsideAxisError):
        made(x)


def test_coordinates_that_are_no_coordinates_are_left_to_the_full_way() -> None:
    """A spacing that gives NaN or a wrong number where nobody looked does not lead beyond the pieces."""
    wrong = {0.123: math.nan, 0.456: 1e300, 0.789: -1e300}

    def forward(x: Any) -> Any:
        known = np.asarray(x, dtype=float)
        return np.select(
            [known == each for each in wrong], [np.full(known.shape, each) for each in wrong.values()], known
        )

    made = interpolant_of(lambda x: x + 2.0, Axis("x", 0.0, 1.0, spacing=(forward, np.array)))
    for size in SIZES:
        for each in wrong:
            assert made.quick(np.full(size, each)) is None
        assert made.quick(np.full(size, 0.5)) is not None


def test_threads_share_nothing() -> None:
    """Arrays that are evaluated at the same time get their own values."""
    made = table("log values", "divided")
    arrays = [points_inside(made, size, seed) for seed in range(4) for size in (10, 100, 3 * CHUNK)]
    expected = [made(x).tobytes() for x in arrays]
    with ThreadPoolExecutor(4) as pool:
        assert [each.tobytes() for each in pool.map(made.quick, arrays * 20)] == expected * 20


# -- units ------------------------------------------------------------------------------------------------------------


@functools.cache
def table_with_units(argument: str, values: str) -> Any:
    """A table whose argument, values, or both have units."""
    u = pytest.importorskip("astropy.units")
    unit, one = (u.Unit(each) if each else None for each in (argument, values))

    def function(x: Any) -> Any:
        found = 1.0 / (1.0 + (x if unit is None else x.to_value(unit)))
        return found if one is None else found * one

    return interpolant_of(function, Axis("x", 0.1, 100.0, spacing="log", rtol=1e-8, unit=unit))


def assert_same_quantity(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    assert getattr(found, "unit", None) == getattr(expected, "unit", None)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-13)


@pytest.mark.parametrize("values", ["", "Msun", "mag"])
@pytest.mark.parametrize("unit", ["kpc", "Mpc", "m"])
@pytest.mark.parametrize("numbers", [3.0, 3, np.float32(3.0), np.array([1.5, 3.0]), np.array([[2]]), np.full(2000, 7)])
def test_quantities_are_evaluated_quickly(unit: str, values: str, numbers: Any) -> None:
    """Numbers and arrays of any unit that fits give what the full way gives, with the unit of the values."""
    u = pytest.importorskip("astropy.units")
    made = table_with_units("kpc", values)
    x = u.Quantity(u.Quantity(numbers, "kpc"), unit)
    found = made.quick(x)
    assert_same_quantity(found, full_way(made, x))
    assert_same_quantity(made(x), found)


@pytest.mark.parametrize("x", [3.0, 3, np.float64(3.0), np.array(3.0), np.array([1.5, 3.0]), np.full((2, 1000), 7)])
def test_values_with_units_are_found_quickly_by_numbers(x: Any) -> None:
    """What the method returned as a quantity is one, of whatever numbers."""
    made = table_with_units("", "Msun")
    assert_same_quantity(made.quick(x), full_way(made, x))


def test_units_that_do_not_fit_are_left_to_the_full_way() -> None:
    """So are numbers where quantities are expected, and quantities of other kinds."""
    u = pytest.importorskip("astropy.units")
    made = table_with_units("kpc", "Msun")
    for other in (3.0, np.array([3.0]), 3.0 * u.s, [1.0] * u.s, 3.0 * u.mag, u.Magnitude(3.0), 1e9 * u.kpc):
        assert made.quick(other) is None
    assert table("linear").quick(3.0 * u.kpc) is None
    assert table_with_units("", "Msun").quick(3.0 * u.kpc) is None


# -- what is left -----------------------------------------------------------------------------------------------------


class _Float(float):
    pass


class _Array(np.ndarray):
    pass


@pytest.mark.parametrize(
    "other",
    [
        None,
        "1.0",
        b"1",
        1j,
        [1.0, 2.0],
        (1.0,),
        _Float(1.0),
        np.str_("1"),
        np.complex128(1.0),
        np.datetime64(1, "s"),
        np.timedelta64(1, "s"),
        np.ma.masked,
        np.ma.array([1.0, 2.0], mask=[0, 1]),
        np.array("1.0"),
        np.array(["1.0"]),
        np.array([1.0, 2.0], dtype=object),
        np.array(1.0, dtype=object),
        np.array([1j]),
        np.array([1], "m8[s]"),
        np.array(1, "m8[s]"),
        np.array([1.0, 2.0], dtype=np.longdouble),
        np.array([1.0, 2.0]).view(_Array),
        np.zeros(2, dtype=[("x", float)]),
    ],
    ids=repr,
)
def test_anything_else_is_left_to_the_full_way(other: Any) -> None:
    """It decides what they are, and raises the errors."""
    assert table("linear").quick(other) is None


def test_arrays_in_another_byte_order_give_the_same() -> None:
    """Whether quickly or not."""
    made = table("linear")
    x = points_inside(made, 50)
    assert_same_array(made(x.astype(x.dtype.newbyteorder())), made(x))


def test_a_table_is_freed_with_its_last_reference() -> None:
    """No circle keeps what was made for it in memory."""
    made = interpolant_of(FUNCTIONS["divided"], *table("linear").axes)
    for x in (1.0, np.float64(1.0), np.array(1.0), np.ones(2), np.ones(100), np.ones(5000)):
        made(x)
    freed = weakref.ref(made.quick)
    gc.disable()
    try:
        del made
        assert freed() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("options", OPTIONS)
def test_no_pickle_contains_what_is_made_on_demand(options: str) -> None:
    """It is as large as before any call, and what is loaded gives the same values."""
    made = interpolant_of(FUNCTIONS["divided"], *table(options, "divided").axes)
    before = pickle.dumps(made)
    x = points_inside(made, 1000)
    values = made(x)
    assert len(pickle.dumps(made)) == len(before)
    assert pickle.loads(before)(x).tobytes() == values.tobytes()


def root_in_place(x: Any) -> Any:
    """The square root, written to the argument."""
    return np.sqrt(x, out=x) if isinstance(x, np.ndarray) and x.ndim else np.sqrt(x)


@pytest.mark.parametrize("size", [1, 100, 5000])
def test_a_spacing_may_write_to_its_argument(size: int) -> None:
    """The arrays of callers stay what they are, also where they are read-only, and nothing else goes wrong."""
    made = interpolant_of(lambda x: x + np.sqrt(x), Axis("x", 1.0, 9.0, spacing=(root_in_place, np.square)))
    x = np.linspace(1.0, 9.0, size)
    x.flags.writeable = False
    np.testing.assert_allclose(made(x), x + np.sqrt(x), rtol=1e-6)
    np.testing.assert_allclose(made(made.inverse(made(x))), made(x), rtol=1e-14)
    changing = x.copy()
    made(changing)
    np.testing.assert_array_equal(changing, x)


@pytest.mark.parametrize("forward", [lambda x: x.copy() ** 0.5, lambda x: [each**0.5 for each in x]])
def test_a_spacing_may_take_arrays_only(forward: Any) -> None:
    """Single numbers of all kinds are evaluated, inverted, derived and integrated, as arrays of one number are."""
    made = interpolant_of(lambda x: x + np.sqrt(x), Axis("x", 1.0, 9.0, spacing=(forward, np.square)))
    for x in (4.0, 4, np.float64(4.0), np.array(4.0)):
        assert made(x) == made(np.array([4.0]))[0]
        assert made.derivative(x) == made.derivative(np.array([4.0]))[0]
        assert made.integral(1.0, x) == made.integral(1.0, np.array([4.0]))[0]
    assert made.inverse(6.0) == pytest.approx(4.0, rel=1e-6)


@pytest.mark.parametrize(("limits", "beyond"), [((-(2**63), 0), -(2**63) - 1), ((0, 2**64 - 1), 2**64)])
def test_integers_beyond_those_of_arrays_are_no_numbers(limits: tuple[int, int], beyond: int) -> None:
    """Not even where they are rounded to a limit of the axis."""
    made = interpolant_of(lambda x: 1.0 + abs(x / 2.0**64), Axis("x", *limits))
    assert made(limits[0]) == made(float(limits[0]))
    with pytest.raises(TypeError, match="real number"):
        made(beyond)
