"""A file that was changed in any way gives the value that was written or a recomputation, and nothing else."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import Axis, EntryWarning, StorageUser, configure, keyed_by, stored
from stored._keys import Key
from stored._settings import settings
from stored._storage import PersistentTier, headers
from stored._storage.format import unpack
from stored._storage.reports import clear_reports
from stored.stores import DirectoryStore
from stored.typing import ABSENT
from tests.faults.memory import forget_memory
from tests.faults.scale import rounds
from tests.faults.values import Custom, whole_entries
from tests.storage.entries import NUMBERS, dumped, identical, parts_of, sealed

SAMPLES: dict[str, Any] = {
    "None": None,
    "true": True,
    "integer": 12345,
    "large integer": 2**200,
    "float": math.pi,
    "NaN": math.nan,
    "complex": complex(-0.0, math.inf),
    "text": "h\0é\ud800😀",
    "bytes": bytes(range(256)),
    "scalar": np.float32(1.5),
    "numpy text": np.str_("a\0"),
    "containers": {"a": [1, (2.5, None)], 3: {"b": {4, 5}, b"c": frozenset("d")}},
    "array in C order": np.arange(6.0).reshape(2, 3),
    "array in Fortran order": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "structured array": np.zeros(3, [("a", "<f8"), ("b", ">i2", (2,)), ("c", "S3")]),
    "empty array": np.empty((0, 5)),
    "arrays in a container": [np.arange(3), {"x": np.ones(2, bool), "t": np.array(["2024-01-01"], "M8[D]")}],
    "pickle": Custom(np.arange(10, dtype=np.uint64)),
    "mapped array": np.arange(140_000, dtype=np.uint64),
}


@keyed_by("n")
class Model:
    """An owner that counts what it computes."""

    computed = 0

    def __init__(self, n: float = 1.5) -> None:
        self.n = n

    @stored
    def sample(self, name: str) -> Any:
        Model.computed += 1
        return SAMPLES[name]

    @stored(interpolate=Axis("x", 0.5, 2.0, rtol=1e-6))
    def curve(self, x: float) -> float:
        Model.computed += 1
        return x**self.n

    @stored(interpolate=Axis("x", 0.0, 1.0, points=20))
    def few(self, x: float) -> float:
        Model.computed += 1
        return x**self.n


class Subject:
    """A stored result, its file, and how it is asked for anew."""

    def __init__(self, directory: Path, ask: Callable[[], Any]) -> None:
        self.ask = ask
        self.expected = ask()
        (self.file,) = directory.rglob("*.stored")
        self.data = self.file.read_bytes()
        self.key = Key.from_bytes(unpack(self.data).key)

    def load(self) -> Any:
        """What the tier beneath the methods finds: the value, or nothing."""
        result = PersistentTier("r").slot(self.key).load()
        return result if result is ABSENT else result.value

    def check(self, found: Any, expected: Any) -> None:
        """Nothing is found, or what was written."""
        assert found is ABSENT or is_same(found, expected)

    def check_answer(self) -> int:
        """Without memory an owner answers as ever; how much did it compute for that? Afterwards the file is good."""
        before = Model.computed
        forget_memory(Model)
        assert is_same(self.ask(), self.expected)
        computed = Model.computed - before
        assert is_same(self.ask(), self.expected)  # from memory, if new objects have it
        forget_memory(Model)
        assert is_same(self.ask(), self.expected)
        assert Model.computed == before + computed
        assert len(self.file.read_bytes()) > 32
        return computed


def is_same(one: Any, other: Any) -> bool:
    if isinstance(one, Custom):
        return isinstance(other, Custom) and identical(one.data, other.data)
    return identical(one, other)


@pytest.fixture(params=[*SAMPLES, "curve", "few"])
def subject(request: pytest.FixtureRequest, cache_dir: Path) -> Subject:
    if request.param in SAMPLES:
        return Subject(cache_dir, lambda: Model().sample(request.param))
    return Subject(cache_dir, lambda: getattr(Model(), request.param)(0.75))


@contextlib.contextmanager
def warned_once() -> Iterator[None]:
    """Within a block an entry is not used, and one warning says so."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    assert {each.category for each in caught} == {EntryWarning}, list(map(str, caught))
    assert len(caught) == 1


@contextlib.contextmanager
def flipped(file: Path, data: bytes, position: int, change: int) -> Iterator[None]:
    """For the length of a block a byte of a file is another."""
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.pwrite(descriptor, bytes([data[position] ^ change]), position)
        yield
        os.pwrite(descriptor, data[position : position + 1], position)
    finally:
        os.close(descriptor)


