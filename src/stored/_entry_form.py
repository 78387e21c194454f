"""By what does the library know its own files? By the names and the first bytes that entries have, and no others."""

from __future__ import annotations

import re
import struct

__all__ = ["ENTRY_ENDING", "ENTRY_MAGIC", "REMOVED", "begins_as_entry", "is_entry_name", "said_size"]

ENTRY_ENDING = ".stored"

ENTRY_MAGIC = b"\x89STORED\n"
"""The first bytes of each entry."""

REMOVED = ".removed"
"""The ending, after that of an entry, of an empty mark that hides an entry of a shared directory."""

_NAME = re.compile(
    r"[A-Za-z0-9_.]{1,40}/(?:[A-Za-z0-9_.]{1,28}-[0-9a-f]{8}/)?(?P<start>[0-9a-f]{2})/"  # module and method
    r"[A-Za-z0-9_.]{1,24}-(?P=start)[0-9a-f]{30}"  # owner, and the digest of its parameters
    r"-[A-Za-z0-9_.]{1,28}-[0-9a-f]{8}-[0-9a-f]{32}"  # method, its tag, and the digest of the call
)

_SIZE = struct.Struct("<32xQ")


def is_entry_name(name: str, ending: str = ENTRY_ENDING) -> bool:
    """Has a name the form of those that keys give their entries, with this ending?"""
    return name.endswith(ending) and _NAME.fullmatch(name[: len(name) - len(ending)]) is not None


def begins_as_entry(start: bytes) -> bool:
    """Are these the first bytes of an entry, or of one that a power failure has left cut off or without its content?"""
    return start[: len(ENTRY_MAGIC)] == ENTRY_MAGIC[: len(start)] or not start.strip(b"\0")


def said_size(start: bytes) -> int | None:
    """The size of a whole entry, as its first bytes say; None if they are not of an entry."""
    return _SIZE.unpack_from(start)[0] if start.startswith(ENTRY_MAGIC) and len(start) >= _SIZE.size else None
