"""Interpolation tables beside those of baobzi, chebpy, Colossus and scipy: evaluations, errors and times.

Only to be timed before the process has a `stored.StorageUser`: each call then checks that its owner holds none.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, InterpolatedUnivariateSpline

import stored
from benchmarks.timing import median_seconds
from stored._tables.axis import Axis
from stored._tables.load_table import make_interpolant
from stored._tables.make_table import tabulate
from stored.demo import FlatLambdaCDM
from stored.demo import _physics as physics

__all__ = ["tables"]

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]

POINTS = 10**6
"""The length of the arrays that are timed."""
BAOBZI_ORDER = 12
SPLINE_NODES_MOST = 2**16
LEAST_TOLERANCE = 1e-15
"""Peers are asked for no less."""


def tables(place: Path, quick: bool) -> list[str]:
    """The report on tables, as paragraphs of Markdown."""
    with stored.configure(cache_dir=place / "cache", key_file=place / "key"):
        return list(_tables(place, quick))


def _tables(place: Path, quick: bool) -> Iterator[str]:
    missing = [name for name in ("baobzi", "chebpy", "colossus") if _peer(name) is None]
    if missing:
        yield f"Without {' and '.join(missing)}, which cannot be imported here: no rows for what is missing."
    yield _evaluations([case for case in _cases() if not (quick and case.is_slow)])
    yield _scalar_calls(place, 4 if quick else 40)
    yield _array_calls(*(2, POINTS // 100) if quick else (10, POINTS))


def _peer(name: str) -> Any:
    """A module to compare with; None if it, or a library that it loads, is not there."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):
        return None


def _markdown(heading: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, ("---",) * len(heading), *rows))


# --------------------------------------------------------------------------------------------------------------------
# Functions, and what they are interpolated by
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A function to be interpolated.

    Parameters
    ----------
    name : str
        What the tables call it.
    function : callable
        From one float to another.
    axis : Axis
        The range, the coordinate and the tolerance.
    samples : int
        The true error is measured at so many random points.
    most : int
        An interpolation is given up after so many evaluations.
    is_slow : bool
        Is it too slow for a quick report?
    """

    name: str
    function: Callable[[float], float]
    axis: Axis
    samples: int = 2000
    most: int = 20_000
    is_slow: bool = False

    def of_coordinate(self, t: float) -> float:
        """The function of the axis's coordinate."""
        return self.function(float(self.axis.backward(np.array(t))))

    def choices(self) -> Iterator[tuple[str, Callable[[float], float], tuple[float, float]]]:
        """What a peer without coordinates can interpolate: names, functions and their limits."""
        if self.axis.spacing != "linear":
            yield f"in {self.axis.spacing}", self.of_coordinate, self.axis.coordinate_limits()
        yield "in the argument", self.function, (self.axis.low, self.axis.high)


def _cases() -> list[Case]:
    model = FlatLambdaCDM()
    matter, radiation, h = model.Om0, model.Or0, model.H0 / 100.0
    return [
        Case(
            "age(z)",
            lambda z: physics.age(z, model.H0, matter, radiation),
            Axis("x", -0.995, 499.0, spacing="log1p", values="log", rtol=1e-9),
        ),
        Case(
            "sigma(R)",
            lambda R: physics.sigma_unnormalised(R, model.ns, h, matter, model.Ob0, model.Tcmb0),
            Axis("x", 0.01, 200.0, spacing="log", values="log", rtol=1e-7),
            samples=500,
            most=3000,
            is_slow=True,
        ),
        Case(
            "growth(z)",
            lambda z: physics.growth_factor(z, matter, 0.0),
            Axis("x", -0.995, 200.0, spacing="log1p", values="log", rtol=1e-9),
        ),
        Case("1/(1 + 25 x^2)", lambda x: 1.0 / (1.0 + 25.0 * x * x), Axis("x", -1.0, 1.0, rtol=1e-9)),
    ]


class GivenUpError(Exception):
    """An interpolation takes more evaluations than are allowed."""


class Counted:
    """A function of one float that counts its calls, up to a limit."""

    def __init__(self, function: Callable[[float], float], most: int) -> None:
        self._function = function
        self._most = most
        self.count = 0

    def __call__(self, x: float) -> float:
        """The function's value."""
        if self.count >= self._most:
            raise GivenUpError
        self.count += 1
        return self._function(x)


def _ours(case: Case, values: Any, counted: Counted) -> Any:
    """Our interpolant of a case."""
    axis = replace(case.axis, values=values, vectorized=False)
    return make_interpolant((axis,), tabulate(counted, (axis,), case.name), case.name)