def positions(size: int, most: int) -> list[int]:
    """All positions, or of a large file those of the header and some more."""
    if size <= 1 << 20:
        return list(range(size))
    return [*range(1024), *sorted(random.Random(size).sample(range(1024, size), most)), size - 1]


def test_every_flipped_byte_is_found(subject: Subject) -> None:
    """Whichever byte of a file is another, the entry is not used, with one warning, or is what was written."""
    chance = random.Random(subject.key.data)
    value = subject.load()
    with warned_once():
        for position in positions(len(subject.data), rounds(100, 5000)):
            for change in chance.sample(range(1, 256), rounds(2, 8)):
                with flipped(subject.file, subject.data, position, change):
                    subject.check(subject.load(), value)
    assert is_same(subject.load(), value)


@pytest.mark.parametrize("subject", ["None", "text", "array in C order", "pickle"], indirect=True)
def test_every_change_of_a_byte_is_found(subject: Subject) -> None:
    """A byte may change in any of 255 ways."""
    value = subject.load()
    with warned_once():
        for position in range(0, len(subject.data), rounds(40, 1)):
            for change in range(1, 256):
                with flipped(subject.file, subject.data, position, change):
                    subject.check(subject.load(), value)
    assert is_same(subject.load(), value)


def test_every_cut_is_found(subject: Subject) -> None:
    """A file cut at any length is passed over with one warning."""
    value = subject.load()
    with warned_once():
        for length in reversed(positions(len(subject.data), rounds(100, 5000))):
            os.truncate(subject.file, length)
            subject.check(subject.load(), value)


def test_what_stands_behind_an_entry_is_found(subject: Subject) -> None:
    """A file with more bytes than were written is passed over with one warning, wherever they stand."""
    value, data = subject.load(), subject.data
    longer = [data + b"\0", data + b"\n", data + bytes(64), data + data, b"\0" + data, data[:32] + b" " + data[32:]]
    longer += [data + data[:part] for part in (1, 8, 32, 64)]
    with warned_once():
        for content in longer:
            subject.file.write_bytes(content)
            subject.check(subject.load(), value)


