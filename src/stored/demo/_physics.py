"""Physics of a flat LambdaCDM cosmology, as pure functions of floats.

Nothing here is cached and nothing is imported from the rest of the library: these are the plain functions that the
demonstration decorates. Lengths are comoving Mpc/h, wavenumbers comoving h/Mpc, times Gyr, densities units of today's
critical density.

References
----------
.. [1] D. J. Eisenstein and W. Hu, "Baryonic features in the matter transfer function", ApJ 496, 605 (1998). Called EH98
   below; a bare "Eq." is this paper's.
.. [2] D. J. Heath, "The growth of density perturbations in zero pressure Friedmann-Lemaitre universes", MNRAS 179, 351
   (1977).
.. [3] S. M. Carroll, W. H. Press and E. L. Turner, "The cosmological constant", ARA&A 30, 499 (1992).
.. [4] D. W. Hogg, "Distance measures in cosmology", astro-ph/9905116 (1999).
.. [5] P. Meszaros, "The behaviour of point masses in an expanding cosmological substratum", A&A 37, 225 (1974).
.. [6] B. Diemer, "COLOSSUS: a Python toolkit for cosmology, large-scale structure, and dark matter halos", ApJS 239, 35
   (2018).
"""

import math
from collections.abc import Callable
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt
from scipy.integrate import quad

FloatArray = npt.NDArray[np.float64]

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

# What the limits of the sigma integral cut off is below 1e-9 of it: the integrand falls as k^(ns + 3) below both the
# filter's and the spectrum's scale, and as k^(ns - 5) above both.
_SIGMA_LOW = 1e-4
_SIGMA_HIGH = 1e3
_WIGGLES = 400.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


# ---------------------------------------------------------------------------------------------------------------------
# Background
# ---------------------------------------------------------------------------------------------------------------------


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
    [4]_ Eq. 14, with the radiation term added and no curvature.
    """
    scale = _scale_factor(z)
    return _scaled_expansion(scale, Om0, Or0, _dark_energy(Om0, Or0)) / scale**2


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
    _check_positive("H0", H0)
    _check_not_negative("Tcmb0", Tcmb0)
    _check_not_negative("Neff", Neff)
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
    The integral of da / (a H) from 0 to a = 1 / (1 + z) ([4]_ Eq. 30, from the big bang instead of from today).
    Colossus 1.4 counts tropical years, which makes its ages larger by 2.1e-5 of themselves.
    """
    _check_positive("H0", H0)
    dark_energy = _dark_energy(Om0, Or0)

    # Over the root of a, as the integrand then stays smooth at the big bang, with radiation and without.
    def integrand(root: float) -> float:
        return 2.0 * root**3 / _scaled_expansion(root**2, Om0, Or0, dark_energy)

    return _integral(integrand, 0.0, math.sqrt(_scale_factor(z))) * MEGAPARSEC / (1e3 * H0 * GIGAYEAR)


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
    [4]_ Eq. 15: the integral of c dz / H(z).
    """
    _check_redshift(z)
    _check_positive("H0", H0)
    dark_energy = _dark_energy(Om0, Or0)

    # Over ln(1 + z): tiny redshifts keep their relative precision, and large ones need no more pieces.
    def integrand(efold: float) -> float:
        scale = math.exp(-efold)
        return scale / _scaled_expansion(scale, Om0, Or0, dark_energy)

    return _integral(integrand, 0.0, math.log1p(z)) * SPEED_OF_LIGHT * 1e-5


def growth_factor(z: float, Om0: float, Or0: float) -> float:
    """Linear growth factor of matter perturbations, D(z) with D(0) = 1.

    Parameters
    ----------
    z : float
        Redshift, greater than -1.
    Om0, Or0 : float
        Matter and radiation density today, see `hubble_ratio`. `Or0` is checked and has no other effect, see Notes.

    Returns
    -------
    float
        D(z), to about 1e-12 of the integral below.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    The integral of Heath ([2]_; [3]_ Eq. 28), D ~ E(a) * integral of da / (a E)^3 from 0 to a. It solves the growth
    equation for matter, curvature and a cosmological constant only, so radiation is held at its density of today,
    E^2 = Om0 a^-3 + (1 - Om0), as Colossus does. What is neglected is the dilution of radiation, which slows growth by
    about (2/3) (Or0 / Om0) (1 + z) of itself at high redshift ([5]_). For Planck parameters D is too low, against a
    numerical solution with radiation, by 8e-5 at z = 1, 8e-4 at 5, 3.7e-3 at 20, 1.9 % at 100 and 8.9 % at 500.

    Colossus 1.4 agrees to 1e-12 for -0.995 <= z <= 5. There it begins to go over to a formula with radiation, which it
    uses alone from z = 20 on: its D is larger by 5e-4 at z = 7, 1.2e-3 at 10, 4.2e-3 at 20, 2.0 % at 100 and 9.9 % at
    499.
    """
    constant = _dark_energy(Om0, Or0) + Or0
    return _growth_integral(_scale_factor(z), Om0, constant) / _growth_integral(1.0, Om0, constant)


def _growth_integral(scale: float, Om0: float, constant: float) -> float:
    """Heath's integral up to a scale factor, times the expansion rate there."""

    # (a E)^-3 da over the root of a, for the reason given in `age`.
    def integrand(root: float) -> float:
        return 2.0 * root**4 / math.pow(Om0 + constant * root**6, 1.5)

    return math.sqrt(Om0 * scale**-3 + constant) * _integral(integrand, 0.0, math.sqrt(scale))


