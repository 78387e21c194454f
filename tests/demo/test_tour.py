"""The demo's model and its tour."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stored._cli import main
from stored.demo import FlatLambdaCDM, _tour


def test_the_tour_tells_what_happened(capsys: pytest.CaptureFixture[str], cache_dir: Path) -> None:
    """All quantities are timed, compared with another process, and the growth factor alone survives a change of H0."""
    main(["demo"])
    printed = capsys.readouterr().out
    for quantity in ("age(z)", "comoving_distance(z)", "growth_factor(z)", "sigma(R)"):
        assert printed.count(quantity) == 2
    assert printed.count("table made anew") == 3
    assert "kept: it depends on Om0 only" in printed
    assert f"The files are in {cache_dir}" in printed
    assert len(list(cache_dir.rglob("*.stored"))) == 9  # four tables and a number, all but one for each H0


def test_a_second_tour_starts_afresh(capsys: pytest.CaptureFixture[str]) -> None:
    """The tour clears its own results first, so that a first call is one."""
    for _ in range(2):
        main(["demo"])
        assert capsys.readouterr().out.count("table made anew") == 3


def test_the_tour_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With matplotlib a plot is written where it was asked for."""
    pytest.importorskip("matplotlib")
    main(["demo", "--plot", str(tmp_path / "demo.png")])
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert "The plot is" in capsys.readouterr().out


def test_another_value_elsewhere_stops_the_tour(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a fresh process found another number the demo would say so rather than print it."""
    wrong = {quantity.method: (0.0, -1.0) for quantity in _tour.QUANTITIES}
    monkeypatch.setattr(_tour, "first_calls_elsewhere", lambda methods: wrong)
    with pytest.raises(RuntimeError, match="this must not happen"):
        main(["demo"])


@pytest.mark.parametrize(("method", "tolerance"), [(each.method, 1e-5) for each in _tour.QUANTITIES])
def test_tables_follow_the_methods(method: str, tolerance: float) -> None:
    """Every table of the demo is within 1e-5 of the method it stands for, everywhere on its axis."""
    cosmo = FlatLambdaCDM()
    quantity = next(each for each in _tour.QUANTITIES if each.method == method)
    points = _tour._random_points(quantity)
    bound = getattr(cosmo, method)
    exact = np.array([bound.__wrapped__(float(point)) for point in points])
    np.testing.assert_allclose(bound(points), exact, rtol=tolerance)


def test_tables_agree_with_colossus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stored quantities agree with Colossus to what tables and formulas allow.

    Age: 2.1e-5 for the year (tropical there, Julian here). Distance: 1e-5 for the table. Growth: radiation is treated
    otherwise beyond z = 5. Sigma: 3e-3 is the accuracy that Colossus asks of its own integral.
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
    np.testing.assert_allclose(ours.comoving_distance(z), theirs.comovingDistance(0.0, z), rtol=1e-5)
    np.testing.assert_allclose(ours.growth_factor(z), theirs.growthFactor(z), rtol=1e-6)
    R = np.array([0.1, 1.0, 8.0, 50.0])
    np.testing.assert_allclose(ours.sigma(R), theirs.sigma(R), rtol=3e-3)


def test_durations_are_readable() -> None:
    """Seconds, milliseconds and microseconds, whichever fits."""
    assert [_tour._duration(each) for each in (2.0, 0.0021, 3.3e-6)] == ["2 s", "2.1 ms", "3.3 us"]


def test_the_command_line_has_a_version_and_help() -> None:
    """python -m stored says its version, and what it can do when asked for nothing."""
    run = [sys.executable, "-m", "stored"]
    version = subprocess.run([*run, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("stored 0.")
    nothing = subprocess.run(run, capture_output=True, text=True, check=False)
    assert nothing.returncode == 2
    assert "usage: python -m stored" in nothing.stderr
