"""Native values come back exactly, and trees that stand for no value are refused."""

from __future__ import annotations

import collections
import enum
import itertools
import json
import math
import struct
from typing import Any

import numpy as np
import pytest
import wrapt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from stored import register
from stored._storage.format import ALIGNMENT, unpack
from stored._storage.native import MAX_DEPTH, NotNativeError, pack_native, unpack_native
from stored.errors import DamagedEntryError
from tests.storage.entries import entry_of, forged, identical, texts

# -- round trips ------------------------------------------------------------------------------------------------------


def round_trip(value: object) -> Any:
    return unpack_native(unpack(entry_of(value)))


doubles = st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("<d", raw)[0]) | st.floats()

hashable = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**2000), 2**2000)
    | doubles
    | st.builds(complex, doubles, doubles)
    | texts
    | st.binary(max_size=70)
)

plain_dtypes = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.unsigned_integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?"),
    npst.complex_number_dtypes(endianness="?"),
    npst.byte_string_dtypes(endianness="?"),
    npst.unicode_string_dtypes(endianness="?"),
    npst.datetime64_dtypes(endianness="?"),
    npst.timedelta64_dtypes(endianness="?"),
    st.integers(1, 9).map(lambda n: np.dtype(f"V{n}")),
)

dtypes = st.just(np.dtype("V0")) | plain_dtypes | npst.nested_dtypes(plain_dtypes, max_leaves=5)


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    """Arrays of any dtype, shape and layout, from any bytes."""
    dtype = draw(dtypes)
    dtype = dtype.base  # numpy makes further dimensions of subarrays
    shape = draw(npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
    raw = draw(st.randoms(use_true_random=False)).randbytes(math.prod(shape) * dtype.itemsize)
    if dtype.kind in "US" or dtype.names is not None:  # any bytes are no characters
        raw = bytes(len(raw))
    array = np.ndarray(shape, dtype, raw)
    layout = draw(st.sampled_from(["C", "F", "reversed", "transposed", "broadcast"]))
    if layout == "reversed":
        return array[tuple(slice(None, None, -1) for _ in shape)]
    if layout == "broadcast":
        return np.broadcast_to(array, (2, *shape))
    return array.T if layout == "transposed" else np.array(array, order="F" if layout == "F" else "C")


def containers(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inside, max_size=4)
        | st.lists(inside, max_size=4).map(tuple)
        | st.dictionaries(hashable, inside, max_size=4)
        | st.sets(hashable, max_size=4)
        | st.frozensets(hashable, max_size=4)
    )


