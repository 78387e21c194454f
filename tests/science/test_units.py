"""Axes and tables with units of astropy."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from stored import Axis, DamagedEntryError, OutsideAxisError, TableError, ToleranceError
from stored._keys import canonical
from stored._tables import make_interpolant, tabulate
from tests.tables.interpolants import curve, interpolant_of

u: Any = pytest.importorskip("astropy.units")
pd: Any = pytest.importorskip("pandas")
xr: Any = pytest.importorskip("xarray")

DENSITY = u.Msun / u.pc**3


def density(r: Any) -> Any:
    """A profile whose values have a unit."""
    return DENSITY / (1 + (r / (3 * u.kpc)).to_value("") ** 2)


def plain_density(r: Any) -> Any:
    return 1 / (1 + (r / 3) ** 2)


AXIS = Axis("r", 0.1 * u.kpc, 0.1 * u.Mpc, spacing="log", rtol=1e-8)
PLAIN_AXIS = Axis("r", 0.1, 100.0, spacing="log", rtol=1e-8)
F = interpolant_of(density, AXIS)
G = interpolant_of(plain_density, PLAIN_AXIS)
UNITS = [u.kpc, u.Mpc, u.pc, u.lyr, u.cm]


def assert_same(found: Any, expected: Any, rtol: float = 1e-13) -> None:
    """Two quantities of the same unit, which is the very one, and equal to rounding."""
    assert type(found) is type(expected)
    assert found.unit == expected.unit
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.value, expected.value, rtol=rtol)


def test_limits_are_numbers_in_the_unit_of_the_lower_one() -> None:
    """The axis converts the upper one; replace, copy and pickle keep the unit."""
    assert (AXIS.low, AXIS.high, AXIS.unit) == (0.1, 100.0, u.kpc)
    for each in (copy.copy(AXIS), pickle.loads(pickle.dumps(AXIS)), dataclasses.replace(AXIS, rtol=1e-8)):
        assert each == AXIS
        assert each.definition() == AXIS.definition()
        assert hash(each) == hash(AXIS)
    assert dataclasses.replace(AXIS, high=10 * u.pc * 1000).high == 10.0
    assert Axis("r", 0.1, 100.0, unit=u.kpc, spacing="log", rtol=1e-8) == AXIS
    assert "kpc" in repr(AXIS)
    assert Axis("x", 0 * u.one, 50 * u.percent).high == 0.5


def test_units_tell_axes_apart() -> None:
    """The same numbers in another unit, or in none, are another axis with other results."""
    axes = [Axis("r", 1.0, 2.0), *(Axis("r", 1.0, 2.0, unit=each) for each in (u.kpc, u.pc, u.one, u.percent))]
    definitions = [canonical(each.definition()) for each in axes]
    assert len(set(definitions)) == len(set(axes)) == len(axes)


def test_one_name_with_two_meanings_makes_two_axes() -> None:
    """The decomposition of a unit of the user's own belongs to the definition."""
    found = {canonical(Axis("r", 1.0, 2.0, unit=u.def_unit("code", each)).definition()) for each in (u.kpc, u.pc)}
    assert len(found) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 1.0, "high": 2 * u.kpc}, "one has a unit and one has none"),
        ({"low": 1 * u.kpc, "high": 2.0}, "one has a unit and one has none"),
        ({"low": 1 * u.kpc, "high": 2 * u.s}, "has the unit s; it must be in kpc"),
        ({"low": 2 * u.kpc, "high": 1 * u.kpc}, "runs from 2.0 kpc to 1.0 kpc"),
        ({"low": [1, 2] * u.kpc, "high": 3 * u.kpc}, "both finite real numbers"),
        ({"low": 1 * u.kpc, "high": np.nan * u.kpc}, "both finite real numbers"),
        ({"low": 1 * u.ABmag, "high": 2 * u.ABmag}, r"logarithmic unit mag\(AB\); give its limits in AB"),
        ({"low": 1.0, "high": 2.0, "unit": "kpc"}, "unit of axis 'r' is 'kpc'; it must be a unit of astropy"),
        ({"low": 1.0, "high": 2.0, "unit": u.CompositeUnit(1j, [u.m], [1])}, "complex scale"),
        ({"low": 1 * u.kpc, "high": 2 * u.kpc, "atol": 1 * u.kpc}, "in the unit of the method's values"),
    ],
)
def test_what_makes_no_axis_with_a_unit_is_refused(options: dict[str, Any], message: str) -> None:
    """The error says what was found, and shows units."""
    with pytest.raises((ValueError, TypeError), match=message):
        Axis("r", **options)


