"""Where are results kept? In memory, and as entries in a store.

Memory is a dict or a `BoundedMemory`, and a `Slot` of the `PersistentTier` is the place of one result in a store; with
`Flights`, one thread computes for all that need the same result. `freeze` and `copy_for_caller` see to it that callers
cannot change what is kept. An entry describes itself and has a checksum (`format`); its slot (`disk`) decides whether
it may be used.
"""

from stored._storage.disk import Access, Slot
from stored._storage.freezing import copy_for_caller, copy_of_flat, freeze, freeze_for_callers
from stored._storage.listed_values import Values
from stored._storage.listing import (
    ADOPTED,
    Header,
    headers,
    headers_of_method,
    headers_of_space,
    keys_of_same_method,
    read_header,
)
from stored._storage.memory import BoundedMemory, CachedResult
from stored._storage.memory_size import array_bytes, is_mapped, memory_size
from stored._storage.reports import report_unusable_entry, report_wait_timeout
from stored._storage.single_flight import Flight, Flights
from stored._storage.tier import PersistentTier, current_store
from stored._storage.upkeep import upkeep

__all__ = [
    "ADOPTED",
    "Access",
    "BoundedMemory",
    "CachedResult",
    "Flight",
    "Flights",
    "Header",
    "PersistentTier",
    "Slot",
    "Values",
    "array_bytes",
    "copy_for_caller",
    "copy_of_flat",
    "current_store",
    "freeze",
    "freeze_for_callers",
    "headers",
    "headers_of_method",
    "headers_of_space",
    "is_mapped",
    "keys_of_same_method",
    "memory_size",
    "read_header",
    "report_unusable_entry",
    "report_wait_timeout",
    "upkeep",
]
