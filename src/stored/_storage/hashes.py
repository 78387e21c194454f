"""Could making a set or a dict of these elements or keys take too long?

Whoever writes an entry can choose numbers, and tuples of them, that share a hash, or that lead CPython to the same
places in its table one after the other; the hashes of texts and bytes have a secret. So the number of others is
limited, which bounds what cannot be told by looking: 2**14 chosen keys of different hashes take 0.3 s.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

__all__ = ["MAX_CHOSEN", "MAX_SAME_HASH", "takes_long"]

MAX_SAME_HASH = 100
"""Elements that may have one hash, by chance."""

MAX_CHOSEN = 2**14
"""Elements that need not be texts or bytes, whose hashes can be chosen."""

_SECRET_HASHES = frozenset((str, bytes))


def takes_long(elements: Collection[object]) -> bool:
    """Do more than `MAX_SAME_HASH` of these share a hash, or are there more than `MAX_CHOSEN`, texts and bytes apart?

    Raises
    ------
    TypeError
        If one of them has no hash.
    """
    if len(elements) <= MAX_SAME_HASH or _SECRET_HASHES.issuperset(map(type, elements)):
        return False
    chosen = [each for each in elements if type(each) not in _SECRET_HASHES]
    if len(chosen) > MAX_CHOSEN:
        return True
    hashes = np.fromiter(map(hash, chosen), np.int64, len(chosen))
    hashes.sort()
    return bool((hashes[MAX_SAME_HASH:] == hashes[:-MAX_SAME_HASH]).any())
