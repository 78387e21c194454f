"""The demo's model and its tour."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from stored import configure
from stored.cli import main
from stored.demo import FlatLambdaCDM, _tour
from stored.demo import _physics as physics


class FirstTour(NamedTuple):
    """What a tour printed, the cache directory, and how many entries it left there."""

    printed: str
    cache_dir: Path
    entries: int


@pytest.fixture(scope="module")
def first_tour(tmp_path_factory: pytest.TempPathFactory) -> FirstTour:
    """A tour of a directory that was empty."""
    place = tmp_path_factory.mktemp("tour")
    cache_dir, key_file = place / "cache", place / "config" / "key"
    with configure(cache_dir=cache_dir, key_file=key_file), contextlib.redirect_stdout(io.StringIO()) as printed:
        main(["demo"])
    return FirstTour(printed.getvalue(), cache_dir, len(list(cache_dir.rglob("*.stored"))))


def test_the_tour_tells_what_happened(first_tour: FirstTour) -> None:
    """All quantities are timed, compared with another process, and the growth factor alone survives a change of H0."""
    printed = first_tour.printed
    for quantity in ("age(z)", "comoving_distance(z)", "growth_factor(z)", "sigma(R)"):
        assert printed.count(quantity) == 2
    assert printed.count("table made anew") == 3
    assert "kept: it depends on Om0 only" in printed
    assert f"The files are in {first_tour.cache_dir}" in printed
    assert max(map(len, printed.replace(str(first_tour.cache_dir), "").splitlines())) <= 110
    assert first_tour.entries == 9  # four tables and a number, all but one for each H0


def test_a_second_tour_starts_afresh(first_tour: FirstTour, capsys: pytest.CaptureFixture[str]) -> None:
    """The tour clears its own results first, so that a first call is one."""
    assert first_tour.printed.count("table made anew") == 3
    with configure(cache_dir=first_tour.cache_dir):
        main(["demo"])
    assert capsys.readouterr().out.count("table made anew") == 3


def test_the_tour_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With matplotlib a plot is written where it was asked for."""
    pytest.importorskip("matplotlib")
    main(["demo", "--plot", str(tmp_path / "demo.png")])
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert "The plot is" in capsys.readouterr().out


@pytest.mark.parametrize("quantity", _tour.QUANTITIES, ids=lambda each: each.method)
def test_tables_draw_themselves(quantity: _tour.Quantity, tmp_path: Path) -> None:
    """Every table of the demo can be looked at."""
    pytest.importorskip("matplotlib")
    table = getattr(FlatLambdaCDM(), quantity.method).interpolant()
    figure = table.plot()
    figure.savefig(tmp_path / "table.png")
    for plot in figure.axes:
        assert np.isfinite(table.axes[0].forward(plot.get_xlim())).all(), "a picture without limits is blank"
    assert (tmp_path / "table.png").read_bytes().startswith(b"\x89PNG")


def test_another_value_elsewhere_stops_the_tour(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a fresh process found another number the demo would say so rather than print it."""
    wrong = {quantity.method: (0.0, -1.0) for quantity in _tour.QUANTITIES}
    monkeypatch.setattr(_tour, "first_calls_elsewhere", lambda methods: wrong)
    with pytest.raises(RuntimeError, match="this must not happen"):
        main(["demo"])


@pytest.mark.parametrize("quantity", _tour.QUANTITIES, ids=lambda each: each.method)
def test_tables_follow_the_methods(quantity: _tour.Quantity) -> None:
    """Every table is within twice its own tolerance of the method it stands for, everywhere on its axis."""
    cosmo = FlatLambdaCDM()
    method = getattr(cosmo, quantity.method)
    (axis,) = method.interpolant().axes
    points = _tour.random_points(cosmo, quantity)
    exact = np.array([method.__wrapped__(float(point)) for point in points])
    assert axis.low <= points.min() < points.max() <= axis.high
    np.testing.assert_allclose(method(points), exact, rtol=2.0 * axis.rtol, atol=2.0 * axis.atol)
    assert method.interpolant().error <= axis.rtol


def test_the_inverse_undoes_the_age(capsys: pytest.CaptureFixture[str]) -> None:
    """The redshift that the tour prints is that of half of today's age, and the slope of age is the Hubble time."""
    cosmo = FlatLambdaCDM()
    z = cosmo.age.inverse(cosmo.age(0.0) / 2.0)
    assert cosmo.age.exact(z) == pytest.approx(cosmo.age.exact(0.0) / 2.0, rel=4e-9)
    hubble_time = physics.MEGAPARSEC / (1e3 * cosmo.H0 * physics.GIGAYEAR)
    assert cosmo.age.derivative(0.0) == pytest.approx(-hubble_time, rel=1e-6)
    _tour._print_calculus(cosmo)
    assert f"{z:.6g} " in capsys.readouterr().out


def test_tables_agree_with_colossus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stored quantities agree with Colossus to what tables and formulas allow.

    Age: 2.1e-5 for the year (tropical there, Julian here). Distance: 1.1e-8 for the density of radiation, as constants
    differ. Growth: 2e-9 for the table; radiation is treated otherwise beyond z = 5. Sigma: 3e-3 is the accuracy that
    Colossus asks of its own integral.
    """
    monkeypatch.setenv("HOME", str(tmp_path))
    from colossus.cosmology import cosmology

    parameters = {"H0": 67.66, "Om0": 0.3111, "Ob0": 0.0490, "sigma8": 0.8102, "ns": 0.9665}
    theirs = cosmology.Cosmology(
        name="demo", flat=True, Tcmb0=2.7255, Neff=3.046, persistence="", interpolation=False, **parameters
    )
    ours = FlatLambdaCDM(**parameters)
    z = np.array([0.1, 0.5, 1.0, 2.0, 4.9])
    np.testing.assert_allclose(ours.age(z), theirs.age(z), rtol=2.5e-5)
    np.testing.assert_allclose(ours.comoving_distance(z), theirs.comovingDistance(0.0, z), rtol=2e-8)
    np.testing.assert_allclose(ours.growth_factor(z), theirs.growthFactor(z), rtol=2e-9)
    R = np.array([0.1, 1.0, 8.0, 50.0])
    np.testing.assert_allclose(ours.sigma(R), theirs.sigma(R), rtol=3e-3)


def test_durations_are_readable() -> None:
    """Seconds, milliseconds, microseconds and nanoseconds, whichever fits."""
    seconds = (2.0, 0.0021, 3.3e-6, 4.2e-7)
    assert [_tour._duration(each) for each in seconds] == ["2 s", "2.1 ms", "3.3 us", "420 ns"]


def test_the_command_line_has_a_version_and_help() -> None:
    """python -m stored says its version, and what it can do when asked for nothing."""
    run = [sys.executable, "-m", "stored"]
    version = subprocess.run([*run, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("stored 0.")
    nothing = subprocess.run(run, capture_output=True, text=True, check=False)
    assert nothing.returncode == 2
    assert "usage: python -m stored" in nothing.stderr
