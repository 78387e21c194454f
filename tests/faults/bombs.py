"""Entries that would cost minutes, gibibytes or the process, if it were not for limits.

``python -m tests.faults.bombs NAME`` decodes one under limits of the system, and prints what became of it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import resource
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stored._storage.codecs import decode
from stored._storage.format import unpack
from stored._storage.listing import _header_in
from stored.errors import EntryError
from tests.faults.scale import LONG
from tests.storage.entries import KEY, Parts

_MOST_MEMORY = 400 << 20
"""Bytes that decoding may take beside what the process has."""

_MOST_SECONDS = 10
"""Of processor time."""

_PERIOD = 2**61 - 1


def repeated(node: str, size: int = 256_000, tag: str = "list") -> bytes:
    """A tree of one node, again and again."""
    return f'["{tag}"{f",{node}" * (size // (len(node) + 1))}]'.encode()


def colliding(node: Callable[[int], str], tag: str = "set", number: int = 80_000) -> bytes:
    """A set of numbers that share a hash."""
    return f'["{tag}",{",".join(map(node, range(2, number)))}]'.encode()


def nested_sets(number: int, depth: int) -> str:
    """A set of so many sets of so many sets, all with one hash, which differ in their innermost numbers."""

    def node(level: int, index: int) -> str:
        if not level:
            return integer(index + 1)
        members = [node(level - 1, number + index), *(node(level - 1, each) for each in range(number - 1))]
        return f'["frozenset",{",".join(members)}]'

    return f'["set",{",".join(node(depth - 1, index) for index in range(number))}]'


def probing(bits: int) -> list[int]:
    """Integers of different hashes whose places in a dict of 2**bits places are those of others.

    CPython tries the places ``i = (5 * i + perturb + 1) % 2**bits``, with ``perturb`` shifted by 5 bits each time (see
    Objects/dictobject.c). Half of the places are taken by a run along which it goes once perturb is 0.
    """
    mask, half = (1 << bits) - 1, 1 << (bits - 1)
    run = list(itertools.accumulate(range(half - 1), lambda place, _: (5 * place + 1) & mask, initial=0))
    taken = np.zeros(mask + 1, bool)
    taken[run] = True
    chance, found = np.random.default_rng(bits), list(run)
    while len(found) < int(0.66 * (mask + 1)):
        hashes = chance.integers(0, _PERIOD, 1 << 18, dtype=np.int64)
        places, perturb, kept = hashes & mask, hashes.copy(), taken[hashes & mask]
        for _ in range(13):
            perturb >>= 5
            places = (5 * places + perturb + 1) & mask
            kept &= taken[places]
        found += hashes[kept].tolist()
    return found


def dict_with(keys: list[int]) -> bytes:
    """A dict of these keys."""
    return f'["dict",{",".join(f"{each},0" for each in keys)}]'.encode()


def hexed(value: float) -> str:
    return struct.pack("<d", value).hex()


def integer(n: int) -> str:
    return f'["int","{n * _PERIOD:#x}"]'


def in_key(text: str) -> bytes:
    return KEY.data.replace(b"model 1.5", text.encode())


BOMBS: dict[str, Callable[[], Parts]] = {
    "aliases": lambda: Parts(repeated('["bytes",0,100000]', 190_000), bytes(100_000)),
    "aliased arrays": lambda: Parts(repeated('["bytes_",0,100000]', 190_000), bytes(100_000)),
    "integers with one hash": lambda: Parts(colliding(integer)),
    "keys with one hash": lambda: Parts(colliding(lambda n: f"{integer(n)},0", "dict")),
    "tuples with one hash": lambda: Parts(colliding(lambda n: f'["tuple",{integer(n)},"a"]', "frozenset")),
    "complex numbers with one hash": lambda: Parts(
        colliding(lambda n: f'["complex","{hexed(1000003.0 * n)}","{hexed(-n)}"]')
    ),
    "sets in sets": lambda: Parts(nested_sets(40, 3).encode()),
    "few sets in deep sets": lambda: Parts(nested_sets(4, 7).encode()),
    "keys for one place": lambda: Parts(dict_with(probing(17 if LONG else 15))),
    "a deep tree": lambda: Parts(b"[" * 500_000),
    "a deep key": lambda: Parts(b"1", key=b'{"module":' * 100_000),
    "deep values": lambda: Parts(b"1", values=b'{"parameters":' * 4_000),
    "a deep description": lambda: Parts(b"1", described=b"[" * 65_000),
    "empty lists": lambda: Parts(repeated("[]")),
    "empty objects": lambda: Parts(repeated("{}")),
    "empty sets": lambda: Parts(repeated('["set"]')),
    "empty arrays": lambda: Parts(repeated('["array","|b1",[0],"C",0,0]'), b""),
    "long dimensions": lambda: Parts(f'["array","|b1",[{",".join(["9007199254740991"] * 200_000)}],"C",0,0]'.encode()),
    "digits": lambda: Parts(b"1" * 2_000_000),
    "a long integer": lambda: Parts(b'["int","0x' + b"f" * 5_000_000 + b'"]'),
    "quotes": lambda: Parts(b"1", key=in_key('\\"' * 500_000)),
    "backslashes": lambda: Parts(b"1", key=in_key("\\\\" * 500_000)),
    "pairs": lambda: Parts(b"1", key=KEY.data.replace(b'["n","200"]', b'["n","200"]' + b',["",""]' * 100_000)),
    "huge dimensions": lambda: Parts(b'["array","|b1",[1099511627776,0],"C",0,0]', b""),
    "items without bytes": lambda: Parts(b'["array","|V0",[1099511627776],"C",0,0]', b""),
    "registered types": lambda: Parts(repeated('["registered","numpy.ma.masked","",null]')[:-1] + b',["no tag"]]'),
    "types of any name": lambda: Parts(
        f'["list",{",".join(f"""["registered","p{each}.Type","",null]""" for each in range(8_000))}]'.encode()
    ),
    "large pools of seeds": lambda: Parts(
        repeated('["registered","numpy.random.SeedSequence","",["tuple",1,["tuple"],64,0]]')[:-1] + b',["no tag"]]'
    ),
    "a seed of many bits": lambda: Parts(
        b'["registered","numpy.random.SeedSequence","",["tuple",["int","0x' + b"f" * 2_000_000 + b'"],["tuple"],4,0]]'
    ),
    "times of zero units": lambda: Parts(json.dumps(["array", "<M8[0s]", [2], "C", 0, 16]).encode(), bytes(16)),
}


def decoded(data: bytes) -> Any:
    """What the library makes of an entry: its header, then its value, which is used a little."""
    with contextlib.suppress(EntryError):
        _header_in(unpack(data, verify=False), "name")
    try:
        value = decode(KEY, data, None, lambda *_: None)[0]
    except EntryError as error:
        return str(error)
    return repr(value.astype("M8[ns]").tolist()) if hasattr(value, "astype") else type(value).__name__


def outcome(name: str) -> str:
    """Decode one, in a thread with a small stack, within limits of time and memory, which the process keeps."""
    data = BOMBS[name]().joined()
    sys.set_int_max_str_digits(0)
    sys.setrecursionlimit(10**9)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + _MOST_MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS + int(sum(resource.getrusage(0)[:2])),) * 2)
    threading.stack_size(256 << 10)
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(decoded(data)))
    thread.start()
    thread.join()
    return found[0]


if __name__ == "__main__":
    print(outcome(sys.argv[1]))
