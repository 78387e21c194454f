"""Remember what a model object computed, for exactly as long as its parameters stay the same."""

from stored._axes import Axis
from stored._config import configure
from stored._decorators import Explanation, stored
from stored._engine import StorageUser, getCacheDir
from stored._interpolants import Interpolant
from stored._owners import keyed_by
from stored._persistence import upkeep
from stored._results import CacheInfo
from stored._version import __version__
from stored.errors import (
    ConfigurationError,
    DamagedEntryError,
    EntryError,
    EntryWarning,
    OutsideAxisError,
    OutsideValuesError,
    OwnerError,
    PersistenceWarning,
    StoredError,
    StoredWarning,
    TableError,
    TableWarning,
    ToleranceError,
    UnstableKeyError,
    UntrustedEntryError,
)
from stored.typing import Upkeep

__all__ = [
    "Axis",
    "CacheInfo",
    "ConfigurationError",
    "DamagedEntryError",
    "EntryError",
    "EntryWarning",
    "Explanation",
    "Interpolant",
    "OutsideAxisError",
    "OutsideValuesError",
    "OwnerError",
    "PersistenceWarning",
    "StorageUser",
    "StoredError",
    "StoredWarning",
    "TableError",
    "TableWarning",
    "ToleranceError",
    "UnstableKeyError",
    "UntrustedEntryError",
    "Upkeep",
    "__version__",
    "configure",
    "getCacheDir",
    "keyed_by",
    "stored",
    "upkeep",
]