@given(st.floats(0.11, 99.0), st.sampled_from(UNITS), st.booleans())
def test_quantities_in_equivalent_units_give_equal_answers(r: float, unit: Any, is_array: bool) -> None:
    """Call, derivative and integral are those of the table without units, and have the units of their arithmetic."""
    x = (np.array([r, 1.0]) if is_array else r) * u.kpc
    number = x.value if is_array else float(x.value)
    given_x = x.to(unit)
    assert_same(F(given_x), u.Quantity(G(number) * DENSITY), 1e-12)
    assert_same(F.derivative(given_x), u.Quantity(G.derivative(number) * (DENSITY / u.kpc)), 1e-10)
    assert_same(F.derivative(given_x, 2), u.Quantity(G.derivative(number, 2) * (DENSITY / u.kpc**2)), 1e-8)
    assert_same(F.integral(0.1 * u.kpc, given_x), u.Quantity(G.integral(0.1, number) * (DENSITY * u.kpc)), 1e-9)
    y = F(given_x)
    assert_same(F.inverse(y.to(u.kg / u.m**3)), u.Quantity(x.to(u.kpc)), 1e-7)


def test_the_samples_have_units() -> None:
    """Nodes, values and what was held out can be given to the interpolant, whose text names the units."""
    assert_same(F(F.nodes[0]), F.values, 1e-8)
    x, y = F.held_out
    assert_same(F(x), y, 1e-8)
    assert F.unit == DENSITY
    assert "r from 0.1 to 100 kpc in log spacing, values in solMass / pc3:" in repr(F)
    assert F.evaluations > G.evaluations  # some in other units


def test_single_quantities_come_back_as_such() -> None:
    """A quantity without axes for one, also for one of no floats, and an array for an array."""
    assert_same(F(u.Quantity(1, u.kpc, dtype=int)), F(1.0 * u.kpc))
    assert F(1 * u.kpc).isscalar
    assert F([] * u.kpc).shape == (0,)
    assert F(np.ones((2, 3)) * u.kpc).shape == (2, 3)
    assert math.isnan(F(np.nan * u.kpc).value)
    assert_same(F(u.Quantity(u.Quantity([1.0, 2.0], u.kpc))[0]), F(1.0 * u.kpc))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (1.0, "r is 1.0, which has no unit, and must be a quantity in kpc"),
        (np.array([1.0, 2.0]), r"has no unit, and must be a quantity in kpc"),
        (np.ma.array([1.0]), r"has no unit, and must be a quantity in kpc"),
        ([1 * u.kpc], "is no quantity itself, and must be a quantity in kpc"),
        (1 * u.s, "r is 1.0 s, which has the unit s; it must be in kpc"),
        (np.ones(2) * u.s, "which has the unit s; it must be in kpc"),
        (1 * u.one, r"the unit 1 \(dimensionless\); it must be in kpc"),
        (np.float32(1), r"must be a quantity in kpc"),
        (1 * u.ABmag, r"give its .physical"),
        (1j * u.kpc, "must be a real number"),
        (u.Quantity([1j], u.kpc), "must be a real number"),
        ("x", "has no unit"),
    ],
)
def test_arguments_must_have_the_unit_of_the_axis(x: Any, message: str) -> None:
    """Whatever is computed, the error names the unit that was found and the one that is expected."""
    functions = [
        F,
        F.derivative,
        lambda each: F.integral(each, 1 * u.kpc),
        lambda each: F.inverse(0.5 * DENSITY, (each, each)),
    ]
    for function in functions:
        with pytest.raises(TypeError, match=message):
            function(x)


def test_a_unit_that_does_not_fit_is_an_error_of_units() -> None:
    """It is one of astropy's errors of units, and a TypeError as for a number."""
    with pytest.raises(u.UnitsError):
        F(1 * u.s)


