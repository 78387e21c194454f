"""Where are entries kept? A store keeps bytes under names: in a directory, in memory, or one store over others."""

from stored.stores._directory import DirectoryStore
from stored.stores._layered import LayeredStore, LayerError
from stored.stores._memory import MemoryStore
from stored.typing import Store

__all__ = ["DirectoryStore", "LayerError", "LayeredStore", "MemoryStore", "Store"]