@pytest.mark.parametrize("memory_sets", [0, 8], indirect=True)
def test_a_method_recomputes_what_is_damaged(subject: Subject) -> None:
    """A call that finds a damaged file gives the same as ever, with one warning, and the next finds a good file."""
    chance = random.Random(subject.key.data)
    for _ in range(rounds(6, 300)):
        file = bytearray(subject.file.read_bytes())
        position = chance.randrange(len(file))
        if chance.random() < 0.5:
            del file[position:]
        else:
            file[position] ^= chance.randrange(1, 256)
        subject.file.write_bytes(file)
        with warned_once():
            assert subject.check_answer() > 0
    assert whole_entries(subject.file.parent) == 1


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_storage_user_has_nothing_of_what_is_damaged(kind: str, cache_dir: Path) -> None:
    """An object whose file is damaged is absent, with one warning, and can be stored again."""

    def user() -> StorageUser:
        return StorageUser("damage", "rw", lambda: "user", lambda: "user", None)

    user().storeObject(kind, SAMPLES[kind])
    (file,) = cache_dir.rglob("*.stored")
    size = file.stat().st_size
    for position in range(0, size, size // rounds(10, 200) + 1):
        with warned_once(), flipped(file, file.read_bytes(), position, 0x10):
            assert user().getStoredObject(kind) is None
            assert user().getStoredObject(kind) is None
        user().storeObject(kind, SAMPLES[kind])
        assert is_same(user().getStoredObject(kind), SAMPLES[kind])
        assert user().listObjects() == [kind]


# --------------------------------------------------------------------------------------------------------------------
# Forgeries: the checksum is right, the content is not
# --------------------------------------------------------------------------------------------------------------------


def with_tree(data: bytes, tree: Any) -> bytes:
    """An entry with another tree, and the checksum of that."""
    return parts_of(data)._replace(body=json.dumps(tree).encode()).joined()


def test_the_forger_knows_the_format(subject: Subject) -> None:
    """What is forged in these tests is a good entry but for the part that is wrong."""
    parts = parts_of(subject.data)
    assert parts.joined() == subject.data
    if unpack(subject.data).description().kind == "native":
        subject.file.write_bytes(with_tree(subject.data, json.loads(parts.body)))
        assert subject.check_answer() == 0


def check_forgery(subject: Subject, data: bytes) -> None:
    """It is a miss with one warning, and the next store replaces it."""
    subject.file.write_bytes(data)
    with warned_once():
        assert subject.check_answer() > 0
    assert subject.file.read_bytes() != data
    assert whole_entries(subject.file.parent) == 1


ODD: list[Any] = [..., None, True, 1.5, -1, 2**70, "other", "", [], {}, [["x", "1"]]]
NO_SECONDS = [math.nan, -1.0, -0.5, math.inf, -math.inf, 1e300]
NO_SIGNATURES: list[Any] = [..., None, "", "00" * 32, "é", 1, [], {}]
KEY_PARTS = ("module", "name", "parameters", "object", "definition", "version", "arguments")
NO_ARGUMENTS: list[Any] = [[[]], [["name"]], [["name", 1]], [["name", "1", "2"]], [None]]
NO_KEYS = [b"", b"null", b"{}", b"[" * 1000, b"\xff"]


@pytest.mark.parametrize("subject", ["containers", "array in C order", "pickle"], indirect=True)
def test_forged_keys_are_passed_over(subject: Subject) -> None:
    """An entry any part of whose key is not as it was written is a miss, and is replaced."""
    parts = parts_of(subject.data)
    for found in NO_KEYS:
        check_forgery(subject, parts._replace(key=found).joined())
    for number, name in enumerate(KEY_PARTS):
        for value in [*ODD, *NO_ARGUMENTS][number % rounds(3, 1) :: rounds(3, 1)]:
            fields = {**json.loads(parts.key), name: value}
            fields = {name: each for name, each in fields.items() if each is not ...}
            if dumped(fields) != parts.key:
                check_forgery(subject, parts._replace(key=dumped(fields)).joined())


@pytest.mark.parametrize("subject", ["containers", "array in C order", "pickle"], indirect=True)
def test_forged_descriptions_are_passed_over(subject: Subject) -> None:
    """An entry that does not say how it is to be loaded, who wrote it or how long that took is a miss."""
    parts = parts_of(subject.data)
    for described in (b"", b"{", b"[]", b"1", b"{}", b"\xff", parts.described + b" "):
        check_forgery(subject, parts._replace(described=described).joined())
    for value in (*ODD, "Native", "pickled"):
        check_forgery(subject, parts.change(kind=value).joined())
        if not isinstance(value, dict):
            check_forgery(subject, parts.change(writer=value).joined())
    for seconds in NO_SECONDS:
        check_forgery(subject, parts._replace(seconds=seconds).joined())


def test_forged_signatures_are_passed_over(cache_dir: Path) -> None:
    """A pickle with any other signature, or none, is a miss and is replaced; so is one that is called native."""
    subject = Subject(cache_dir, lambda: Model().sample("pickle"))
    parts = parts_of(subject.data)
    for signature in NO_SIGNATURES:
        clear_reports()  # one warning a directory would tell of all of them
        check_forgery(subject, parts.change(signature=signature).joined())
    check_forgery(subject, parts.change(kind="native").joined())


@pytest.mark.parametrize("subject", ["text", "few"], indirect=True)
def test_forged_lengths_are_passed_over(subject: Subject) -> None:
    """An entry whose first bytes tell other lengths is a miss, and is replaced."""
    parts, size = parts_of(subject.data), len(subject.data)
    for name in NUMBERS:
        for length in (0, 1, size - 73, size - 72, size - 71, size + 1, 2**20 + 1, 2**32 - 1):
            forged = parts.joined(**{name: length})
            if forged != subject.data:
                check_forgery(subject, forged)
    for magic in (b"\x89STORED\r", b"\x89stored\n", bytes(8)):
        check_forgery(subject, sealed(subject.data[28:], magic=magic))
    for version in (0, 1, 3, 2**32 - 1):
        check_forgery(subject, sealed(subject.data[28:], version=version))


def test_what_nothing_depends_on(subject: Subject) -> None:
    """What an entry tells besides can be anything: the value is the one that was written."""
    parts = parts_of(subject.data)
    forgeries = [parts._replace(created=created) for created in (math.nan, -1.0, math.inf)]
    forgeries += [parts._replace(values=values) for values in (b"", b"{", b"[]", b'{"parameters":3}', b"\xff")]
    forgeries += [parts.change(another=value) for value in (None, math.nan, 2**70, [[]], {"a": {}}, "\ud800")]
    for forgery in forgeries[:: rounds(2, 1)]:
        subject.file.write_bytes(forgery.joined())
        assert subject.check_answer() == 0
        assert [each.key for each in headers(DirectoryStore(settings().cache_dir))] == [subject.key]


ARRAY = ["array", "<f8", [2, 3], "C", 0, 48]
NO_PARTS: list[list[Any]] = [
    [None, 1, "", "unknown", "ndarray", "tuple "],
    ["|O", "O", "<f4", "<f3", "f8", "|V0", None, [], {}, [["a", "|O"]], [["a", "<f4"]]],
    [[6, 2], [-2, -3], [2, 3.0], [True, 6], ["2", 3], [2**62, 4], [], None, "23", {}, 6],
    ["K", "A", "c", "", None, 0, ["C"]],
    [-1, 1, 64, 2**70, 0.0, True, "0", None, []],
    [0, 47, 49, -48, 2**70, 48.0, "48", None, []],
]
FORGED_ARRAYS = [[*ARRAY[:at], part, *ARRAY[at + 1 :]] for at, parts in enumerate(NO_PARTS) for part in parts]
FORGED_TREES = [[], {}, [[]], [ARRAY], ARRAY[:5], [*ARRAY, 0], ["dict", ARRAY], ["dict", ARRAY, 1], ["set", ARRAY]]
FORGED_TREES += [["int", "x"], ["float", "00"], ["complex", "00" * 8], ["bytes", 0, 2**40], ["str_", 1], ["scalar"]]
FORGED_TREES += [["registered", name, "", ARRAY] for name in ("os.system", "numpy.ma.MaskedArray", "numpy.recarray")]


def test_forged_trees_are_passed_over(cache_dir: Path) -> None:
    """An entry whose tree does not describe what its bytes hold is a miss, and is replaced."""
    subject = Subject(cache_dir, lambda: Model().sample("array in C order"))
    for tree in FORGED_ARRAYS + FORGED_TREES:
        check_forgery(subject, with_tree(subject.data, tree))


@pytest.mark.parametrize("other", ["text", "array in C order", "pickle"])
@pytest.mark.parametrize("subject", ["bytes", "pickle", "few"], indirect=True)
def test_an_entry_in_the_place_of_another_is_passed_over(subject: Subject, other: str, tmp_path: Path) -> None:
    """A whole entry that stands under the name of another is a miss, and is replaced."""
    with configure(cache_dir=tmp_path / "other"):
        data = Subject(tmp_path / "other", lambda: Model(2.5).sample(other)).data
    check_forgery(subject, data)


FORGED_TABLES: list[tuple[str, Any]] = [
    ("nodes", ["list"]),
    ("nodes", ["list", ["array", "<f8", [10], "C", 0, 80]]),
    ("nodes", ["array", "<f8", [20], "C", 0, 160]),
    ("values", None),
    ("values", ["array", "<f8", [19], "C", 192, 152]),
    ("values", ["array", "<i8", [20], "C", 192, 160]),
    ("limits", ["list", ["array", "<f8", [2], "C", 0, 16]]),
    ("held_out", ["list", ["array", "<f8", [10], "C", 384, 80]]),
    ("coefficients", ["array", "<f8", [6, 19], "C", 704, 912]),
    ("depths", ["array", "|u1", [18], "C", 1664, 18]),
    ("depths", ["array", "|u1", [19], "C", 704, 19]),
    *[("error", value) for value in (None, -1.0, True, "0", ["float", "000000000000f07f"], 1)],
    *[("evaluations", value) for value in (None, 0, -1, True, 1.5, "24")],
]


def test_forged_tables_are_passed_over(cache_dir: Path) -> None:
    """An entry of an interpolated method that holds no table for its axis is a miss, and is replaced."""
    subject = Subject(cache_dir, lambda: Model().few(0.75))
    tree = json.loads(parts_of(subject.data).body)
    for name, value in FORGED_TABLES:
        at = tree.index(name)
        check_forgery(subject, with_tree(subject.data, [*tree[: at + 1], value, *tree[at + 2 :]]))
        check_forgery(subject, with_tree(subject.data, [*tree[:at], "other", *tree[at + 1 :]]))
        check_forgery(subject, with_tree(subject.data, [*tree[:at], *tree[at + 2 :]]))
    for other in (None, 3, ["list"], ["dict"], ["array", "<f8", [20], "C", 0, 160]):
        check_forgery(subject, with_tree(subject.data, other))