@settings(max_examples=200, deadline=None)
@given(st.recursive(hashable | arrays(), containers, max_leaves=12))
def test_any_native_value_comes_back_exactly(value: Any) -> None:
    """Every native value comes back with its type, value, order and layout."""
    assert identical(round_trip(value), value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -0.0,
        1.0,
        5e-324,
        1.7976931348623157e308,
        0.1,
        math.nan,
        -math.nan,
        math.inf,
        -math.inf,
        struct.unpack("<d", bytes.fromhex("010000000000f87f"))[0],
        *(sign * (2**53 + step) for sign in (1, -1) for step in (-1, 0, 1)),
        10**5000,
        -(16**400),
        complex(-0.0, math.nan),
        complex(math.inf, -0.0),
        "",
        "\0",
        "\ud800",
        "\ud83d\ude00",
        '😀 "\\\x1f\u2028',
        "long \udfff" * 20_000,
        b"",
        bytes(range(256)) * 300,
        (),
        [],
        {},
        set(),
        frozenset(),
        ["list", 1],
        ("tuple",),
        {"int": "0x1", "array": ["array"]},
        {(1, (2.5, None)): {frozenset({1}): [()]}, None: 1, b"k": 2, -0.0: 3, math.nan: 4},
        {"b": 1, "a": 2},
        {math.nan, 1, "1", b"1", None, (1,)},
        [True, 1, 1.0, 1 + 0j],
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_on_the_edge_come_back_exactly(value: Any) -> None:
    """Signs, payloads, sizes, tags as text and keys of all kinds survive."""
    assert identical(round_trip(value), value)


SCALARS = [
    *(np.dtype(code).type(1) for code in "?bBhHiIlLefdgFDG"),
    np.float64(-0.0),
    np.float32("nan"),
    np.uint64(2**64 - 1),
    np.longdouble(1) / 3,
    np.clongdouble(1j) / 3,
    np.frombuffer(bytes.fromhex("010000000000f8ff"))[0],
    np.datetime64("NaT", "s"),
    np.datetime64("2020-01-01T00:00:00.000000001"),
    np.datetime64(3, "25s"),
    np.timedelta64(5, "D"),
    np.timedelta64("NaT", "Y"),
    np.timedelta64(-7, "us"),
    np.str_(""),
    np.str_("text"),
    np.str_("ends with NUL\0\0"),
    np.str_("\ud800"),
    np.bytes_(b""),
    np.bytes_(b"ends with NUL\0"),
    np.void(b"\0raw\0"),
    np.array([(1, -0.0)], [("a", ">i2"), ("b", "<f8")])[0],
    np.array([((1, [2, 3]), b"x")], [("n", [("i", "i1"), ("v", "f4", (2,))]), ("s", "S3")])[0],
]


@pytest.mark.parametrize("value", SCALARS, ids=lambda value: f"{type(value).__name__}-{value.dtype}")
def test_numpy_scalars_come_back_exactly(value: np.generic) -> None:
    """A numpy scalar of any kind comes back as that kind, alone and in containers."""
    assert identical(round_trip(value), value)
    assert identical(round_trip([{"k": value}, (value,)]), [{"k": value}, (value,)])


def test_numpy_has_several_names_for_one_integer() -> None:
    """Where two integer types have one dtype, numpy itself does not tell which was written; the value is equal."""
    found = round_trip([np.longlong(-(2**62)), np.ulonglong(2**63), np.arange(3, dtype="q")])
    assert found[:2] == [-(2**62), 2**63]
    assert [each.dtype for each in found] == [np.dtype("q"), np.dtype("Q"), np.dtype("q")]


DTYPES = [
    *(np.dtype(code) for code in ("?", "i1", ">i2", "<u4", ">u8", "e", ">f4", "g", ">G", "S7", ">U3", "V0", "V5")),
    *(np.dtype(code) for code in ("M8", "<M8[ns]", ">M8[25s]", "m8", "m8[10us]", "<m8[Y]")),
    np.dtype([]),
    np.dtype([("a", "<i4"), ("b", ">f8", (2, 3))]),
    np.dtype([("é", "i4"), (" ", "u1"), ("\ud800", "S3")]),
    np.dtype([(("a title", "name"), "i4")]),
    np.dtype([("outer", [("inner", ">i2", (1,)), ("empty", "S0")], (2,)), ("none", "i4", (0,))]),
    np.dtype({"names": ["a", "b"], "formats": ["i1", ">f8"], "offsets": [3, 8], "itemsize": 24}),
    np.dtype([("when", "M8[ns]"), ("how long", "m8[25s]")]),
]


@pytest.mark.parametrize("dtype", DTYPES, ids=repr)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3), (1, 2, 1, 2)], ids=repr)
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back_exactly(dtype: np.dtype[Any], shape: tuple[int, ...], order: Any) -> None:
    """An array comes back with its dtype to the byte order, its shape to a dimension of none, and its layout."""
    array = np.zeros(shape, dtype, order=order)
    array.flat = np.arange(array.size).astype("U3") if dtype.kind == "U" else array
    found = round_trip(array)
    assert identical(found, array)
    assert found.dtype.fields == array.dtype.fields


@pytest.mark.parametrize("kind", ["S0", "U0"])
def test_arrays_of_empty_text_come_back(kind: str) -> None:
    """Text of no length, which numpy makes only as a field, keeps its dtype and shape."""
    array = np.zeros((2, 3), [("text", kind)])["text"]
    found = round_trip(array)
    assert (found.dtype.str, found.shape, found.tobytes()) == (array.dtype.str, (2, 3), b"")


