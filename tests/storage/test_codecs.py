"""Values become entries and come back, for their own key only, and no pickle of others is loaded."""

from __future__ import annotations

import collections
import os
import pickle
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored._keys import Key, Space
from stored._storage.codecs import NotStorableError, decode, encode
from stored._storage.format import unpack
from stored._storage.signing import sign, verify
from stored.errors import DamagedEntryError, EntryError, UntrustedEntryError
from tests.storage.entries import KEY, identical, parts_of, sealed
from tests.storage.models import Pair, Plain

# -- entries ----------------------------------------------------------------------------------------------------------

SECRET = b"s" * 32

OTHER = Key(Space("module", "model", "model 1.6"), "table", "Model.table", "1", (("n", "200"),))


def written(value: object, key: Key = KEY, secret: bytes = SECRET) -> bytes:
    def signed(key_data: bytes, body: bytes) -> str:
        return sign(secret, key_data, body)

    parts, size = encode(key, value, {"stored": "1"}, signed, 1.5)
    data = b"".join(bytes(part) for part in parts)
    assert len(data) == size
    return data


def read(data: bytes, key: Key = KEY, secret: bytes = SECRET) -> Any:
    def verified(key_data: bytes, body: bytes, signature: object) -> None:
        verify(secret, key_data, body, signature)

    def checked(writer: Mapping[str, Any]) -> None:
        if writer != {"stored": "1"}:
            raise DamagedEntryError("outdated")

    return decode(key, data, checked, verified)[0]


def kind_of(data: bytes) -> str:
    return unpack(data).description().kind


def resealed(data: bytes, **changes: Any) -> bytes:
    """The entry with another description, and the checksum made good."""
    return parts_of(data).change(**changes).joined()


class Text(str):
    """A str with a class of its own."""


@pytest.mark.parametrize("value", [None, 1.5, [1, (2, {"k": b"x"})], {1, 2}])
def test_plain_values_are_written_without_pickle(value: Any) -> None:
    """A native value needs no signature, and any user of the directory can read it."""
    data = written(value)
    assert unpack(data).description() == ("native", {"stored": "1"}, None)
    found = read(data, secret=b"another key".ljust(32))
    assert (type(found), found) == (type(value), value)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        Text("x"),
        Pair(1, [2]),
        collections.OrderedDict(b=1, a=2),
        collections.defaultdict(list, a=[1]),
        bytearray(b"x"),
        Plain([1]),
        [1, {"k": Plain(2)}],
        nested(80),
        range(3),
        slice(1, 2),
        2 + 1j,
        int,
        len,
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_values_come_back_too(value: Any) -> None:
    """Subclasses, objects and deep nesting come back as what they are, by a signed pickle if need be."""
    data = written(value)
    assert kind_of(data) == ("native" if type(value) is complex else "pickle")
    found = read(data)
    assert (type(found), found) == (type(value), value)


def test_other_arrays_come_back_too() -> None:
    """Arrays that have no native form keep class, dtype and content."""
    aligned = np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True))
    united = np.zeros(2, np.dtype("f8", metadata={"unit": "Mpc"}))
    objects = np.array([[1], None], dtype=object)
    for value in (aligned, united, objects):
        data = written(value)
        found = read(data)
        assert kind_of(data) == "pickle"
        assert type(found) is type(value)
        assert repr(found.dtype) == repr(value.dtype)
        assert found.tolist() == value.tolist()
    assert read(written(united)).dtype.metadata == {"unit": "Mpc"}
    assert read(written(aligned)).dtype.isalignedstruct


def test_a_value_that_holds_itself_comes_back() -> None:
    """A list and a dict that hold themselves do so again when read."""
    items: list[Any] = [1]
    items.append(items)
    mapping: dict[str, Any] = {"items": items}
    mapping["self"] = mapping
    found = read(written(items))
    assert found[0] == 1
    assert found[1] is found
    found = read(written(mapping))
    assert found["self"] is found
    assert found["items"][1] is found["items"]


