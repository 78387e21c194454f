"""Values that tell what they are, so that any mix-up shows, and what a directory may hold when all is well."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stored._settings import settings
from stored._storage.format import unpack
from stored._storage.native import unpack_native

KINDS = ("small", "large", "tree", "object")
_SIZES = {"large": 140_000}
"""Items of 8 bytes; files are memory-mapped from 1 MiB on."""


class Custom:
    """What has no native form, and is pickled."""

    def __init__(self, data: NDArray[np.uint64]) -> None:
        self.data = data


def made(kind: str, *key: object, edition: int = 0) -> Any:
    """The value of a kind for a key; of one edition all items tell the key, and the first one the edition."""
    start = zlib.crc32(repr((kind, key, edition)).encode())
    data = np.arange(_SIZES.get(kind, 30), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
    data[0] = edition
    if kind == "tree":
        return {"key": [str(each) for each in key], "data": (data, None, {"bytes": data.tobytes()})}
    return Custom(data) if kind == "object" else data


def check(value: Any, kind: str, *key: object) -> None:
    """It is the value of that kind for that key, in any edition."""
    assert same(value, made(kind, *key, edition=edition(value))), (kind, key, value)


def edition(value: Any) -> int:
    """Which edition it is, if it is a value at all."""
    data = value.data if isinstance(value, Custom) else value["data"][0] if isinstance(value, dict) else value
    return int(data[0])


def same(one: Any, other: Any) -> bool:
    """Are two values of these kinds identical?"""
    if type(one) is not type(other):
        return False
    if isinstance(one, Custom):
        return same(one.data, other.data)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def note(*what: object) -> None:
    """Add a line to the log that stands beside the cache directory."""
    # a block of configure, which gives the settings too, would end shortcuts
    log = os.open(settings().cache_dir.parent / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(log, f"{' '.join(map(str, what))}\n".encode())
    os.close(log)


def noted() -> list[str]:
    """The lines of the log."""
    log = settings().cache_dir.parent / "log"
    return log.read_text().splitlines() if log.exists() else []


def whole_entries(directory: Path) -> int:
    """How many files there are, hidden ones included; each is an entry that can be read to its end.

    But for the empty marks of what was removed from one's own layer, and is hidden in the layers below, or of a
    computation that failed, the marker of the directory, the two files that stay in the folder of drafts, and what the
    versions of methods were made of.
    """
    files = [path for path in directory.rglob("*") if not path.is_dir()]
    files = [path for path in files if path.suffix not in {".removed", ".failed"} or path.stat().st_size]
    files = [path for path in files if path.parent.name != ".work" or path.name not in {"locks", "size"}]
    files = [path for path in files if path != directory / "CACHEDIR.TAG" and path.suffix != ".code"]
    for file in files:
        assert file.suffix == ".stored", file
        entry = unpack(file.read_bytes())
        assert unpack_native(entry) is not NotImplemented if entry.description().kind == "native" else entry.body
    return len(files)
