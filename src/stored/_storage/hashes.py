"""Do so many elements of a set, or keys of a dict, share a hash that making it takes too long?

Whoever writes an entry can choose numbers, and tuples of them, that do; the hashes of texts and bytes have a secret.
Keys of different hashes are not found that were chosen for the places which CPython tries in its table one after the
other: a dict of 20,000 of them takes 0.3 s to make, and one of twice as many four times as long.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

__all__ = ["MAX_SAME_HASH", "share_hash"]

MAX_SAME_HASH = 100

_SECRET_HASHES = frozenset((str, bytes))


def share_hash(elements: Collection[object]) -> bool:
    """Do more than `MAX_SAME_HASH` of these share one hash, other than by chance?

    Raises
    ------
    TypeError
        If one of them has no hash.
    """
    if len(elements) <= MAX_SAME_HASH or _SECRET_HASHES.issuperset(map(type, elements)):
        return False
    hashes = np.fromiter(map(hash, elements), np.int64, len(elements))
    hashes.sort()
    return bool((hashes[MAX_SAME_HASH:] == hashes[:-MAX_SAME_HASH]).any())
