"""Tables and scipy's splines over them."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import InterpolatedUnivariateSpline, RectBivariateSpline

from stored import TableError, TableWarning
from stored._tables import copy_of_spline, spline

X = np.linspace(0.5, 4.0, 9)
Y = np.linspace(-1.0, 2.0, 7)
CURVE = np.array([X, X**3 - 2 * X**2 + 10 * X])
SURFACE = (X, Y, np.sin(X)[:, None] * np.exp(Y)[None, :])
RISING = np.array([[0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 8.0, 16.0]])
FALLING = np.array([[0.0, 1.0, 2.0, 3.0, 4.0], [16.0, 8.0, 4.0, 2.0, 1.0]])
BETWEEN = np.linspace(0.5, 4.0, 101)


# -- curves -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
def test_a_curve_is_scipys(linear: bool, degree: int) -> None:
    """A table of shape (2, n) gives the very spline that scipy makes of its nodes."""
    made = spline(CURVE, "xy", linear=linear)
    assert type(made) is InterpolatedUnivariateSpline
    assert np.array_equal(made(BETWEEN), InterpolatedUnivariateSpline(*CURVE, k=degree)(BETWEEN))


@given(st.lists(st.floats(-10, 10), min_size=4, max_size=4), st.integers(4, 30))
@settings(max_examples=60, deadline=None)
def test_cubics_are_reproduced_exactly(coefficients: list[float], points: int) -> None:
    """A cubic polynomial is reproduced to rounding between the nodes."""
    x = np.linspace(-2.0, 3.0, points)
    made = spline(np.array([x, np.polyval(coefficients, x)]), "cubic")
    between = np.linspace(-2.0, 3.0, 57)
    np.testing.assert_allclose(made(between), np.polyval(coefficients, between), rtol=1e-10, atol=1e-9)


@given(st.lists(st.integers(-(10**6), 10**6), min_size=5, max_size=20, unique=True), st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_inverse_passes_through_every_node(values: list[int], falling: bool) -> None:
    """The inverse of a monotonic table gives back each x at its y."""
    y = np.array(sorted(values, reverse=falling), dtype=float)
    x = np.arange(y.size, dtype=float)
    np.testing.assert_allclose(spline(np.array([x, y]), "xy", inverse=True, linear=True)(y), x, atol=1e-9)


@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
@pytest.mark.parametrize("table", [RISING, FALLING])
def test_an_inverse_is_scipys(table: Any, linear: bool, degree: int) -> None:
    """The inverse is scipy's spline through the nodes with rows exchanged, a falling table reversed."""
    y, x = table[::-1] if table is RISING else table[::-1, ::-1]
    at = np.linspace(1.0, 16.0, 40)
    expected = InterpolatedUnivariateSpline(y, x, k=degree)(at)
    assert np.array_equal(spline(table, "xy", inverse=True, linear=linear)(at), expected)


@pytest.mark.parametrize("order", [1, -1])
def test_flat_stretches_are_left_out_of_an_inverse(order: int) -> None:
    """Of each flat stretch one point is kept, with one warning at the caller's line that counts the others."""
    y = np.array([0.0, 1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 4.0])[::order]
    x = np.arange(8.0)
    with pytest.warns(
        TableWarning, match="inverting table 'steps': 3 points on flat stretches were left out"
    ) as caught:
        made = spline(np.array([x, y]), "steps", inverse=True)
    assert [each.filename for each in caught] == [__file__]
    kept_x = x[::order][[0, 1, 4, 5, 7]]
    np.testing.assert_allclose(made([0.0, 1.0, 2.0, 3.0, 4.0]), kept_x, atol=1e-12)


def test_a_table_that_is_not_monotonic_has_no_inverse() -> None:
    """The error names the object, says where the trend breaks, and what to do."""
    table = np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 1.0, 3.0]])
    with pytest.raises(TableError, match=r"'bump' has no inverse.*near x = 1\.0\).*monotonic branches"):
        spline(table, "bump", inverse=True)
    assert spline(table, "bump")(1.0) == pytest.approx(2.0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int32, np.float32, np.longdouble, bool])
def test_any_real_dtype_counts_as_floats(dtype: Any) -> None:
    """Differences of unsigned integers do not wrap around, and booleans subtract."""
    table = np.array([[0, 1, 2, 3, 4], [1, 0, 1, 0, 1]]).astype(dtype)
    if dtype is bool:
        with pytest.raises(TableError, match="does not increase"):
            spline(table, "xy")
        return
    assert spline(table, "xy")(2.0) == pytest.approx(1.0)
    with pytest.raises(TableError, match="rise and fall"):
        spline(table, "xy", inverse=True)
    with pytest.raises(TableError, match=r"point 0 \(4\.0\) to the next \(3\.0\)"):
        spline(table[:, ::-1], "xy")


def test_a_table_is_not_changed_and_may_be_read_only() -> None:
    """Interpolating neither writes to the table nor needs to."""
    table = FALLING.copy()
    table.flags.writeable = False
    spline(table, "xy", inverse=True)
    spline(table, "xy")
    assert np.array_equal(table, FALLING)


