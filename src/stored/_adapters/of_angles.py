"""Angles, distances and places on the Earth of astropy."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import coordinates

from stored._adapters.column_info import text_or_none
from stored._adapters.quantities import quantity_adapter
from stored._adapters.registry import add


def _longitude(content: Any, unit: Any, wrap_angle: Any) -> Any:
    if type(wrap_angle) is not coordinates.Angle or wrap_angle.ndim:
        raise ValueError("a longitude is wrapped at an angle")
    return coordinates.Longitude(content, unit, wrap_angle=wrap_angle, dtype=None, copy=None)


def _distance(content: Any, unit: Any) -> Any:
    return coordinates.Distance(content, unit, allow_negative=True, dtype=None, copy=None)


def _location(content: Any, unit: Any, ellipsoid: Any) -> Any:
    if type(content) is not np.ndarray or content.dtype.names != ("x", "y", "z"):
        raise ValueError("a place has three coordinates")
    made = coordinates.EarthLocation.from_geocentric(*[content[name] for name in content.dtype.names], unit=unit)
    made.ellipsoid = text_or_none(ellipsoid)
    return made


add(
    quantity_adapter(coordinates.Angle, "astropy.coordinates.Angle", is_checked=True),
    quantity_adapter(coordinates.Latitude, "astropy.coordinates.Latitude", is_checked=True),
    quantity_adapter(
        coordinates.Longitude, "astropy.coordinates.Longitude", _longitude, extras=("wrap_angle",), is_checked=True
    ),
    quantity_adapter(coordinates.Distance, "astropy.coordinates.Distance", _distance, is_checked=True),
    quantity_adapter(
        coordinates.EarthLocation,
        "astropy.coordinates.EarthLocation",
        _location,
        extras=("ellipsoid",),
        is_checked=True,
    ),
)
