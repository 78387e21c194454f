"""Cosmologies of CCL as parameters: a type with a key alone, whose objects are made in C and are no results."""

from typing import Any

import pyccl

from stored import register


def key(cosmology: pyccl.Cosmology) -> Any:
    """The parameters, and how accurately is computed, which CCL copies from its settings when a cosmology is made."""
    return cosmology.to_dict(), dict(cosmology._accuracy_params)


register(pyccl.Cosmology, key=key, subclasses=True)
