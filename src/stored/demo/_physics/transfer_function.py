"""By what factor has the early universe damped perturbations of each wavenumber?

References
----------
.. [1] D. J. Eisenstein and W. Hu, "Baryonic features in the matter transfer function", ApJ 496, 605 (1998). Called EH98
   below; a bare "Eq." is this paper's.
"""

import math
from typing import NamedTuple, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from stored.demo._physics.checks import check_positive

__all__ = ["FloatArray", "evaluate_fit", "fit_transfer_function", "transfer_function"]

FloatArray: TypeAlias = npt.NDArray[np.float64]


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


def fit_transfer_function(h: float, Om0: float, Ob0: float, Tcmb0: float) -> _Fit:
    """The quantities of the fit for a cosmology, from checked parameters."""
    for name, value in (("h", h), ("Om0", Om0), ("Ob0", Ob0), ("Tcmb0", Tcmb0)):
        check_positive(name, value)
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


def evaluate_fit(k: FloatArray, h: float, fit: _Fit) -> FloatArray:
    """Sum of the two parts, Eq. 16; the paper's wavenumbers are in 1/Mpc."""
    wavenumber = k * h
    phase = wavenumber * fit.sound_horizon
    q = wavenumber / (13.41 * fit.k_equality)  # Eq. 10
    baryons = _baryon_transfer(phase, q, wavenumber / fit.k_silk, fit)
    return fit.baryon_fraction * baryons + (1.0 - fit.baryon_fraction) * _cdm_transfer(phase, q, fit)


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


def _pressureless(q: FloatArray, alpha: float, beta: float) -> FloatArray:
    """T0~(k, alpha, beta), Eq. 19 and 20."""
    log = np.log(math.e + 1.8 * beta * q)
    c = 14.2 / alpha + 386.0 / (1.0 + 69.9 * q**1.08)
    return log / (log + c * q**2)


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
    return evaluate_fit(wavenumber, h, fit_transfer_function(h, Om0, Ob0, Tcmb0))