def test_arrays_with_gaps_come_back_without_them() -> None:
    """Of any number of dimensions: what lies between their items is not theirs."""
    for array in (np.arange(10.0)[::2], np.arange(24).reshape(4, 6)[:, ::3], np.arange(24).reshape(2, 3, 4)[:, 1]):
        assert not array.flags.contiguous
        found = round_trip(array)
        assert identical(found, np.ascontiguousarray(array))


def test_a_memory_map_comes_back_as_an_array(tmp_path: Any) -> None:
    """Of a memory-mapped array the content counts, not the file that it came from."""
    np.save(tmp_path / "a.npy", np.arange(6.0).reshape(2, 3))
    found = round_trip(np.load(tmp_path / "a.npy", mmap_mode="r"))
    assert identical(found, np.arange(6.0).reshape(2, 3))


def test_arrays_are_read_only_aligned_views() -> None:
    """Arrays stand at multiples of 64 in the entry, are not copied, and can never be made writable."""
    data = entry_of([b"odd", np.arange(5.0), "x", np.arange(3, dtype="i1"), np.zeros((2, 2), order="F")])
    _, first, _, second, third = unpack_native(unpack(data))
    start = np.frombuffer(data, np.uint8).__array_interface__["data"][0]
    for array in (first, second, third):
        assert np.shares_memory(array, np.frombuffer(data, np.uint8))
        assert (array.__array_interface__["data"][0] - start) % ALIGNMENT == 0
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            array.flags.writeable = True
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1


def test_each_array_has_the_names_of_its_fields_to_itself() -> None:
    """Whoever renames the fields of one array, as numpy lets do, renames those of no other from the same bytes."""
    data = unpack(entry_of(np.zeros(3, [("x", "f8"), ("y", "f8")])))
    first, second = unpack_native(data), unpack_native(data)
    first.dtype.names = ("y", "x")
    assert second.dtype.names == unpack_native(data).dtype.names == ("x", "y")


def test_nesting_is_native_up_to_a_depth() -> None:
    """Containers come back from any depth up to the limit, and beyond it are not native."""
    value: Any = 1.5
    for kind in itertools.islice(itertools.cycle([tuple, list, lambda each: {"k": each[0]}]), MAX_DEPTH):
        value = kind([value])
    assert identical(round_trip(value), value)
    with pytest.raises(NotNativeError, match="nested too deeply"):
        pack_native([value])


class Text(str):
    pass


class Colour(enum.IntEnum):
    RED = 1


class Half(np.float64):
    pass


Point = collections.namedtuple("Point", "x y")

cyclic: list[Any] = []
cyclic.append(cyclic)

with_metadata = np.dtype("i4", metadata={"unit": "m"})

NOT_NATIVE = [
    Text("x"),
    Colour.RED,
    Half(1),
    Point(1, 2),
    collections.OrderedDict(a=1),
    collections.deque(),
    bytearray(b"x"),
    memoryview(b"x"),
    range(3),
    ...,
    object(),
    len,
    int,
    np.float64,
    np.dtype("f8"),
    np.array([None]),
    np.zeros(2, [("a", "O")]),
    np.zeros(2, [("a", "O")])[0],
    np.array(["text"], np.dtypes.StringDType()),
    np.zeros(2, (np.record, [("a", "i4")])),
    np.zeros(2, [("a", (np.record, [("b", "i4")]))]),
    np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    np.zeros(2, {"names": ["a", "b"], "formats": ["i4", "i4"], "offsets": [0, 2]}),
    np.zeros(2, {"names": ["a", "b"], "formats": ["i4", "i4"], "offsets": [4, 0]}),
    np.zeros(2, with_metadata),
    np.zeros(2, [("a", with_metadata)]),
    np.zeros(2, np.dtype([(((1, 2), "a"), "i4")])),
    np.zeros(2, np.dtype([((b"title", "a"), "i4")])),
    cyclic,
    [1, {"k": (object(),)}],
    [wrapt.ObjectProxy("a text to __class__ alone")],
    {"k": wrapt.ObjectProxy(2.5)},
    {Text("key"): 1},
]


@pytest.mark.parametrize("value", NOT_NATIVE, ids=lambda value: type(value).__name__)
def test_what_would_not_come_back_is_not_native(value: object) -> None:
    """A subclass, an object, or a dtype with more to it than its description is left to pickle, without a warning."""
    with pytest.raises(NotNativeError):
        pack_native(value)


