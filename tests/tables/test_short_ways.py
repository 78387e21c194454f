"""Derivatives, integrals and inverses of single numbers and small arrays: what large arrays give."""

from __future__ import annotations

import functools
import math
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis
from stored._tables import piece_rows
from tests.tables.interpolants import MODES, SPACINGS, interpolant_of

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "rising": lambda x: np.exp(x / 3) + 0.1 * np.sin(x),
    "falling": lambda x: 1 / (x + 0.2 * np.sin(2 * x)),
    "kink": lambda x: x + 0.5 * np.abs(x - 2.2),
    "stationary": lambda x: 9.0 - (x - 5.0) ** 2 / 7,
    "bent": lambda x: x + x**2 / 9,
    "flat": lambda x: (x - 2.0) ** 3 + 0.05 * x + 20.0,
}

KINDS = [(spacing, values, points) for spacing in SPACINGS for values in ("linear", "log") for points in (None, 40)]

LARGE = 500
"""So many numbers are computed as an array."""


def make(name: str, kind: int, **options: Any) -> Any:
    spacing, values, points = KINDS[kind]
    axis = Axis("x", 0.5, 5.0, **{"rtol": 1e-8, "spacing": spacing, "values": values, "points": points, **options})
    return interpolant_of(FUNCTIONS[name], axis)


@functools.cache
def table(name: str, kind: int) -> Any:
    """A table of which each method has been used, so that single numbers have their short ways."""
    return used(make(name, kind))


def used(f: Any) -> Any:
    for nu in (1, 2, 3):
        f.derivative(1.0, nu)
    f.integral(1.0, 2.0)
    for _ in range(2):
        f.inverse(f(2.0))
    return f


def is_exact(f: Any) -> bool:
    """Are numbers and arrays computed by the same arithmetic? Logarithms and exponentials may differ in a bit."""
    (axis,) = f.axes
    return bool(axis.spacing == "linear" and axis.values == "linear")


def as_array(method: Callable[..., Any], *numbers: float, **options: Any) -> float:
    """What an array gives that is too large to be computed number by number."""
    found = method(*(np.full(LARGE, each) for each in numbers), **options)
    assert set(found.tolist()) == {found[0]}
    return float(found[0])


names = st.sampled_from(sorted(FUNCTIONS))
kinds = st.integers(0, len(KINDS) - 1)
arguments = st.one_of(st.floats(0.5, 5.0), st.sampled_from([0.5, 5.0, 2.2, 2.0, math.nextafter(5.0, 0.0)]))


@given(names, kinds, arguments, st.sampled_from([1, 2, 3]))
@settings(max_examples=300, deadline=None)
def test_the_derivative_at_a_number_is_that_of_an_array(name: str, kind: int, x: float, nu: int) -> None:
    """To the last bit on a linear table, to rounding else, and a float."""
    f = table(name, kind)
    found, expected = f.derivative(x, nu), as_array(f.derivative, x, nu=nu)
    assert type(found) is float
    if is_exact(f) and nu < 3:
        assert found == expected
        return
    # a coordinate that differs in the last bit shows in the higher derivatives of steep pieces, and terms may cancel
    near = [f.derivative(np.nextafter(np.full(LARGE, x), end), nu)[0] for end in (0.5, 5.0)]
    spread = max(abs(each - expected) for each in near if math.isfinite(each))
    terms = np.max(np.abs(f.values)) / x**nu
    assert found == pytest.approx(expected, rel=1e-12, abs=9 * spread + 1e-12 * terms)


@given(names, kinds, arguments, arguments)
@settings(max_examples=300, deadline=None)
def test_the_integral_between_numbers_is_that_of_arrays(name: str, kind: int, a: float, b: float) -> None:
    """To the last bit on a linear table, to rounding else, and a float, in both directions."""
    f = table(name, kind)
    found, expected = f.integral(a, b), as_array(f.integral, a, b)
    assert type(found) is float
    assert found == expected if is_exact(f) else found == pytest.approx(expected, rel=1e-12, abs=1e-14 * abs(b))
    assert f.integral(b, a) == -found


@given(names, kinds, st.floats(0.0, 1.0), st.booleans())
@settings(max_examples=400, deadline=None)
def test_the_inverse_of_a_number_is_that_of_an_array(name: str, kind: int, share: float, of_argument: bool) -> None:
    """To the last bit on a linear table, to rounding else; and the value is given again."""
    f = table(name, kind)
    low, high = sorted(f([0.5, 5.0]))
    y = min(max(f(0.5 + share * 4.5) if of_argument else low + share * (high - low), low), high)
    found, expected = f.inverse(y), as_array(f.inverse, y)
    assert type(found) is float
    slope = abs(as_array(f.derivative, found))
    rounding = np.spacing(abs(y)) + slope * np.spacing(found)
    scale = np.finfo(float).eps * np.max(np.abs(f.values))
    assert abs(f(found) - y) <= 8 * rounding + 16 * scale
    if is_exact(f):
        assert found == expected
    else:
        assert abs(f(found) - f(expected)) <= 8 * rounding + 16 * scale


