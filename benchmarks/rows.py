"""What is a row of a comparison: two sides, timed in turns within one run, the ratio of their medians, and its bar?"""

from __future__ import annotations

import argparse
import functools
import statistics
import tempfile
import timeit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import stored
from benchmarks.report import Bar
from benchmarks.timing import alone

__all__ = ["COUNTED", "Measured", "Row", "Sides", "Step", "in_turns", "main", "measured", "row_of"]

Step = Callable[[], object]

COUNTED = [1.0]
"""The other side of what is a number already."""


class Measured(NamedTuple):
    """Seconds of both sides, one for each round; or a number, and `COUNTED`."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratio(self) -> float:
        """The ratio of the medians."""
        return statistics.median(self.ours) / statistics.median(self.theirs)


@dataclass(frozen=True)
class Row:
    """One ratio and its bar.

    Parameters
    ----------
    path, beside : str
        What is timed, and what it is divided by.
    limit : float or None
        The largest ratio that meets the bar; None if there is no bar.
    measure : callable
        Measures both sides, given a new folder to work in, the folder of the run, and whether to be quick.
    """

    path: str
    beside: str
    limit: float | None
    measure: Callable[[Path, Path, bool], Measured]

    def bar(self, found: Measured) -> Bar:
        """The bar with the ratio of each round; an error if there is none."""
        if self.limit is None:
            raise ValueError(f"{self.path} has no bar")
        ratios = [ours / theirs for ours, theirs in zip(found.ours, found.theirs, strict=True)]
        return Bar(self.path, self.beside, ratios, self.limit)


def in_turns(ours: Step, theirs: Step, calls: int, quick: bool) -> Measured:
    """Seconds of one call of each, in rounds of so many calls, after a round of each that is not timed."""
    found: dict[Step, list[float]] = {ours: [], theirs: []}
    for turn in range(4 if quick else 42):
        for step in (ours, theirs) if turn % 2 else (theirs, ours):
            found[step].append(timeit.timeit(step, number=calls) / calls)
    return Measured(found[ours][1:], found[theirs][1:])


class Sides(NamedTuple):
    """Both sides of a row, and how often each is done in one round."""

    ours: Step
    theirs: Step
    calls: int


def row_of(path: str, beside: str, limit: float | None, sides: Callable[[Path], Sides]) -> Row:
    """A row of two sides, which are made in the process that times them, given a new folder to work in."""
    return Row(path, beside, limit, functools.partial(_time_sides, sides))


def _time_sides(sides: Callable[[Path], Sides], place: Path, run: Path, quick: bool) -> Measured:
    stored.configure(cache_dir=place / "stored", key_file=place / "key")
    ours, theirs, calls = sides(place)
    return in_turns(ours, theirs, max(calls // (20 if quick else 1), 1), quick)


def measured(row: Row, name: str, run: Path, quick: bool) -> Measured:
    """Both sides of a row, in a process of its own; none if a library is missing."""
    run.mkdir(parents=True, exist_ok=True)
    try:
        found: Measured = alone(row.measure, Path(tempfile.mkdtemp(prefix=f"{name}-", dir=run)), run, quick)
    except ImportError:
        return Measured([], [])
    return found


def _line(name: str, row: Row, found: Measured) -> str:
    what = f"{name:15s} {row.path} / {row.beside}".ljust(80)
    if not found.ours:
        return f"NONE  {what} not measured: a library is missing"
    verdict = "     " if row.limit is None else "ok   " if _is_met(row, found) else "WRONG"
    bar = "" if row.limit is None else f"bar {row.limit:<5g}"
    line = f"{verdict} {what} {found.ratio:9.3g}   {bar}"
    if found.theirs == COUNTED:
        return line.rstrip()
    ours, theirs = (f"{statistics.median(side) * 1e6:,.3g}" for side in found)
    return f"{line} {ours} to {theirs} microseconds"


def _is_met(row: Row, found: Measured) -> bool:
    return row.limit is None or (bool(found.ours) and found.ratio <= row.limit)


def main(module: str, what: str, rows: Mapping[str, Row]) -> int:
    """Measure rows, and print them; whether one is beyond its bar decides the exit status.

    Parameters
    ----------
    module, what : str
        The name of the module that has the rows, and what it measures.
    rows : mapping of str to Row
        The rows, by the names that the command takes.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=what)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(rows)}; all by default")
    parser.add_argument("--quick", action="store_true", help="see that all of it runs; no figures to trust")
    parser.add_argument("--place", type=Path, help="the folder to work in, which is kept and can be used again")
    options = parser.parse_args()
    unknown = [name for name in options.rows if name not in rows]
    if unknown:
        parser.error(f"there is no row {unknown[0]!r}; there are {', '.join(rows)}")
    run = (options.place or Path(tempfile.mkdtemp(prefix="stored-rows-"))).absolute()
    are_met = []
    for name in options.rows or rows:
        found = measured(rows[name], name, run, options.quick)
        print(_line(name, rows[name], found), flush=True)
        are_met.append(_is_met(rows[name], found))
    print(f"left in {run}; remove it when nothing more is to be timed, since creating files is slow for minutes then")
    return 0 if all(are_met) else 1
