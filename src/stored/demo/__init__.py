"""A real model with stored methods: a flat LambdaCDM cosmology, and a tour of what is stored and when."""

from typing import TYPE_CHECKING

from stored._lazy import lazy_attributes
from stored.demo._cosmology import FlatLambdaCDM

if TYPE_CHECKING:
    from stored.demo._tour import run_tour

__all__ = ["FlatLambdaCDM", "run_tour"]

if not TYPE_CHECKING:  # the tour measures start-up in a fresh process
    __getattr__ = lazy_attributes(__name__, {"run_tour": "_tour"})
