"""Calling a function at many points."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stored import Axis, TableError, ToleranceError
from stored._tables import tabulate
from stored._tables.function_calls import FunctionCaller, NotVectorizedError
from tests.tables.interpolants import interpolant_of

POINTS = np.linspace(1.0, 3.0, 33)
SHARES = np.random.default_rng(3).uniform(1.0, 3.0, 500)


def _caller(function: Callable[..., Any], **options: Any) -> FunctionCaller:
    return FunctionCaller(function, (Axis("x", 1.0, 3.0, **options),), "f")


def _made(function: Callable[..., Any], **options: Any) -> Any:
    return interpolant_of(function, Axis("x", 1.0, 3.0, **options))


# -- how it is called -------------------------------------------------------------------------------------------------


def test_a_function_of_numbers_gets_floats_by_name() -> None:
    """Each point is asked for once, by name, as a Python float."""
    calls: list[float] = []

    def function(*, x: float) -> float:
        calls.append(x)
        return math.sin(x)

    caller = _caller(function, vectorized=False)
    found = caller(POINTS)
    assert calls == POINTS.tolist()
    assert {type(each) for each in calls} == {float}
    assert found.tolist() == [math.sin(each) for each in POINTS.tolist()]
    assert caller.evaluations == POINTS.size


def test_a_function_that_refuses_an_array_gets_numbers_from_then_on() -> None:
    """What fails for an array is not tried again, and is not counted."""
    arrays: list[Any] = []

    def function(x: Any) -> float:
        if isinstance(x, np.ndarray):
            arrays.append(x)
        return math.sin(x)

    caller = _caller(function)
    for _ in range(3):
        assert caller(POINTS).tolist() == [math.sin(each) for each in POINTS.tolist()]
    assert len(arrays) == 1
    assert caller.evaluations == 3 * POINTS.size


def test_a_vectorised_function_is_found_out() -> None:
    """It gets one array for each request, and a few single numbers to check it by, which are counted."""
    arrays: list[int] = []
    numbers: list[float] = []

    def function(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            arrays.append(x.size)
        else:
            numbers.append(x)
        return np.sin(x)

    caller = _caller(function)
    for _ in range(4):
        np.testing.assert_allclose(caller(POINTS), np.sin(POINTS), rtol=1e-15)
    assert arrays == [POINTS.size] * 4
    assert 0 < len(numbers) <= POINTS.size / 2
    assert {type(each) for each in numbers} == {float}
    assert caller.evaluations == 4 * POINTS.size + len(numbers)


def test_few_points_are_asked_for_singly_until_more_are() -> None:
    """An array of one item says nothing of whether a function takes arrays, for many do."""
    seen: list[type] = []

    def function(x: Any) -> Any:
        seen.append(type(x))
        return float(x)

    caller = _caller(function)
    assert caller(POINTS[:1]).tolist() == [1.0]
    assert seen == [float]
    assert caller(POINTS).tolist() == POINTS.tolist()


def test_single_calls_can_be_asked_for() -> None:
    """Values that check a table are computed one by one, unless it was said that arrays are right."""
    seen: list[type] = []

    def function(x: Any) -> Any:
        seen.append(type(x))
        return np.sin(x)

    assert np.array_equal(_caller(function).evaluate_singly(POINTS), [math.sin(each) for each in POINTS.tolist()])
    assert set(seen) == {float}
    seen.clear()
    trusting = _caller(function, vectorized=True)
    np.testing.assert_allclose(trusting.evaluate_singly(POINTS), np.sin(POINTS), rtol=1e-15)
    assert seen == [np.ndarray]
    assert trusting.evaluations == POINTS.size


def test_what_is_said_to_take_arrays_gets_nothing_else() -> None:
    """With vectorized=True every request is one call, even for one point, and nothing is checked."""
    seen: list[Any] = []

    def function(x: Any) -> Any:
        seen.append(x.shape)
        return x / x.max()

    caller = _caller(function, vectorized=True)
    np.testing.assert_allclose(caller(POINTS), POINTS / 3.0)
    assert caller(POINTS[:1]).tolist() == [1.0]
    assert seen == [(33,), (1,)]
    assert caller.evaluations == 34


def test_what_is_said_to_take_numbers_never_gets_arrays() -> None:
    """With vectorized=False no array is passed, for a whole table."""
    seen: set[type] = set()

    def function(x: Any) -> Any:
        seen.add(type(x))
        return np.sin(x)

    made = _made(function, vectorized=False)
    assert seen == {float}
    np.testing.assert_allclose(made(SHARES), np.sin(SHARES), rtol=1e-6)


def test_one_argument_that_takes_numbers_decides_for_both() -> None:
    """Of two axes, one that says False makes the function one of single numbers."""
    seen: set[type] = set()

    def function(x: Any, y: Any) -> Any:
        seen.update({type(x), type(y)})
        return x + y

    axes = (Axis("x", 1.0, 3.0, vectorized=True), Axis("y", 1.0, 3.0, vectorized=False))
    assert FunctionCaller(function, axes, "f")(POINTS, POINTS).tolist() == (2 * POINTS).tolist()
    assert seen == {float}


def test_two_arguments_are_passed_by_name() -> None:
    """Arrays and numbers alike go to the argument that the axis is named after."""
    axes = (Axis("x", 1.0, 3.0), Axis("y", 1.0, 3.0))

    def function(y: Any, x: Any) -> Any:
        return x - 10 * y

    np.testing.assert_allclose(FunctionCaller(function, axes, "f")(POINTS, POINTS[::-1]), POINTS - 10 * POINTS[::-1])


@pytest.mark.parametrize("vectorized", [None, True])
def test_a_function_may_write_into_what_it_is_given(vectorized: bool | None) -> None:
    """The arrays it gets are its own: the points stay what they were."""

    def function(x: Any) -> Any:
        x *= 2.0
        return x

    points = POINTS.copy()
    found = _caller(function, vectorized=vectorized)(points)
    assert np.array_equal(points, POINTS)
    np.testing.assert_allclose(found, 2 * POINTS)
    np.testing.assert_allclose(_made(function, vectorized=vectorized)(SHARES), 2 * SHARES, rtol=1e-6)


# -- guesses are safe -------------------------------------------------------------------------------------------------


def _by_first(x: Any) -> Any:
    first = x if np.ndim(x) == 0 else x[0]
    return np.sin(x) if first < 2.0 else np.cos(x) + 2.0


def _by_all(x: Any) -> Any:
    return np.exp(x) if np.all(np.asarray(x) > 1.5) else 1.0 + 0.0 * x


IMPOSTORS = {
    "by the largest": (lambda x: x / np.max(x), lambda x: 1.0),
    "sums": (lambda x: np.cumsum(x) if np.ndim(x) else x, lambda x: x),
    "of the mean": (lambda x: x - np.mean(x) + 1.0, lambda x: 1.0),
    "reversed": (lambda x: x[::-1] if np.ndim(x) else x, lambda x: x),
    "by size": (lambda x: x * np.size(x), lambda x: x),
    "slightly off": (lambda x: np.exp(x) * (1 + 1e-9 * np.ndim(x)), math.exp),
    "not a number": (lambda x: x * math.nan if np.ndim(x) else x, lambda x: x),
    "text": (lambda x: x.astype(str) if np.ndim(x) else x, lambda x: x),
    "single": (lambda x: 1.0, lambda x: 1.0),
    "complex": (lambda x: x + 0j if np.ndim(x) else x, lambda x: x),
    "short": (lambda x: x[1:] if np.ndim(x) else x, lambda x: x),
    "lists": (lambda x: [*list(x), 1.0] if np.ndim(x) else x, lambda x: x),
}


@pytest.mark.parametrize("name", IMPOSTORS)
def test_wrong_values_for_arrays_are_never_used(name: str) -> None:
    """A function that treats arrays otherwise than numbers leads to the table that numbers give."""
    function, truth = IMPOSTORS[name]
    made = _made(function)
    np.testing.assert_allclose(made(SHARES), [truth(each) for each in SHARES.tolist()], rtol=2e-6)


@pytest.mark.parametrize(
    ("function", "truth"),
    [
        (_by_first, lambda x: math.sin(x) if x < 2.0 else math.cos(x) + 2.0),
        (_by_all, lambda x: math.exp(x) if x > 1.5 else 1.0),
        (lambda x: np.sqrt(x) if np.size(x) < 18 else x, math.sqrt),
    ],
)
def test_a_branch_on_the_whole_array_is_never_used(function: Any, truth: Callable[[float], float]) -> None:
    """Where one test decides for all items, the table is that of single numbers, or there is none."""
    try:
        made = _made(function)
    except ToleranceError:
        return
    np.testing.assert_allclose(made(SHARES), [truth(each) for each in SHARES.tolist()], rtol=2e-6)


def test_a_function_that_fails_for_some_arrays_starts_anew() -> None:
    """An exception in a later array makes it a function of numbers, and the table is whole."""
    calls = 0

    def function(x: Any) -> Any:
        nonlocal calls
        if np.ndim(x):
            calls += 1
            if calls > 1:
                raise RuntimeError("no more arrays")
        return np.exp(x)

    caller = _caller(function)
    caller(POINTS)
    with pytest.raises(NotVectorizedError):
        caller(POINTS)
    caller.take_numbers_only()
    np.testing.assert_allclose(caller(POINTS), np.exp(POINTS), rtol=1e-15)
    calls = 0
    np.testing.assert_allclose(_made(function)(SHARES), np.exp(SHARES), rtol=1e-6)


def test_what_was_wrong_later_is_noticed() -> None:
    """Later requests are checked too, so that a function that was right once is not trusted for good."""
    wrong = False

    def function(x: Any) -> Any:
        return x + (1.0 if wrong and np.ndim(x) else 0.0)

    caller = _caller(function)
    caller(POINTS)
    wrong = True
    with pytest.raises(NotVectorizedError):
        caller(POINTS)


def test_all_evaluations_are_counted() -> None:
    """The count covers array items, checks, and what was thrown away."""
    count = 0

    def function(x: Any) -> Any:
        nonlocal count
        count += np.size(x)
        return x / np.max(x)

    table = tabulate(function, (Axis("x", 1.0, 3.0),), "f")
    assert table["evaluations"] == count


# -- what is returned -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        (lambda x: 1.0, r"shape \(\) of dtype float64"),
        (lambda x: x[:-1], r"shape \(32,\) of dtype float64"),
        (lambda x: x[:, None], r"shape \(33, 1\) of dtype float64"),
        (lambda x: x * 1j, r"shape \(33,\) of dtype complex128"),
        (lambda x: x.astype(str), r"shape \(33,\) of dtype <U32"),
        (lambda x: x.astype(object), r"shape \(33,\) of dtype object"),
        (lambda x: None, r"shape \(\) of dtype object"),
    ],
)
def test_a_function_that_is_not_vectorised_after_all(function: Any, shown: str) -> None:
    """The error gives the shape asked for and what was returned instead, and says what to leave out."""
    message = rf"f\(\) was called with arrays of shape \(33,\),.* returned {shown};.*leave vectorized out"
    with pytest.raises(TableError, match=message):
        _caller(function, vectorized=True)(POINTS)


@pytest.mark.parametrize("vectorized", [None, False])
@pytest.mark.parametrize(
    "value",
    ["1.5", b"1.5", None, 1j, np.complex128(1.5), np.array([1.5]), [1.5], (), np.array(["a"]), object(), {"a": 1}],
)
def test_a_function_must_return_one_real_number(value: Any, vectorized: bool | None) -> None:
    """Text, arrays of one item and complex numbers are refused rather than made into some number."""
    with pytest.raises(TableError, match=r"f\(\) returned .* of type .*; .* must return one real number"):
        _caller(lambda x: value, vectorized=vectorized)(POINTS)


@pytest.mark.parametrize("value", [2, np.float32(2.0), np.int8(2), np.array(2.0), np.float64(2.0)])
def test_real_numbers_of_any_kind_will_do(value: Any) -> None:
    """What stands for one real number is taken as a float."""
    found = _caller(lambda x: value)(POINTS)
    assert found.dtype == np.float64
    assert found.tolist() == [2.0] * POINTS.size


def test_whole_numbers_in_arrays_will_do() -> None:
    """Arrays of integers and of truth values are numbers."""
    assert _caller(lambda x: np.rint(x).astype(int))(POINTS).tolist() == np.rint(POINTS).tolist()
    assert _caller(lambda x: x > 2.0, vectorized=True)(POINTS).tolist() == (POINTS > 2.0).tolist()


@pytest.mark.parametrize("vectorized", [None, False, True])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(bad: float, vectorized: bool | None) -> None:
    """The error says which value stands where, for arrays as for numbers."""

    def function(x: Any) -> Any:
        return np.where(np.asarray(x) == POINTS[7], bad, x) if np.ndim(x) else (bad if x == POINTS[7] else x)

    where = repr(float(POINTS[7]))
    with pytest.raises(TableError, match=rf"f\(\) is {bad} at x = {where}; every sampled value must be finite"):
        _caller(function, vectorized=vectorized)(POINTS)


def test_what_is_not_finite_is_named_before_what_is_not_positive() -> None:
    """Of two bad values the worse one is named."""
    values = np.where(POINTS[9] == POINTS, math.inf, -1.0)
    with pytest.raises(TableError, match=rf"is inf at x = {float(POINTS[9])!r}"):
        _caller(lambda x: values, values="log", vectorized=True)(POINTS)


def test_both_arguments_of_a_bad_value_are_named() -> None:
    """Of a function of two arguments the place is both."""
    axes = (Axis("x", 1.0, 3.0), Axis("y", 1.0, 3.0))
    with pytest.raises(TableError, match=r"f\(\) is nan at x = 1\.0, y = 3\.0; every"):
        FunctionCaller(lambda x, y: math.nan, axes, "f")(POINTS, POINTS[::-1])


@pytest.mark.parametrize("vectorized", [None, False, True])
@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_values_in_logarithm_must_be_positive(bad: float, vectorized: bool | None) -> None:
    """The error says what value stands where, and why it must be positive."""
    message = rf"is {bad} at x = 3\.0; .* must be positive, because values='log'"
    with pytest.raises(TableError, match=message):
        _caller(lambda x: np.where(np.asarray(x) == 3.0, bad, 1.0), values="log", vectorized=vectorized)(POINTS)


@pytest.mark.parametrize("vectorized", [None, False, True])
def test_an_exception_of_the_function_reaches_the_caller(vectorized: bool | None) -> None:
    """What the function raises is not swallowed, though an array was tried first."""

    def function(x: Any) -> Any:
        raise ZeroDivisionError("of the function")

    with pytest.raises(ZeroDivisionError, match="of the function"):
        tabulate(function, (Axis("x", 1.0, 3.0, vectorized=vectorized),), "f")
