"""Which errors and warnings does stored raise?

::

    StoredError
    +-- ConfigurationError (ValueError)     a setting that cannot be used
    +-- OwnerError (TypeError)              an object that does not tell its parameters
    +-- UnstableKeyError (TypeError)        a parameter or argument that has no stable form
    +-- TableError (ValueError)             data that is not a table, or not an invertible one
    +-- OutsideAxisError (ValueError)       a value beyond the limits of an interpolated axis
    |   +-- OutsideValuesError              a value that an interpolant does not take, asked of its inverse
    +-- ToleranceError (ValueError)         an accuracy that was not reached with the points that an axis allows
    +-- EntryError                          an entry that must not be used; it counts as missing
        +-- DamagedEntryError               bytes that are not an entry, or not the entry that was written
        +-- UntrustedEntryError             a pickle whose signature does not verify

    StoredWarning (UserWarning)
    +-- EntryWarning                        an entry was not used, and will be replaced
    +-- PersistenceWarning                  a result could not be written or read; it is kept in memory
    +-- OwnerWarning                        results are kept for one object only, or attributes are not told
    +-- StaleResultWarning                  a stored result that was computed anew is another one now
    +-- TableWarning                        a table was changed so that it can be inverted

Every message says what was found, what was expected and what to do about it.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import warnings

__all__ = [
    "ConfigurationError",
    "DamagedEntryError",
    "EntryError",
    "EntryWarning",
    "OutsideAxisError",
    "OutsideValuesError",
    "OwnerError",
    "OwnerWarning",
    "PersistenceWarning",
    "StaleResultWarning",
    "StoredError",
    "StoredWarning",
    "TableError",
    "TableWarning",
    "ToleranceError",
    "UnstableKeyError",
    "UntrustedEntryError",
    "error_text",
    "shortened",
    "warn_caller",
]


class StoredError(Exception):
    """Base class of all errors of stored."""


class ConfigurationError(StoredError, ValueError):
    """A setting has a value that cannot be used."""


class OwnerError(StoredError, TypeError):
    """An object has stored methods, but does not tell its parameters, or not as its class declares them."""


class UnstableKeyError(StoredError, TypeError):
    """A parameter or an argument has no form that stays the same across processes.

    Attributes
    ----------
    found : str
        The type of the value, with its module.
    """

    def __init__(self, message: str, found: str) -> None:
        super().__init__(message, found)
        self.found = found

    def __str__(self) -> str:
        return str(self.args[0])


class TableError(StoredError, ValueError):
    """An interpolator of a stored object was asked for, and the data are not a table, or not an invertible one."""


_WIDEN = "widen the axis, or choose outside='exact', 'clip', 'nan' or 'extrapolate'"


class OutsideAxisError(StoredError, ValueError):
    """An interpolated method was called beyond the limits of its axis.

    Attributes
    ----------
    axis : str
        The name of the argument.
    value : float
        The first value outside.
    low, high : float
        The limits, both inside.
    unit : str
        The unit of these numbers; empty if they have none.
    """

    def __init__(self, axis: str, value: float, low: float, high: float, advice: str = _WIDEN, unit: str = "") -> None:
        super().__init__(axis, value, low, high, advice, unit)
        self.axis, self.value, self.low, self.high, self.unit = axis, value, low, high, unit

    def __str__(self) -> str:
        value, low, high = self._shown()
        return (
            f"{self.axis} = {value} is outside the axis, which runs from {low} to {high} (both inside); {self.args[4]}"
        )

    def _shown(self) -> list[str]:
        return [f"{each!r} {self.unit}".rstrip() for each in (self.value, self.low, self.high)]


class OutsideValuesError(OutsideAxisError):
    """An inverse was asked for a value that the interpolant does not take.

    Attributes
    ----------
    axis : str
        The name of the function.
    value : float
        The first value outside.
    low, high : float
        The limits of its values.
    unit : str
        The unit of these numbers; empty if they have none.
    """

    def __str__(self) -> str:
        value, low, high = self._shown()
        return (
            f"{self.axis}() does not take the value {value}: on this axis, or branch, its values run from {low} to"
            f" {high}; widen the axis, or choose another branch"
        )


_REMEDIES = {
    "jump": "the function seems to jump or to be singular there; end the axis before it, or choose a spacing in which"
    " it is smooth",
    "zero": "the function passes zero, near which no relative error is small; give atol=, the absolute error that"
    " you accept",
    "hard": "allow more with max_points=, ask for less with rtol= or atol=, or choose spacing= or values= in which the"
    " function is smoother; a function that is noisy itself (a quadrature to 1e-8, say) cannot be interpolated"
    " more closely",
    "surface": "allow more with max_points=, ask for less with rtol= or atol=, or choose spacing= or values= in which"
    " the function is smoother; a surface cannot have kinks",
    "patches": "polynomials reach the tolerance, but only on too many patches; choose narrower axes, or ask for less"
    " with rtol= or atol=",
    "rounding": "this is near the limit of double precision; ask for less with rtol= or atol=",
}


class ToleranceError(StoredError, ValueError):
    """A function could not be interpolated within the tolerance of its axis; nothing is stored.

    Attributes
    ----------
    label : str
        The function.
    axis : str
        The name of the argument.
    error : float
        The largest error that was found, relative to the largest value there.
    asked : float
        The tolerance.
    where : tuple of (float, float) or None
        The arguments between which the error is largest, if that is known.
    evaluations : int
        At how many points the function was evaluated.
    why : {"jump", "zero", "hard", "surface", "patches", "rounding"}
        The most likely reason.
    unit : str
        The unit of the arguments in `where`; empty if they have none.
    """

    def __init__(
        self,
        label: str,
        axis: str,
        error: float,
        asked: float,
        where: tuple[float, float] | None,
        evaluations: int,
        why: str,
        unit: str = "",
    ) -> None:
        super().__init__(label, axis, error, asked, where, evaluations, why, unit)
        self.unit = unit
        self.label, self.axis, self.error, self.asked = label, axis, error, asked
        self.where, self.evaluations, self.why = where, evaluations, why

    def __str__(self) -> str:
        ends = [f"{each!r} {self.unit}".rstrip() for each in self.where or ()]
        place = f" from {ends[0]} to {ends[1]}" if ends else ""
        reached = f"is {self.error:.1e} of the largest value there" if math.isfinite(self.error) else "is not known yet"
        if self.error < self.asked:
            reached += " where it was measured, too close to the tolerance, since it may be larger between these points"
        return (
            f"{self.label}() was not interpolated to {self.asked:g} along {self.axis}: after {self.evaluations}"
            f" evaluations the error{place} {reached}; {_REMEDIES[self.why]}"
        )


class EntryError(StoredError):
    """An entry that must not be used."""


class DamagedEntryError(EntryError):
    """Bytes that are not an entry of this format, or were altered since they were written."""


class UntrustedEntryError(EntryError):
    """A pickled entry that was not signed with this user's key for this result."""


