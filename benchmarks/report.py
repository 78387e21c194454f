"""How is the report written? What was measured is compared with the bars, in Markdown and as plots."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.scale import Growth

__all__ = ["Bar", "Section", "markdown", "plot_bars", "plot_growths", "table", "write"]

OURS, THEIRS, MISSED = "#2a6f97", "#b08968", "#c1121f"


@dataclass(frozen=True)
class Bar:
    """A measured ratio, one for each round, and the limit of its median.

    Parameters
    ----------
    path : str
        What was timed.
    beside : str
        What the time is divided by.
    ratios : sequence of float
        One for each round; none if a library is missing.
    limit : float
        The largest median that meets the bar.
    aim : float, optional
        A smaller limit that is aimed at.
    """

    path: str
    beside: str
    ratios: Sequence[float]
    limit: float
    aim: float | None = None

    @property
    def median(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Half of the rounds lie between these."""
        if len(self.ratios) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return low, high

    @property
    def is_met(self) -> bool:
        """Is the bar met, by the digits that are shown?"""
        return bool(self.ratios) and float(f"{self.median:.3g}") <= self.limit

    def row(self) -> tuple[str, ...]:
        """The bar as a row of a table."""
        limit = f"{self.limit:.3g}" + ("" if self.aim is None else f" (aim {self.aim:.3g})")
        if not self.ratios:
            return self.path, self.beside, "", "", limit, "NOT MEASURED"
        low, high = self.quartiles
        verdict = "met" if self.is_met else "MISSED"
        return self.path, self.beside, f"{self.median:.3g}", f"{low:.3g} to {high:.3g}", limit, verdict


BAR_HEADING = ("path", "the bar counts it in", "median", "half of the rounds", "at most", "")


@dataclass(frozen=True)
class Section:
    """A part of the report: its heading, and paragraphs of Markdown."""

    title: str
    paragraphs: Sequence[str]


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, ["---"] * len(heading), *rows))


def _versions(names: Iterable[str]) -> str:
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} missing")
    return ", ".join(found)


_LIBRARIES = ("stored", "numpy", "scipy", "wrapt", "cachetools", "methodtools", "diskcache", "joblib", "cachier")


def _where() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return (
        f"{python} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores;"
        f" {_versions((*_LIBRARIES, 'colossus', 'baobzi', 'chebfun'))}."
    )


def markdown(sections: Iterable[Section], plots: Sequence[str]) -> str:
    """The whole report."""
    parts = ["# Benchmarks", "What `python -m benchmarks` measured. " + _where()]
    parts += [f"![{name}]({name}.png)" for name in plots]
    for section in sections:
        parts += [f"## {section.title}", *section.paragraphs]
    return "\n\n".join(parts) + "\n"


def plot_bars(bars: Sequence[Bar], file: Path) -> None:
    """Each bar's rounds as a part of its limit, if that is not zero."""
    measured = [bar for bar in reversed(bars) if bar.ratios and bar.limit]
    with _figure(file, figsize=(9.0, 0.45 * len(measured) + 1.4)) as figure:
        axes = figure.subplots()
        for place, bar in enumerate(measured):
            _plot_bar(axes, place, bar)
        axes.axvline(1.0, color="black", linestyle="--", linewidth=1.0)
        axes.set_yticks(range(len(measured)), [f"{bar.path}\nin {bar.beside}" for bar in measured], fontsize=8)
        axes.set_xlim(0.0, max(1.3, *(bar.median / bar.limit * 1.2 for bar in measured)))
        axes.set_xlabel("part of what the bar allows; the thin line spans half of the rounds")


def _plot_bar(axes: Any, place: int, bar: Bar) -> None:
    part, (low, high) = bar.median / bar.limit, (each / bar.limit for each in bar.quartiles)
    axes.barh(place, part, color=OURS if bar.is_met else MISSED, height=0.6)
    axes.plot([low, high], [place, place], color="black", linewidth=1.0)
    axes.annotate(
        f"{bar.median:.3g} of {bar.limit:.3g}",
        (max(part, high), place),
        (5, 0),
        va="center",
        fontsize=8,
        textcoords="offset points",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )


def plot_growths(growths: Sequence[Growth], file: Path) -> None:
    """Time and memory for each one, as their number grows."""
    with _figure(file, figsize=(4.6 * len(growths), 7.6)) as figure:
        panels = figure.subplots(2, len(growths), squeeze=False)
        for column, growth in enumerate(growths):
            times = {name: [each * 1e6 for each in values] for name, values in growth.times.items()}
            _plot_growth(panels[0][column], growth, times, "microseconds for each")
            _plot_growth(panels[1][column], growth, growth.space, "bytes for each")


def _plot_growth(axes: Any, growth: Growth, series: Mapping[str, Sequence[float]], label: str) -> None:
    for number, (name, values) in enumerate(series.items()):
        ours, second = name.startswith("stored"), number % 2
        marker = ("os" if ours else "v^")[second]
        color = OURS if ours else THEIRS
        axes.plot(growth.sizes, values, label=name, color=color, marker=marker, linestyle=("-", "--")[second])
    axes.set_xscale("log")
    has_zeros = min(map(min, series.values())) <= 0
    axes.set_yscale("symlog" if has_zeros else "log")
    if has_zeros:
        axes.set_ylim(bottom=0.0)
    axes.set_xlabel(growth.title)
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)


@contextmanager
def _figure(file: Path, **options: Any) -> Iterator[Any]:
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained", **options)
    yield figure
    figure.savefig(file, dpi=110)


def write(folder: Path, sections: Sequence[Section], bars: Sequence[Bar], growths: Sequence[Growth]) -> Path:
    """Write the report and its plots; the path of the report."""
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "README.md"
    report.write_text(markdown(sections, ("bars", "growth")))
    plot_bars(bars, folder / "bars.png")
    plot_growths(growths, folder / "growth.png")
    return report
