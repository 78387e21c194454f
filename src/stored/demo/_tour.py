"""What does a model with stored methods compute, and what does it find? A tour through its quantities."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stored import Axis, getCacheDir
from stored._settings import settings
from stored.demo._cosmology import FlatLambdaCDM

__all__ = ["run_tour"]

_SAMPLES = 200
_REPEATED_CALLS = 2000
_MEASUREMENTS = 10
_CHANGED_H0 = 70.0


class Quantity(NamedTuple):
    """A method of the demo, and where to call it."""

    method: str
    label: str
    unit: str
    at: float


QUANTITIES = (
    Quantity("age", "age(z)", "Gyr", 1.0),
    Quantity("comoving_distance", "comoving_distance(z)", "Mpc/h", 1.0),
    Quantity("growth_factor", "growth_factor(z)", "", 1.0),
    Quantity("sigma", "sigma(R)", "", 8.0),
)
_STORED = (*(each.method for each in QUANTITIES), "sigma_of_shape")

_FRESH = "import sys; from stored.demo._tour import report_first_calls; report_first_calls(sys.argv[1:])"


def run_tour(plot: Path | None = None) -> None:
    """Print the tour.

    Parameters
    ----------
    plot : Path, optional
        Draw the quantities and the errors of their tables into this file; needs matplotlib.
    """
    for H0 in (_CHANGED_H0, 67.66):
        cosmo = FlatLambdaCDM(H0=H0)
        for each in _STORED:
            getattr(cosmo, each).cache_clear()  # an earlier tour has left its files
    _print_timings(cosmo)
    _print_calculus(cosmo)
    _print_change(cosmo)
    print(f"\nThe files are in {getCacheDir()}\n")
    if plot is not None:
        draw(FlatLambdaCDM(), plot)
        print(f"The plot is {plot}\n")


def _print_timings(cosmo: FlatLambdaCDM) -> None:
    rows = [[each.label, *_first_and_repeated(cosmo, each)] for each in QUANTITIES]
    fresh = first_calls_elsewhere([each.method for each in QUANTITIES])
    print("\nA flat LambdaCDM cosmology, each quantity at one point; the first call makes its table.\n")
    header = ["quantity", "value", "first call", "repeated", "fresh process"]
    for row, each in zip(rows, QUANTITIES, strict=True):
        seconds, value = fresh[each.method]
        if value != getattr(cosmo, each.method)(each.at):
            raise RuntimeError(f"another process found {value!r} for {each.label}: this must not happen")
        row += [_duration(seconds), *_accuracy(cosmo, each)]
    print(_table([[*header, "points", "tolerance", "measured", "checked"], *rows]))
    print(
        "\nA fresh process reads the tables from disk; its time is that of the first call, imports done."
        "\nPoints: evaluations of the method. Measured: the largest error when the table was made, where it was not"
        f"\nfitted. Checked: that at {_SAMPLES} random points, now. Errors are relative, of a distance to itself plus"
        " 1 Mpc/h."
    )


def _first_and_repeated(cosmo: FlatLambdaCDM, quantity: Quantity) -> list[str]:
    first, value = _timed(getattr(cosmo, quantity.method), quantity.at)
    return [_with_unit(value, quantity.unit), _duration(first), _duration(_repeated(cosmo, quantity))]


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.6g} {unit}".rstrip()


def _repeated(cosmo: FlatLambdaCDM, quantity: Quantity) -> float:
    """Seconds of one repeated call, of many in a loop, as a clock takes longer to read than a call to answer."""
    call = f"cosmo.{quantity.method}({quantity.at!r})"
    loops = timeit.repeat(call, globals={"cosmo": cosmo}, number=_REPEATED_CALLS, repeat=_MEASUREMENTS)
    return min(loops) / _REPEATED_CALLS


def _accuracy(cosmo: FlatLambdaCDM, quantity: Quantity) -> list[str]:
    """Evaluations, tolerance, error measured when the table was made, and error found now."""
    table = getattr(cosmo, quantity.method).interpolant()
    checked = np.max(_errors(cosmo, quantity, random_points(cosmo, quantity)))
    return [str(table.evaluations), *(f"{each:.0e}" for each in (table.axes[0].rtol, table.error, checked))]


def _timed(method: Callable[[float], float], at: float) -> tuple[float, float]:
    started = time.perf_counter()
    value = method(at)
    return time.perf_counter() - started, value


def first_calls_elsewhere(methods: list[str]) -> dict[str, tuple[float, float]]:
    """Seconds and value of the first call of each method in a fresh process."""
    environment = {
        **os.environ,
        "STORED_CACHE_DIR": str(settings().cache_dir),
        "STORED_KEY_FILE": str(settings().key_file),
    }
    command = [sys.executable, "-c", _FRESH, *methods]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    return {name: (seconds, value) for name, (seconds, value) in json.loads(done.stdout).items()}


def report_first_calls(methods: list[str]) -> None:
    """Print seconds and value of the first call of each method, as JSON; run in the fresh process."""
    cosmo = FlatLambdaCDM()
    points = {each.method: each.at for each in QUANTITIES}
    print(json.dumps({name: _timed(getattr(cosmo, name), points[name]) for name in methods}))


def _errors(cosmo: FlatLambdaCDM, quantity: Quantity, points: Any) -> Any:
    """Errors of the table against the method itself, in the unit of the tolerance `rtol`."""
    method, axis = getattr(cosmo, quantity.method), _axis(cosmo, quantity)
    exact = method.exact(points)
    return np.abs(method(points) - exact) / (np.abs(exact) + axis.atol / axis.rtol)


def random_points(cosmo: FlatLambdaCDM, quantity: Quantity) -> Any:
    """Points spread over the axis evenly in its coordinate."""
    axis = _axis(cosmo, quantity)
    return axis.backward(np.random.default_rng(1).uniform(*axis.coordinate_limits(), _SAMPLES))


def _axis(cosmo: FlatLambdaCDM, quantity: Quantity) -> Axis:
    axis: Axis = getattr(cosmo, quantity.method).interpolant().axes[0]
    return axis


def _print_calculus(cosmo: FlatLambdaCDM) -> None:
    half = cosmo.age(0.0) / 2.0
    z = cosmo.age.inverse(half)
    slope, mean = cosmo.age.derivative(0.0), cosmo.growth_factor.integral(0.0, 1.0)
    print("\nTables have an inverse, derivatives and integrals.\n")
    rows = [
        ["asked", "value", "which is"],
        [f"age.inverse({half:.6g})", f"{z:.6g}", "the redshift at which the universe was half as old as now"],
        ["age.derivative(0.0)", _with_unit(slope, "Gyr"), "minus the Hubble time, 1 / H0"],
        ["growth_factor.integral(0.0, 1.0)", f"{mean:.6g}", "the mean growth factor from redshift 0 to 1"],
    ]
    print(_table(rows))
    back, exact = (abs(age / half - 1.0) for age in (cosmo.age(z), cosmo.age.exact(z)))
    print(f"\nThe age at that redshift is half of today's to {back:.0e}, and to {exact:.0e} by the method itself.")


def _print_change(cosmo: FlatLambdaCDM) -> None:
    before = {name: getattr(cosmo, name).cache_info().misses for name in _STORED}
    cosmo.H0 = _CHANGED_H0
    print(f"\nNow H0 is {_CHANGED_H0:g} km/s/Mpc instead of 67.66.\n")
    rows = [["quantity", "value", "what happened"]]
    for each in QUANTITIES:
        value = getattr(cosmo, each.method)(each.at)
        computed = getattr(cosmo, each.method).cache_info().misses > before[each.method]
        happened = "table made anew" if computed else _why_kept(each.method)
        rows.append([each.label, _with_unit(value, each.unit), happened])
    print(_table(rows))


def _why_kept(method: str) -> str:
    depends = getattr(FlatLambdaCDM, method).__stored_depends__ or ()
    return f"kept: it depends on {', '.join(depends)} only"


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def draw(cosmo: FlatLambdaCDM, file: Path) -> None:
    """Draw each quantity above, and below the error of its table against the method, with the tolerance."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.0 * len(QUANTITIES), 5.0), layout="constrained")
    plots = figure.subplots(2, len(QUANTITIES), sharex="col", height_ratios=(2, 1))
    for (above, below), quantity in zip(plots.T, QUANTITIES, strict=True):
        axis, points = _axis(cosmo, quantity), np.sort(random_points(cosmo, quantity))
        shift = 1.0 if axis.spacing == "log1p" else 0.0
        above.loglog(points + shift, getattr(cosmo, quantity.method)(points))
        above.set_title(f"{quantity.label} ({quantity.unit})" if quantity.unit else quantity.label)
        below.loglog(points + shift, np.maximum(_errors(cosmo, quantity, points), 1e-17), ".", markersize=3)
        below.axhline(axis.rtol, color="C1", linewidth=1.0)
        below.set_ylim(3e-18, 10.0 * axis.rtol)
        below.set_xlabel("1 + z" if shift else "R (Mpc/h)")
    plots[1, 0].set_ylabel("error and tolerance")
    figure.savefig(file, dpi=110)