def _scale_factor(z: float) -> float:
    _check_redshift(z)
    return 1.0 / (1.0 + z)


def _scaled_expansion(scale: float, Om0: float, Or0: float, dark_energy: float) -> float:
    """a^2 E(a), which unlike E is finite at a = 0."""
    return math.sqrt(Or0 + scale * (Om0 + dark_energy * scale**3))


def _integral(integrand: Callable[[float], float], low: float, high: float) -> float:
    value, _ = quad(integrand, low, high, epsabs=0.0, epsrel=_QUAD_RTOL, limit=200)
    return float(value)


# ---------------------------------------------------------------------------------------------------------------------
# Parameter checks
# ---------------------------------------------------------------------------------------------------------------------


def _check_redshift(z: float) -> None:
    if not -1.0 < z < math.inf:
        raise ValueError(f"z is {z!r}; a redshift is finite and greater than -1")


def _dark_energy(Om0: float, Or0: float) -> float:
    """Density of dark energy in a flat universe."""
    _check_positive("Om0", Om0)
    _check_not_negative("Or0", Or0)
    if Om0 + Or0 > 1.0:
        raise ValueError(f"Om0 + Or0 is {Om0 + Or0!r}; it is at most 1 in a flat universe, lower Om0 or Or0")
    return 1.0 - Om0 - Or0


def _check_positive(name: str, value: float) -> None:
    if not 0.0 < value < math.inf:
        raise ValueError(f"{name} is {value!r}; it must be positive and finite")


def _check_not_negative(name: str, value: float) -> None:
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{name} is {value!r}; it must be finite and not negative")


# ---------------------------------------------------------------------------------------------------------------------
# Transfer function of Eisenstein & Hu (1998)
# ---------------------------------------------------------------------------------------------------------------------


class _Fit(NamedTuple):
    """Intermediate quantities of the EH98 fit, lengths in Mpc (not Mpc/h); om and ob are Om0 h^2 and Ob0 h^2.

    Attributes
    ----------
    baryon_fraction : float
        Ob0 / Om0.
    k_equality : float
        Wavenumber of the horizon at matter-radiation equality, 1/Mpc.
    sound_horizon : float
        Comoving sound horizon at the drag epoch, Mpc.
    k_silk : float
        Silk damping wavenumber, 1/Mpc.
    cdm_suppression, cdm_shift : float
        alpha_c and beta_c.
    baryon_suppression, baryon_envelope, baryon_node : float
        alpha_b, beta_b and beta_node.
    """

    baryon_fraction: float
    k_equality: float
    sound_horizon: float
    k_silk: float
    cdm_suppression: float
    cdm_shift: float
    baryon_suppression: float
    baryon_envelope: float
    baryon_node: float