def _baobzi(function: Counted, limits: tuple[float, float], rtol: float, split: int = 1) -> Any:
    """Baobzi's interpolant; `split` chooses between its two ways of evaluating an array."""
    given_up = False

    def value(x: Any) -> float:
        nonlocal given_up
        try:
            return function(x[0])
        except GivenUpError:  # no exception may pass through the C code that calls; a constant ends the fit
            given_up = True
            return 1.0

    low, high = limits
    center, half = np.array([(low + high) / 2.0]), np.array([(high - low) / 2.0])
    made = _peer("baobzi").Baobzi(value, 1, BAOBZI_ORDER, center, half, rtol, split_multi_eval=split)
    if given_up:
        raise GivenUpError
    return made


def _chebpy(function: Counted, limits: tuple[float, float], rtol: float) -> Any:
    """An adaptive chebfun; its tolerance is relative to the largest value."""
    chebpy = _peer("chebpy")
    with warnings.catch_warnings(), chebpy.UserPreferences() as preferences:
        warnings.simplefilter("ignore")
        preferences.eps = rtol
        return chebpy.chebfun(lambda x: np.array([function(each) for each in np.atleast_1d(x).tolist()]), limits)


# --------------------------------------------------------------------------------------------------------------------
# Evaluations and errors
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """Random points, uniform in an axis's coordinate, and a function's values there."""

    t: Floats
    x: Floats
    values: Floats

    @classmethod
    def of(cls, case: Case) -> Truth:
        """The points and values of a case."""
        t = np.random.default_rng(0).uniform(*case.axis.coordinate_limits(), case.samples)
        x = case.axis.backward(t)
        return cls(t, x, np.array([case.function(each) for each in x.tolist()]))

    def error(self, curve: Curve, points: Floats) -> float:
        """The largest relative error of a curve there."""
        return float(np.max(np.abs(curve(points) / self.values - 1.0)))


def _evaluations(cases: list[Case]) -> str:
    """A table of how many evaluations each interpolation takes, and of its error."""
    rows = [row for case in cases for row in _evaluations_of(case)]
    return _markdown(("function", "asked", "interpolated by", "evaluations", "true error"), rows)


def _evaluations_of(case: Case) -> Iterator[tuple[str, ...]]:
    truth = Truth.of(case)
    for values in dict.fromkeys((case.axis.values, "linear")):
        counted = Counted(case.function, case.most)
        made = _ours(case, values, counted)
        by = f"stored, {case.axis.spacing} spacing" + (", log values" if values == "log" else "")
        yield _evaluations_row(case, by, counted.count, truth.error(made, truth.x))
    for name, label, make in (
        ("baobzi", f"baobzi, order {BAOBZI_ORDER}", _baobzi),
        ("chebpy", "chebpy", _chebpy),
    ):
        if _peer(name) is not None:
            for where, function, limits in case.choices():
                yield from _peer_evaluations(case, truth, f"{label}, {where}", function, limits, make)


def _peer_evaluations(
    case: Case,
    truth: Truth,
    by: str,
    function: Callable[[float], float],
    limits: tuple[float, float],
    make: Callable[[Counted, tuple[float, float], float], Any],
) -> Iterator[tuple[str, ...]]:
    """A peer asked for the tolerance and, if that is not met, for a tenth of it until it is."""
    points = truth.x if function is case.function else truth.t
    tolerance = case.axis.rtol
    while True:
        counted = Counted(function, case.most)
        try:
            error = truth.error(make(counted, limits, tolerance), points)
        except GivenUpError:
            error = None
        met = error is None or error <= case.axis.rtol
        if met or tolerance in {case.axis.rtol, LEAST_TOLERANCE}:
            label = by if tolerance == case.axis.rtol else f"{by}, asked for {tolerance:.0e}"
            yield _evaluations_row(case, label, counted.count, error)
        if met or tolerance == LEAST_TOLERANCE:
            return
        tolerance = max(tolerance / 10.0, LEAST_TOLERANCE)


def _evaluations_row(case: Case, by: str, count: int, error: float | None) -> tuple[str, ...]:
    asked = f"{case.axis.rtol:.0e}"
    if error is None:
        return case.name, asked, by, f"more than {count}", "given up"
    return case.name, asked, by, str(count), f"{error:.1e}" + (" (missed)" if error > case.axis.rtol else "")


# --------------------------------------------------------------------------------------------------------------------
# Times
# --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contender:
    """What is timed: a label, an action, and the largest ratio that our time may have to its time."""

    label: str
    action: Callable[[], object]
    bar: str = ""


def _timed(ours: Contender, peers: list[Contender], rounds: int, repeats: int, points: int) -> list[tuple[str, ...]]:
    """Rows of a label, nanoseconds for each point, the ratio of our time to this one, and its bar."""
    actions = {each.label: each.action for each in (ours, *peers)}
    for action in actions.values():
        action()
    seconds = median_seconds(actions, rounds, repeats)
    rows: list[tuple[str, ...]] = [(ours.label, f"{seconds[ours.label] / points * 1e9:.4g}", "", "")]
    for each in peers:
        ratio = seconds[ours.label] / seconds[each.label]
        rows.append((each.label, f"{seconds[each.label] / points * 1e9:.4g}", f"{ratio:.3f}", each.bar))
    return rows