def test_masked_quantities_are_refused() -> None:
    """They would lose their mask."""
    from astropy.utils.masked import Masked

    with pytest.raises(TypeError, match=r"give it without a mask"):
        F(Masked([1.0, 2.0] * u.kpc, [True, False]))
    with pytest.raises(TypeError, match=r"r is .*give it without a mask: \.filled\(np\.nan\)"):
        G(Masked([1.0, 2.0], [True, False]))


LABELLED_QUANTITY = xr.DataArray([1.0, 2.0], dims="t").copy(data=[1.0, 2.0] * u.kpc)


@pytest.mark.parametrize(
    ("x", "remedy", "made"),
    [
        (2.0, "has no unit, and must be .*; multiply it by its unit", lambda x: x * u.kpc),
        ([1 * u.kpc, 2e-3 * u.Mpc], r"is no quantity itself, .* make one of several: u\.Quantity\(\[", u.Quantity),
        (LABELLED_QUANTITY, r"is no quantity itself, .* give its \.data", lambda x: x.data),
        (pd.Series([1.0, 2.0]), r"\.to_numpy\(\) of it, multiplied by its unit", lambda x: x.to_numpy() * u.kpc),
        (np.ma.array([1.0, 2.0]), r"\.filled\(np\.nan\) of it, multiplied", lambda x: x.filled(np.nan) * u.kpc),
    ],
)
def test_the_remedy_gives_a_quantity(x: object, remedy: str, made: Callable[[Any], Any]) -> None:
    """What the error says to give is taken."""
    with pytest.raises(TypeError, match=f"(?s){remedy}"):
        F(x)
    assert F(made(x)).shape in {(), (2,)}


def test_several_quantities_are_no_numbers_either() -> None:
    """Along an axis without a unit."""
    with pytest.raises(TypeError, match=r"give u\.Quantity\(\[\.\.\.\]\)\.to_value\(unit\)"):
        G([1 * u.kpc, 2 * u.kpc])


def test_a_dimensionless_unit_is_named() -> None:
    """An empty text would not tell that there is one."""
    f = curve(lambda x: x.to(u.one), low=1 * u.one, high=300 * u.percent)
    with pytest.raises(TypeError, match=r"must be a quantity in 1 \(dimensionless\)"):
        f(2.0)
    with pytest.raises(TypeError, match=r"must be a quantity in 1 \(dimensionless\)"):
        f.inverse(2.0)
    assert_same(f(150 * u.percent), 1.5 * u.one)
    with pytest.raises(OutsideAxisError, match=r"x = 4.0 is outside the axis, which runs from 1.0 to 3.0 "):
        f(400 * u.percent)


@pytest.mark.parametrize("x", [1 * u.kpc, [1, 2] * u.kpc, 1 * u.one, [1 * u.kpc], (1 * u.one, 2.0)])
def test_an_axis_of_numbers_takes_no_quantities(x: Any) -> None:
    """Also dimensionless ones, as the method itself would see a quantity."""
    with pytest.raises(TypeError, match=r"to_value\(unit\)"):
        G(x)


def test_equivalencies_are_never_applied() -> None:
    """The method itself would not see the converted quantity."""
    f = interpolant_of(lambda nu: nu.to_value(u.GHz), Axis("nu", 1 * u.GHz, 2 * u.GHz, rtol=1e-6))
    with u.set_enabled_equivalencies(u.spectral()), pytest.raises(u.UnitsError):
        f(20 * u.cm)


@pytest.mark.parametrize("outside", ["raise", "nan", "clip", "exact", "extrapolate"])
@pytest.mark.parametrize("values", ["linear", "log"])
def test_outside_the_axis_units_stay(outside: Any, values: Any) -> None:
    """Each way to treat what is outside gives what it gives without units, in the unit."""
    options: Any = {"spacing": "log", "rtol": 1e-8, "outside": outside, "values": values}
    f = interpolant_of(density, Axis("r", 1 * u.kpc, 10 * u.kpc, **options))
    g = interpolant_of(plain_density, Axis("r", 1.0, 10.0, **options))
    x = [500.0, 2e3, 20e3] * u.pc
    if outside == "raise":
        with pytest.raises(
            OutsideAxisError, match=r"r = 0.5 kpc is outside the axis, which runs from 1.0 kpc to 10.0 kpc"
        ):
            f(x)
        return
    if outside == "exact":
        with pytest.raises(OutsideAxisError, match=r"has no method to call"):
            f(x)
    expected = g(x.to_value(u.kpc), exact=lambda r: plain_density(r))
    assert_same(f(x, exact=lambda r: density(r).to(u.kg / u.m**3)), expected * DENSITY, 1e-12)
    if outside in {"clip", "extrapolate"}:
        assert_same(f.derivative(x), g.derivative(x.to_value(u.kpc)) * DENSITY / u.kpc, 1e-8)


