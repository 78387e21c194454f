"""`SkyCoord` of astropy as parameter, argument and result: a type that is encoded by its public parts."""

from typing import Any

from astropy import units
from astropy.coordinates import ICRS, Galactic, SkyCoord

from stored import register

FRAMES = {"icrs": ICRS, "galactic": Galactic}
"""Frames that have no attributes of their own, such as an equinox. A name from an entry is looked up here alone."""


def parts(coordinates: SkyCoord) -> dict[str, Any]:
    """The frame, and numbers and units of longitude, latitude and, if there is one, distance."""
    data, frame = coordinates.data, coordinates.frame.name
    if frame not in FRAMES or data.differentials:
        raise TypeError(f"coordinates in the frame {frame}, or with velocities, are not known to {__name__}")
    names = [name for name in ("lon", "lat", "distance") if name in data.components]
    return {
        "frame": frame,
        **{name: (getattr(data, name).value, getattr(data, name).unit.to_string()) for name in names},
    }


def coordinates_of(found: dict[str, Any]) -> SkyCoord:
    """The coordinates; an error for what `parts` never returns makes an entry a damaged one."""
    quantities = [number * units.Unit(unit) for number, unit in [*found.values()][1:]]
    frame = FRAMES[found["frame"]]
    if [*found][1:] not in (["lon", "lat"], ["lon", "lat", "distance"]):
        raise ValueError("these are no coordinates")
    return SkyCoord(frame(*quantities))


register(SkyCoord, encode=parts, decode=coordinates_of)
