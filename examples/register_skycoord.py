"""`SkyCoord` of astropy as parameter, argument and result: a type that is encoded by its public parts."""

from typing import Any

from astropy import units
from astropy.coordinates import ICRS, Galactic, SkyCoord

from stored import register

FRAMES = {"icrs": ICRS, "galactic": Galactic}
"""Frames that have no attributes of their own, such as an equinox. A name from an entry is looked up here alone."""


def parts(coordinates: SkyCoord) -> dict[str, Any]:
    """The frame, and numbers and units of longitude, latitude and, if there is one, distance.

    What else a method could read, it refuses: a key must tell everything by which two values differ.
    """
    data, frame = coordinates.data, coordinates.frame
    names = [*data.components]
    if frame.name not in FRAMES or names not in (["lon", "lat"], ["lon", "lat", "distance"]) or data.differentials:
        raise TypeError(f"only longitude, latitude and distance in {', '.join(FRAMES)} are known to {__name__}")
    extra = [name for name in coordinates._extra_frameattr_names if getattr(coordinates, name, None) is not None]
    if extra or "info" in vars(coordinates) or frame.representation_type is not frame.default_representation:
        raise TypeError(f"coordinates with {extra or 'info, or of another representation'} are not known to {__name__}")
    return {
        "frame": frame.name,
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