# -- forgeries: the checksum is right, the content is not -------------------------------------------------------------


def test_the_forger_knows_the_format() -> None:
    """What is forged in these tests is a good entry but for the part that is wrong."""
    assert identical(
        unpack_native(unpack(forged(["array", "<i2", [2], "C", 0, 4], b"\1\0\2\0"))), np.array([1, 2], "<i2")
    )


DESCRS = ["O", "|O", "<O8", "|O8", "object", "T", "i4", "=i4", "<i4,<i4", "2<i4", "<i3", "<f99", "|b2", "", "<", "<i"]
DESCRS += ["|V99999999999", "|S-1", "|V2147483648", "<M8[", "<M8[xx]", "<M8[s]x", "<m8[-1s]", "<i\u0664", "\0", "<i4\n"]

MORE_DESCRS = [None, 1, True, 1.5, {}, {"a": 1}, [[]], [["a"]], [["a", "|O"]], [["a", "<i4", [2], 3]], [["a", ["<i4"]]]]
MORE_DESCRS += [[["a", "<i4"], ["a", "<i4"]], [[1, "<i4"]], [[["t"], "<i4"]], [[["a", "b", "c"], "<i4"]], ["<i4", [2]]]
MORE_DESCRS += [[["a", "<i4", shape]] for shape in ([-1], [True], [1.5], ["2"], [2**70], [2**30, 2**30], 3, None)]
MORE_DESCRS += [[[None, "<i4"]], [[{}, "<i4"]], [["a", [["b", "|O"]]]], [[["t", "a"], "<i4"], [["t", "b"], "<i4"]]]


@pytest.mark.parametrize("descr", [*DESCRS, *MORE_DESCRS], ids=repr)
def test_forged_dtypes_are_refused(descr: Any) -> None:
    """A dtype of objects, or of anything that is not plain data, is a DamagedEntryError."""
    for tree in (["array", descr, [1], "C", 0, 8], ["array", descr, [0], "C", 0, 0], ["scalar", descr, "00" * 8]):
        with pytest.raises(DamagedEntryError):
            unpack_native(unpack(forged(tree, bytes(8))))


def test_deep_dtypes_are_refused() -> None:
    """A dtype nested beyond reason is a DamagedEntryError."""
    descr = b'[["a",' * 800 + b'"<i4"' + b"]]" * 800
    with pytest.raises(DamagedEntryError):
        unpack_native(unpack(forged(b'["array",' + descr + b',[0],"C",0,0]')))


SHAPES: list[Any] = [
    [-1],
    [True],
    [1.0],
    ["1"],
    [None],
    [[1]],
    [2**70],
    [2**62, 2**62],
    [3],
    [1] * 65,
    None,
    1,
    "1",
    {},
]
SHAPES += [[0, 2**70], [2**62, 0, 2**62], {"1": 1}, [-1, -1], [0, -1], True]


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_forged_shapes_are_refused(shape: Any) -> None:
    """A shape that is negative, huge, not of integers or not of these bytes is a DamagedEntryError."""
    for length in (0, 8, 16):
        with pytest.raises(DamagedEntryError):
            unpack_native(unpack(forged(["array", "<f8", shape, "C", 0, length], bytes(16))))


def test_huge_arrays_of_nothing_have_a_limit() -> None:
    """An array without bytes may have some dimensions; as a huge one it has no native form, and is refused."""
    for dtype, shape in (("V0", (2**20,)), ("f8", (0, 2**20)), ("i1", (2**10, 0, 2**10))):
        array = np.ndarray(shape, dtype, b"")
        assert identical(round_trip(array), array)
        with pytest.raises(NotNativeError, match="items in 0 bytes"):
            pack_native(np.ndarray((*shape, 2), dtype, b""))
        with pytest.raises(DamagedEntryError, match="do not hold an array"):
            unpack_native(unpack(forged(["array", array.dtype.str, [*shape, 2], "C", 0, 0])))
    scalar = np.zeros((), [("a", [], (2**20 + 1,))])[()]
    with pytest.raises(NotNativeError, match="too few bytes"):
        pack_native(scalar)
    with pytest.raises(DamagedEntryError, match="are not one scalar"):
        unpack_native(unpack(forged(["scalar", [["a", [], [2**20 + 1]]], ""])))


