"""How the errors of a polynomial fall decides whether it gets more nodes."""

from __future__ import annotations

import pytest

from stored._tables.convergence import falls_fast, is_hopeless, is_noise, is_promising

NODES = range(9, 41, 4)
SMOOTH = [(number, 10.0 ** (-number / 4)) for number in NODES]
KINK = [(number, 1.0 / number**2) for number in NODES]
NOISE = [(number, 1e-3) for number in NODES]


@pytest.mark.parametrize(("history", "expected"), [(SMOOTH, True), (KINK, False), (NOISE, False), (SMOOTH[:1], False)])
def test_errors_of_smooth_functions_fall_fast(history: list[tuple[int, float]], expected: bool) -> None:
    """Geometric errors are told from those of a kink, of noise, and from a single one."""
    assert falls_fast(history) is expected


def test_noise_does_not_fall_with_the_width() -> None:
    """Errors as large as two generations before are noise; a quarter of them, as beside a kink, are not."""
    wider = [NOISE, NOISE]
    assert is_noise(NOISE, wider)
    assert not is_noise([(number, error / 4) for number, error in NOISE], wider)
    assert not is_noise(NOISE, wider[:1])
    assert not is_noise([(number + 1, error) for number, error in NOISE], wider)


def test_two_errors_in_a_row_are_promising() -> None:
    """One small error after a large one may be chance."""
    assert is_promising([(9, 1e-5), (13, 1e-6)], 1e-6)
    assert not is_promising([(9, 1e-3), (13, 1e-6)], 1e-6)
    assert not is_promising([(9, 1e-6)], 1e-6)


@pytest.mark.parametrize(
    ("history", "allowed", "expected"),
    [(SMOOTH, 1e-12, False), (KINK, 1e-12, True), (NOISE, 1e-6, True), (NOISE, 1e-2, False), (KINK, 0.0, True)],
)
def test_slow_errors_are_hopeless(history: list[tuple[int, float]], allowed: float, expected: bool) -> None:
    """Geometric errors reach what is allowed with the nodes there are, others only if they are there already."""
    assert is_hopeless(history, allowed) is expected
