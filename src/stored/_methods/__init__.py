"""The decorator: how is a stored method called?

`stored` makes a `StoredMethod` for the class, which gives each owner a bound method. A call takes a shortcut
(`call_code`, `shortcuts`) or is a full call (`answer`, `results`); both have the same result,
and take it from the owner's storage space, which `_engine` finds.
"""

from typing import TYPE_CHECKING

from stored._lazy import lazy_attributes
from stored._methods.counters import CacheInfo
from stored._methods.decorator import stored

if TYPE_CHECKING:
    from stored._methods.dependencies import Dependencies, Dependency
    from stored._methods.explain import Explanation
    from stored._methods.fill_report import FillReport
    from stored._methods.filling import fill
    from stored._methods.forget import clear
    from stored._methods.verify import take_stale_results

__all__ = [
    "CacheInfo",
    "Dependencies",
    "Dependency",
    "Explanation",
    "FillReport",
    "clear",
    "fill",
    "stored",
    "take_stale_results",
]

if not TYPE_CHECKING:  # type checkers would take every name for one of these
    __getattr__ = lazy_attributes(
        __name__,
        {
            "Dependencies": "dependencies",
            "Dependency": "dependencies",
            "Explanation": "explain",
            "FillReport": "fill_report",
            "clear": "forget",
            "fill": "filling",
            "take_stale_results": "verify",
        },
    )
