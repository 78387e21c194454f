"""The interpolant of a function of two numbers, with partial derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from stored._tables.axis import Axis, Floats
from stored._tables.chain_rule import MOST_ORDER, composite_derivative, coordinate_derivatives, exponential_derivative
from stored._tables.interpolant import Interpolant, outside_error
from stored._tables.patches import Patches
from stored._tables.real_numbers import number_types
from stored._tables.surface_arrays import SurfaceArrays
from stored._tables.surface_code import SurfaceFunction, nothing
from stored._tables.surface_units import surface_with_units
from stored._tables.table import Table
from stored._tables.units import derived_unit

__all__ = ["SurfaceInterpolant"]


class SurfaceInterpolant(Interpolant):
    """A function of two numbers, of polynomials in the coordinates of its axes.

    Parameters
    ----------
    axes : tuple of (Axis, Axis)
        The axes of its arguments.
    table : Table
        What `tabulate` returned.
    label : str
        What messages call the function.
    """

    def __init__(self, axes: tuple[Axis, ...], table: Table, label: str) -> None:
        limits = [(low, high) for low, high in (each.tolist() for each in table["limits"])]
        super().__init__(axes, table, label, Patches(limits, table["coefficients"]))
        self._quick: SurfaceFunction | None = None
        self._arrays: SurfaceArrays | None = None
        self._derivatives: dict[tuple[int, int], SurfaceFunction] = {}

    def __getstate__(self) -> dict[str, Any]:
        """All but what is made on demand, as generated functions cannot be pickled."""
        return {**vars(self), "_quick": None, "_arrays": None, "_derivatives": {}}

    @property
    def quick(self) -> SurfaceFunction:
        """A fast function of numbers, quantities or arrays within the limits, which returns None for anything else."""
        if self._quick is None:
            function, _ = self._fit.functions(*self._function_options(), self._quick_arrays())
            self._quick = surface_with_units(function, self.axes, self.unit)
        return self._quick

    def _quick_arrays(self) -> SurfaceArrays:
        if self._arrays is None:
            _, several = self._fit.functions(*self._function_options(), nothing)
            self._arrays = SurfaceArrays(self.axes, self._fit, self._log, several)
        return self._arrays

    def _function_options(self) -> tuple[Any, ...]:
        limits = [(float(axis.low), float(axis.high)) for axis in self.axes]
        return limits, [axis.scalar_forward() for axis in self.axes], self._log, number_types(self.axes)

    def __call__(self, x: Any, y: Any, *, exact: Callable[..., Any] | None = None) -> Any:
        """Evaluate.

        Parameters
        ----------
        x, y : array_like, Quantity, masked array, Series, DataFrame or DataArray
            The arguments; they are broadcast against each other: by the names of their dimensions if they are
            DataArrays, whose coordinates must be the same. Beside one of these, a Series or a DataFrame, there are only
            numbers and others with the same labels. Each is a quantity if its axis has a unit, and otherwise not.
        exact : callable, optional
            What ``outside="exact"`` calls, one point at a time. An argument outside an axis with ``outside="clip"`` is
            replaced by that axis's limit.

        Returns
        -------
        float or ndarray, or as the arguments
            A float for numbers, otherwise an array of the broadcast shape, with the unit of the values if they have
            one, and with masks and labels as for a curve. NaN where an argument is NaN, or outside an
            axis with ``outside="nan"``.

        Raises
        ------
        OutsideAxisError
            If a value lies outside an axis with ``outside="raise"``, or ``"exact"`` when there is nothing to call.
        TypeError
            If an argument is not a real number or an array of them, or has not the unit of its axis: as for a curve.
        ValueError
            If shapes or labels do not fit.
        """
        value = self.quick(x, y)
        if value is not None:
            return value
        given = self.read_arguments(x, y)
        points = [each.ravel() for each in given.points]
        values = self._quick_arrays().inside(points, points[0].size)
        if values is None:
            return self._evaluate_anywhere(given, exact)
        return given.result(values.reshape(given.points[0].shape), self.unit)

    def interpolated(self, coordinates: list[Floats], nu: int, axis: int = 0) -> Floats:
        return cast(Floats, self._fit(coordinates, (nu, 0) if axis == 0 else (0, nu)))

    def derivative(self, x: Any, y: Any, nu: tuple[int, int] = (1, 0)) -> Any:
        """A partial derivative of the interpolant, exact for it, within the limits of both axes.

        Parameters
        ----------
        x, y : array_like
            The arguments; they are broadcast against each other.
        nu : tuple of (int, int)
            The orders along x and y, not negative and together 1 to 3.

        Returns
        -------
        float or ndarray, or as the arguments
            As for a call, in the unit of the values over those of the axes to the powers `nu`.

        Raises
        ------
        OutsideAxisError
            If a value lies outside an axis, unless that says ``outside="nan"``.
        ValueError
            If there are no such orders.
        """
        orders = _checked_orders(nu)
        value = self._quick_derivative(orders)(x, y)
        if value is not None:
            return value
        given = self.read_arguments(x, y)
        points = given.points
        outside = [axis.is_outside(each) for axis, each in zip(self.axes, points, strict=True)]
        for axis, each, is_outside in zip(self.axes, points, outside, strict=True):
            if is_outside.any() and axis.outside != "nan":
                advice = "widen the axis, or choose outside='nan'"
                raise outside_error(axis, float(each[is_outside][0]), advice)
        missing = outside[0] | outside[1] | np.isnan(points[0]) | np.isnan(points[1])
        inside = [np.where(missing, axis.low, each).ravel() for axis, each in zip(self.axes, points, strict=True)]
        values = self._derivative_inside(inside, orders).reshape(missing.shape)
        values[missing] = math.nan
        return given.result(values, self._unit_of_derivative(orders))

    def _unit_of_derivative(self, orders: tuple[int, int]) -> Any:
        return derived_unit(self.unit, *((axis.unit, -order) for axis, order in zip(self.axes, orders, strict=True)))

    def _quick_derivative(self, orders: tuple[int, int]) -> SurfaceFunction:
        """A fast function of two numbers, or quantities, which returns None for anything else.

        It treats tables without coordinates and logarithms, which need no chain rule.
        """
        found = self._derivatives.get(orders)
        if found is None:
            found = nothing
            if not self._log and all(axis.spacing == "linear" for axis in self.axes):
                function, _ = self._fit.functions(*self._function_options(), nothing, orders)
                found = surface_with_units(function, self.axes, self._unit_of_derivative(orders))
            self._derivatives[orders] = found
        return found

    def _derivative_inside(self, points: list[Floats], orders: tuple[int, int]) -> Floats:
        t = [axis.forward(each) for axis, each in zip(self.axes, points, strict=True)]
        slopes = [coordinate_derivatives(axis, *each) for axis, *each in zip(self.axes, points, t, strict=True)]

        def derivative(first: int, second: int) -> Floats:
            """A derivative of the interpolated values to the arguments."""
            columns = [[self._fit(t, (a, b)) for a in range(first + 1)] for b in range(second + 1)]
            along_first = [composite_derivative(column, slopes[0], first) for column in columns]
            return composite_derivative(along_first, slopes[1], second)

        return exponential_derivative(derivative, *orders) if self._log else derivative(*orders)


def _checked_orders(nu: object) -> tuple[int, int]:
    orders: tuple[int, ...] = nu if isinstance(nu, tuple) else ()
    whole = all(isinstance(each, int) and not isinstance(each, bool) for each in orders)
    if not whole or len(orders) != 2 or min(orders) < 0 or not 1 <= sum(orders) <= MOST_ORDER:
        raise ValueError(f"nu is {nu!r}; give the orders along both axes, not negative and together 1, 2 or 3")
    return orders[0], orders[1]
