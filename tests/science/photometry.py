"""A pipeline that works with tables, as users of pandas write it."""

import numpy as np
import pandas as pd

from stored import keyed_by, stored


@keyed_by("zero_point", "catalogue")
class Photometry:
    """Light curves of stars, from a table of what was observed."""

    def __init__(self, catalogue, zero_point=25.0):
        self.catalogue, self.zero_point = catalogue, zero_point

    @stored
    def magnitudes(self):
        found = self.catalogue.assign(mag=self.zero_point - 2.5 * np.log10(self.catalogue["flux"]))
        return found.set_index(["star", "time"]).sort_index()

    @stored
    def light_curve(self, star):
        return self.magnitudes().loc[star, "mag"]

    @stored
    def by_band(self):
        return self.magnitudes().groupby("band", observed=True)["mag"].agg(["mean", "std", "count"])

    @stored
    def nightly(self, star, freq="D"):
        return self.light_curve(star).resample(freq).mean()

    @stored
    def matched(self, other, on=("star",)):
        """Joins another table, which is an argument."""
        return self.catalogue.merge(other, on=list(on), how="left")

    @stored
    def brightest(self):
        return self.magnitudes()["mag"].idxmin()


def catalogue(n=40):
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "star": rng.choice(["Mira", "Algol", "Deneb"], n),
            "time": pd.Timestamp("2024-03-01", tz="UTC") + pd.to_timedelta(np.arange(n) * 7, unit="h"),
            "band": pd.Categorical(rng.choice(["g", "r"], n), categories=["g", "r", "i"]),
            "flux": rng.uniform(1.0, 9.0, n),
            "quality": pd.array(rng.integers(0, 3, n), dtype="Int8"),
        }
    )


def names():
    return pd.DataFrame({"star": ["Mira", "Algol"], "kind": pd.array(["LPV", "EB"], dtype="string")})


CALLS = {
    "magnitudes": (),
    "light_curve": ("Mira",),
    "by_band": (),
    "nightly": ("Algol",),
    "matched": (names(),),
    "brightest": (),
}


def both(photometry):
    """What is stored, and what the plain methods give."""
    return {
        name: (getattr(photometry, name)(*given), getattr(Photometry, name).__wrapped__(photometry, *given))
        for name, given in CALLS.items()
    }


def misses(photometry):
    return [getattr(photometry, name).cache_info().misses for name in CALLS]