class Refusing:
    """An object that will not be pickled."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        raise self.error


@pytest.mark.parametrize(
    "value",
    [lambda: None, threading.Lock(), (each for each in ()), [Refusing(ValueError("no"))], nested(100_000)],
    ids=["lambda", "lock", "generator", "refusing", "bottomless"],
)
def test_what_cannot_be_pickled_is_not_storable(value: object) -> None:
    """A value that neither way can carry is a NotStorableError, whatever its own methods raise."""
    with pytest.raises(NotStorableError, match="cannot be pickled"):
        written(value)


def test_a_key_that_is_too_long_is_not_storable() -> None:
    """A hashable string that no header can hold is a NotStorableError that says what to do."""
    key = Key(Space("m", "n", "x" * (1 << 20)), "o")
    for value in (1, Plain(1)):
        with pytest.raises(NotStorableError, match="shorten the hashable string"):
            written(value, key)


def test_the_key_stands_in_full_in_the_entry() -> None:
    """An entry contains its own key, when it was written, and how long computing took."""
    before = time.time()
    entry = unpack(written(1))
    assert Key.from_bytes(entry.key) == KEY
    assert before <= entry.created <= time.time()
    assert entry.seconds == 1.5


@pytest.mark.parametrize("value", [1.5, Plain(1)], ids=["native", "pickle"])
@pytest.mark.parametrize(
    "key",
    [
        OTHER,
        Key(Space("module", "model", ""), "table", "Model.table", "1", (("n", "200"),)),
        Key(Space("Module", "model", "model 1.5"), "table", "Model.table", "1", (("n", "200"),)),
        Key(Space("module", "model 1.5", "model"), "table", "Model.table", "1", (("n", "200"),)),
        Key(KEY.space, "table2", "Model.table", "1", (("n", "200"),)),
        Key(KEY.space, "table", "Model.other", "1", (("n", "200"),)),
        Key(KEY.space, "table", "Model.table", "2", (("n", "200"),)),
        Key(KEY.space, "table", "Model.table", "1", (("n", "201"),)),
        Key(KEY.space, "table", "Model.table", "1", (("m", "200"),)),
        Key(KEY.space, "table", "Model.table", "1", ()),
    ],
    ids=["string", "empty", "module", "name", "object", "definition", "version", "value", "argument", "none"],
)
def test_an_entry_is_used_for_its_own_key_only(value: object, key: Key) -> None:
    """A renamed file, or a collision of digests, cannot give the value of another key."""
    with pytest.raises(DamagedEntryError, match="another result"):
        read(written(value), key)


@pytest.mark.parametrize("found", [b"", b"{}", b"null", KEY.data[:-1], KEY.data + b" "], ids=repr)
def test_forged_keys_are_refused(found: bytes) -> None:
    """An entry without a full key is a DamagedEntryError that says so."""
    with pytest.raises(DamagedEntryError, match="no full key"):
        read(parts_of(written(1))._replace(key=found).joined())


@pytest.mark.parametrize("value", [1.5, Plain(1)], ids=["native", "pickle"])
def test_who_wrote_an_entry_counts(value: object) -> None:
    """An entry of programs whose results are no longer valid is refused, before anything of it is loaded."""
    with pytest.raises(DamagedEntryError, match="outdated"):
        read(resealed(written(value), writer={"stored": "0"}))


@pytest.mark.parametrize("kind", [..., None, "", "Pickle", "json", 1, ["native"], {}], ids=repr)
def test_forged_kinds_are_refused(kind: Any) -> None:
    """A kind that is neither native nor pickle is a DamagedEntryError."""
    with pytest.raises(DamagedEntryError, match="neither native nor pickle"):
        read(resealed(written(Plain(1)), kind=kind))


def test_kinds_cannot_be_exchanged() -> None:
    """A pickle called native is no tree, and a tree called a pickle has no signature."""
    with pytest.raises(DamagedEntryError):
        read(resealed(written(Plain(1)), kind="native"))
    with pytest.raises(UntrustedEntryError):
        read(resealed(written(1), kind="pickle"))


def test_nothing_follows_a_pickle() -> None:
    """An entry with bytes after its pickle is damaged, even if the signature is right."""
    parts = parts_of(written(Plain(1)))
    for buffers in (b"", bytes(64)):
        with pytest.raises(DamagedEntryError, match="more follows"):
            read(parts._replace(buffers=buffers).joined())


BEYOND_LIMITS: list[Any] = [
    {n * (2**61 - 1) for n in range(2, 200)},
    [{complex(1000003 * n, -n): n for n in range(2, 200)}],
    np.empty((0, 2**21)),
    np.zeros(2**21, "V0"),
]


@pytest.mark.parametrize("value", BEYOND_LIMITS, ids=["set", "dict", "no rows", "no bytes"])
def test_values_beyond_the_limits_come_back_by_a_signed_pickle(value: Any) -> None:
    """What a native entry may not hold, for the sake of those that others write, one's own programs may store."""
    data = written(value)
    assert kind_of(data) == "pickle"
    assert identical(read(data), value)


