"""StorageUser: objects that are stored and found by name."""

from __future__ import annotations

import gc
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scipy.interpolate import InterpolatedUnivariateSpline, RectBivariateSpline

import stored
from stored import ConfigurationError, OwnerError, StorageUser, TableError, TableWarning, configure, getCacheDir
from stored._keys import Key, Space
from stored._storage.format import pack
from tests.engine.models import (
    AT,
    CURVE,
    FALLING,
    SURFACE,
    Model,
    Odd,
    count_interpolators,
    entries,
    entry_of,
    found,
    repeat,
)

# -- construction -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("persistence", ["rw", "wr", "r", "w", ""])
def test_every_persistence_is_accepted(persistence: str) -> None:
    """Any combination of r and w makes a user, and reads and writes say which."""
    user = Model(persistence=persistence).su
    assert user.persistence_read is ("r" in persistence)
    assert user.persistence_write is ("w" in persistence)


@pytest.mark.parametrize("persistence", ["x", "rwx", "R", " ", True, False, None, 1, ["r"]])
def test_any_other_persistence_is_an_error(persistence: Any) -> None:
    """The error shows what was given, bools too, and lists all that is allowed."""
    with pytest.raises(ConfigurationError, match=r"persistence is .*'rw'.*'r'.*'w'.*''") as caught:
        Model(persistence=persistence)
    assert repr(persistence) in str(caught.value)


@pytest.mark.parametrize(("letters", "reads", "writes"), [("rw", 1, 1), ("r", 1, 0), ("w", 0, 1), ("", 0, 0)])
def test_settings_take_letters_away(letters: str, reads: bool, writes: bool) -> None:
    """The settings of the process can only lower what a user may do."""
    with configure(persistence=letters):
        assert (Model().su.persistence_read, Model().su.persistence_write) == (reads, writes)
        assert not Model(persistence="").su.persistence_read
        assert not Model(persistence="").su.persistence_write


def test_what_each_persistence_does(cache_dir: Path) -> None:
    """Without w nothing is written, without r nothing is read from disk, and memory serves in every case."""
    for persistence in ("", "r"):
        user = Model(persistence=persistence).su
        user.storeObject("a", 1)
        assert user.getStoredObject("a") == 1
        assert not entries(cache_dir)
    user = Model(persistence="w").su
    user.storeObject("a", 1)
    assert user.getStoredObject("a") == 1
    assert found("a") == 1
    user.resetStorage()
    assert user.getStoredObject("a") is None
    assert user.listObjects() == []
    assert Model(persistence="r").su.getStoredObject("a") == 1


def test_disabled_means_memory_only(cache_dir: Path) -> None:
    """While stored is disabled, objects are kept in memory, and the disk is neither read nor written."""
    Model().su.storeObject("before", 1)
    with configure(disable=True):
        user = Model().su
        user.storeObject("a", 2)
        assert user.getStoredObject("a") == 2
        assert user.getStoredObject("before") is None
        assert user.listObjects() == ["a"]
        assert len(entries(cache_dir)) == 1
    assert found("before") == 1


@pytest.mark.parametrize("position", [2, 3, 4])
def test_functions_must_be_callable(position: int) -> None:
    """The error names the parameter; only func_changed may be None."""
    arguments: list[Any] = ["engine", "rw", lambda: "n", lambda: "h", None]
    arguments[position] = "not a function"
    name = ("func_name", "func_hashstring", "func_changed")[position - 2]
    with pytest.raises(OwnerError, match=f"{name} is 'not a function'"):
        StorageUser(*arguments)
    if position < 4:
        arguments[position] = None
        with pytest.raises(OwnerError, match=f"{name} is None"):
            StorageUser(*arguments)


@pytest.mark.parametrize("found", [None, 1, b"text"])
def test_functions_must_return_text(found: Any) -> None:
    """The error names the function and what it returned, at once and later."""
    with pytest.raises(OwnerError, match=r"func_name\(\) returned .*; it must return a str"):
        StorageUser("engine", "rw", lambda: found, lambda: "h", None)
    string: Any = "h"
    user = StorageUser("engine", "rw", lambda: "n", lambda: string, None)
    string = found
    with pytest.raises(OwnerError, match=r"func_hashstring\(\) returned .*; it must return a str"):
        user.getStoredObject("a")