def _fit(h: float, Om0: float, Ob0: float, Tcmb0: float) -> _Fit:
    for name, value in (("h", h), ("Om0", Om0), ("Ob0", Ob0), ("Tcmb0", Tcmb0)):
        _check_positive(name, value)
    if Ob0 > Om0:
        raise ValueError(f"Ob0 is {Ob0!r} and Om0 {Om0!r}; baryons are part of matter, so Ob0 is at most Om0")
    om, ob, theta, fraction = Om0 * h**2, Ob0 * h**2, Tcmb0 / 2.7, Ob0 / Om0
    z_equality, k_equality = _equality(om, theta)
    z_drag = _drag_redshift(om, ob)
    r_drag = _baryon_photon_ratio(z_drag, ob, theta)
    r_equality = _baryon_photon_ratio(z_equality, ob, theta)
    horizon = _sound_horizon(k_equality, r_drag, r_equality)
    return _Fit(
        baryon_fraction=fraction,
        k_equality=k_equality,
        sound_horizon=horizon,
        k_silk=_silk_wavenumber(om, ob),
        cdm_suppression=_cdm_suppression(om, fraction),
        cdm_shift=_cdm_shift(om, fraction),
        baryon_suppression=_baryon_suppression(k_equality * horizon, r_drag, (1.0 + z_equality) / (1.0 + z_drag)),
        baryon_envelope=0.5 + fraction + (3.0 - 2.0 * fraction) * math.sqrt((17.2 * om) ** 2 + 1.0),  # Eq. 24
        baryon_node=8.41 * om**0.435,  # Eq. 23
    )


def _equality(om: float, theta: float) -> tuple[float, float]:
    """Redshift and horizon wavenumber (1/Mpc) of matter-radiation equality, Eq. 2 and 3."""
    return 2.50e4 * om * theta**-4, 7.46e-2 * om * theta**-2


def _drag_redshift(om: float, ob: float) -> float:
    """Redshift at which baryons are released from the photons' drag, Eq. 4."""
    b1 = 0.313 * om**-0.419 * (1.0 + 0.607 * om**0.674)
    b2 = 0.238 * om**0.223
    return float(1291.0 * om**0.251 / (1.0 + 0.659 * om**0.828) * (1.0 + b1 * ob**b2))


def _baryon_photon_ratio(z: float, ob: float, theta: float) -> float:
    """Ratio R of baryon to photon momentum density, Eq. 5."""
    return 31.5 * ob * theta**-4 * (1e3 / z)


def _sound_horizon(k_equality: float, r_drag: float, r_equality: float) -> float:
    """Comoving sound horizon at the drag epoch in Mpc, Eq. 6."""
    ratio = (math.sqrt(1.0 + r_drag) + math.sqrt(r_drag + r_equality)) / (1.0 + math.sqrt(r_equality))
    return 2.0 / (3.0 * k_equality) * math.sqrt(6.0 / r_equality) * math.log(ratio)


def _silk_wavenumber(om: float, ob: float) -> float:
    """Silk damping wavenumber in 1/Mpc, Eq. 7."""
    return float(1.6 * ob**0.52 * om**0.73 * (1.0 + (10.4 * om) ** -0.95))


def _cdm_suppression(om: float, fraction: float) -> float:
    """alpha_c, Eq. 11."""
    a1 = (46.9 * om) ** 0.670 * (1.0 + (32.1 * om) ** -0.532)
    a2 = (12.0 * om) ** 0.424 * (1.0 + (45.0 * om) ** -0.582)
    return float(a1**-fraction * a2 ** -(fraction**3))


def _cdm_shift(om: float, fraction: float) -> float:
    """beta_c, Eq. 12."""
    b1 = 0.944 / (1.0 + (458.0 * om) ** -0.708)
    b2 = (0.395 * om) ** -0.0266
    return float(1.0 / (1.0 + b1 * ((1.0 - fraction) ** b2 - 1.0)))


def _baryon_suppression(phase: float, r_drag: float, y: float) -> float:
    """alpha_b, Eq. 14 and 15, from the phase k_equality * sound_horizon and y = (1 + z_eq) / (1 + z_drag)."""
    root = math.sqrt(1.0 + y)
    g = y * (-6.0 * root + (2.0 + 3.0 * y) * math.log((root + 1.0) / (root - 1.0)))
    return 2.07 * phase * math.pow(1.0 + r_drag, -0.75) * g