def test_what_exact_calls_give_must_have_the_unit() -> None:
    """A method that returns a number outside its axis is an error."""
    f = interpolant_of(density, Axis("r", 1 * u.kpc, 10 * u.kpc, outside="exact"))
    with pytest.raises(
        TableError, match=r"returned 3.0, which has no unit, and another value that has the unit solMass"
    ):
        f(20 * u.kpc, exact=lambda r: 3.0)
    g = interpolant_of(plain_density, Axis("r", 1.0, 10.0, outside="exact"))
    with pytest.raises(TableError, match=r"which has the unit kpc, and another value that has no unit"):
        g(20.0, exact=lambda r: 3.0 * u.kpc)
    with pytest.raises(TableError, match=r"which has the unit kpc, and another value that has the unit solMass"):
        f(20 * u.kpc, exact=lambda r: r)


def test_errors_outside_show_units() -> None:
    """Those of integrals, branches, and values that are not taken, too; and they survive pickling."""
    with pytest.raises(OutsideAxisError, match=r"limit|r = 0.01 kpc is outside .* 0.1 kpc to 100.0 kpc") as error:
        F.integral(10 * u.pc, 1 * u.kpc)
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
    assert error.value.unit == "kpc"
    with pytest.raises(OutsideAxisError, match=r"0.01 kpc .*choose a branch within it"):
        F.inverse(0.5 * DENSITY, (10 * u.pc, 1 * u.kpc))
    with pytest.raises(TypeError, match=r"limit of a branch is .*; give single numbers"):
        F.inverse(0.5 * DENSITY, ([1.0, 2.0] * u.kpc, 3 * u.kpc))
    with pytest.raises(ValueError, match=r"branch runs from 2.0 kpc to 1.0 kpc"):
        F.inverse(0.5 * DENSITY, (2 * u.kpc, 1 * u.kpc))
    with pytest.raises(
        OutsideAxisError, match=r"does not take the value 2.0 solMass / pc3: .* solMass / pc3;"
    ) as error:
        F.inverse(2 * DENSITY)
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
    wave = interpolant_of(lambda r: np.sin(r.to_value(u.kpc)) * u.K, Axis("r", 0 * u.kpc, 6 * u.kpc, atol=1e-8))
    with pytest.raises(
        TableError,
        match=r"between r = 0.0 kpc and 6.0 kpc: it turns near r = [\d.]+ kpc; .*branch=\(0.0 kpc, [\d.]+ kpc\)",
    ):
        wave.inverse(0.5 * u.K)


def test_errors_of_sampling_show_units() -> None:
    """A value that is not finite, a tolerance that is not met."""
    with pytest.raises(TableError, match=r"f\(\) is nan at r = [\d.]+ kpc"):
        interpolant_of(lambda r: r * np.nan, AXIS)
    with pytest.raises(ToleranceError, match=r"from [\d.e-]+ kpc to [\d.e-]+ kpc") as error:
        interpolant_of(lambda r: np.sign((r - 7 * u.kpc).value) * u.K, AXIS)
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)


def test_roots_have_units() -> None:
    """The value has the unit of the table; zero needs none."""
    f = interpolant_of(lambda r: (r - 2 * u.kpc).to(u.pc), Axis("r", 1 * u.kpc, 3 * u.kpc, atol=1e-6))
    assert_same(f.roots(), [2.0] * u.kpc)
    assert_same(f.roots(0.5 * u.kpc), [2.5] * u.kpc)
    assert f.roots(5 * u.kpc).unit == u.kpc
    with pytest.raises(TypeError, match=r"value is 1.0, which has no unit, and must be a quantity in pc"):
        f.roots(1.0)
    with pytest.raises(TypeError, match=r"one number at a time"):
        f.roots([1.0] * u.kpc)
    with pytest.raises(TypeError, match=r"which has the unit kpc, and must be a number"):
        G.roots(1 * u.kpc)