PLACES: list[Any] = [
    (-8, 8),
    (0, -8),
    (9, 8),
    (8, 9),
    (2**70, 8),
    (True, 8),
    (0.0, 8),
    ("0", 8),
    (None, None),
    ([], {}),
]
PLACES += [(0, 8.0), (0, True), (0, 2**70)]


@pytest.mark.parametrize("place", PLACES, ids=repr)
def test_forged_offsets_are_refused(place: tuple[Any, Any]) -> None:
    """Bytes that do not lie within the entry are a DamagedEntryError, for arrays, bytes and numpy bytes."""
    for tree in (["array", "<f8", [1], "C", *place], ["bytes", *place], ["bytes_", *place]):
        with pytest.raises(DamagedEntryError):
            unpack_native(unpack(forged(tree, bytes(16))))


ALIASES: list[Any] = [
    ["list", ["array", "<f8", [2], "C", 0, 16], ["array", "<f8", [2], "C", 0, 16]],
    ["list", ["bytes", 0, 64], ["bytes", 0, 64]],
    ["list", ["bytes", 0, 64], ["array", "<f8", [1], "C", 8, 8]],
    ["list", ["bytes", 64, 64], ["bytes", 0, 64]],
    ["dict", ["bytes", 64, 32], ["bytes_", 0, 64]],
    ["list", ["bytes", 0, 32], ["bytes", 32, 32]],
    ["list", ["bytes", 0, 32], ["bytes", 128, 1]],
    ["array", "<f8", [8], "C", 64, 64],
    ["array", "<f8", [0], "C", 64, 0],
    ["list", ["bytes", 0, 0], ["bytes", 64, 64]],
]


@pytest.mark.parametrize("tree", ALIASES, ids=repr)
def test_buffers_stand_in_the_order_of_the_tree(tree: Any) -> None:
    """Bytes that two nodes have in common, that stand before others, or that nothing describes, are refused."""
    with pytest.raises(DamagedEntryError):
        unpack_native(unpack(forged(tree, bytes(128))))


@pytest.mark.parametrize(
    "tree", [["array", "<f8", [8], "C", 0, 64], ["list", ["bytes", 0, 64]], 1.5, ["list"]], ids=repr
)
def test_nothing_follows_the_last_buffer(tree: Any) -> None:
    """An entry with more bytes than its tree describes is refused; without buffers, with any after its body."""
    for size in (65, 128, 1000):
        with pytest.raises(DamagedEntryError, match=r"more follows|does not end"):
            unpack_native(unpack(forged(tree, bytes(size))))


@pytest.mark.parametrize(
    "value",
    [
        [b"", np.zeros(0), b"", np.zeros((0, 3)), b"odd", b"", np.bytes_(b"")],
        {b"k": {b"v", b"w", b"x" * 100}, np.bytes_(b"t"): np.arange(3)},
        {(b"a" * n, n) for n in range(70)},
        [frozenset((b"a", b"b", 1, b"c" * 65)), np.zeros(3, "i1"), set()],
        np.zeros(0),
        b"",
    ],
    ids=["without bytes", "dict", "set", "nested", "array", "bytes"],
)
def test_buffers_of_any_value_stand_in_order(value: Any) -> None:
    """What is written has its buffers in this order, those in sets and those without bytes too."""
    assert identical(round_trip(value), value)


PERIOD = 2**61 - 1


@pytest.mark.parametrize("kind", [set, frozenset, dict.fromkeys])
def test_numbers_chosen_to_collide_are_refused(kind: Any) -> None:
    """A set or a dict of more than a few numbers with one hash has no native form, and is refused if forged."""
    for make in (lambda n: n * PERIOD, lambda n: complex(1000003 * n, -n), lambda n: (n * PERIOD,)):
        assert identical(round_trip(kind(map(make, range(100)))), kind(map(make, range(100))))
        with pytest.raises(NotNativeError, match="hashes can be chosen"):
            pack_native([kind(map(make, range(2, 103)))])
    elements = [["int", hex(n * PERIOD)] for n in range(101)]
    pairs = [part for each in elements for part in (each, None)]
    for tree in (["set", *elements], ["list", ["frozenset", *elements]], ["dict", *pairs], ["dict", *pairs, 1]):
        with pytest.raises(DamagedEntryError, match="hashes can be chosen"):
            unpack_native(unpack(forged(tree)))


