"""Measure stored beside its peers, and write a report: ``python -m benchmarks [--quick] [--check] [--output FOLDER]``.

Each library runs in a process of its own; they take turns, in an order that a seed decides. The results are medians of
ratios within one round, which can be compared between machines.
"""

from __future__ import annotations

import argparse
import operator
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from benchmarks import engine, kinds_of_numbers, peers, scale, startup, users
from benchmarks.kinds import Kind, kinds
from benchmarks.profiles import Rows, profiles
from benchmarks.report import BAR_HEADING, Bar, Section, table, write
from benchmarks.rows import Measured, Row, measured
from benchmarks.scale import Growth, fill_path
from benchmarks.tables import tables
from benchmarks.timing import Times, alone, timed

OURS, USERS, LRU = "stored", "stored, with a StorageUser in the process", "functools.lru_cache"
LRU_HIT = (peers.HIT, LRU)


class Run:
    """All measurements, long or quick.

    Parameters
    ----------
    place : Path
        A folder to work in.
    quick : bool
        Only see that all of it runs.
    """

    def __init__(self, place: Path, quick: bool) -> None:
        self.quick = quick
        rounds = 3 if quick else 31
        _say("loads, misses, chains and switches")  # first, while nothing has been deleted
        self.engine = _rows(engine.ROWS, place / "engine", quick, but="import")
        _say("every kind of number")
        self.numbers = _rows(kinds_of_numbers.ROWS, place / "numbers", quick)
        self.users = _rows(users.ROWS, place / "users", quick)
        _say("the common paths")
        self.paths = timed(peers.PEERS, place / "paths", rounds, 0.001 if quick else 0.02)
        _say("many small objects")
        self.fills = timed(scale.FILLERS, place / "fills", *((1, 0.0, _is_short) if quick else (5,)))
        _say("arrays")
        sizes = [2**20, 2**22] if quick else [2**20, 2**24, 2**27, 2**30]
        self.arrays, self.loads = scale.array_growth(place / "arrays", sizes, 3 if quick else 9)
        _say("growth")
        self.growths = scale.growths(place / "growths", not quick)
        _say("profiles")
        self.profiles = alone(profiles, place / "profiles", quick)
        _say("kinds of values")
        self.kinds = alone(kinds, place / "kinds", quick)
        _say("start-up")
        self.imports = startup.import_seconds(3 if quick else 31)
        self.heaviest = startup.heaviest_imports(2 if quick else 9, 12)
        _say("the suite of Colossus")
        self.suite = list(_suite(place, quick))
        _say("tables")
        self.tables = alone(tables, place / "tables", quick)

    def bars(self) -> list[Bar]:
        """All bars, with what was measured for them."""
        rows = [engine.ROWS[name].bar(found) for name, found in self.engine.items()]
        rows += [kinds_of_numbers.ROWS[name].bar(found) for name, found in self.numbers.items()]
        return [*self._hits(), *rows, *self._loads(), *self._whole_processes()]

    def _hits(self) -> Iterator[Bar]:
        ratios = self.paths.ratios
        for path, limit, aim in ((peers.HIT, 5.0, 3.5), (peers.KEYWORD, 7.0, None), (peers.THREE, 7.0, None)):
            yield Bar(path, "hits of lru_cache", ratios(operator.truediv, (path, OURS), LRU_HIT), limit, aim)
        yield Bar(
            peers.JOINED, "hits without them", ratios(operator.truediv, (peers.JOINED, OURS), (peers.HIT, OURS)), 1.2
        )
        constant = ratios(_beyond, (peers.CONSTANT, OURS), (peers.CONSTANT_STRING, OURS), LRU_HIT)
        yield Bar(f"{peers.CONSTANT}, beyond it", "hits of lru_cache", constant, 6.0)
        string = (peers.STRING, "Colossus")
        found = ratios(
            lambda ours, theirs, alone: (ours - alone) / (theirs - alone),
            (peers.OBJECT, USERS),
            (peers.OBJECT, "Colossus"),
            string,
        )
        yield Bar(f"{peers.OBJECT}, beyond the string", "those of Colossus", found, 0.4)

    def _loads(self) -> Iterator[Bar]:
        most, half = (fill_path(number, "arrays") for number in (scale.FILLS[-1], scale.FILLS[-2]))
        filled = self.fills.ratios(operator.truediv, (most, OURS), (most, "Colossus"))
        yield Bar(most, "Colossus", filled, 0.1)
        doubled = self.fills.ratios(operator.truediv, (most, OURS), (half, OURS))
        yield Bar(most, "half as many; 2 is linear", doubled, 2.4)
        size = f"{self.loads.size / 2**30:.3g} GiB"
        mapped = [ours / theirs for ours, theirs in self.loads.pairs]
        yield Bar(f"load of {size}", "np.load(mmap_mode='r') and one xxh3", mapped, 1.2)
        yield Bar(f"memory allocated to load {size}", "its size", [self.loads.allocated / self.loads.size], 0.01)

    def _whole_processes(self) -> Iterator[Bar]:
        yield Bar("import stored", startup.DEPENDENCIES, [ours / theirs for ours, theirs in self.imports], 1.15)
        # only storage differs between the two, and its own time scatters less than that of whole runs
        suite = [1.0 + (ours.in_storage - theirs.in_storage) / theirs.whole for ours, theirs in self.suite]
        yield Bar("the suite of Colossus, warm", "its own storage", suite, 1.0)

    def sections(self, bars: list[Bar]) -> list[Section]:
        """The report."""
        return [
            Section("Bars", [table(BAR_HEADING, [bar.row() for bar in bars]), *self._notes()]),
            Section("What users live with", [_USERS, _users(self.users)]),
            Section("Side by side", [_DISK, _side_by_side(self.paths), _side_by_side(self.fills)]),
            Section("Beyond reach", [*_beyond_reach(bars), self._strings(), *self._floats()]),
            Section(
                "Where the time goes", [*map(_profile, *zip(*self.profiles.items(), strict=True)), self._imports()]
            ),
            Section("Kinds of values", [_KINDS, _kinds(self.kinds)]),
            Section("Growth", [_growth(each) for each in (*self.growths, self.arrays)]),
            Section("Tables", self.tables),
        ]

    def _notes(self) -> Iterator[str]:
        if self.quick:
            yield "This was a quick run, which shows that all of it runs, and no more."
        missing = {**self.paths.missing, **self.fills.missing}
        for name, why in missing.items():
            yield f"Without {name}, which cannot be imported here ({why})."
        users = self.paths.median(peers.HIT, USERS) / self.paths.median(*LRU_HIT)
        yield (
            "In a process in which any StorageUser has been made, a hit of a method looks whether its owner holds one"
            f" by now, and takes {users:.2g} hits of lru_cache."
        )
        if self.suite:
            yield self._suite_note()

    def _suite_note(self) -> str:
        ours, theirs = (statistics.median([runs[which].in_storage for runs in self.suite]) for which in (0, 1))
        whole = [runs[0].whole / runs[1].whole for runs in self.suite]
        low, high = min(whole), max(whole)
        return (
            f"Of the {statistics.median([runs[1].whole for runs in self.suite]):.3g} s of the suite of Colossus, its"
            f" storage takes {theirs:.3g} s, and ours {ours:.3g} s. Whole runs differ with the load of the machine,"
            f" {low:.3g} to {high:.3g} in the same rounds; so the bar is for a whole run of Colossus in which only the"
            " time of its storage is replaced by ours."
        )

    def _strings(self) -> str:
        lone = self.paths.ratios(_beyond, (peers.OWN, OURS), (peers.STRING, OURS), LRU_HIT)
        after = self.paths.ratios(operator.sub, (peers.OWN, LRU), LRU_HIT)
        between = self.paths.ratios(
            lambda ours, both, lru: (ours - (both - lru)) / lru, (peers.OWN, OURS), (peers.OWN, LRU), LRU_HIT
        )
        return (
            f"**{peers.OWN}, 6 hits of lru_cache beyond it**: a string with a formatted float takes"
            f" {self.paths.median(peers.STRING, OURS) * 1e9:.0f} ns in a loop of nothing else, and adds"
            f" {statistics.median(after) * 1e9:.0f} ns to a hit of lru_cache, since a processor predicts best what it"
            f" does alone. Beyond the one our hit takes {statistics.median(lone):.3g} of lru_cache's, beyond the other"
            f" {statistics.median(between):.3g}. The bar is held with a string that is a constant, where only our own"
            " time is left."
        )

    def _floats(self) -> Iterator[str]:
        path = fill_path(scale.FILLS[-1], "floats")
        ratios = self.fills.ratios(operator.truediv, (path, OURS), (path, "Colossus"))
        if ratios:
            yield (
                f"**{path}, a tenth of Colossus**: {statistics.median(ratios):.3g} here, where arrays meet it. Colossus"
                " writes all of an owner's objects anew with each, which takes little for floats and grows with their"
                " number; a file for each entry takes the same for the first and the last."
            )

    def _imports(self) -> str:
        rows = [(name, f"{seconds * 1e3:.2f}") for name, seconds in self.heaviest]
        return "**import stored**, after its dependencies\n\n" + table(("a module's own code", "milliseconds"), rows)


