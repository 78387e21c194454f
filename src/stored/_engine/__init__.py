"""One owner's storage space: `StorageUser`, with the names and meanings of the storage module of Colossus.

It joins keys, tables and storage for objects that are stored by name. A `UserSnapshot` is its parameters at one moment,
for the decorated methods of the same owner.
"""

from stored._engine.copying import described_instead, rebound_user
from stored._engine.directory import directory_of, getCacheDir
from stored._engine.snapshot import UserSnapshot
from stored._engine.user import StorageUser

__all__ = ["StorageUser", "UserSnapshot", "described_instead", "directory_of", "getCacheDir", "rebound_user"]
