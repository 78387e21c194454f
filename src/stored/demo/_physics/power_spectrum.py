"""How much does the density of matter fluctuate, by wavenumber and by radius?

References
----------
.. [1] D. J. Eisenstein and W. Hu, "Baryonic features in the matter transfer function", ApJ 496, 605 (1998). Called EH98
   below.
.. [2] B. Diemer, "COLOSSUS: a Python toolkit for cosmology, large-scale structure, and dark matter halos", ApJS 239, 35
   (2018).
"""

import math
from collections.abc import Callable
from typing import overload

import numpy as np

from stored.demo._physics.checks import check_positive
from stored.demo._physics.transfer_function import FloatArray, evaluate_fit, fit_transfer_function, transfer_function

__all__ = ["power_spectrum_shape", "sigma_unnormalised"]

# What the limits of the sigma integral cut off is below 1e-9 of it: the integrand falls as k^(ns + 3) below both the
# filter's and the spectrum's scale, and as k^(ns - 5) above both.
_SIGMA_LOW = 1e-4
_SIGMA_HIGH = 1e3
_WIGGLES = 400.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


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
    sigma^2 is the integral of k^3 P(k) W(kR)^2 / (2 pi^2) over ln k ([2]_), where W(x) = 3 (sin x - x cos x) / x^3. It
    is done by Gauss-Legendre quadrature of order 16 on pieces that cover at most a quarter of an e-fold, half a period
    of W and, where they matter, half an acoustic oscillation.
    Colossus 1.4 agrees to 4e-7 when its ``accuracy_sigma`` is 1e-8 (it cuts the integrand off at 1e-6 of its maximum),
    and to 3e-5 as it comes.
    """
    check_positive("R", R)
    _check_slope(ns)
    fit = fit_transfer_function(h, Om0, Ob0, Tcmb0)
    return math.sqrt(_variance(lambda k: k**ns * evaluate_fit(k, h, fit) ** 2, R, fit.sound_horizon * h))


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
