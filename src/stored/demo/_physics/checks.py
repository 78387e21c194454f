"""Are the parameters of a cosmology within their ranges?"""

import math

__all__ = ["check_not_negative", "check_positive", "check_redshift"]


def check_redshift(z: float) -> None:
    """Refuse what is no redshift, with a `ValueError`."""
    if not -1.0 < z < math.inf:
        raise ValueError(f"z is {z!r}; a redshift is finite and greater than -1")


def check_positive(name: str, value: float) -> None:
    """Refuse a parameter that is not positive and finite, with a `ValueError`."""
    if not 0.0 < value < math.inf:
        raise ValueError(f"{name} is {value!r}; it must be positive and finite")


def check_not_negative(name: str, value: float) -> None:
    """Refuse a parameter that is negative or not finite, with a `ValueError`."""
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{name} is {value!r}; it must be finite and not negative")