def _scalar_calls(place: Path, rounds: int) -> str:
    """One call of the demo's age(1.0), decorated, beside its peers."""
    model = FlatLambdaCDM()
    bare: Any = model.age.interpolant()
    peers = []
    if _peer("colossus") is not None:
        _peer("colossus.settings").BASE_DIR = str(place)
        theirs = _peer("colossus.cosmology.cosmology").setCosmology("planck18")
        peers.append(Contender("Colossus, age(1.0)", lambda: theirs.age(1.0), "1/15 = 0.067"))
    if _peer("baobzi") is not None:
        case = Case("age", model.age.exact, replace(bare.axes[0], rtol=1e-9))
        made = _baobzi(Counted(case.of_coordinate, case.most), case.axis.coordinate_limits(), case.axis.rtol)
        at = case.axis.forward(np.array([1.0]))
        peers.append(Contender(f"baobzi, order {BAOBZI_ORDER}, at a log1p that is given", lambda: made(at), "1"))
    peers.append(Contender("stored, the bare interpolant", lambda: bare(1.0)))
    ours = Contender("stored, the decorated age(1.0)", lambda: model.age(1.0))
    rows = _timed(ours, peers, rounds, 1000, 1)
    return _markdown(("one call", "nanoseconds", "the first row's ratio to it", "bar"), rows)


def _array_calls(rounds: int, points: int) -> str:
    """The age at many points in random order."""
    case = _cases()[0]
    truth = Truth.of(case)
    t = np.random.default_rng(1).uniform(*case.axis.coordinate_limits(), points)
    z = case.axis.backward(t)
    made = _ours(case, "log", Counted(case.function, case.most))
    plain = _ours(case, "linear", Counted(case.function, case.most))
    error = truth.error(made, truth.x)
    given, included = _array_peers(case, truth, error)
    ours = Contender(f"stored, log1p and exp included, error {error:.1e}", lambda: made(z))
    peers = [Contender(f"{label}, log1p given", functools.partial(f, t), bar) for label, f, bar in given]
    peers += [Contender(f"{label}, log1p included", functools.partial(_through_log1p, f, z)) for label, f in included]
    label = f"stored with linear values, log1p included, error {truth.error(plain, truth.x):.1e}"
    peers.append(Contender(label, lambda: plain(z)))
    rows = _timed(ours, peers, rounds, 1, points)
    heading = f"age(z) at {points:,} points in random order"
    return _markdown((heading, "nanoseconds a point", "the first row's ratio to it", "bar"), rows)


def _through_log1p(curve: Curve, z: Floats) -> Floats:
    return curve(np.log1p(z))


def _array_peers(
    case: Case, truth: Truth, error: float
) -> tuple[list[tuple[str, Curve, str]], list[tuple[str, Curve]]]:
    """Curves of the coordinate, with their bars for a given coordinate, and without for one that must be computed."""
    nodes, spline = _spline_as_accurate(case, truth, error)
    label = f"scipy InterpolatedUnivariateSpline, {nodes} nodes, error {truth.error(spline, truth.t):.1e}"
    given: list[tuple[str, Curve, str]] = [(label, spline, "1/8 = 0.125")]
    t = np.linspace(*case.axis.coordinate_limits(), nodes)
    cubic = CubicSpline(t, spline(t))
    label = f"scipy CubicSpline, {nodes} nodes, error {truth.error(cubic, truth.t):.1e}"
    given.append((label, cubic, ""))
    if _peer("baobzi") is not None:
        limits, rtol = case.axis.coordinate_limits(), case.axis.rtol
        for split in (1, 0):
            made = _baobzi(Counted(case.of_coordinate, case.most), limits, rtol, split)
            label = f"baobzi, order {BAOBZI_ORDER}, split_multi_eval={split}, error {truth.error(made, truth.t):.1e}"
            given.append((label, made, "0.7"))
    return given, [(label, curve) for label, curve, _ in given]


def _spline_as_accurate(case: Case, truth: Truth, error: float) -> tuple[int, Any]:
    """Scipy's spline in the coordinate, with nodes doubled until its error is at most this one."""
    nodes = 64
    while True:
        t = np.linspace(*case.axis.coordinate_limits(), nodes)
        spline = InterpolatedUnivariateSpline(t, [case.of_coordinate(each) for each in t.tolist()])
        if nodes >= SPLINE_NODES_MOST or truth.error(spline, truth.t) <= error:
            return nodes, spline
        nodes *= 2