FORGED_REGISTERED: list[Any] = [
    ["registered"],
    ["registered", "numpy.ma.masked"],
    ["registered", "numpy.ma.masked", ""],
    ["registered", "numpy.ma.masked", "", None, 1],
    ["registered", "numpy.ma.masked", "00", None],
    ["registered", "numpy.ma.masked", None, None],
    ["registered", "numpy.ma.masked", "", ["object"]],
    ["registered", "numpy.ma.MaskedConstant", "", None],
    ["registered", "numpy.ma.MaskedArray", "", ["tuple", ["list", 1], None, ["list", 1], False]],
    ["registered", "numpy.random.Generator", "", None],
    ["registered", "os.system", "", "true"],
    ["registered", "builtins.eval", "", "1"],
    ["registered", "", "", 1],
    ["registered", None, "", 1],
    ["registered", ["str_", "numpy.ma.masked"], "", None],
    ["registered", {}, "", None],
    ["set", ["registered", "numpy.ma.MaskedArray", "", ["tuple", ["array", "<f8", [1], "C", 0, 8], None, 1, False]]],
    ["dict", ["registered", "numpy.recarray", "", ["array", "<f8", [1], "C", 0, 8]], 1],
]


@pytest.mark.parametrize("tree", FORGED_REGISTERED, ids=repr)
def test_forged_values_of_registered_types_are_refused(tree: Any) -> None:
    """What is no type that is registered, or no form of one, is damage, and nothing of its name is run."""
    assert unpack_native(unpack(forged(["registered", "numpy.ma.masked", "", None]))) is np.ma.masked
    with pytest.raises(DamagedEntryError):
        unpack_native(unpack(forged(tree, bytes(8))))


def test_registered_values_count_as_containers() -> None:
    """They can be in as many others, and no more."""
    node: Any = ["registered", "numpy.ma.masked", "", None]
    for _ in range(MAX_DEPTH - 1):
        node = ["list", node]
    unpack_native(unpack(forged(node)))
    with pytest.raises(DamagedEntryError, match="nested too deeply"):
        unpack_native(unpack(forged(["list", node])))


class Odd:
    """It has no hash before it has its attribute, and is never equal to anything."""

    def __hash__(self) -> int:
        return hash(self.number)  # type: ignore[attr-defined]

    def __eq__(self, other: object) -> bool:
        raise AttributeError("never")


def test_what_the_hash_of_a_registered_value_raises_makes_an_entry_damaged() -> None:
    """In sets and dicts, whatever it is, also where two are compared."""
    register(Odd, encode=vars, decode=lambda found: odd(**found))
    good, bad = (json.loads(pack_native(each)[0]) for each in (odd(number=1), odd()))
    assert next(iter(round_trip({odd(number=1)}))).number == 1
    for tree in (["set", bad], ["dict", bad, 1], ["frozenset", good, good], ["dict", good, 1, good, 2]):
        with pytest.raises(DamagedEntryError, match="cannot be made"):
            unpack_native(unpack(forged(tree)))


def odd(**attributes: Any) -> Odd:
    made = Odd()
    vars(made).update(attributes)
    return made