# -- surfaces ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
def test_a_surface_is_scipys(linear: bool, degree: int) -> None:
    """A tuple (x, y, z) gives the very spline that scipy makes of it."""
    made = spline(SURFACE, "z", linear=linear)
    assert type(made) is RectBivariateSpline
    at = np.linspace(0.5, 4.0, 20), np.linspace(-1.0, 2.0, 30)
    assert np.array_equal(made(*at), RectBivariateSpline(*SURFACE, kx=degree, ky=degree)(*at))


def test_a_surface_of_lists_will_do() -> None:
    """The parts of a surface may be anything that numpy makes regular arrays of."""
    x, y, z = SURFACE
    assert spline((x.tolist(), y.tolist(), z.tolist()), "z").ev(1.1, 0.3) == RectBivariateSpline(x, y, z).ev(1.1, 0.3)


def test_a_surface_has_no_inverse() -> None:
    """The error names the object and says which tables have one."""
    with pytest.raises(TableError, match=r"'z' has two coordinates; only tables of one, y\(x\), have an inverse"):
        spline(SURFACE, "z", inverse=True)


# -- what is no table -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (None, "NoneType"),
        (2.5, "float"),
        ([[1.0, 2.0], [3.0, 4.0]], "list with 2 items"),
        ((X, X), "tuple with 2 items"),
        (np.zeros((3, 5)), r"ndarray of shape \(3, 5\)"),
        (np.zeros(5), r"ndarray of shape \(5,\)"),
        (np.zeros((2, 5, 1)), r"ndarray of shape \(2, 5, 1\)"),
    ],
)
@pytest.mark.parametrize("inverse", [False, True])
def test_what_is_no_table_is_named(found: Any, shown: str, inverse: bool) -> None:
    """The error says what was found and which two shapes a table can have."""
    with pytest.raises(TableError, match=rf"object 'odd' is not a table: found {shown};.*shape \(2, n\).*\(x, y, z\)"):
        spline(found, "odd", inverse=inverse)


@pytest.mark.parametrize(
    "surface",
    [(X, Y, SURFACE[2].T), (X, Y[:-1], SURFACE[2]), (X[:, None], Y, SURFACE[2]), (1.0, 2.0, 3.0), (X, Y, X)],
)
def test_a_surface_of_wrong_shape_is_refused(surface: Any) -> None:
    """The error gives the three shapes found and the shape that z should have."""
    with pytest.raises(TableError, match=r"'z' has x of shape .* and z of shape .*; x and y must have one dimension"):
        spline(surface, "z")


def test_a_ragged_surface_is_refused() -> None:
    """Rows of different lengths are a table error, not numpy's."""
    with pytest.raises(TableError, match="'z' holds no regular array"):
        spline((X, Y, [[1.0], [1.0, 2.0]]), "z")


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (CURVE * (1 + 1j), "values of dtype complex128"),
        (CURVE.astype(object), "values of dtype object"),
        (CURVE.astype(str), "values of dtype <U32"),
        (np.ma.masked_greater(CURVE, 20.0), "masked values"),
    ],
)
def test_only_real_numbers_are_interpolated(values: Any, shown: str) -> None:
    """Nothing is dropped to make numbers real: no imaginary part, and no mask."""
    for inverse in (False, True):
        with pytest.raises(TableError, match=f"'xy' holds {shown}; an interpolator needs real numbers"):
            spline(values, "xy", inverse=inverse)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("row", [0, 1])
def test_a_curve_must_be_finite(row: int, inverse: bool, bad: float) -> None:
    """The error says which value stands where."""
    table = RISING.copy()
    table[row, 3] = bad
    with pytest.raises(TableError, match=rf"'xy' holds {bad!r} at \(3,\); every value must be finite"):
        spline(table, "xy", inverse=inverse)


def test_a_surface_must_be_finite() -> None:
    """The error says which value stands where in z."""
    z = SURFACE[2].copy()
    z[2, 5] = np.nan
    with pytest.raises(TableError, match=r"'z' holds nan at \(2, 5\)"):
        spline((X, Y, z), "z")


@pytest.mark.parametrize("x", [[0.0, 2.0, 1.0, 3.0], [0.0, 1.0, 1.0, 2.0], [3.0, 2.0, 1.0, 0.0]])
def test_coordinates_must_increase(x: list[float]) -> None:
    """The error names the first pair out of order, for curves and surfaces, and says to sort."""
    wrong = "does not increase from point .*sort the table and drop repeated points"
    with pytest.raises(TableError, match=wrong):
        spline(np.array([x, x]), "xy")
    with pytest.raises(TableError, match=wrong):
        spline((np.arange(4.0), np.array(x), np.zeros((4, 4))), "z")


