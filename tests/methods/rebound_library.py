"""A module of names that tests rebind, beside that of the model."""

from __future__ import annotations

import numpy as np

__all__ = ["FACTOR", "OFFSET", "Helper", "np", "scaled"]

FACTOR = 5.0
OFFSET = 7.0


def scaled(factor: float, x: float) -> float:
    return factor * x + OFFSET


class Helper:
    offset = 1.0

    def __init__(self, x: float) -> None:
        self.x = x

    def value(self) -> float:
        return self.x + self.offset
