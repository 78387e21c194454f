"""Physics of a flat LambdaCDM cosmology, as pure functions of floats.

Nothing here is cached and nothing is imported from the rest of the library: these are the plain functions that the
demonstration decorates. Lengths are comoving Mpc/h, wavenumbers comoving h/Mpc, times Gyr, densities units of today's
critical density.
"""

from stored.demo._physics.expansion import (
    GIGAYEAR,
    GRAVITATION,
    MEGAPARSEC,
    SPEED_OF_LIGHT,
    STEFAN_BOLTZMANN,
    age,
    comoving_distance,
    hubble_ratio,
    radiation_density,
)
from stored.demo._physics.growth import growth_factor
from stored.demo._physics.power_spectrum import power_spectrum_shape, sigma_unnormalised
from stored.demo._physics.transfer_function import transfer_function

__all__ = [
    "GIGAYEAR",
    "GRAVITATION",
    "MEGAPARSEC",
    "SPEED_OF_LIGHT",
    "STEFAN_BOLTZMANN",
    "age",
    "comoving_distance",
    "growth_factor",
    "hubble_ratio",
    "power_spectrum_shape",
    "radiation_density",
    "sigma_unnormalised",
    "transfer_function",
]
