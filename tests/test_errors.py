"""Errors say what was found, and survive copies."""

from __future__ import annotations

import copy
import pickle

import pytest

from stored import OutsideAxisError, OutsideValuesError, StoredError, ToleranceError, UnstableKeyError
from stored.stores import LayerError

ERRORS = [
    UnstableKeyError("a message", "builtins.object"),
    OutsideAxisError("z", 2.0, 0.0, 1.0),
    OutsideValuesError("age", 2.0, 0.0, 1.0),
    ToleranceError("f", "x", 1e-3, 1e-6, (0.0, 1.0), 100, "jump"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_survive_copies(error: StoredError) -> None:
    """Through pickle, as from a worker process, and copy, an error keeps class, message and attributes."""
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is type(error)
        assert (str(other), vars(other)) == (str(error), vars(error))


def test_an_error_of_a_layer_is_an_error_of_the_system() -> None:
    """It keeps number and text of the error that it was made of, and names the layer."""
    error = LayerError("elsewhere", PermissionError(13, "Permission denied"))
    assert (error.errno, error.strerror, error.layer) == (13, "Permission denied", "elsewhere")


def test_a_margin_that_is_not_met_is_explained() -> None:
    """An error smaller than the tolerance says why it is not small enough."""
    error = ToleranceError("f", "x", 1e-7, 1e-6, (0.0, 1.0), 100, "hard")
    assert "is 1.0e-07 of the largest value there where it was measured, too close to the tolerance" in str(error)
