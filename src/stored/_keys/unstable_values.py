"""Which values have no form that is the same in every process, and what are users told of them?"""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from stored._keys.registration_line import registration_line
from stored.errors import OwnerError, StoredError, UnstableKeyError, shortened

__all__ = ["MemberRefersBackError", "RefusedValueError", "UnsetParameterError", "UnstableValueError", "refuse"]

_LONGEST_PLACE = 300

_LEAVE_OUT = "an argument that does not change the result can be left out with ignore=(...)"


class UnstableValueError(Exception):
    """A value has no form; on its way up, the error takes the place of the value inside each other."""

    def __init__(self, value: object) -> None:
        self.found = f"{type(value).__module__}.{type(value).__qualname__}"
        if isinstance(value, np.ndarray):
            self.found += f" with dtype {value.dtype}"
        self._registration = registration_line(type(value))
        self._steps: list[str] = []
        self._is_of_part = False

    def inside(self, step: str) -> UnstableValueError:
        """The same error, of a value that is there in another: ``[2]``, ``['flux']``, ``.H0``."""
        self._steps.append(step)
        return self

    def of_part(self) -> UnstableValueError:
        """The same error, of a value that is somewhere in another."""
        self._steps, self._is_of_part = [], True
        return self

    def place(self, name: str) -> str:
        """Where the value is, in another that has a name."""
        place = name + "".join(reversed(self._steps))
        return ("a part of " if self._is_of_part else "") + shortened(place, _LONGEST_PLACE)

    def as_key_error(self, name: str = "", label: str = "", remedy: str = _LEAVE_OUT) -> StoredError:
        """The error that users see: of a value that has a name, which the label names in a sentence."""
        subject = f"{self.place(name or 'it')} is" if name or self._steps or self._is_of_part else "this is"
        return UnstableKeyError(
            f"{label}{subject} a value of type {self.found}, which has no form that is the same in every"
            " process; use numbers, strings, bytes, arrays, containers, enumerations, dataclasses,"
            f" functions, objects of your own classes that hold only these, or objects that tell their parameters;"
            f" {self._registration}{remedy}",
            self.found,
        )


class RefusedValueError(UnstableValueError):
    """A value is of a type of which it is known why it can have no form."""

    def __init__(self, value: object, why: str) -> None:
        super().__init__(value)
        self._why = why

    def as_key_error(self, name: str = "", label: str = "", remedy: str = _LEAVE_OUT) -> StoredError:
        """The error that users see."""
        return UnstableKeyError(
            f"{label}{self.place(name or 'it')} is a value of type {self.found}, {self._why}; {remedy}", self.found
        )


class MemberRefersBackError(UnstableValueError):
    """A member of a set refers to something that the set is in, so that it has no text of its own."""

    def as_key_error(self, name: str = "", label: str = "", remedy: str = _LEAVE_OUT) -> StoredError:
        """The error that users see."""
        return UnstableKeyError(
            f"{label}{self.place(name or 'it')} is a value of type {self.found}, which refers back to what the set is"
            f" in; members of sets have no order; use a list or a tuple; {remedy}",
            self.found,
        )


class UnsetParameterError(UnstableValueError):
    """An owner inside a value has not set a parameter that its class names."""

    def __init__(self, owner: object, error: AttributeError) -> None:
        super().__init__(owner)
        self._error = error

    def as_key_error(self, name: str = "", label: str = "", remedy: str = "") -> StoredError:
        """The error that users see."""
        return OwnerError(
            f"{label}{self.place(name or 'it')} is an owner of type {self.found}, but {self._error}; set every"
            " parameter before a stored method is called"
        )


def refuse(value: object) -> NoReturn:
    """Raise the error for a value that has no form."""
    raise UnstableValueError(value)
