"""Pictures of interpolants."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from stored import Axis
from tests.tables.interpolants import ROOTS, interpolant_of

CURVES: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "linear": (lambda x: np.sin(x) + 2, {"low": 0.0, "high": 10.0}),
    "logarithmic": (lambda x: x**-2.0 + 1, {"low": 1e-3, "high": 1e3, "spacing": "log", "values": "log"}),
    "own spacing": (lambda x: np.sqrt(x), {"low": 1.0, "high": 9.0, "spacing": ROOTS}),
    "kink": (lambda x: 1 + np.abs(x - 0.3), {"low": -1.0, "high": 1.0, "rtol": 1e-4}),
    "negative": (lambda x: -x, {"low": -1.0, "high": 1.0, "atol": 1e-6}),
    "constant": (lambda x: 3.0, {"low": -1.0, "high": 1.0}),
    "zero": (lambda x: 0.0, {"low": -1.0, "high": 1.0}),
    "points": (lambda x: np.sin(x), {"low": -1.0, "high": 1.0, "points": 9}),
    "many points": (lambda x: np.sin(x), {"low": -1.0, "high": 1.0, "points": 1000}),
}


def assert_saved(figure: object, directory: Path) -> None:
    """The figure draws without a warning (warnings are errors here), and is a PNG."""
    assert isinstance(figure, Figure)
    figure.savefig(directory / "table.png", dpi=50)
    assert (directory / "table.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", CURVES)
def test_curves_are_drawn(name: str, tmp_path: Path) -> None:
    """A figure has the function above, in its own scales, and below the measured error."""
    function, options = CURVES[name]
    f = interpolant_of(lambda x: function(x), Axis("x", **options))
    figure = f.plot()
    above, below = figure.axes[0], figure.axes[-1]
    assert above.get_ylabel() == "f(x)"
    assert below.get_xlabel() == "x"
    if "points" in options:  # whose points held out are nodes of the spline
        assert above is below
    else:
        assert (below.get_ylabel(), below.get_yscale()) == ("measured error", "log")
        assert len(below.get_lines()[0].get_xdata()) == f.held_out[0].size
    pieces = "1 piece" if f.pieces == 1 else f"{f.pieces} pieces"
    assert above.get_title() == f"{f.evaluations} evaluations, {pieces}, measured error {f.error:.1e}"
    assert above.get_yscale() == options.get("values", "linear")
    x, y = above.get_lines()[0].get_data()
    assert (x[0], x[-1]) == (options["low"], options["high"])
    np.testing.assert_array_equal(y, f(x))
    assert_saved(figure, tmp_path)


@pytest.mark.parametrize("spacing", ["log1p", ROOTS])
def test_curves_from_zero_are_drawn(spacing: Any, tmp_path: Path) -> None:
    """An axis from 0 is drawn in its own coordinate, though that does not go on below 0."""
    f = interpolant_of(
        lambda x: 1 + np.sqrt(x) if spacing is ROOTS else 1 / (1 + x), Axis("x", 0.0, 100.0, spacing=spacing)
    )
    assert_saved(f.plot(), tmp_path)


def test_scales_are_those_of_the_axis() -> None:
    """The argument is drawn in its coordinate: a pair of functions or log1p make a scale of their own."""
    scales = {"linear": "linear", "log": "log", "log1p": "function", ROOTS: "function"}
    for spacing, scale in scales.items():
        figure = interpolant_of(lambda x: np.sin(x) + 2, Axis("x", 1.0, 2.0, spacing=spacing)).plot()  # type: ignore[arg-type]
        assert [each.get_xscale() for each in figure.axes] == [scale, scale]


def test_nodes_are_marked_unless_they_are_too_many() -> None:
    """A few nodes are dots, with their number in the legend; more would hide the curve."""
    few, many = (
        interpolant_of(lambda x: np.sin(x), Axis("x", 0.0, 1.0, points=points)).plot().axes[0] for points in (400, 401)
    )
    assert few.get_legend().get_texts()[0].get_text() == "400 nodes"
    assert len(few.get_lines()) == 2
    assert many.get_legend() is None
    assert len(many.get_lines()) == 1


def test_the_tolerance_is_drawn() -> None:
    """The errors are seen beside what was asked for."""
    below = interpolant_of(lambda x: np.sin(x), Axis("x", 0.0, 1.0, atol=1e-9)).plot().axes[1]
    assert [each.get_text() for each in below.get_legend().get_texts()] == ["held out", "tolerance"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"spacing": "log", "values": "log"}, {"spacing": "log1p"}),
        ({"spacing": ROOTS}, {}),
        ({"points": 7}, {"points": 9}),
    ],
)
def test_surfaces_are_drawn(first: dict[str, Any], second: dict[str, Any], tmp_path: Path) -> None:
    """A figure has the function in colours, a scale of them, and the points held out."""
    f = interpolant_of(lambda x, y: np.exp(x * y), Axis("x", 0.5, 2.0, **first), Axis("y", 0.0, 1.0, **second))
    figure = f.plot()
    plot, colours = figure.axes
    assert (plot.get_xlabel(), plot.get_ylabel(), colours.get_ylabel()) == ("x", "y", "f(x, y)")
    assert plot.get_title() == f"{f.evaluations} evaluations, {f.pieces} pieces, measured error {f.error:.1e}"
    assert len(plot.collections[-1].get_offsets()) == f.held_out[0].size
    assert_saved(figure, tmp_path)


def test_surfaces_have_the_scales_of_their_axes() -> None:
    """A surface of logarithmic axes and values is drawn on logarithmic scales."""
    f = interpolant_of(
        lambda x, y: y * x**-2.0, Axis("x", 0.01, 100.0, spacing="log", values="log"), Axis("y", 1.0, 2.0)
    )
    plot, colours = f.plot().axes
    assert (plot.get_xscale(), plot.get_yscale(), colours.get_yscale()) == ("log", "linear", "log")


@pytest.mark.parametrize("name", ["kink", "constant", "zero"])
def test_the_scale_of_errors_is_legible(name: str) -> None:
    """Errors of 0 do not stretch the scale by hundreds of decades."""
    function, options = CURVES[name]
    below = interpolant_of(lambda x: function(x), Axis("x", **options)).plot().axes[1]
    assert below.get_ylim()[0] > 1e-30


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the package and the extra."""
    f = interpolant_of(lambda x: np.sin(x), Axis("x", 0.0, 1.0, atol=1e-9))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"matplotlib, which is not installed; install it, or stored\[plot\]"):
        f.plot()
