"""For the tests of programs that use `stored`: an empty cache for a test, and stored results that are verified.

pytest loads this plugin where both are installed; ``-p no:stored`` leaves it out.

- The fixture `stored_cache` gives a test a cache of its own: nothing is stored at first, and what the test stores is
  gone after it. With ``@pytest.mark.stored_cache(persistence="")`` nothing is written to disk.
- ``--stored-verify`` computes every stored result that the tests get anew, and compares; a share such as
  ``--stored-verify=0.1`` does so with that share of them. A result that is stale fails its test.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

__all__ = ["stored_cache"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option ``--stored-verify``."""
    parser.getgroup("stored").addoption(
        "--stored-verify",
        nargs="?",
        const=1.0,
        type=_share,
        metavar="SHARE",
        help="compute this share of the stored results that tests get anew, by default all, and compare them: a stale"
        " one fails its test",
    )


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"the share is {text!r}, which is no number; say --stored-verify=0.1, and give paths before the option"
        ) from None


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and set what the option says."""
    config.addinivalue_line(
        "markers",
        "stored_cache(persistence='rw'): what the fixture stored_cache uses its directory for: 'rw', 'r', 'w', or '' to"
        " keep results in memory only",
    )
    share = config.getoption("--stored-verify")
    if share is None:
        return
    from stored import ConfigurationError, configure
    from stored._methods import take_stale_results

    try:
        configure(verify=share)
    except ConfigurationError as error:
        raise pytest.UsageError(f"--stored-verify: {error}") from None
    take_stale_results()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test, or what is set up for it, that has got a stale result, whatever became of the warning."""
    report = yield
    if item.config.getoption("--stored-verify") is None:
        return report
    from stored._methods import take_stale_results

    found = take_stale_results()
    if found and report.outcome != "failed":
        report.outcome, report.longrepr = "failed", "\n".join([f"StaleResultWarning: {each}" for each in found])
    return report


@pytest.fixture
def stored_cache(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """An empty cache for one test: its directory, which does not exist before something is stored.

    In memory nothing is stored either, and nothing of the test stays. The key that signs pickles is its own, too.
    ``@pytest.mark.stored_cache(persistence="")`` keeps results in memory only.

    Yields
    ------
    Path
        The directory.
    """
    from stored import configure
    from stored._engine import empty_memory

    persistence = _persistence(request.node.get_closest_marker("stored_cache"))
    empty_memory()
    with configure(
        cache_dir=tmp_path / "stored-cache",
        key_file=tmp_path / "stored-key" / "key",
        persistence=persistence,
        disable=False,
        store=None,
    ) as settings:
        yield settings.cache_dir
    empty_memory()


def _persistence(marker: pytest.Mark | None) -> str:
    """What the marker asks for."""
    if marker is None:
        return "rw"
    given = marker.kwargs.get("persistence")
    if marker.args or list(marker.kwargs) != ["persistence"] or given not in {"rw", "r", "w", ""}:
        texts = [*map(repr, marker.args), *[f"{name}={value!r}" for name, value in marker.kwargs.items()]]
        pytest.fail(
            f"the marker is stored_cache({', '.join(texts)}); it takes persistence='rw', 'r', 'w' or ''", pytrace=False
        )
    return str(given)
