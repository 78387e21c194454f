"""The interpolant of a function of one number, with derivatives, integral, inverse and roots."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from stored._tables.antiderivative import Antiderivative
from stored._tables.arguments import read_argument, read_arguments
from stored._tables.axis import Axis, Floats
from stored._tables.chain_rule import (
    MOST_ORDER,
    argument_slopes,
    composite_derivative,
    coordinate_derivatives,
    exponential_derivative,
)
from stored._tables.interpolant import Interpolant, outside_error
from stored._tables.inverse import InverseSolver
from stored._tables.number_derivative import number_derivative
from stored._tables.number_integral import number_integral
from stored._tables.piece_rows import PieceRows
from stored._tables.pieces import Pieces
from stored._tables.quick_values import quick_values
from stored._tables.short_ways import ShortWays, branch_key, one_by_one
from stored._tables.table import Table
from stored._tables.units import derived_unit, quick_with_units

__all__ = ["CurveInterpolant"]

_MOST_DERIVATIVES = 128
"""Up to so many derivatives are computed one by one."""

_DERIVATIVE_ADVICE = "widen the axis, or choose outside='clip', 'nan' or 'extrapolate'"


class CurveInterpolant(Interpolant):
    """A function of one number, of polynomials of degree 5 in the coordinate of its axis.

    Parameters
    ----------
    axis : Axis
        The axis of its argument.
    table : Table
        What `tabulate` returned.
    label : str
        What messages call the function.
    """

    _quick: Callable[[Any], Any] | None = None
    _quick_numbers: Callable[[Any], Any] | None = None

    def __init__(self, axis: Axis, table: Table, label: str) -> None:
        (low, high) = table["limits"][0].tolist()
        pieces = Pieces(low, high, table["coefficients"], table["depths"])
        super().__init__((axis,), table, label, pieces)
        self._axis = axis
        self._solver: InverseSolver | None = None
        self._antiderivative: Antiderivative | None = None
        self._short = ShortWays()

    def __getstate__(self) -> dict[str, Any]:
        """All but what is made on demand, as generated functions cannot be pickled."""
        state = {**vars(self), "_solver": None, "_antiderivative": None, "_quick": None, "_quick_numbers": None}
        return {name: value for name, value in state.items() if name not in {"_short", "_rows"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what stands in a pickle; the short ways are made anew."""
        super().__setstate__(state)
        self._short = ShortWays()

    @property
    def quick(self) -> Callable[[Any], Any]:
        """A fast function of one argument, which gives what a call would give, or None for what it does not treat."""
        if self._quick is None:
            axis, numbers = self._axis, self._numbers_quickly()
            has_unit = self.unit is not None or axis.unit is not None
            self._quick = quick_with_units(numbers, axis.name, axis.unit, self.unit) if has_unit else numbers
        return self._quick

    def _numbers_quickly(self) -> Callable[[Any], Any]:
        """The same without units."""
        if self._quick_numbers is None:
            self._quick_numbers = quick_values(self._fit, self._axis, self._log)
        return self._quick_numbers

    def __call__(self, x: Any, *, exact: Callable[..., Any] | None = None) -> Any:
        """Evaluate.

        Parameters
        ----------
        x : array_like, Quantity, masked array, Series, DataFrame or DataArray
            The argument; a quantity if the axis has a unit, and otherwise not.
        exact : callable, optional
            What ``outside="exact"`` calls, one point at a time.

        Returns
        -------
        float or ndarray, or as the argument
            A float for a number, otherwise an array of the same shape, with the unit of the values if they have one.
            NaN where the argument is NaN, or outside an axis with ``outside="nan"``. Mask, index, columns, dimensions,
            coordinates and names are those of the argument; what is masked or missing stays so.

        Raises
        ------
        OutsideAxisError
            If a value lies outside an axis with ``outside="raise"``, or ``"exact"`` when there is nothing to call.
        TypeError
            If the argument is not a real number or an array of them; if it has a unit and the axis has none, or the
            other way, or one that does not fit (`astropy.units.UnitTypeError`); if it is of a type that only converts
            to arrays, or that cannot hold the unit of the values.
        """
        value = self.quick(x)
        if value is not None:
            return value
        given = read_argument(self._axis.name, self._axis.unit, x)
        (points,) = given.points
        values = self._numbers_quickly()(points)
        if values is None:
            return self._evaluate_anywhere(given, exact)
        return given.result(values, self.unit)

    def interpolated(self, coordinates: list[Floats], nu: int, axis: int = 0) -> Floats:
        return cast(Floats, self._fit.derivative(coordinates[0], nu))

    # -- derivatives --------------------------------------------------------------------------------------------------

    def derivative(self, x: Any, nu: int = 1) -> Any:
        """The derivative of the interpolant, exact for it, by the chain rule through spacing and logarithm.

        The derivatives of a spacing that is a pair of functions are not known: they are taken from an interpolation of
        it, which costs some digits, and are NaN where the coordinate's slope is infinite.

        Parameters
        ----------
        x : array_like
            The argument.
        nu : {1, 2, 3}
            The order.

        Returns
        -------
        float or ndarray, or as the argument
            As for a call, in the unit of the values over that of the axis to the power `nu`; of magnitudes, in mag over
            that. Where two pieces meet, that of the piece to the right. Outside the axis, 0 with
            ``outside="clip"``, that of the tangent with ``"extrapolate"``, NaN with ``"nan"``.

        Raises
        ------
        OutsideAxisError
            If a value lies outside an axis with ``outside="raise"`` or ``"exact"``.
        ValueError
            If there is no such order.
        """
        short = self._short.derivatives.get(nu) if nu.__class__ is int else None
        value = None if short is None else short(x)
        return self._derivative(x, nu) if value is None else value

    def _derivative(self, x: Any, nu: int) -> Any:
        """The derivative, of anything and for any order; an order that is new gets its short way."""
        _check_order(nu)
        short = self._short.derivatives.get(nu)
        if short is None and self._has_short_ways:
            short = number_derivative(self._rows, self._axis, self._log, self.unit, int(nu))
            self._short.derivatives[int(nu)] = short
        if self._is_plain:
            found = one_by_one(short, _MOST_DERIVATIVES, x)
            if found is not None:
                return found
        given = read_argument(self._axis.name, self._axis.unit, x)
        (points,) = given.points
        outside = self._axis.is_outside(points)
        if outside.any() and self._axis.outside in {"raise", "exact"}:
            raise outside_error(self._axis, float(points[outside][0]), _DERIVATIVE_ADVICE)
        inside = np.clip(points.ravel(), self._axis.low, self._axis.high)
        missing = np.isnan(inside)
        inside[missing] = self._axis.low
        values = self._derivative_inside(inside, nu)
        values[missing] = math.nan
        values = values.reshape(points.shape)
        if outside.any():
            values[outside] = self._derivative_outside(points[outside], nu)
        return given.result(values, derived_unit(self.unit, (self._axis.unit, -nu)))

    def _derivative_inside(self, x: Floats, nu: int) -> Floats:
        t = self._axis.forward(x)
        with np.errstate(over="ignore"):
            return self._apply_chain_rule([self._fit.derivative(t, order) for order in range(nu + 1)], x, t, nu)

    def _derivative_outside(self, x: Floats, nu: int) -> Floats:
        outside = self._axis.outside
        if outside != "extrapolate":
            return np.full(x.shape, 0.0 if outside == "clip" else math.nan)
        limit = self._axis.forward(np.clip(x, self._axis.low, self._axis.high))
        with np.errstate(all="ignore"):  # a tangent can lead beyond all floats
            t = self._axis.forward(x)
            slope = self._fit.derivative(limit, 1)
            value = self._fit.derivative(limit, 0) + slope * (t - limit)
            return self._apply_chain_rule([value, slope, np.zeros_like(t), np.zeros_like(t)], x, t, nu)

    def _apply_chain_rule(self, derivatives: list[Floats], x: Floats, t: Floats, nu: int) -> Floats:
        """A derivative of the function to its argument, from those of the interpolated values to the coordinate."""
        coordinate = coordinate_derivatives(self._axis, x, t)
        if self._log:
            return exponential_derivative(lambda order, _: composite_derivative(derivatives, coordinate, order), nu, 0)
        return composite_derivative(derivatives, coordinate, nu)

    # -- integral -----------------------------------------------------------------------------------------------------

    def integral(self, a: Any, b: Any) -> Any:
        """The integral of the interpolant from `a` to `b`, to rounding.

        Parameters
        ----------
        a, b : array_like
            Limits of integration, both within the axis; they are broadcast against each other. With ``a > b`` the
            result has the other sign.

        Returns
        -------
        float or ndarray, or as the limits
            As for a call, in the function's unit times the argument's. NaN where a limit is NaN.

        Raises
        ------
        OutsideAxisError
            If a limit lies outside the axis, whatever `outside` says.
        """
        short = self._short.integral
        value = None if short is None else short(a, b)
        return self._integral(a, b) if value is None else value

    def _integral(self, a: Any, b: Any) -> Any:
        """The integral between limits of any kind."""
        antiderivative = self._made_antiderivative()
        if self._is_plain:
            found = one_by_one(self._short.integral, antiderivative.most_one_by_one, a, b)
            if found is not None:
                return found
        given = read_arguments([f"limit of {self._axis.name}"] * 2, [self._axis.unit] * 2, (a, b))
        points = given.points
        for each in points:
            outside = self._axis.is_outside(each)
            if outside.any():
                raise outside_error(self._axis, float(each[outside][0]), "integrate within it, or widen it")
        missing = np.isnan(points[0]) | np.isnan(points[1])
        t = [self._axis.forward(np.where(missing, self._axis.low, each).ravel()) for each in points]
        values = antiderivative(*t).reshape(missing.shape)
        values[missing] = math.nan
        return given.result(values, derived_unit(self.unit, (self._axis.unit, 1)))

    def _made_antiderivative(self) -> Antiderivative:
        """The antiderivative; when it is made, single numbers get their short way."""
        if self._antiderivative is None:
            slopes = functools.partial(argument_slopes, self._axis)
            curved = self._axis.spacing != "linear"
            made = Antiderivative(self._fit, self._rows, slopes, self._log, curved)
            if self._has_short_ways:
                self._short.integral = number_integral(made, self._rows, self._axis, self._log, self.unit)
            self._antiderivative = made
            return made
        return self._antiderivative

    # -- inverse and roots --------------------------------------------------------------------------------------------

    def inverse(self, y: Any, branch: tuple[float, float] | None = None) -> Any:
        """The argument at which the interpolant has a value, solved on it: ``f(f.inverse(y))`` is y to rounding.

        Parameters
        ----------
        y : array_like, Quantity, masked array, Series, DataFrame or DataArray
            Values; quantities if those of the function are, and otherwise not. One that exceeds the largest or the
            smallest by no more than the tolerance gives the limit.
        branch : tuple of (float or Quantity, float or Quantity), optional
            The range of the argument in which to look, by default the whole axis. There the function must rise, or
            fall, throughout, but for what the table's own error may have done (half the tolerance).

        Returns
        -------
        float or ndarray, or as the values
            As for a call, in the unit of the axis. NaN for NaN. For a value that is not taken, NaN with
            ``outside="nan"``, and with ``"clip"`` the limit at which the interpolant comes closest to it.

        Raises
        ------
        TableError
            If the interpolant is not monotonic in that range; it says where it turns.
        OutsideValuesError
            If a value is not taken there, and `outside` is another.
        """
        short = self._short.inverses.get(branch_key(branch))
        value = None if short is None else short(y)
        return self._inverse_solver().solve(y, branch) if value is None else value

    def roots(self, value: Any = 0.0) -> Floats:
        """All arguments at which the interpolant has a value.

        Parameters
        ----------
        value : float or Quantity
            The value, with a unit if those of the function have one; 0 needs none, unless that is logarithmic.

        Returns
        -------
        ndarray or Quantity, shape (n,)
            Increasing; of a stretch on which the function equals `value`, the ends. Where the function only touches
            `value`, rounding decides whether there are two close together, or one, or none.
        """
        return cast(Floats, self._inverse_solver().roots(value))

    def _inverse_solver(self) -> InverseSolver:
        if self._solver is None:
            largest = float(np.max(np.abs(self._values)))
            named = self._axis, self.label, self.unit
            accuracy = self.error, largest
            self._solver = InverseSolver(self._fit, self._rows, *named, self._log, *accuracy, self._short.inverses)
        return self._solver

    @functools.cached_property
    def _rows(self) -> PieceRows:
        return PieceRows(self._fit)

    @property
    def _has_short_ways(self) -> bool:
        """Can single numbers be computed in plain Python? Not along a spacing that is a pair of functions."""
        return isinstance(self._axis.spacing, str)

    @property
    def _is_plain(self) -> bool:
        """Have neither arguments nor values a unit?"""
        return self.unit is None is self._axis.unit


def _check_order(nu: object) -> None:
    if isinstance(nu, bool) or not isinstance(nu, int | np.integer) or not 1 <= nu <= MOST_ORDER:
        raise ValueError(f"nu is {nu!r}; derivatives are of order 1, 2 or 3")