def _pressureless(q: FloatArray, alpha: float, beta: float) -> FloatArray:
    """T0~(k, alpha, beta), Eq. 19 and 20."""
    log = np.log(math.e + 1.8 * beta * q)
    c = 14.2 / alpha + 386.0 / (1.0 + 69.9 * q**1.08)
    return log / (log + c * q**2)


def _cdm_transfer(phase: FloatArray, q: FloatArray, fit: _Fit) -> FloatArray:
    """T_c, Eq. 17 and 18, where `phase` is k * sound_horizon."""
    weight = 1.0 / (1.0 + (phase / 5.4) ** 4)
    suppressed = _pressureless(q, fit.cdm_suppression, fit.cdm_shift)
    return weight * _pressureless(q, 1.0, fit.cdm_shift) + (1.0 - weight) * suppressed


def _baryon_transfer(phase: FloatArray, q: FloatArray, damping: FloatArray, fit: _Fit) -> FloatArray:
    """T_b, Eq. 21 and 22, where `phase` is k * sound_horizon and `damping` is k / k_silk."""
    # Both fractions are the paper's multiplied through by powers of k, which makes k = 0 an ordinary point.
    cube = phase**3
    node_phase = phase**2 / np.cbrt(cube + fit.baryon_node**3)
    envelope = fit.baryon_suppression * cube / (cube + fit.baryon_envelope**3)
    drop = _pressureless(q, 1.0, 1.0) / (1.0 + (phase / 5.2) ** 2)
    return np.sinc(node_phase / math.pi) * (drop + envelope * np.exp(-(damping**1.4)))


def _transfer(k: FloatArray, h: float, fit: _Fit) -> FloatArray:
    """Sum of the two parts, Eq. 16; the paper's wavenumbers are in 1/Mpc."""
    wavenumber = k * h
    phase = wavenumber * fit.sound_horizon
    q = wavenumber / (13.41 * fit.k_equality)  # Eq. 10
    baryons = _baryon_transfer(phase, q, wavenumber / fit.k_silk, fit)
    return fit.baryon_fraction * baryons + (1.0 - fit.baryon_fraction) * _cdm_transfer(phase, q, fit)


@overload
def transfer_function(k: float, h: float, Om0: float, Ob0: float, Tcmb0: float) -> float: ...
@overload
def transfer_function(k: FloatArray, h: float, Om0: float, Ob0: float, Tcmb0: float) -> FloatArray: ...
def transfer_function(k: float | FloatArray, h: float, Om0: float, Ob0: float, Tcmb0: float) -> float | FloatArray:
    """Transfer function of matter perturbations with baryon acoustic oscillations.

    Parameters
    ----------
    k : float or ndarray of float, shape (...)
        Wavenumber in comoving h/Mpc, finite and not negative, in any order.
    h : float
        Hubble constant in units of 100 km/s/Mpc, positive.
    Om0 : float
        Matter density today, baryons included, positive.
    Ob0 : float
        Baryon density today, positive and at most `Om0`.
    Tcmb0 : float
        Temperature of the cosmic microwave background today in K, positive.

    Returns
    -------
    float or ndarray of float, shape (...)
        T(k), dimensionless, 1 at k = 0.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    The full fit of EH98 ([1]_), Eq. 2-7, 10-12 and 14-24; it is within a few percent of a Boltzmann code. Colossus 1.4
    (model "eisenstein98") agrees to 3e-15 for k from 1e-8 to 1e6 h/Mpc.
    """
    wavenumber = np.asarray(k, dtype=np.float64)
    if not np.all((wavenumber >= 0.0) & (wavenumber < np.inf)):
        raise ValueError("k has a negative or non-finite value; wavenumbers are finite and not negative")
    return _transfer(wavenumber, h, _fit(h, Om0, Ob0, Tcmb0))


@overload
def power_spectrum_shape(k: float, ns: float, h: float, Om0: float, Ob0: float, Tcmb0: float) -> float: ...
@overload
def power_spectrum_shape(k: FloatArray, ns: float, h: float, Om0: float, Ob0: float, Tcmb0: float) -> FloatArray: ...
def power_spectrum_shape(
    k: float | FloatArray, ns: float, h: float, Om0: float, Ob0: float, Tcmb0: float
) -> float | FloatArray:
    """Linear matter power spectrum without normalisation, k^ns T(k)^2.

    Parameters
    ----------
    k : float or ndarray of float, shape (...)
        Wavenumber in comoving h/Mpc, finite and not negative (positive where `ns` is negative), in any order.
    ns : float
        Slope of the primordial spectrum.
    h, Om0, Ob0, Tcmb0 : float
        See `transfer_function`.

    Returns
    -------
    float or ndarray of float, shape (...)
        The shape of the spectrum in (h/Mpc)^ns.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    A primordial power law and the transfer function of EH98 ([1]_, Eq. 16).
    """
    return k**ns * transfer_function(k, h, Om0, Ob0, Tcmb0) ** 2


