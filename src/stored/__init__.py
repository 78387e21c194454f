"""Remember what a model object computed, for exactly as long as its parameters stay the same."""

from typing import TYPE_CHECKING, Any

import stored._platform as _platform  # noqa: F401  # first, to say what is supported where other modules fail
from stored._config import configure
from stored._decorators import stored
from stored._engine import StorageUser, getCacheDir
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

if TYPE_CHECKING:
    from stored._axes import Axis
    from stored._explanations import Explanation
    from stored._interpolants import Interpolant

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

_WHEN_NEEDED = {"Axis": "_axes", "Explanation": "_explanations", "Interpolant": "_interpolants"}
"""What a program without tables has no need of, and where it is."""


def __getattr__(name: str) -> Any:
    if name not in _WHEN_NEEDED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"stored.{_WHEN_NEEDED[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