def test_what_is_read_is_frozen() -> None:
    """A value from an entry, native or pickled, is as safe as one from memory."""
    for value in (np.zeros(2), Pair(np.zeros(2), 1), [Plain(1), np.zeros(2)]):
        found = read(written(value))
        arrays = [found] if isinstance(found, np.ndarray) else [each for each in found if isinstance(each, np.ndarray)]
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            arrays[0].flags.writeable = True


# -- pickles that must not be loaded ----------------------------------------------------------------------------------


class Intruder:
    """A pickle that leaves a directory behind wherever it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


def test_the_intruder_works(tmp_path: Path) -> None:
    """The pickle of these tests does leave its trace when its signature verifies."""
    read(written(Intruder(tmp_path / "trace")))
    assert (tmp_path / "trace").exists()


SIGNATURES = [..., None, "", "0" * 64, 5, True, [], {}, "é" * 64, "\ud800" * 64, "0" * 10_000]


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda value: repr(value)[:20])
def test_an_unsigned_pickle_is_never_loaded(tmp_path: Path, signature: Any) -> None:
    """Without the right signature, whatever stands in its place, nothing of a pickle runs."""
    data = resealed(written(Intruder(tmp_path / "trace")), signature=signature)
    with pytest.raises(UntrustedEntryError, match="not loaded"):
        read(data)
    assert not (tmp_path / "trace").exists()


def test_a_pickle_of_others_is_never_loaded(tmp_path: Path) -> None:
    """A pickle signed with another key is not loaded."""
    data = written(Intruder(tmp_path / "trace"), secret=b"t" * 32)
    with pytest.raises(UntrustedEntryError):
        read(data)
    assert not (tmp_path / "trace").exists()


def test_a_good_pickle_is_not_loaded_for_another_key(tmp_path: Path) -> None:
    """One's own pickle is refused under another key, with the header left as it was and with a header to match."""
    data = written(Intruder(tmp_path / "trace"), OTHER)
    with pytest.raises(DamagedEntryError, match="another result"):
        read(data)
    with pytest.raises(UntrustedEntryError):
        read(parts_of(data)._replace(key=KEY.data).joined())
    assert not (tmp_path / "trace").exists()


def test_a_pickle_put_in_the_place_of_a_good_one_is_never_loaded(tmp_path: Path) -> None:
    """A good signature does not carry over to another pickle, however little differs."""
    body = pickle.dumps(Intruder(tmp_path / "trace"))
    good = written(Plain(1))
    for forgery in (body, body + b"\0", bytes(unpack(good).body) + b"\0", b""):
        with pytest.raises(UntrustedEntryError):
            read(parts_of(good)._replace(body=forgery).joined())
    assert not (tmp_path / "trace").exists()


def test_a_native_entry_runs_nothing(tmp_path: Path) -> None:
    """A pickle inside a native entry is bytes, and stays bytes."""
    body = pickle.dumps(Intruder(tmp_path / "trace"))
    assert read(written(body)) == body
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("value", [[1.5, "é"], Plain("x")], ids=["native", "pickle"])
def test_every_damage_is_found(value: object) -> None:
    """No changed byte and no cut gives anything but an EntryError, with the checksum made good or not."""
    data = written(value)
    for position in range(len(data)):
        altered = bytearray(data)
        altered[position] ^= 0x01
        cut = data[:position]
        for source in (altered, cut):
            with pytest.raises(EntryError):
                read(bytes(source))
        try:
            found = read(bytes(altered[:12]) + sealed(bytes(altered[28:]))[12:])
        except EntryError:
            continue
        # a native value can be forged by whoever can write to the directory; it is never anything but plain data
        assert type(found) is type(value)


class Vanishing:
    """A class whose objects cannot be made again."""

    def __setstate__(self, state: object) -> None:
        raise LookupError("no longer")

    def __getstate__(self) -> dict[str, Any]:
        return {"some": "state"}


def test_a_pickle_that_does_not_load_is_damaged() -> None:
    """If the class has changed since, the entry is of no use: a DamagedEntryError that says why."""
    with pytest.raises(DamagedEntryError, match=r"cannot be loaded \(LookupError: no longer\)"):
        read(written(Vanishing()))
