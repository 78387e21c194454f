"""One owner's storage space, and its face `StorageUser`, with the names and meanings of the storage module of Colossus.

A `StorageSpace` has the results for one set of parameters, in memory and in the store. `owner_record` finds what is
known of an owner: its `PresentSpace` follows its parameters, whichever way it tells them, and the objects of a class
share the last few spaces (`spaces`). `storage_user` gives any owner's `StorageUser`.
"""

from stored._engine.copying import described_instead, rebound_user
from stored._engine.directory import directory_of, getCacheDir
from stored._engine.function_owner import function_owner
from stored._engine.memory_limit import memory_limit
from stored._engine.owner_user import storage_user
from stored._engine.owners import Counted, OwnerRecord, live_records, methods_of, owner_record
from stored._engine.space import Method, StorageSpace, own_arguments
from stored._engine.spaces import PresentSpace, empty_memory, spaces_with_method
from stored._engine.user import StorageUser

__all__ = [
    "Counted",
    "Method",
    "OwnerRecord",
    "PresentSpace",
    "StorageSpace",
    "StorageUser",
    "described_instead",
    "directory_of",
    "empty_memory",
    "function_owner",
    "getCacheDir",
    "live_records",
    "memory_limit",
    "methods_of",
    "own_arguments",
    "owner_record",
    "rebound_user",
    "spaces_with_method",
    "storage_user",
]
