"""A real model on stored: a flat LambdaCDM cosmology, and a tour of what is remembered of it."""

from stored.demo._cosmology import FlatLambdaCDM

__all__ = ["FlatLambdaCDM"]