@pytest.mark.parametrize("name", [None, 1, b"a", ["a"]])
def test_names_must_be_text(name: Any) -> None:
    """Module and object names that are no text are a TypeError that shows them, in every method."""
    with pytest.raises(TypeError, match=r"module is .*; it must be a str"):
        StorageUser(name, "rw", lambda: "n", lambda: "h", None)
    user = Model().su
    for call in (user.getStoredObject, user.removeObject, lambda name: user.storeObject(name, 1)):
        with pytest.raises(TypeError, match=r"object_name is .*; it must be a str"):
            call(name)


def test_repr_names_owner_and_digest() -> None:
    """The repr tells module, name and digest."""
    user = Model().su
    assert repr(user) == f"<StorageUser engine/m {user.getHash()}>"


# -- keys and places --------------------------------------------------------------------------------------------------


def test_the_hash_follows_the_string() -> None:
    """The digest has 32 hex digits, is the same for equal strings and differs for others."""
    model = Model(1.0)
    first = model.su.getHash()
    assert len(first) == 32
    int(first, 16)
    model.n = 2.0
    assert model.su.getHash() != first
    assert model.su.getHash() == Model(2.0).su.getHash()


def test_the_unique_filename_is_where_entries_are(cache_dir: Path) -> None:
    """It lies in the module's directory, begins the names of all entries, and follows name and parameters."""
    model = Model()
    model.su.storeObject("a", 1)
    place = model.su.getUniqueFilename()
    assert str(entry_of(cache_dir, "a")).startswith(place)
    assert place.startswith(getCacheDir("engine"))
    model.n = 2.0
    assert model.su.getUniqueFilename() != place
    assert Model(name="other").su.getUniqueFilename() != place


def test_module_name_and_string_all_separate() -> None:
    """Users that differ in module, name or string share nothing, even if the parts joined are the same."""
    spaces = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("A", "b", "c"), ("a/", "b", "c"), ("a.", "b", "c")]

    def user(parts: tuple[str, str, str]) -> StorageUser:
        return StorageUser(parts[0], "rw", lambda: parts[1], lambda: parts[2], None)

    for number, parts in enumerate(spaces):
        user(parts).storeObject("x", number)
    assert [user(parts).getStoredObject("x") for parts in spaces] == list(range(len(spaces)))


NAMES = ["", "a", "A", "a/b", "..", "/etc/passwd", "x_interpolator", "colossus_version", "\0", "é", "\udc80", "n" * 500]


def test_any_text_is_a_name() -> None:
    """Names that no file could have are stored and found, each for itself."""
    user = Model().su
    for number, name in enumerate(NAMES):
        user.storeObject(name, number)
    other = Model().su
    assert [other.getStoredObject(name) for name in NAMES] == list(range(len(NAMES)))
    assert other.listObjects() == sorted(NAMES)


@pytest.mark.parametrize("part", ["module", "name", "string", "object"])
@pytest.mark.parametrize("tell", [np.str_, Odd])
def test_text_of_any_class_finds_what_plain_text_stored(part: str, tell: Callable[[str], str]) -> None:
    """Whatever class of text modules, names and strings are of, and however it shows itself, the content counts."""

    def user(tell: Callable[[str], str]) -> StorageUser:
        texts = {each: tell(each) if each == part else each for each in ("module", "name", "string")}
        return StorageUser(texts["module"], "rw", lambda: texts["name"], lambda: texts["string"], None)

    plain = "object"
    other = tell(plain) if part == "object" else plain
    user(str).storeObject(plain, [1.0])
    assert repeat(lambda: user(tell).getStoredObject(other)) == [[1.0]] * 3
    mine = user(tell)
    mine.storeObject(other, [2.0])
    assert repeat(lambda: mine.getStoredObject(plain)) == repeat(lambda: mine.getStoredObject(other)) == [[2.0]] * 3
    assert user(str).getStoredObject(plain) == [2.0]
    assert mine.removeObject(plain)
    assert mine.getStoredObject(other) is None


# -- storing and finding ----------------------------------------------------------------------------------------------


VALUES = [
    None,
    False,
    2**70,
    1.5,
    float("inf"),
    2j,
    "text",
    b"bytes",
    [2.6, 9.5],
    (1, [2, {3}]),
    {"a": 1, 2: None},
    np.float32(2.5),
    CURVE,
    np.arange(6).reshape(2, 3).T,
    SURFACE,
    np.zeros((0, 3)),
]


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_what_is_stored_is_found(value: Any, persistent: bool) -> None:
    """Every value comes back equal and of its type, from memory and, if persistent, from disk."""
    user = Model().su
    assert user.storeObject("a", value, persistent=persistent) is None
    for again in [user] + [Model().su] * persistent:
        back = again.getStoredObject("a")
        assert type(back) is type(value)
        assert repr(back) == repr(value)
    if not persistent:
        assert found("a") is None