HUGE_PARTS: list[Any] = [
    ["x" * 10**6],
    ["x" * 10**6, 1],
    ["array", "<f8", [1], "x" * 10**6, 0, 8],
    ["array", "<f8", [1], "C", 0, "8" * 10**6],
    ["array", "<f8", [1], "C", "0" * 10**6, 8],
    ["array", "<f8", ["1" * 10**6], "C", 0, 8],
    ["array", "<f8", [0, 10**4000], "C", 0, 8],
    ["array", [["x" * 10**6, "<f8"]], [2], "C", 0, 8],
    ["array", [["x" * 10**6, "<f8"], ["x" * 10**6, "<f8"]], [1], "C", 0, 16],
    ["bytes", "0" * 10**6, 8],
    ["bytes", 0, [0] * 10**6],
    ["str_", [0] * 10**6],
    ["int", "x" * 10**6],
    ["int", 10**4000],
    ["float", "z" * 10**6],
    ["complex", "z" * 10**6, ""],
    ["scalar", [["x" * 10**6, "<f8"]], ""],
    ["dict", ["list", "x" * 10**6], 1],
]


@pytest.mark.parametrize("tree", HUGE_PARTS, ids=lambda tree: repr(tree)[:20])
def test_messages_are_short(tree: Any) -> None:
    """However long what is wrong in a tree may be, the message about it is short."""
    with pytest.raises(DamagedEntryError) as caught:
        unpack_native(unpack(forged(tree, bytes(16))))
    assert len(str(caught.value)) < 500


TREES: list[Any] = [
    [],
    {},
    {"a": 1},
    [1],
    [None],
    [[]],
    [["list"]],
    ["unknown"],
    ["ndarray"],
    ["NoneType"],
    ["dict", 1],
    ["dict", ["list"], 1],
    ["dict", ["array", "<f8", [1], "C", 0, 8], 1],
    ["set", ["list"]],
    ["frozenset", ["dict"]],
    ["tuple", {}],
    ["int"],
    ["int", "0x1", "0x1"],
    ["int", 5],
    ["int", ""],
    ["int", "0xg"],
    ["int", None],
    ["float"],
    ["float", "00"],
    ["float", "00" * 9],
    ["float", "zz" * 8],
    ["float", 1.5],
    ["float", None],
    ["float", ["float", "00" * 8]],
    ["complex", "00" * 8],
    ["complex", "00" * 8, "00"],
    ["complex", 1, 2],
    ["str_"],
    ["str_", 5],
    ["str_", ["list"]],
    ["scalar", "<f8"],
    ["scalar", "<f8", "00" * 7],
    ["scalar", "<f8", "00" * 9],
    ["scalar", "<f8", 8],
    ["scalar", "<U1", "ffffffff"],
    ["scalar", "|S1", "61"],
    ["array"],
    ["array", "<f8", [1], "C", 0],
    ["array", "<f8", [1], "C", 0, 8, 8],
    ["array", "<f8", [1], "K", 0, 8],
    ["array", "<f8", [1], "A", 0, 8],
    ["array", "<f8", [1], None, 0, 8],
    ["array", "<f8", [1], ["C"], 0, 8],
    ["array", "<f8", [1], "", 0, 8],
    ["bytes"],
    ["bytes", 0],
    ["bytes", 0, 1, 2],
]

RAW_TREES = [b"", b"NaN", b"-Infinity", b"1e999", b"[", b"nul", b"\xff", b"1" * 5000, b"[" * 100_000]
RAW_TREES += [b'["list",' * 100 + b"1" + b"]" * 100, b'["dict",1,' * 66 + b"1" + b"]" * 66]


@pytest.mark.parametrize("tree", [*TREES, *RAW_TREES], ids=lambda tree: repr(tree)[:40])
def test_forged_trees_are_refused(tree: Any) -> None:
    """A node of an unknown kind, with too few or too many parts, or parts of a wrong kind, is a DamagedEntryError."""
    with pytest.raises(DamagedEntryError):
        unpack_native(unpack(forged(tree, bytes(16))))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["array", "scalar", "dict", "list", "bytes", "int", "C", "<f8", "|V0", "<M8[s]", "00" * 8, "|O"]),
    lambda inside: st.lists(inside, max_size=6) | st.dictionaries(st.text(max_size=2), inside, max_size=2),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(json_values)
def test_any_forged_tree_gives_a_native_value_or_an_error(tree: Any) -> None:
    """Whatever JSON stands in the body, the result is a native value or a DamagedEntryError."""
    try:
        value = unpack_native(unpack(forged(json.dumps(tree).encode(), bytes(64))))
    except DamagedEntryError:
        return
    assert identical(round_trip(value), value)
