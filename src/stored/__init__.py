"""Remember what a model object computed, for exactly as long as its parameters stay the same."""

from typing import TYPE_CHECKING

import stored._platform as _platform  # noqa: F401  # first, to say what is supported where other modules fail
from stored._lazy import lazy_attributes
from stored._methods import CacheInfo, stored
from stored._settings import configure
from stored._version import __version__
from stored.errors import (
    ConfigurationError,
    DamagedEntryError,
    EntryError,
    EntryWarning,
    OutsideAxisError,
    OutsideValuesError,
    OwnerError,
    OwnerWarning,
    PersistenceWarning,
    StaleResultWarning,
    StoredError,
    StoredWarning,
    TableError,
    TableWarning,
    ToleranceError,
    UnstableKeyError,
    UntrustedEntryError,
    VolatileKeyWarning,
)
from stored.typing import Upkeep

if TYPE_CHECKING:
    from stored._adapters import register
    from stored._engine import StorageUser, getCacheDir, storage_user
    from stored._keys import keyed_by
    from stored._methods import Dependencies, Dependency, Explanation, FillReport, clear, fill
    from stored._storage import upkeep
    from stored._tables import Axis, Interpolant

__all__ = [
    "Axis",
    "CacheInfo",
    "ConfigurationError",
    "DamagedEntryError",
    "Dependencies",
    "Dependency",
    "EntryError",
    "EntryWarning",
    "Explanation",
    "FillReport",
    "Interpolant",
    "OutsideAxisError",
    "OutsideValuesError",
    "OwnerError",
    "OwnerWarning",
    "PersistenceWarning",
    "StaleResultWarning",
    "StorageUser",
    "StoredError",
    "StoredWarning",
    "TableError",
    "TableWarning",
    "ToleranceError",
    "UnstableKeyError",
    "UntrustedEntryError",
    "Upkeep",
    "VolatileKeyWarning",
    "__version__",
    "clear",
    "configure",
    "fill",
    "getCacheDir",
    "keyed_by",
    "register",
    "storage_user",
    "stored",
    "upkeep",
]

LAZY = {
    "Axis": "_tables",
    "Dependencies": "_methods",
    "Dependency": "_methods",
    "Explanation": "_methods",
    "FillReport": "_methods",
    "Interpolant": "_tables",
    "StorageUser": "_engine",
    "clear": "_methods",
    "fill": "_methods",
    "getCacheDir": "_engine",
    "keyed_by": "_keys",
    "register": "_adapters",
    "storage_user": "_engine",
    "stores": "stores",
    "upkeep": "_storage",
}
"""Names that are imported when they are first used, and their packages, so that a program pays for what it uses."""

if not TYPE_CHECKING:  # type checkers would take every name for one of these
    __getattr__ = lazy_attributes(__name__, LAZY)


def __dir__() -> list[str]:
    return sorted({*globals(), *LAZY, *__all__})
