"""Expansion of a flat universe: what are rate, age and distance at a redshift?

References
----------
.. [1] D. W. Hogg, "Distance measures in cosmology", astro-ph/9905116 (1999).
"""

import math
from collections.abc import Callable

from scipy.integrate import quad

from stored.demo._physics.checks import check_not_negative, check_positive, check_redshift

__all__ = [
    "GIGAYEAR",
    "GRAVITATION",
    "MEGAPARSEC",
    "SPEED_OF_LIGHT",
    "STEFAN_BOLTZMANN",
    "age",
    "comoving_distance",
    "dark_energy_density",
    "hubble_ratio",
    "integrate",
    "radiation_density",
    "scale_factor",
]

SPEED_OF_LIGHT = 299792458.0
"""Speed of light in m/s (exact, SI)."""

GRAVITATION = 6.67430e-11
"""Newton's constant in m^3 kg^-1 s^-2 (CODATA 2018, unchanged in CODATA 2022)."""

STEFAN_BOLTZMANN = 5.670374419e-8
"""Stefan-Boltzmann constant in W m^-2 K^-4 (CODATA 2018, follows from exact SI constants)."""

MEGAPARSEC = 1e6 * 648000.0 / math.pi * 149597870700.0
"""Megaparsec in m (IAU 2015 resolution B2, with the au of IAU 2012 resolution B2)."""

GIGAYEAR = 1e9 * 365.25 * 86400.0
"""Gigayear in s, of Julian years (IAU)."""

_NEUTRINO_TO_PHOTON: float = 7.0 / 8.0 * (4.0 / 11.0) ** (4.0 / 3.0)

_QUAD_RTOL = 1e-12


def hubble_ratio(z: float, Om0: float, Or0: float) -> float:
    """Expansion rate in units of today's, E(z) = H(z) / H0.

    Parameters
    ----------
    z : float
        Redshift, greater than -1.
    Om0 : float
        Matter density today, positive.
    Or0 : float
        Radiation density today, not negative. Dark energy is the rest, ``1 - Om0 - Or0``.

    Returns
    -------
    float
        E(z), dimensionless.

    Raises
    ------
    ValueError
        If `z` is not a redshift or the densities are not those of a flat universe.

    Notes
    -----
    [1]_ Eq. 14, with the radiation term added and no curvature.
    """
    scale = scale_factor(z)
    return _scaled_expansion(scale, Om0, Or0, dark_energy_density(Om0, Or0)) / scale**2


def radiation_density(H0: float, Tcmb0: float, Neff: float) -> float:
    """Density of photons and massless neutrinos today.

    Parameters
    ----------
    H0 : float
        Hubble constant in km/s/Mpc, positive.
    Tcmb0 : float
        Temperature of the cosmic microwave background today in K, not negative.
    Neff : float
        Effective number of neutrino species, not negative.

    Returns
    -------
    float
        Or0, in units of today's critical density.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    A black body's 4 sigma T^4 / c^3 over the critical density 3 H0^2 / (8 pi G); each neutrino species adds
    7/8 (4/11)^(4/3) of the photons' density, as the neutrinos decoupled before electrons and positrons annihilated
    (Kolb & Turner 1990, "The Early Universe", chapter 3). Colossus 1.4 has the same formula with G and
    sigma of CODATA 2014, which makes its density smaller by 3.4e-5 of itself.
    """
    check_positive("H0", H0)
    check_not_negative("Tcmb0", Tcmb0)
    check_not_negative("Neff", Neff)
    rate = 1e3 * H0 / MEGAPARSEC
    critical = 3.0 * rate**2 / (8.0 * math.pi * GRAVITATION)
    photons = 4.0 * STEFAN_BOLTZMANN * Tcmb0**4 / SPEED_OF_LIGHT**3 / critical
    return photons * (1.0 + _NEUTRINO_TO_PHOTON * Neff)


def age(z: float, H0: float, Om0: float, Or0: float) -> float:
    """Age of the universe at a redshift.

    Parameters
    ----------
    z : float
        Redshift, greater than -1; tested in [-0.995, 499].
    H0 : float
        Hubble constant in km/s/Mpc, positive.
    Om0, Or0 : float
        Matter and radiation density today, see `hubble_ratio`.

    Returns
    -------
    float
        Age in Gyr (of Julian years), to about 1e-12 of itself.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    The integral of da / (a H) from 0 to a = 1 / (1 + z) ([1]_ Eq. 30, from the big bang instead of from today).
    Colossus 1.4 counts tropical years, which makes its ages larger by 2.1e-5 of themselves.
    """
    check_positive("H0", H0)
    dark_energy = dark_energy_density(Om0, Or0)

    # Over the root of a, as the integrand then stays smooth at the big bang, with radiation and without.
    def integrand(root: float) -> float:
        return 2.0 * root**3 / _scaled_expansion(root**2, Om0, Or0, dark_energy)

    return integrate(integrand, 0.0, math.sqrt(scale_factor(z))) * MEGAPARSEC / (1e3 * H0 * GIGAYEAR)


def comoving_distance(z: float, H0: float, Om0: float, Or0: float) -> float:
    """Line-of-sight comoving distance from redshift 0.

    Parameters
    ----------
    z : float
        Redshift, greater than -1. The distance has the sign of `z`.
    H0 : float
        Hubble constant in km/s/Mpc, positive. It is checked and has no other effect: in Mpc/h it cancels.
    Om0, Or0 : float
        Matter and radiation density today, see `hubble_ratio`.

    Returns
    -------
    float
        Distance in Mpc/h, to about 1e-12 of itself.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    [1]_ Eq. 15: the integral of c dz / H(z).
    """
    check_redshift(z)
    check_positive("H0", H0)
    dark_energy = dark_energy_density(Om0, Or0)

    # Over ln(1 + z): tiny redshifts keep their relative precision, and large ones need no more pieces.
    def integrand(efold: float) -> float:
        scale = math.exp(-efold)
        return scale / _scaled_expansion(scale, Om0, Or0, dark_energy)

    return integrate(integrand, 0.0, math.log1p(z)) * SPEED_OF_LIGHT * 1e-5


def dark_energy_density(Om0: float, Or0: float) -> float:
    """Density of dark energy today: what matter and radiation leave of a flat universe."""
    check_positive("Om0", Om0)
    check_not_negative("Or0", Or0)
    if Om0 + Or0 > 1.0:
        raise ValueError(f"Om0 + Or0 is {Om0 + Or0!r}; it is at most 1 in a flat universe, lower Om0 or Or0")
    return 1.0 - Om0 - Or0


def scale_factor(z: float) -> float:
    """Scale factor at a redshift, 1 today."""
    check_redshift(z)
    return 1.0 / (1.0 + z)


def _scaled_expansion(scale: float, Om0: float, Or0: float, dark_energy: float) -> float:
    """a^2 E(a), which unlike E is finite at a = 0."""
    return math.sqrt(Or0 + scale * (Om0 + dark_energy * scale**3))


def integrate(integrand: Callable[[float], float], low: float, high: float) -> float:
    """Integral to a relative error of 1e-12."""
    value, _ = quad(integrand, low, high, epsabs=0.0, epsrel=_QUAD_RTOL, limit=200)
    return float(value)