class StoredWarning(UserWarning):
    """Base class of all warnings of stored."""


class EntryWarning(StoredWarning):
    """An entry was not used; the result is computed anew and replaces it."""


class OwnerWarning(StoredWarning):
    """A method reads something that does not count, or for which its results cannot be stored."""


class PersistenceWarning(StoredWarning):
    """A result could not be written to the store, or read from it; it is computed, and kept in memory only."""


class StaleResultWarning(StoredWarning):
    """A stored result was computed anew, and is another one now; the new one replaces it."""


class TableWarning(StoredWarning):
    """A table was changed so that the interpolator asked for can be made."""


class VolatileKeyWarning(StoredWarning):
    """The code of a method uses a constant that is another one in every process, so that no result is found again."""


def error_text(error: BaseException) -> str:
    """The type of an error and what it says, for a message; its own class may fail to say anything."""
    name = type(error).__name__
    try:
        return f"{name}: {error}".removesuffix(": ")
    except Exception:
        return name


def shortened(text: str, most: int) -> str:
    """A text for a message: of a longer one than so many characters, its beginning."""
    return text if len(text) <= most else f"{text[:most]}..."


# with statements of this package run code of contextlib, and stored methods run functions compiled for them
_OWN_FILES = (os.path.dirname(__file__) + os.sep, contextlib.__file__, "<stored.")


def warn_caller(message: str, category: type[StoredWarning]) -> None:
    """Give a warning that shows the line outside this package which led to it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OWN_FILES):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
