"""The parameters of CAMB: objects over Fortran memory, which tell what they are by `__getstate__`."""

import functools
from typing import Any

import camb

from stored import register


def state(parameters: Any) -> dict[str, Any]:
    """All numbers, texts and parts; those of other classes below are encoded in turn."""
    found = parameters.__getstate__()
    custom = found.pop("CustomSources", None)
    if custom is not None and custom.num_custom_sources:
        raise TypeError("custom sources are compiled functions, which have no plain form")
    return found


def restored(kind: Any, found: dict[str, Any]) -> Any:
    """Parameters with this state; pointers are no part of it, and a forged entry can set none."""
    made = kind()
    if found.keys() != state(made).keys():
        raise ValueError(f"this is no state of {kind.__name__}")
    made.__setstate__(found)
    return made


for each in (
    camb.CAMBparams,
    camb.model.TransferParams,
    camb.model.AccuracyParams,
    camb.model.SourceTermParams,
    camb.initialpower.InitialPowerLaw,
    camb.recombination.Recfast,
    camb.reionization.TanhReionization,
    camb.dark_energy.DarkEnergyFluid,
    camb.dark_energy.DarkEnergyPPF,
    camb.nonlinear.Halofit,
):
    register(each, encode=state, decode=functools.partial(restored, each))
