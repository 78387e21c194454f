"""The tour: every quantity computed, remembered, read by another process, and followed through a change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stored._config import settings
from stored._engine import getCacheDir
from stored.demo._cosmology import FlatLambdaCDM

__all__ = ["run"]

_SAMPLES = 200
_CHANGED_H0 = 70.0


class Quantity(NamedTuple):
    """A method of the demo, and where to call it."""

    method: str
    label: str
    unit: str
    at: float
    low: float
    high: float


QUANTITIES = (
    Quantity("age", "age(z)", "Gyr", 1.0, -0.995, 200.0),
    Quantity("comoving_distance", "comoving_distance(z)", "Mpc/h", 1.0, 0.0, 200.0),
    Quantity("growth_factor", "growth_factor(z)", "", 1.0, -0.995, 200.0),
    Quantity("sigma", "sigma(R)", "", 8.0, 0.01, 200.0),
)
_STORED = (*(each.method for each in QUANTITIES), "sigma_of_shape")

_FRESH = "import sys; from stored.demo._tour import report_first_calls; report_first_calls(sys.argv[1:])"


def run(plot: Path | None = None) -> None:
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
    _print_change(cosmo)
    print(f"\nThe files are in {getCacheDir()}\n")
    if plot is not None:
        draw(FlatLambdaCDM(), plot)
        print(f"The plot is {plot}\n")


def _print_timings(cosmo: FlatLambdaCDM) -> None:
    _warm_up()
    rows = [[each.label, *_first_and_repeated(cosmo, each)] for each in QUANTITIES]
    fresh = first_calls_elsewhere([each.method for each in QUANTITIES])
    print("\nA flat LambdaCDM cosmology, each quantity at one point; the first call makes its table.\n")
    header = ["quantity", "value", "first call", "repeated", "fresh process", "error of table"]
    for row, each in zip(rows, QUANTITIES, strict=True):
        seconds, value = fresh[each.method]
        if value != getattr(cosmo, each.method)(each.at):
            raise RuntimeError(f"another process found {value!r} for {each.label}: this must not happen")
        row += [_duration(seconds), f"{_largest_error(cosmo, each):.0e}"]
    print(_table([header, *rows]))
    print(
        f"\nThe error is the largest relative one at {_SAMPLES} random points, against the method itself."
        "\nA fresh process reads the tables from disk; its time is that of the first call, imports done."
    )


def _first_and_repeated(cosmo: FlatLambdaCDM, quantity: Quantity) -> list[str]:
    method = getattr(cosmo, quantity.method)
    first, value = _timed(method, quantity.at)
    repeated = min(_timed(method, quantity.at)[0] for _ in range(20))
    return [f"{value:.6g} {quantity.unit}".rstrip(), _duration(first), _duration(repeated)]


def _timed(method: Callable[[float], float], at: float) -> tuple[float, float]:
    started = time.perf_counter()
    value = method(at)
    return time.perf_counter() - started, value


def _warm_up() -> None:
    """Import what tables need, so that timings are of calls alone."""
    import scipy.integrate
    import scipy.interpolate  # noqa: F401


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
    _warm_up()
    cosmo = FlatLambdaCDM()
    points = {each.method: each.at for each in QUANTITIES}
    print(json.dumps({name: _timed(getattr(cosmo, name), points[name]) for name in methods}))


def _largest_error(cosmo: FlatLambdaCDM, quantity: Quantity) -> float:
    points = _random_points(quantity)
    method = getattr(cosmo, quantity.method)
    exact = np.array([method.__wrapped__(point) for point in points.tolist()])
    return float(np.max(np.abs(method(points) / exact - 1.0)))


def _random_points(quantity: Quantity) -> Any:
    """Points spread over the axis evenly in the logarithm (of 1 + z, for a redshift)."""
    shift = 1.0 if quantity.low <= 0.0 else 0.0
    low, high = np.log([quantity.low + shift, quantity.high + shift])
    points = np.exp(np.random.default_rng(1).uniform(low, high, _SAMPLES)) - shift
    return np.clip(points, quantity.low, quantity.high)


def _print_change(cosmo: FlatLambdaCDM) -> None:
    before = {name: getattr(cosmo, name).cache_info().misses for name in _STORED}
    cosmo.H0 = _CHANGED_H0
    print(f"\nNow H0 is {_CHANGED_H0:g} km/s/Mpc instead of 67.66.\n")
    rows = [["quantity", "value", "what happened"]]
    for each in QUANTITIES:
        value = getattr(cosmo, each.method)(each.at)
        computed = getattr(cosmo, each.method).cache_info().misses > before[each.method]
        rows.append(
            [each.label, f"{value:.6g} {each.unit}".rstrip(), "table made anew" if computed else _why_kept(each.method)]
        )
    print(_table(rows))


def _why_kept(method: str) -> str:
    depends = getattr(FlatLambdaCDM, method).__stored_depends__ or ()
    return f"kept: it depends on {', '.join(depends)} only"


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def _table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def draw(cosmo: FlatLambdaCDM, file: Path) -> None:
    """Draw each quantity above, and the error of its table against the method below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.0 * len(QUANTITIES), 5.0), layout="constrained")
    axes = figure.subplots(2, len(QUANTITIES), sharex="col", height_ratios=(2, 1))
    for column, quantity, x, values, exact in _curves(cosmo):
        shift = 1.0 if quantity.low <= 0.0 else 0.0
        axes[0, column].loglog(x + shift, values)
        axes[0, column].set_title(f"{quantity.label} ({quantity.unit})" if quantity.unit else quantity.label)
        error = np.abs(values / exact - 1.0)
        axes[1, column].loglog(x + shift, np.maximum(error, 1e-17), ".", markersize=3)
        axes[1, column].set_xlabel("1 + z" if shift else "R (Mpc/h)")
    axes[1, 0].set_ylabel("relative error of the table")
    figure.savefig(file, dpi=110)


def _curves(cosmo: FlatLambdaCDM) -> Iterator[tuple[int, Quantity, Any, Any, Any]]:
    for column, quantity in enumerate(QUANTITIES):
        x = np.sort(_random_points(quantity))
        x = x[x != 0.0]
        method = getattr(cosmo, quantity.method)
        yield column, quantity, x, method(x), np.array([method.__wrapped__(point) for point in x.tolist()])