@given(names, kinds, st.lists(arguments, min_size=0, max_size=200))
@settings(max_examples=100, deadline=None)
def test_small_arrays_are_computed_as_their_numbers(name: str, kind: int, x: list[float]) -> None:
    """Of any size they have the values that single numbers have, to rounding."""
    f = table(name, kind)
    points = np.array(x)
    y = np.clip(f(points), *sorted(f([0.5, 5.0])))
    singly = np.array([f.inverse(each) for each in y.tolist()])
    np.testing.assert_allclose(f(f.inverse(y)), f(singly), rtol=1e-12)
    np.testing.assert_allclose(f.integral(1.0, points), [f.integral(1.0, each) for each in x], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(
        f.integral(points, points[::-1]), list(map(f.integral, x, x[::-1])), rtol=1e-11, atol=1e-13
    )
    if is_exact(f):
        assert f.derivative(points).tolist() == list(map(f.derivative, x))


def test_small_arrays_keep_their_shape() -> None:
    """Arrays of no, one and two dimensions give arrays of their shape, which can be written to."""
    f = table("rising", 0)
    y = f(2.0)
    for shape in ((), (1,), (3,), (2, 2), (0,), (0, 3)):
        for found in (f.derivative(np.full(shape, 2.0)), f.inverse(np.full(shape, y)), f.integral(1.0, np.ones(shape))):
            assert type(found) is np.ndarray
            assert (found.shape, found.dtype) == (shape, np.float64)
            found[...] = 1.0


# -- all kinds of arguments -------------------------------------------------------------------------------------------


NUMBERS = [np.dtype(code).type(2) for code in "bhilqBHILQefdg"]


@pytest.mark.parametrize("kind", range(len(KINDS)))
@pytest.mark.parametrize("number", [2, True, *NUMBERS, np.True_], ids=lambda each: type(each).__name__)
def test_all_numbers_are_alike(number: Any, kind: int) -> None:
    """Ints, bools and numpy's numbers give what the float gives, and a float."""
    f = table("flat", kind)
    x = float(number)
    for found, expected in (
        (f.derivative(number), f.derivative(x)),
        (f.integral(1, number), f.integral(1.0, x)),
        (f.integral(number, 3.0), f.integral(x, 3.0)),
        (table("bent", kind).inverse(number), table("bent", kind).inverse(x)),
    ):
        assert type(found) is float
        assert found == expected


OTHERS = [
    *[math.nan, math.inf, -math.inf, 0.0, -1.0, 0.4, 5.1, 1e300, 2**70, -(2**70), 10**400, "2", None, 2j, 1 + 0j],
    *[b"2", [2.0], (2.0, 3.0), [], {}, Fraction(2), np.complex128(2), np.float64(math.nan), np.longdouble("1e400")],
    *[np.array(2.0), np.array([2.0, math.nan]), np.array([2.0, 9.0]), np.array([2, 3]), np.array(["2"]), np.str_("2")],
    *[np.timedelta64(2, "s"), np.datetime64(2, "s"), np.ma.masked, np.ma.array([2.0, 3.0], mask=[True, False])],
    *[np.array([2.0], dtype=">f8"), np.float16(2.2), object()],
]


def outcome(call: Callable[[], Any]) -> tuple[str, str]:
    """What a call gives or raises, in words."""
    try:
        found = call()
    except Exception as error:  # all errors are compared
        return type(error).__name__, str(error)
    return type(found).__name__, repr(found)


@functools.cache
def _with_mode(mode: str) -> Any:
    return make("kink", 0, outside=mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("other", OTHERS, ids=lambda each: f"{type(each).__name__} {each!s:.12}")
def test_what_is_no_number_inside_is_treated_as_ever(other: Any, mode: Any) -> None:
    """A table whose short ways are made gives values, types and errors as one that has none yet."""
    state = pickle.dumps(_with_mode(mode))
    fresh = functools.partial(pickle.loads, state)
    warm = used(fresh())
    for call in (
        lambda f: f.derivative(other),
        lambda f: f.derivative(other, 2),
        lambda f: f.integral(other, 2.0),
        lambda f: f.integral(2.0, other),
        lambda f: f.inverse(other),
        lambda f: f.inverse(3.0, other),
        lambda f: f.inverse(3.0, (0.5, other)),
    ):
        assert outcome(lambda call=call: call(warm)) == outcome(lambda call=call: call(fresh()))


@pytest.mark.parametrize("nu", [True, np.True_, 1.0, np.float64(1), "1", None, [1], 0, 4, -1, 1 + 0j])
def test_only_whole_orders_are_taken(nu: Any) -> None:
    """What equals an order and is no whole number is refused, although that order was asked for before."""
    with pytest.raises(ValueError, match="derivatives are of order 1, 2 or 3"):
        table("rising", 0).derivative(2.0, nu)
    assert table("rising", 0).derivative(2.0, np.int64(2)) == table("rising", 0).derivative(2.0, 2)


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_a_branch_is_used_again(kind: int) -> None:
    """Each call on a branch gives the same, whatever numbers tell its limits; what only equals them is refused."""
    f = make("stationary", kind)
    y = f(3.3)
    first = f.inverse(y, (1.0, 4.0))
    limits = [(1.0, 4.0), (1, 4), (np.float64(1), 4), (np.float32(1.0), np.int8(4)), (True, 4.0), [1.0, 4.0]]
    for branch in limits[:-1] * 2:
        again = f.inverse(y, branch)
        assert again == pytest.approx(first, rel=1e-15)
    for wrong in ([1.0, 4.0], (1 + 0j, 4.0), (Fraction(1), 4.0), (1.0, 4.0, 4.0)):
        with pytest.raises(TypeError):
            f.inverse(y, wrong)  # type: ignore[arg-type]


def test_many_branches_can_be_used() -> None:
    """Hundreds of branches, each used twice, have their own inverses."""
    f = make("rising", 0)
    y = f(3.0)
    for low in np.linspace(0.5, 2.5, 200).tolist():
        assert [f.inverse(y, (low, 4.0)) for _ in range(3)] == [pytest.approx(3.0, rel=1e-14)] * 3
        assert f.inverse(y) == pytest.approx(3.0, rel=1e-14)


# -- pickles, threads, large tables ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_a_used_table_pickles_as_a_new_one(kind: int) -> None:
    """What is made on demand is no part of the pickle, and is made again."""
    f = make("rising", kind)
    f = used(f)
    state = pickle.dumps(f)
    assert b"piece_rows" not in state
    assert b"short_ways" not in state
    copy = used(pickle.loads(state))
    assert [copy.derivative(2.0), copy.integral(1.0, 2.0), copy.inverse(2.0)] == [
        f.derivative(2.0),
        f.integral(1.0, 2.0),
        f.inverse(2.0),
    ]


@pytest.mark.parametrize("kind", [0, 2, 6])
def test_threads_use_one_table(kind: int) -> None:
    """Threads that begin at once on a new table get what one gets."""
    expected = [table("rising", kind).inverse(y) for y in np.linspace(1.5, 4.0, 40).tolist()]
    slopes = [table("rising", kind).derivative(y) for y in np.linspace(1.5, 4.0, 40).tolist()]
    areas = [table("rising", kind).integral(1.0, y) for y in np.linspace(1.5, 4.0, 40).tolist()]
    f = make("rising", kind)
    barrier = threading.Barrier(8)

    def work(_: int) -> None:
        barrier.wait()
        for _ in range(5):
            y = np.linspace(1.5, 4.0, 40)
            np.testing.assert_allclose([f.inverse(each) for each in y.tolist()], expected, rtol=1e-13)
            np.testing.assert_allclose(f.inverse(np.repeat(y, 9))[::9], expected, rtol=1e-13)
            np.testing.assert_allclose([f.derivative(each) for each in y.tolist()], slopes, rtol=1e-12)
            np.testing.assert_allclose([f.integral(1.0, each) for each in y.tolist()], areas, rtol=1e-13)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


@pytest.mark.parametrize("kind", [0, 2, 4, 5])
def test_rows_of_large_tables_are_converted_on_demand(kind: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables whose rows are not all kept as floats give the same."""
    x = np.linspace(0.5, 5.0, 57).tolist()
    monkeypatch.setattr(piece_rows, "_MOST_FLOAT_ROWS", 0)
    f, kept = used(make("kink", kind)), table("kink", kind)
    assert [f.derivative(each) for each in x] == [kept.derivative(each) for each in x]
    assert [f.integral(1.0, each) for each in x] == [kept.integral(1.0, each) for each in x]
    assert [f.inverse(f(each)) for each in x[1:-1]] == [kept.inverse(f(each)) for each in x[1:-1]]