@pytest.mark.parametrize("points", [0, 1, 2, 3])
@pytest.mark.parametrize("inverse", [False, True])
def test_too_few_points_are_refused(points: int, inverse: bool) -> None:
    """A cubic spline needs 4 points, a linear one 2, and the error says so."""
    table = np.array([np.arange(float(points))] * 2)
    with pytest.raises(TableError, match=rf"has {points} points; .* at least 4; linear interpolation needs 2"):
        spline(table, "xy", inverse=inverse)
    if points >= 2:
        assert spline(table, "xy", inverse=inverse, linear=True)(0.5) == pytest.approx(0.5)
    else:
        with pytest.raises(TableError, match=f"has {points} points; a spline of degree 1 needs at least 2$"):
            spline(table, "xy", inverse=inverse, linear=True)


# -- sharing ----------------------------------------------------------------------------------------------------------


def arrays_of(found: Any) -> list[np.ndarray[Any, Any]]:
    """All arrays that a spline is made of."""
    parts = found.tck if isinstance(found, RectBivariateSpline) else (*found._data, *found._eval_args)
    return [each for each in parts if isinstance(each, np.ndarray)]


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("table", [CURVE, SURFACE], ids=["curve", "surface"])
def test_a_spline_cannot_be_changed_through_its_arrays(table: Any, linear: bool) -> None:
    """Neither what a spline gives out nor what it holds can be written to."""
    made = spline(table, "t", linear=linear)
    knots = made.get_knots()
    for each in (made.get_coeffs(), *(knots if isinstance(knots, tuple) else [knots]), *arrays_of(made)):
        with pytest.raises(ValueError, match="read-only"):
            each[:] = 0


def everything(found: Any) -> list[Any]:
    """What scipy can do with a spline of one coordinate."""
    results = [found(BETWEEN), found(BETWEEN, 1), found(2.0), found.derivatives(1.5), found.get_residual()]
    results += [found.integral(0.7, 3.1), found.derivative()(BETWEEN), found.antiderivative()(BETWEEN)]
    results += [found.get_knots(), found.get_coeffs(), found.derivative().integral(1, 2)]
    return [*results, found.derivative().antiderivative()(BETWEEN)]


@pytest.mark.parametrize("duplicate", [lambda made: made, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
def test_a_read_only_curve_does_all_that_scipys_does(linear: bool, degree: int, duplicate: Any) -> None:
    """Evaluation, derivatives, integrals, roots and copies are what scipy's own spline gives."""
    waves = np.array([X, np.sin(3 * X)])
    made = duplicate(spline(waves, "t", linear=linear))
    own = InterpolatedUnivariateSpline(*waves, k=degree)
    for mine, scipys in zip(everything(made), everything(own), strict=True):
        assert np.array_equal(mine, scipys)
    if degree == 3:
        assert own.roots().size > 2
        assert np.array_equal(made.roots(), own.roots())


@pytest.mark.parametrize("duplicate", [lambda made: made, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
def test_a_read_only_surface_does_all_that_scipys_does(linear: bool, degree: int, duplicate: Any) -> None:
    """Evaluation on grids and at points, derivatives, integrals and copies are what scipy's own spline gives."""
    made, own = duplicate(spline(SURFACE, "t", linear=linear)), RectBivariateSpline(*SURFACE, kx=degree, ky=degree)
    for mine, scipys in [
        (made(X, Y), own(X, Y)),
        (made.ev(X[:7], Y), own.ev(X[:7], Y)),
        (made.integral(1, 2, 0, 1), own.integral(1, 2, 0, 1)),
        (made.get_residual(), own.get_residual()),
    ]:
        assert np.array_equal(mine, scipys)
    if degree == 3:
        assert np.array_equal(made(X, Y, dx=1), own(X, Y, dx=1))
        assert np.array_equal(made.partial_derivative(1, 1)(X, Y), own.partial_derivative(1, 1)(X, Y))


@pytest.mark.parametrize("table", [CURVE, SURFACE], ids=["curve", "surface"])
def test_a_deep_copy_is_the_users_own(table: Any) -> None:
    """A copy can be changed, and the spline it was made from stays what it was."""
    made = spline(table, "t")
    before = made.get_coeffs().copy()
    copied = copy.deepcopy(made)
    copied.get_coeffs()[:] = 0
    assert not copied.get_coeffs().any()
    assert np.array_equal(made.get_coeffs(), before)


def smoothed(mine: Any) -> None:
    mine.set_smoothing_factor(5.0)


def in_another_shape(mine: Any) -> None:
    for each in arrays_of(mine):
        each.shape = (each.size, 1)


def written_to(mine: Any) -> None:
    for each in arrays_of(mine):
        whole = each if each.base is None else each.base
        whole.flags.writeable = True
        whole[...] = 0


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
@pytest.mark.parametrize(
    ("table", "change"), [*itertools.product([CURVE, SURFACE], [in_another_shape, written_to]), (CURVE, smoothed)]
)
def test_no_caller_changes_the_spline_of_another(table: Any, change: Any) -> None:
    """Neither by scipy's own methods nor through the arrays, whatever their flags say."""
    made = spline(table, "t")
    at = (X, Y) if table is SURFACE else (X,)
    before = made(*at).copy()
    mine = copy_of_spline(made)
    assert np.array_equal(mine(*at), before)
    change(mine)
    assert np.array_equal(made(*at), before)
