"""A flat LambdaCDM cosmology whose slow methods are stored."""

from __future__ import annotations

from stored import Axis, keyed_by, stored
from stored.demo import _physics as physics

__all__ = ["FlatLambdaCDM"]


@keyed_by("H0", "Om0", "Ob0", "sigma8", "ns", "Tcmb0", "Neff")
class FlatLambdaCDM:
    """A flat universe of matter, radiation and a cosmological constant.

    Parameters
    ----------
    H0 : float
        Hubble constant, km/s/Mpc.
    Om0, Ob0 : float
        Densities of all matter and of baryons today, in units of the critical density.
    sigma8 : float
        Rms fluctuation of linear density in spheres of 8 Mpc/h today.
    ns : float
        Slope of the primordial power spectrum.
    Tcmb0 : float
        Temperature of the microwave background today, K.
    Neff : float
        Effective number of massless neutrino species.
    """

    def __init__(
        self,
        H0: float = 67.66,
        Om0: float = 0.3111,
        Ob0: float = 0.0490,
        sigma8: float = 0.8102,
        ns: float = 0.9665,
        Tcmb0: float = 2.7255,
        Neff: float = 3.046,
    ) -> None:
        self.H0, self.Om0, self.Ob0 = H0, Om0, Ob0
        self.sigma8, self.ns, self.Tcmb0, self.Neff = sigma8, ns, Tcmb0, Neff

    @property
    def Or0(self) -> float:
        """Density of radiation today, in units of the critical density."""
        return physics.radiation_density(self.H0, self.Tcmb0, self.Neff)

    @stored(interpolate=Axis("z", -0.995, 499.0, spacing="log1p", values="log", rtol=1e-9))
    def age(self, z: float) -> float:
        """Age of the universe at redshift z, Gyr."""
        return physics.age(z, self.H0, self.Om0, self.Or0)

    @stored(interpolate=Axis("z", 0.0, 200.0, spacing="log1p", rtol=1e-9, atol=1e-9))
    def comoving_distance(self, z: float) -> float:
        """Comoving distance to redshift z, Mpc/h."""
        return physics.comoving_distance(z, self.H0, self.Om0, self.Or0)

    @stored(interpolate=Axis("z", -0.995, 200.0, spacing="log1p", values="log", rtol=1e-9), depends=("Om0",))
    def growth_factor(self, z: float) -> float:
        """Linear growth factor, 1 today. It depends on the density of matter alone."""
        return physics.growth_factor(z, self.Om0, 0.0)

    @stored(interpolate=Axis("R", 0.01, 200.0, spacing="log", values="log", rtol=1e-7))
    def sigma(self, R: float) -> float:
        """Rms fluctuation of linear density today in spheres of radius R, Mpc/h."""
        return self.sigma8 * self._shape(R) / self.sigma_of_shape()

    @stored(depends=("H0", "Om0", "Ob0", "ns", "Tcmb0"))
    def sigma_of_shape(self) -> float:
        """Rms fluctuation in spheres of 8 Mpc/h, before the spectrum is normalised."""
        return self._shape(8.0)

    def _shape(self, R: float) -> float:
        return physics.sigma_unnormalised(R, self.ns, self.H0 / 100.0, self.Om0, self.Ob0, self.Tcmb0)