def test_nothing_stored_is_none() -> None:
    """An unknown name gives None, with and without an interpolator asked for."""
    user = Model().su
    assert user.getStoredObject("nothing") is None
    assert user.getStoredObject("nothing", interpolator=True, inverse=True) is None
    user.storeObject("nothing", None)
    assert user.getStoredObject("nothing") is None
    assert user.listObjects() == ["nothing"]


def test_the_latest_store_counts() -> None:
    """A name has the value stored last, whether that is persistent or not."""
    user = Model().su
    user.storeObject("a", 1)
    user.storeObject("a", 2, persistent=False)
    assert user.getStoredObject("a") == 2
    user.storeObject("a", 3)
    assert user.getStoredObject("a") == 3
    assert found("a") == 3


def test_a_memory_only_object_hides_a_persistent_one_until_the_reset() -> None:
    """What persistent=False has hidden is found again when memory is reset."""
    user = Model().su
    user.storeObject("a", 1)
    user.storeObject("a", 2, persistent=False)
    assert found("a") == 1
    user.resetStorage()
    assert user.getStoredObject("a") == 1


def test_what_can_be_used_only_once_is_not_stored() -> None:
    """An iterator would be empty for the second who asks; it is refused, and nothing is stored."""
    user = Model().su
    with pytest.raises(TypeError, match=r"a map .*can be used only once"):
        user.storeObject("x", map(abs, [1]))
    assert user.listObjects() == []


def test_an_owner_is_freed() -> None:
    """Nothing but the owner itself keeps an owner and its user alive."""
    model = Model()
    model.su.storeObject("a", 1)
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None


# -- removing and listing ---------------------------------------------------------------------------------------------


def test_removing_forgets_memory_and_disk() -> None:
    """A removed object is gone for everyone, and removeObject tells whether there was one."""
    user = Model().su
    user.storeObject("disk", 1)
    user.storeObject("memory", 2, persistent=False)
    assert user.removeObject("disk") is True
    assert user.removeObject("memory") is True
    assert user.removeObject("disk") is False
    assert user.removeObject("never") is False
    assert user.getStoredObject("disk") is None
    assert found("disk") is None
    assert user.listObjects() == []


def test_a_reader_removes_from_memory_only() -> None:
    """Without w, the entry on disk stays and is found again."""
    Model().su.storeObject("a", 1)
    reader = Model(persistence="r").su
    assert reader.removeObject("a") is False
    assert reader.getStoredObject("a") == 1
    assert reader.removeObject("a") is True
    assert reader.getStoredObject("a") == 1


def test_removing_drops_interpolators() -> None:
    """Without its table there is no interpolator."""
    user = Model().su
    user.storeObject("xy", CURVE)
    user.getStoredObject("xy", interpolator=True)
    user.removeObject("xy")
    assert user.getStoredObject("xy", interpolator=True) is None


def test_listing_shows_what_is_found() -> None:
    """Names in memory and on disk, each once, sorted; with decorated calls of the owner, and none of others."""

    class Owner(Model):
        @stored.stored
        def method(self, z: int = 1) -> int:
            return z

        @stored.stored(persistent=False)
        def passing(self) -> int:
            return 1

    owner = Owner()
    owner.method()
    owner.method(2)
    owner.passing()
    owner.su.storeObject("b", 1)
    owner.su.storeObject("c", 1, persistent=False)
    Model(2.0).su.storeObject("other", 1)
    assert owner.su.listObjects() == ["b", "c", "method(z=1)", "method(z=2)", "passing()"]
    assert Model().su.listObjects() == ["b"]
    owner.su.resetStorage()
    assert owner.su.listObjects() == ["b", "method(z=1)", "method(z=2)"]
    owner.n = 2.0
    assert owner.su.listObjects() == ["other"]
    assert Model(persistence="w").su.listObjects() == []


def test_listing_passes_over_what_is_not_ours(cache_dir: Path) -> None:
    """Foreign files, renamed entries and entries without a full key are not listed."""
    user = StorageUser("engine", "rw", lambda: "m", lambda: "long " * 2000, None)  # its header exceeds one read
    user.storeObject("a", 1)
    user.storeObject("b", 1)
    b = entry_of(cache_dir, "b")
    b.rename(b.with_name(b.name.replace("-b-", "-x-")))
    (b.parent / "foreign.stored").write_bytes(b"not an entry")
    (b.parent / "empty.stored").write_bytes(b"")
    key = Key(Space("engine", "m", "long " * 2000), "c")
    renamed = key.entry_name.rpartition("/")[2]
    for number, held in enumerate((key.data[:-1], b"no key", Key(key.space, "d").data)):
        parts, _ = pack(held, b'{"kind":"native"}', b"", b"null", [])
        (b.parent / renamed.replace("-c-", f"-c{number}-")).write_bytes(b"".join(parts))
    assert user.listObjects() == ["a", "b"]  # b is in memory still
    user.resetStorage()
    assert user.listObjects() == ["a"]


