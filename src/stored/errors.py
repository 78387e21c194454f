"""The errors and warnings of stored.

::

    StoredError
    +-- ConfigurationError (ValueError)     a setting that cannot be used
    +-- OwnerError (TypeError)              an object that does not tell its parameters
    +-- UnstableKeyError (TypeError)        a parameter or argument that has no stable form
    +-- TableError (ValueError)             data that is not a table, or not an invertible one
    +-- OutsideAxisError (ValueError)       a value beyond the limits of an interpolated axis
    +-- EntryError                          an entry that must not be used; the engine makes a miss of it
        +-- DamagedEntryError               bytes that are not an entry, or not the entry that was written
        +-- UntrustedEntryError             a pickle whose signature does not verify

    StoredWarning (UserWarning)
    +-- EntryWarning                        an entry was passed over, and will be replaced
    +-- PersistenceWarning                  a result could not be written or read; it is kept in memory
    +-- TableWarning                        a table was changed so that it can be inverted

Every message says what was found, what was expected and what to do about it.
"""

from __future__ import annotations

import os
import sys
import warnings

__all__ = [
    "ConfigurationError",
    "DamagedEntryError",
    "EntryError",
    "EntryWarning",
    "OutsideAxisError",
    "OwnerError",
    "PersistenceWarning",
    "StoredError",
    "StoredWarning",
    "TableError",
    "TableWarning",
    "UnstableKeyError",
    "UntrustedEntryError",
    "warn_caller",
]


class StoredError(Exception):
    """Base of every error that stored raises on its own account."""


class ConfigurationError(StoredError, ValueError):
    """A setting has a value that cannot be used."""


class OwnerError(StoredError, TypeError):
    """An object has stored methods, but tells its parameters in none of the four ways."""


class UnstableKeyError(StoredError, TypeError):
    """A parameter or an argument has no form that stays the same across processes.

    Attributes
    ----------
    found : str
        The type that was found, with its module.
    """

    def __init__(self, message: str, found: str) -> None:
        super().__init__(message, found)
        self.found = found

    def __str__(self) -> str:
        return str(self.args[0])


class TableError(StoredError, ValueError):
    """A stored object was asked for an interpolator that its data cannot give."""


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
    """

    def __init__(self, axis: str, value: float, low: float, high: float) -> None:
        super().__init__(axis, value, low, high)
        self.axis, self.value, self.low, self.high = axis, value, low, high

    def __str__(self) -> str:
        return (
            f"{self.axis} = {self.value!r} is outside the axis, which runs from {self.low!r} to {self.high!r} (both"
            " inside); widen the axis, or choose outside='exact', 'clip', 'nan' or 'extrapolate'"
        )


class EntryError(StoredError):
    """An entry that must not be used."""


class DamagedEntryError(EntryError):
    """Bytes that are not an entry of this format, or were altered since they were written."""


class UntrustedEntryError(EntryError):
    """A pickled entry that was not signed with this user's key for this very result."""


class StoredWarning(UserWarning):
    """Base of every warning that stored gives."""


class EntryWarning(StoredWarning):
    """An entry was passed over; the result is computed anew and replaces it."""


class PersistenceWarning(StoredWarning):
    """A result could not be written to, or read from, the store; nothing but persistence is lost."""


class TableWarning(StoredWarning):
    """A table was changed so that the interpolator asked for can be made."""


_PACKAGE = os.path.dirname(__file__) + os.sep


def warn_caller(message: str, category: type[StoredWarning]) -> None:
    """Warn as the first line outside this package that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
