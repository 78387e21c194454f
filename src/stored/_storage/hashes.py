"""Could making a set or a dict of these elements or keys take too long?

Whoever writes an entry can choose numbers, and tuples of them, that share a hash, or that lead CPython to the same
places in its table one after the other; the hashes of texts and bytes have a secret. So the number of others is
limited, which bounds what cannot be told by looking: 2**14 chosen keys of different hashes take 0.3 s. Comparing two
frozen sets takes as long as looking up the elements of one in the other, and what that costs is multiplied by each
level of sets in sets; so of these fewer are allowed.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

__all__ = ["MAX_CHOSEN", "MAX_SAME_HASH", "MAX_SETS_OF_SAME_HASH", "MAX_SET_DEPTH", "takes_long"]

MAX_SAME_HASH = 100
"""Elements that may have one hash, by chance."""

MAX_SETS_OF_SAME_HASH = 4
"""Elements that may have one hash and are, or hold, frozen sets."""

MAX_SET_DEPTH = 3
"""Levels of frozen sets in an element."""

MAX_CHOSEN = 2**14
"""Elements that need not be texts or bytes, whose hashes can be chosen."""

_SECRET_HASHES = frozenset((str, bytes))

_CONTAINERS = frozenset((tuple, frozenset))


def takes_long(elements: Collection[object]) -> bool:
    """Do too many of these share a hash, are too many neither texts nor bytes, or are sets in sets too deep?

    Raises
    ------
    TypeError
        If one of them has no hash.
    """
    if _SECRET_HASHES.issuperset(map(type, elements)):
        return False
    if not _CONTAINERS.isdisjoint(map(type, elements)):
        depths = list(map(_set_depth, elements))
        sets = [each for each, depth in zip(elements, depths, strict=True) if depth]
        if max(depths) > MAX_SET_DEPTH or _share_hash(sets, MAX_SETS_OF_SAME_HASH):
            return True
    if len(elements) <= MAX_SAME_HASH:
        return False
    chosen = [each for each in elements if type(each) not in _SECRET_HASHES]
    return len(chosen) > MAX_CHOSEN or _share_hash(chosen, MAX_SAME_HASH)


def _set_depth(value: object) -> int:
    """How many frozen sets are inside each other in a value."""
    if not isinstance(value, tuple | frozenset):
        return 0
    return isinstance(value, frozenset) + max(map(_set_depth, value), default=0)


def _share_hash(elements: Collection[object], limit: int) -> bool:
    """Do more than so many of these share one hash?"""
    hashes = np.fromiter(map(hash, elements), np.int64, len(elements))
    hashes.sort()
    return bool((hashes[limit:] == hashes[:-limit]).any())