# -- interpolators ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
def test_a_curve_is_scipys(linear: bool, degree: int, persistent: bool) -> None:
    """From memory and from disk, the interpolator equals scipy's on the same nodes, bit by bit."""
    user = Model().su
    user.storeObject("xy", CURVE, persistent=persistent)
    for each in [user] + [Model().su] * persistent:
        made = each.getStoredObject("xy", interpolator=True, linear_interp=linear)
        assert type(made) is InterpolatedUnivariateSpline
        assert np.array_equal(made(AT), InterpolatedUnivariateSpline(*CURVE, k=degree)(AT))


@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
@pytest.mark.parametrize("table", [CURVE, FALLING])
def test_an_inverse_is_scipys(table: Any, linear: bool, degree: int) -> None:
    """The inverse equals scipy's through the nodes exchanged, a falling table reversed."""
    user = Model().su
    user.storeObject("xy", table)
    x, y = table if table is CURVE else table[:, ::-1]
    made = user.getStoredObject("xy", interpolator=True, inverse=True, linear_interp=linear)
    at = np.linspace(y[0], y[-1], 33)
    assert np.array_equal(made(at), InterpolatedUnivariateSpline(y, x, k=degree)(at))


@pytest.mark.parametrize(("linear", "degree"), [(False, 3), (True, 1)])
def test_a_surface_is_scipys(linear: bool, degree: int) -> None:
    """A stored tuple (x, y, z) gives scipy's RectBivariateSpline on the same nodes, from disk too."""
    Model().su.storeObject("z", SURFACE)
    made = Model().su.getStoredObject("z", interpolator=True, linear_interp=linear)
    assert type(made) is RectBivariateSpline
    assert np.array_equal(made(AT, AT[:9]), RectBivariateSpline(*SURFACE, kx=degree, ky=degree)(AT, AT[:9]))


def test_flat_stretches_warn_at_the_callers_line() -> None:
    """Inverting a table with flat stretches gives one TableWarning, naming object and caller."""
    user = Model().su
    user.storeObject("flat", np.array([[0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 1.0, 2.0, 3.0]]))
    with pytest.warns(TableWarning, match="'flat': 1 points") as caught:
        repeat(lambda: user.getStoredObject("flat", interpolator=True, inverse=True))
    assert [each.filename for each in caught] == [__file__]


@pytest.mark.parametrize(
    ("value", "inverse", "message"),
    [
        (np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 1.0, 3.0]]), True, "'odd' has no inverse"),
        (SURFACE, True, "'odd' has two coordinates"),
        (np.zeros((3, 4)), False, "'odd' is not a table"),
        ([2.6, 9.5], False, "'odd' is not a table"),
        (None, False, "'odd' is not a table"),
    ],
)
def test_what_has_no_interpolator_stays_an_object(value: Any, inverse: bool, message: str) -> None:
    """The error names the object, which can still be read."""
    user = Model().su
    user.storeObject("odd", value)
    with pytest.raises(TableError, match=message):
        user.getStoredObject("odd", interpolator=True, inverse=inverse)
    assert repr(user.getStoredObject("odd")) == repr(value)


def test_an_inverse_needs_an_interpolator() -> None:
    """Asking for the inverse alone is an error that says what to add."""
    with pytest.raises(ValueError, match="'xy' was asked for with inverse=True; that needs interpolator=True"):
        Model().su.getStoredObject("xy", inverse=True)