# ---------------------------------------------------------------------------------------------------------------------
# Variance
# ---------------------------------------------------------------------------------------------------------------------


def sigma_unnormalised(R: float, ns: float, h: float, Om0: float, Ob0: float, Tcmb0: float) -> float:
    """Root mean square of the field smoothed with a spherical top hat, for `power_spectrum_shape`.

    ``sigma8 * sigma_unnormalised(R, ...) / sigma_unnormalised(8.0, ...)`` is the physical sigma(R).

    Parameters
    ----------
    R : float
        Radius of the top hat in comoving Mpc/h, positive; tested in [0.01, 200].
    ns : float
        Slope of the primordial spectrum, between 0 and 2.
    h, Om0, Ob0, Tcmb0 : float
        See `transfer_function`.

    Returns
    -------
    float
        sigma(R) in (h/Mpc)^((ns + 3) / 2), to about 1e-9 of itself.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    sigma^2 is the integral of k^3 P(k) W(kR)^2 / (2 pi^2) over ln k ([6]_), where W(x) = 3 (sin x - x cos x) / x^3. It
    is done by Gauss-Legendre quadrature of order 16 on pieces that cover at most a quarter of an e-fold, half a period
    of W and, where they matter, half an acoustic oscillation.
    Colossus 1.4 agrees to 4e-7 when its ``accuracy_sigma`` is 1e-8 (it cuts the integrand off at 1e-6 of its maximum),
    and to 3e-5 as it comes.
    """
    _check_positive("R", R)
    _check_slope(ns)
    fit = _fit(h, Om0, Ob0, Tcmb0)
    return math.sqrt(_variance(lambda k: k**ns * _transfer(k, h, fit) ** 2, R, fit.sound_horizon * h))


def _check_slope(ns: float) -> None:
    if not 0.0 <= ns <= 2.0:
        raise ValueError(f"ns is {ns!r}; the limits of the integral are chosen for slopes between 0 and 2")


def _variance(spectrum: Callable[[FloatArray], FloatArray], R: float, feature: float) -> float:
    """Variance of a spectrum whose longest feature, and the wavelength of its wiggles, is a length `feature`."""
    edges = _variance_pieces(R, feature)
    half = 0.5 * np.diff(edges)[:, np.newaxis]
    k = np.exp(edges[:-1, np.newaxis] + half * (1.0 + _NODES))
    integrand = k**3 * spectrum(k) * _tophat_window(k * R) ** 2
    return float(np.sum(half * _WEIGHTS * integrand)) / (2.0 * math.pi**2)


def _variance_pieces(R: float, feature: float) -> FloatArray:
    """Edges in ln k of pieces on which the integrand is smooth."""
    grid = np.linspace(math.log(_SIGMA_LOW / (R + feature)), math.log(_SIGMA_HIGH * (1.0 / R + 1.0 / feature)), 4096)
    k = np.exp(grid)
    # The wiggles' amplitude falls as k^-3, so that their phase may saturate: following it to the end would cost a
    # million pieces at small R.
    wiggles = k * feature / (1.0 + k * feature / _WIGGLES)
    count = 4.0 * grid + (k * R + wiggles) / math.pi
    pieces = math.ceil(count[-1] - count[0])
    return np.interp(np.linspace(count[0], count[-1], pieces + 1), count, grid)


def _tophat_window(x: FloatArray) -> FloatArray:
    """Fourier transform of the spherical top hat, with its series where the closed form cancels."""
    series = 1.0 - x**2 / 10.0 * (1.0 - x**2 / 28.0 * (1.0 - x**2 / 54.0))
    large = np.maximum(x, 0.1)
    return np.where(x < 0.1, series, 3.0 * (np.sin(large) - large * np.cos(large)) / large**3)
