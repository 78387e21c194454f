"""What did `fill` find and do?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from stored.errors import error_text

__all__ = ["Failure", "FillReport"]

_MOST_KEPT = 1000
"""Failures that are told one by one; of a grid of which all fail, memory need not hold all."""

_MOST_SHOWN = 10


class Failure(NamedTuple):
    """A call that raised an error.

    Attributes
    ----------
    call : str
        The call, with the owner's parameters.
    error : Exception
        What it raised.
    """

    call: str
    error: Exception

    def __str__(self) -> str:
        return f"{self.call}: {error_text(self.error)}"


@dataclass
class FillReport:
    """What `fill` found and did.

    Attributes
    ----------
    found : int
        How many results were there.
    computed : int
        How many were computed.
    failed : int
        How many calls raised an error.
    failures : list of Failure
        The first thousand of these.
    not_kept : int
        How many of the others could not be stored: warnings say why, or `min_compute_seconds` does.
    seconds : float
        How long it took.
    computing_seconds : float
        How long the computations took, those of all workers together.
    """

    found: int = 0
    computed: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    not_kept: int = 0
    seconds: float = 0.0
    computing_seconds: float = 0.0

    @property
    def done(self) -> int:
        """How many calls are done."""
        return self.found + self.computed + self.failed

    def counts(self) -> str:
        """How many of what there are."""
        lost = f", {self.not_kept} not stored" if self.not_kept else ""
        return f"{self.found} found, {self.computed} computed{lost}, {self.failed} failed"

    def note_failure(self, call: str, error: Exception) -> None:
        """Count a call that raised an error, and keep it if there are not too many."""
        self.failed += 1
        if len(self.failures) < _MOST_KEPT:
            self.failures.append(Failure(call, error))

    def __str__(self) -> str:
        lines = [
            f"{self.done} results in {self.seconds:.3g} s: {self.counts()};"
            f" computing took {self.computing_seconds:.3g} s"
        ]
        lines += [f"  {each}" for each in self.failures[:_MOST_SHOWN]]
        if self.failed > _MOST_SHOWN:
            lines.append(f"  and {self.failed - _MOST_SHOWN} more")
        return "\n".join(lines)

    __repr__ = __str__
