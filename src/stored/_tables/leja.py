"""Polynomial interpolation at Leja points, nodes to which any number can be added.

Each Leja point is where the product of the distances to those before it is largest. The first n of them interpolate
nearly as well as n Chebyshev points, for every n, so that no evaluation is wasted when more turn out to be needed; and
unlike Chebyshev points they share no regular pattern with a periodic function.

References
----------
.. [1] F. Leja, "Sur certaines suites liees aux ensembles plans et leur application a la representation conforme",
   Ann. Polon. Math. 4, 8 (1957).
.. [2] L. Reichel, "Newton interpolation at Leja points", BIT 30, 332 (1990).
.. [3] J.-P. Berrut and L. N. Trefethen, "Barycentric Lagrange interpolation", SIAM Review 46, 501 (2004).
"""

from __future__ import annotations

import functools
import math

import numpy as np

from stored._tables.axis import Floats

__all__ = ["MOST_NODES", "basis", "leja_points", "scale_to"]

MOST_NODES = 192

_CANDIDATES = 8193
"""The points are chosen among so many Chebyshev points, in place of all numbers."""


@functools.cache
def _all_points() -> Floats:
    candidates = np.cos(np.linspace(0.0, math.pi, _CANDIDATES))
    points = [1.0, -1.0, 0.0]
    with np.errstate(divide="ignore"):
        log_product = sum(np.log(np.abs(candidates - each)) for each in points)
        for _ in range(MOST_NODES - len(points)):
            points.append(float(candidates[np.argmax(log_product)]))
            log_product += np.log(np.abs(candidates - points[-1]))
    return _make_read_only(np.array(points))


def leja_points(first: int, last: int) -> Floats:
    """Leja points of [-1, 1] number `first` to `last` (exclusive), counted from 0; the ends come first."""
    return _all_points()[first:last]


@functools.lru_cache(maxsize=MOST_NODES)
def _weights(number: int) -> Floats:
    """The barycentric weights of the first Leja points, [3]_ Eq. 3.2, scaled by the capacity of the interval."""
    points = leja_points(0, number)
    differences = 2.0 * (points[:, None] - points)
    np.fill_diagonal(differences, 1.0)
    return _make_read_only(1.0 / np.prod(differences, axis=1))


def basis(number: int, s: Floats) -> Floats:
    """The values of the Lagrange polynomials of the first Leja points.

    Parameters
    ----------
    number : int
        Of nodes.
    s : ndarray, shape (m,)
        Points in [-1, 1].

    Returns
    -------
    ndarray, shape (m, number)
        Its product with the values at the nodes is the interpolating polynomial, [3]_ Eq. 4.2.
    """
    distances = s[:, None] - leja_points(0, number)
    hits = distances == 0.0
    terms = _weights(number) / np.where(hits, 1.0, distances)
    result: Floats = terms / np.sum(terms, axis=1, keepdims=True)
    on_a_node = hits.any(axis=1)
    result[on_a_node] = hits[on_a_node]
    return result


def scale_to(s: Floats, low: float, high: float) -> Floats:
    """From [-1, 1] to other limits; -1 and 1 become exactly these."""
    t = 0.5 * (low + high) + 0.5 * (high - low) * s
    return np.where(s == -1.0, low, np.where(s == 1.0, high, t))


def _make_read_only(array: Floats) -> Floats:
    array.flags.writeable = False
    return array
