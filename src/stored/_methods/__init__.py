"""The decorator: how a stored method is called.

`stored` makes a `StoredMethod` for the class, which gives each owner a bound method. A call takes a shortcut (`call_code`,
`shortcuts`) or the long way (`answer`, `results`), and both give the same.
"""

from typing import TYPE_CHECKING

from stored._lazy import lazy_attributes
from stored._methods.counters import CacheInfo
from stored._methods.decorator import stored

if TYPE_CHECKING:
    from stored._methods.explain import Explanation

__all__ = ["CacheInfo", "Explanation", "stored"]

if not TYPE_CHECKING:  # type checkers would take every name for one of these
    __getattr__ = lazy_attributes(__name__, {"Explanation": "explain"})
