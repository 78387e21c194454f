"""A climate model that works with labelled arrays, as users of xarray write it."""

import numpy as np
import pandas as pd
import xarray as xr

from stored import keyed_by, stored


@keyed_by("temperature", "base")
class Climate:
    """Anomalies of temperatures on a grid, from daily values."""

    def __init__(self, temperature, base=("2000-01-01", "2000-06-30")):
        self.temperature, self.base = temperature, base

    @stored
    def climatology(self):
        return self.temperature.sel(time=slice(*self.base)).groupby("time.month").mean("time")

    @stored
    def anomalies(self):
        found = self.temperature.groupby("time.month") - self.climatology()
        return found.assign_attrs(units="K", long_name="anomaly").rename("anomaly")

    @stored
    def monthly(self, statistic="mean"):
        grouped = self.temperature.resample(time="MS")
        return xr.Dataset({"t": getattr(grouped, statistic)(), "n": grouped.count()}, attrs={"source": "made up"})

    @stored
    def weighted(self, weights):
        """The mean over the grid, by weights that are an argument."""
        return self.temperature.weighted(weights).mean(("lat", "lon"))

    @stored
    def profile(self, lat):
        return self.temperature.sel(lat=lat, method="nearest").mean("time")

    @stored
    def cells(self):
        return self.climatology().stack(cell=("lat", "lon"))


def temperature(days=400, offset=280.0):
    rng = np.random.default_rng(2)
    lat, lon = np.linspace(-60, 60, 4), np.arange(0, 360, 90)
    values = offset + 10 * np.cos(np.radians(lat))[:, None] + rng.normal(size=(days, 4, 4))
    return xr.DataArray(
        values,
        dims=("time", "lat", "lon"),
        coords={
            "time": pd.date_range("2000-01-01", periods=days),
            "lat": ("lat", lat, {"units": "degrees_north"}),
            "lon": ("lon", lon, {"units": "degrees_east"}),
            "station": ("lat", ["a", "b", "c", "d"]),
            "height": 2.0,
        },
        name="t2m",
        attrs={"units": "K"},
    )


def weights():
    lat = temperature(1).lat
    return np.cos(np.deg2rad(lat)).rename("weights")


CALLS = {
    "climatology": (),
    "anomalies": (),
    "monthly": ("max",),
    "weighted": (weights(),),
    "profile": (10.0,),
    "cells": (),
}