def test_values_with_a_unit_along_an_axis_without() -> None:
    """Numbers in, quantities out, by the fast function of one number too."""
    f = curve(lambda x: x**2 * u.K, outside="nan")
    assert_same(f(2.0), 4.0 * u.K, 1e-8)
    assert_same(f([1.0, 2.0]), [1.0, 4.0] * u.K, 1e-8)
    assert math.isnan(f(4.0).value)
    assert f(4.0).unit == u.K

    assert type(f.inverse(4.0 * u.K)) is float
    assert_same(f.derivative(2.0), 4.0 * u.K, 1e-6)
    with pytest.raises(TypeError, match=r"must be a quantity in K"):
        f.inverse(4.0)


def test_numbers_along_an_axis_with_a_unit() -> None:
    """Quantities in, floats out, and derivatives in the inverse of the unit."""
    f = interpolant_of(lambda r: r.to_value(u.kpc) ** 2, Axis("r", 1 * u.kpc, 3 * u.kpc, rtol=1e-8))
    assert type(f(2 * u.kpc)) is float
    assert f.unit is None
    assert type(f([2.0] * u.kpc)) is np.ndarray
    assert_same(f.inverse(4.0), 2 * u.kpc, 1e-8)
    assert_same(f.derivative(2 * u.kpc), 4 / u.kpc, 1e-6)
    assert f.integral(1 * u.kpc, 2 * u.kpc).unit == u.kpc


def test_dimensionless_quantities_stay_quantities() -> None:
    """A ratio that the method returns as a quantity comes back as one."""
    f = interpolant_of(lambda r: r / (1 * u.Mpc), Axis("r", 1 * u.kpc, 3 * u.kpc))
    assert_same(f(2 * u.kpc), 2 * u.kpc / u.Mpc)
    g = curve(lambda x: x * u.one)
    assert_same(g(2.0), 2.0 * u.one)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda r: r if r < 2 * u.kpc else 3.0, "which has no unit, and another value that has the unit kpc"),
        (lambda r: 3.0 if r < 2 * u.kpc else r, "which has the unit kpc, and another value that has no unit"),
        (lambda r: r if r < 2 * u.kpc else 3.0 * u.s, "which has the unit s, and another value that has the unit kpc"),
    ],
)
def test_all_values_have_units_that_fit(function: Any, message: str) -> None:
    """A method that mixes them is refused, naming both."""
    with pytest.raises(TableError, match=message):
        interpolant_of(function, Axis("r", 1 * u.kpc, 3 * u.kpc, vectorized=False))


def test_a_column_with_a_unit_is_no_value() -> None:
    """It would lose its unit."""
    table = pytest.importorskip("astropy.table")
    with pytest.raises(TableError, match=r"returned a Column with the unit km; return a quantity"):
        interpolant_of(lambda x: table.Column(np.asarray(x), unit="km"), Axis("x", 1.0, 2.0, vectorized=True))


def test_magnitudes_along_an_axis() -> None:
    """A plain unit, whose scale is negative in dex."""
    f = interpolant_of(lambda m: (m / u.mag).to_value("") ** 2 * u.Lsun, Axis("m", 10 * u.mag, 20 * u.mag))
    assert_same(f(12 * u.mag), 144 * u.Lsun, 1e-6)
    assert_same(f.inverse(144 * u.Lsun), 12 * u.mag, 1e-6)
    assert_same(f.roots(144 * u.Lsun), [12] * u.mag, 1e-6)


def test_values_in_several_units_become_one() -> None:
    """Later values are converted to the unit of the first."""
    f = interpolant_of(
        lambda r: r.to(u.pc) if r > 2 * u.kpc else r.to(u.Mpc), Axis("r", 1 * u.kpc, 3 * u.kpc, vectorized=False)
    )
    np.testing.assert_allclose(f([1.5, 2.5] * u.kpc).to_value(u.kpc), [1.5, 2.5], rtol=1e-6)