def test_store_interpolator_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default an interpolator is made once, and callers get copies; with store_interpolator=False it is not kept."""
    user, made = Model().su, count_interpolators(monkeypatch)
    user.storeObject("xy", CURVE)
    user.getStoredObject("xy", interpolator=True, store_interpolator=False)
    user.getStoredObject("xy", interpolator=True)
    assert len(made) == 2
    user.getStoredObject("xy", interpolator=True)
    user.getStoredObject("xy", interpolator=True, store_interpolator=False)
    user.getStoredObject("xy", True, 0, linear_interp=0)
    assert len(made) == 2


def test_four_interpolators_are_four(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linear and cubic, forward and inverse: each is its own object, kept beside the others, in any order."""
    choices = [{"inverse": i, "linear_interp": k} for i in (False, True) for k in (False, True)]
    kept = count_interpolators(monkeypatch)
    for order in (choices, choices[::-1]):
        user = Model().su
        user.storeObject("xy", CURVE)
        made = [user.getStoredObject("xy", interpolator=True, **each) for each in order]
        again = [user.getStoredObject("xy", interpolator=True, **each) for each in order]
        for one, other in zip(again, made, strict=True):
            assert np.array_equal(one.get_coeffs(), other.get_coeffs())
            assert one.get_coeffs() is not other.get_coeffs()
    assert len(kept) == 8


def arrays_of(made: Any) -> list[Any]:
    """All arrays that a spline hands out."""
    knots = made.get_knots()
    return [made.get_coeffs(), *(knots if isinstance(knots, tuple) else (knots,))]


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
@pytest.mark.parametrize("table", [CURVE, SURFACE], ids=["curve", "surface"])
def test_a_kept_interpolator_cannot_be_spoilt(table: Any) -> None:
    """Nobody can change through the coefficients what the next caller gets."""
    user = Model().su
    user.storeObject("t", table)
    user.getStoredObject("t", interpolator=True).get_coeffs()[:] = 0
    for _ in range(3):
        made = user.getStoredObject("t", interpolator=True)
        assert made.get_coeffs().any()
        expected = made(1.5) if table is CURVE else made(1.5, 1.5)
        assert made.get_coeffs().ndim == 1
        for array in arrays_of(made):
            array.shape = (-1, 1)
        vars(made).clear()
        again = user.getStoredObject("t", interpolator=True)
        assert (again(1.5) if table is CURVE else again(1.5, 1.5)) == expected


# -- against two dicts ------------------------------------------------------------------------------------------------


class AgainstADict(RuleBasedStateMachine):
    """A StorageUser does what two dicts would do: one that ends with the parameters, and one for each set of them."""

    names = st.sampled_from(["a", "b", "a_interpolator", "", "x/y"])
    values = st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), st.lists(st.text(max_size=3), max_size=3))

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp())
        self.settings = configure(cache_dir=self.place / "cache", key_file=self.place / "key")
        self.model = Model(0)
        self.memory: dict[str, Any] = {}
        self.disk: dict[float, dict[str, Any]] = {}
        self.seen = self.model.n
        self.changes = 0

    def teardown(self) -> None:
        self.settings.__exit__(None, None, None)
        shutil.rmtree(self.place)

    def access(self) -> dict[str, Any]:
        if self.seen != self.model.n:
            self.seen, self.memory = self.model.n, {}
            self.changes += 1
        return self.disk.setdefault(self.seen, {})

    @rule(name=names, value=values, persistent=st.booleans())
    def store(self, name: str, value: Any, persistent: bool) -> None:
        self.model.su.storeObject(name, value, persistent=persistent)
        disk = self.access()
        self.memory[name] = value
        if persistent:
            disk[name] = value

    @rule(name=names)
    def read(self, name: str) -> None:
        result = self.model.su.getStoredObject(name)
        expected = {**self.access(), **self.memory}
        assert result == expected.get(name)
        if name in expected:
            self.memory[name] = expected[name]

    @rule(name=names)
    def remove(self, name: str) -> None:
        result = self.model.su.removeObject(name)
        disk = self.access()
        assert result == (name in disk or name in self.memory)
        disk.pop(name, None)
        self.memory.pop(name, None)

    @rule()
    def list_all(self) -> None:
        result = self.model.su.listObjects()
        assert result == sorted({*self.access(), *self.memory})

    @rule(n=st.integers(0, 2))
    def change(self, n: int) -> None:
        self.model.n = n

    @precondition(lambda self: self.seen != self.model.n)
    @rule()
    def change_back(self) -> None:
        self.model.n = self.seen

    @rule()
    def reset(self) -> None:
        self.model.su.resetStorage()
        self.seen, self.memory = self.model.n, {}

    @rule()
    def restart(self) -> None:
        self.model = Model(self.model.n)
        self.seen, self.memory, self.changes = self.model.n, {}, 0

    @invariant()
    def changes_are_announced(self) -> None:
        assert self.model.su.checkForChangedHash() == (self.seen != self.model.n)
        assert len(self.model.announced) == self.changes


TestAgainstADict = AgainstADict.TestCase
TestAgainstADict.settings = hypothesis_settings(max_examples=60, stateful_step_count=30, deadline=None)