def _rows(rows: Mapping[str, Row], place: Path, quick: bool, but: str = "") -> dict[str, Measured]:
    return {name: measured(row, name, place, quick) for name, row in rows.items() if name != but}


def _beyond(ours: float, string: float, lru: float) -> float:
    """The time of a hit beyond that of the owner's string, in hits of lru_cache."""
    return (ours - string) / lru


def _is_short(path: str) -> bool:
    return path in {fill_path(scale.FILLS[0], what) for what in scale.SMALL}


def _say(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


def _suite(place: Path, quick: bool) -> Iterator[tuple[startup.SuiteRun, startup.SuiteRun]]:
    yield from startup.suite_runs(place / "suite", *((1, "test_utils.py") if quick else (7,)))


def _side_by_side(times: Times) -> str:
    rows = []
    for path, by in times.rounds.items():
        ours = OURS if OURS in by else USERS
        for name in sorted(by, key=lambda each: times.median(path, each)):
            ratio = "" if ours not in by else f"{times.median(path, ours) / times.median(path, name):.2g}"
            rows.append((path, name, f"{times.median(path, name) * 1e6:,.4g}", ratio))
    return table(("path", "library", "microseconds", "stored takes of that"), rows)


_USERS = (
    "There are no bars for these. Where the last column is above 1, the other side is faster: functools.lru_cache looks"
    " at neither parameters nor code, and is written in C."
)


def _users(found: Mapping[str, Measured]) -> str:
    rows = []
    for name, row in users.ROWS.items():
        if found[name].ours:
            ours, theirs = (f"{statistics.median(side) * 1e6:,.3g}" for side in found[name])
            rows.append((row.path, row.beside, ours, theirs, f"{found[name].ratio:.2g}"))
    return table(("what is done", "beside", "stored, μs", "the other, μs", "the ratio"), rows)


def _profile(title: str, rows: Rows) -> str:
    whole = rows[-1][1]
    parts = [(label, f"{seconds * 1e6:,.3g}", f"{seconds / whole:.0%}") for label, seconds in rows]
    return f"**{title}**\n\n" + table(("part", "microseconds", ""), parts)


_KINDS = (
    "Hits of a method that gives such a value, of one of an object that has it as its only parameter, and of one that"
    " is called with it. What can change is handed out as a copy, and read in full where it is a parameter or an"
    " argument."
)


def _kinds(rows: list[Kind]) -> str:
    shown = [(name, *(f"{each * 1e6:,.3g}" for each in seconds)) for name, *seconds in rows]
    return table(("kind", "as result, μs", "as parameter, μs", "as argument, μs"), shown)


def _growth(growth: Growth) -> str:
    heading = (growth.title, *(f"{size:,.0f}" for size in growth.sizes))
    times = [(f"{name}, μs", *(f"{each * 1e6:,.3g}" for each in values)) for name, values in growth.times.items()]
    space = [(f"{name}, bytes", *(f"{each:,.3g}" for each in values)) for name, values in growth.space.items()]
    return table(heading, times + space)


_DISK = (
    "diskcache and joblib have no memory of their own, so their hits read the disk; they and cachier remember"
    " functions, which are given the five parameters as arguments."
)

_WHY = {
    peers.HIT: (
        "Python itself takes most of a hit: an attribute that gives an object which knows its owner, and a call of that"
        " object, cost about three hits of lru_cache, which is written in C (the profile of a hit, below). The check"
        " that five parameters are the same objects, the look-up and the count are the rest."
    ),
}


def _beyond_reach(bars: list[Bar]) -> list[str]:
    beyond = [bar for bar in bars if bar.aim is not None and bar.ratios and bar.median > bar.aim]
    return [f"**{bar.path}, {bar.aim:.3g} {bar.beside}**: {bar.median:.3g} here. {_WHY[bar.path]}" for bar in beyond]


def main() -> int:
    """Measure, write the report, and say which bars are missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="see that all of it runs: under a minute, no figures to trust"
    )
    parser.add_argument("--check", action="store_true", help="exit with an error if a bar is missed")
    parser.add_argument("--output", type=Path, default=Path("benchmark-report"), help="the folder of the report")
    options = parser.parse_args()
    if find_spec("matplotlib") is None:
        parser.error("plots need matplotlib: pip install '.[bench]'")
    try:
        with tempfile.TemporaryDirectory() as place:
            run = Run(Path(place), options.quick)
    except KeyboardInterrupt:
        print("interrupted; no report was written", file=sys.stderr)
        return 130
    bars = run.bars()
    report = write(options.output, run.sections(bars), bars, [*run.growths, run.arrays])
    print(table(BAR_HEADING, [bar.row() for bar in bars]))
    print(f"\nthe report is {report}")
    return 1 if options.check and not all(bar.is_met for bar in bars) else 0


if __name__ == "__main__":
    sys.exit(main())