def test_a_method_that_drops_the_unit_of_its_argument_is_refused() -> None:
    """Its plain call with another unit would be another number, which the table cannot know."""
    with pytest.raises(TableError, match=r"but .* it depends on the unit of its argument; .*r.to_value\(unit\)"):
        interpolant_of(lambda r: r.value**2, AXIS)
    f = interpolant_of(lambda r: {u.kpc: r}[r.unit], AXIS)  # takes no other unit, so there is no other number
    assert_same(f(1 * u.Mpc / 20), 50 * u.kpc)
    inner = CubicSpline(np.linspace(1, 100, 50), np.linspace(1, 100, 50) ** 0.5, extrapolate=False)
    others = [
        (lambda r: np.exp(-r.value / 50.0), AXIS),  # where it is largest, the unit makes no difference
        (lambda r: 1 / (1 + (r.value / 20.0) ** 2) * u.Msun, AXIS),
        (lambda r: (1 + (r.value > 100)) * r, AXIS),
        (lambda r: 1 / (1 + r.value / 1e4), Axis("r", 1 * u.kpc, 10 * u.kpc, rtol=1e-3)),
        (lambda r: inner(r.value), Axis("r", 1 * u.kpc, 100 * u.kpc, rtol=1e-3)),
    ]
    for function, axis in others:
        with pytest.raises(TableError, match=r"it depends on the unit of its argument"):
            interpolant_of(function, axis)
    zero = interpolant_of(lambda r: 0 * r, Axis("r", 1 * u.kpc, 2 * u.kpc, atol=1e-3))
    assert zero(1 * u.kpc) == 0


def test_masked_values_are_no_samples() -> None:
    """Where the method gives a masked value it gives none."""
    from astropy.utils.masked import Masked

    with pytest.raises(TableError, match=r"is nan at"):
        interpolant_of(lambda r: Masked(r, r > 2 * u.kpc), Axis("r", 1 * u.kpc, 3 * u.kpc))
    with pytest.raises(TableError, match=r"is nan at"):
        curve(lambda x: np.ma.array(x, mask=x > 2))
    with pytest.raises(TableError, match=r"must return one real number"):
        curve(lambda x: np.ma.array(x + 1j), vectorized=False)


@pytest.mark.parametrize("outside", ["raise", "exact"])
def test_magnitudes(outside: Any) -> None:
    """A logarithmic unit comes back as it is; slopes are in mag."""
    f = interpolant_of(
        lambda r: u.Magnitude(2.0 * r.to_value(u.kpc) + 1, u.ABmag), Axis("r", 1 * u.kpc, 3 * u.kpc, outside=outside)
    )
    assert_same(f(2 * u.kpc), u.Magnitude(5.0, u.ABmag))
    assert_same(f([1.0, 2.0] * u.kpc), u.Magnitude([3.0, 5.0], u.ABmag))
    assert_same(f.inverse(u.Magnitude(5.0, u.ABmag)), 2 * u.kpc)
    assert_same(f.derivative(2 * u.kpc), 2 * u.mag / u.kpc)
    assert_same(f.integral(1 * u.kpc, 2 * u.kpc), 4 * u.mag * u.kpc)
    with pytest.raises(TypeError, match=r"must be a quantity in mag"):
        f.roots()


def test_surfaces_have_units_along_each_axis() -> None:
    """One axis or both may have one; partial derivatives divide by it."""
    x, y = Axis("r", 1 * u.kpc, 3 * u.kpc, rtol=1e-8), Axis("z", 0.0, 1.0)
    f = interpolant_of(lambda r, z: (r**2 * (1 + z)).to(u.kpc * u.pc), x, y)
    assert_same(f(2000 * u.pc, 0.5), 6000 * u.kpc * u.pc, 1e-7)
    assert_same(f([2.0] * u.kpc, [[0.5], [0.0]]), [[6000.0], [4000.0]] * (u.kpc * u.pc), 1e-7)
    assert_same(f.derivative(2 * u.kpc, 0.5), 6000 * u.pc, 1e-6)
    assert f.derivative(2 * u.kpc, 0.5, nu=(0, 1)).unit == u.kpc * u.pc
    assert f.derivative(2 * u.kpc, 0.5, nu=(1, 1)).unit == u.pc
    assert [getattr(each, "unit", None) for each in f.nodes] == [u.kpc, None]
    for arguments in [(2.0, 0.5), (2 * u.kpc, 0.5 * u.one), (2 * u.s, 0.5)]:
        with pytest.raises(TypeError, match=r"unit"):
            f(*arguments)
        with pytest.raises(TypeError, match=r"unit"):
            f.derivative(*arguments)
    with pytest.raises(OutsideAxisError, match=r"r = 5.0 kpc is outside"):
        f(5 * u.kpc, 0.5)
    with pytest.raises(OutsideAxisError, match=r"r = 5.0 kpc is outside"):
        f.derivative(5 * u.kpc, 0.5)
    both = interpolant_of(lambda r, z: r * z, x, Axis("z", 0 * u.s, 1 * u.s, points=None))
    assert both(2 * u.kpc, 0.5 * u.s).unit == u.kpc * u.s


def test_points_and_logarithms_have_units() -> None:
    """A table of given points, or of logarithms, is as any other."""
    f = interpolant_of(density, Axis("r", 1 * u.kpc, 3 * u.kpc, points=50, values="log"))
    assert_same(f(2 * u.kpc), density(2 * u.kpc), 1e-5)
    assert ", logarithm of the values in solMass / pc3:" in repr(f)
    assert f.inverse(f(2 * u.kpc)).unit == u.kpc


def test_plots_name_units() -> None:
    """Labels say the units; the numbers are those in them."""
    pytest.importorskip("matplotlib")
    above, below = F.plot().axes
    assert (above.get_ylabel(), below.get_xlabel()) == ("f(r) [solMass / pc3]", "r [kpc]")
    f = interpolant_of(lambda r, z: r * z, Axis("r", 1 * u.kpc, 2 * u.kpc), Axis("z", 1.0, 2.0))
    plot, colours = f.plot().axes
    assert (plot.get_xlabel(), plot.get_ylabel(), colours.get_ylabel()) == ("r [kpc]", "z", "f(r, z) [kpc]")


def test_interpolants_with_units_can_be_sent() -> None:
    """A pickled one gives the same."""
    other = pickle.loads(pickle.dumps(F))
    assert_same(other(2 * u.kpc), F(2 * u.kpc), 0)


def test_disagreements_are_found_across_units() -> None:
    """The same function in another unit agrees; another one does not, nor one without a unit."""
    in_si = interpolant_of(lambda r: density(r).to(u.kg / u.m**3), AXIS)
    assert F.disagreement(in_si) is None
    doubled = interpolant_of(lambda r: 2 * density(r), AXIS)
    point, before, now = F.disagreement(doubled)
    assert point[0].unit == u.kpc
    np.testing.assert_allclose((before / now).to_value(""), 2, rtol=1e-7)
    bare = interpolant_of(lambda r: density(r).to_value(DENSITY), AXIS)
    point, before, now = F.disagreement(bare)
    assert (type(before), now.unit) == (float, DENSITY)
    assert not F.is_value(F(1 * u.kpc), 1.0)
    assert F.is_value(F(1 * u.kpc), density(1 * u.kpc).to(u.kg / u.m**3))


def test_a_table_with_a_unit_has_it() -> None:
    """Only tables with a unit have one, and what is none is found in a foreign entry."""
    assert "unit" not in tabulate(plain_density, (PLAIN_AXIS,), "f")
    table = tabulate(density, (AXIS,), "f")
    assert table["unit"] == DENSITY
    assert make_interpolant((AXIS,), table, "f").unit == DENSITY
    for wrong in ("kpc", 1.0, u.kpc * 1.0, object()):
        with pytest.raises(DamagedEntryError, match=r"its unit is no unit of astropy"):
            make_interpolant((AXIS,), {**table, "unit": wrong}, "f")


@pytest.mark.parametrize("unit", [u.kpc**50, u.kpc**-50, u.Unit("kpc,kpc")], ids=str)
def test_units_that_no_axis_can_have(unit: Any) -> None:
    """One of several fields, or beyond the range of floats."""
    with pytest.raises(ValueError, match=r"too large or too small|must be a unit of astropy"):
        Axis("r", 1.0, 2.0, unit=unit)
