"""Decorated methods and a StorageUser in one space do what plain dicts would do, whatever happens between the calls.

Parameters change back and forth, objects are equal, copied and freed, results are cleared, computed anew and reset,
other processes begin, files are damaged and removed, settings change. All that is computed is marked with the step in
which it was, and every method shows its parameters, so each value tells when it was computed and for what.
"""

from __future__ import annotations

import copy
import dataclasses
import gc
import random
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stored import (
    Axis,
    ConfigurationError,
    EntryWarning,
    StorageUser,
    TableError,
    configure,
    keyed_by,
    storage_user,
    stored,
    upkeep,
)
from stored import _keys as keys
from stored._entry_form import ENTRY_MAGIC
from stored._storage.format import unpack
from stored._storage.reports import clear_reports
from tests.faults.modelled import (
    MAXSIZE,
    MEMORY_ONLY,
    NO_ARGUMENT,
    Disk,
    Key,
    Kind,
    Mark,
    Memory,
    Modelled,
    Place,
    User,
    step_of,
    told,
)
from tests.faults.scale import rounds

# -- owners ------------------------------------------------------------------------------------------------------------


class Now:
    """What has happened in this step of the machine."""

    step = 0
    computed: list[str] = []
    announced: list[str] = []

    @classmethod
    def compute(cls, name: str) -> int:
        cls.computed.append(name)
        return cls.step


def methods_class() -> Any:
    """A new class of methods, so that those of one process are not cleared by another, whose owners may yet live."""

    class Methods:
        """Stored methods of all kinds; each result shows the parameters, and when it was computed."""

        __qualname__ = "Methods"
        n: Any
        m: int

        @stored(ignore=("Now",))
        def value(self, x: int) -> Any:
            return (float(self.n), self.m, x, Now.compute("value"))

        @stored(ignore=("Now",))
        def calling(self, x: int) -> Any:
            return [float(self.n), self.m, x, Now.compute("calling"), self.value(x)]

        @stored(ignore=("Now",), persistent=False)
        def fleeting(self, x: int) -> Any:
            return (float(self.n), self.m, x, Now.compute("fleeting"))

        @stored(ignore=("Now",), persistent=False, maxsize=MAXSIZE)
        def few(self, x: int) -> Any:
            return (float(self.n), self.m, x, Now.compute("few"))

        @stored(ignore=("Now",))
        def array(self) -> Any:
            return np.array([self.n, self.m, 0.0, Now.compute("array")], dtype=float)

        @stored(ignore=("Now",), interpolate=True)
        def table(self) -> Any:
            x = np.arange(6.0)
            return np.array([x, self.shown(x, Now.compute("table"))])

        @stored(ignore=("Now",), interpolate=Axis("x", 0.0, 3.0, points=6))
        def curve(self, x: float) -> float:
            return self.shown(x, Now.compute("curve"))

        def shown(self, x: Any, step: int) -> Any:
            """A number that shows all of these."""
            return 1000.0 * step + 100.0 * self.n + 10.0 * self.m + x

    return Methods


def field_methods_class() -> Any:
    """The same for owners with single parameters, one of which a method can depend on."""

    class FieldMethods(methods_class()):
        __qualname__ = "FieldMethods"

        @stored(ignore=("Now",), depends=("n",))
        def partial(self, x: int) -> Any:
            return (float(self.n), None, x, Now.compute("partial"))

    return FieldMethods


def keyed() -> Any:
    @keyed_by("n", "m")
    class Keyed(field_methods_class()):
        __qualname__ = "Keyed"

        def __init__(self, n: Any, m: int) -> None:
            self.n, self.m = n, m

    return Keyed


def frozen() -> Any:
    @dataclasses.dataclass(frozen=True)
    class Frozen(field_methods_class()):
        __qualname__ = "Frozen"
        n: Any
        m: int

    return Frozen


def telling() -> Any:
    class Telling(methods_class()):
        __qualname__ = "Telling"

        def __init__(self, n: Any, m: int) -> None:
            self.n, self.m = n, m

        def getHashableString(self) -> str:
            return told(self.n, self.m)

    return Telling


def holding() -> Any:
    class Holding(methods_class()):
        __qualname__ = "Holding"

        def __init__(self, n: Any, m: int) -> None:
            self.n, self.m = n, m
            self.su = StorageUser(__name__, "rw", self.name, self.string, self.announce)

        def name(self) -> str:
            return "Holding"

        def string(self) -> str:
            return told(self.n, self.m)

        def announce(self) -> None:
            Now.announced.append(self.string())

    return Holding


KINDS = {
    "keyed": Kind(keyed, has_fields=True),
    "frozen": Kind(frozen, has_fields=True),
    "telling": Kind(telling),
    "holding": Kind(holding, holds_user=True),
}

NAMES = ["value", "calling", "fleeting", "few", "array", "table", "curve", "partial"]
DEPENDS: dict[str, Any] = {"partial": ("n",)}
PARAMETERS = [(n, m) for n in (0, 1, 1.0, 2) for m in (0, 1)]
"""With equal numbers of two types, and no more than memory keeps."""

TABLE = np.array([[0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 2.0, 5.0]])

owners = st.integers(0, 3)
methods = st.sampled_from([*NAMES, "few", "fleeting"])  # of these more, since the disk hides no fault of memory
arguments = st.integers(0, 2)
parameters = st.sampled_from([(0, 0), (1, 0), (1.0, 0)] * 2 + PARAMETERS)
names = st.sampled_from(["a", "value", "x/y"])
scalings = st.integers(1, 3).map(lambda factor: factor * TABLE)
values = st.none() | st.integers() | st.lists(st.text(max_size=3), max_size=3) | scalings
values |= st.dictionaries(names, st.floats(0, 1), max_size=2)


BETWEEN = {
    "alternate": ("index", "pair", "name", "x", "times"),
    "clear": ("index", "name"),
    "clear_call": ("index", "name", "x", "by_class"),
    "clear_class": ("name",),
    "refresh": ("index", "name", "x"),
    "reset": ("index",),
    "make": ("index", "new"),
    "copy": ("index", "source", "is_deep"),
    "change": ("index", "new"),
    "another_process": (),
}
"""What may come before an owner has its parameters again, and what it needs."""


def key_of(path: Path) -> Key:
    """What the header of a file says."""
    key = keys.Key.from_bytes(unpack(path.read_bytes()).key)
    return bool(key.definition), key.space.string, key.object, "".join(text for _, text in key.arguments)


def argument_of(name: str, x: int) -> str:
    return "" if name in NO_ARGUMENT else str(x)


def key_for(each: Modelled, name: str, x: int) -> Key:
    return True, each.text(DEPENDS.get(name)), name, argument_of(name, x)


def label_of(name: str, argument: str) -> str:
    return f"{name}(x={argument})" if argument else f"{name}()"


def given(name: str, x: int) -> list[Any]:
    """The arguments with which a method is called."""
    return [] if name in {"array", "table"} else [float(x) if name == "curve" else x]


def mark_in(each: Modelled, name: str, x: int, found: Any) -> Mark:
    """When a result was computed; that it is what the plain method gives is checked."""
    if name in {"table", "curve"}:
        number = float(found(x)) if name == "table" else found
        rest = 100.0 * each.n + 10.0 * each.m + x
        step = round((number - rest) / 1000.0)
        assert number == pytest.approx(1000.0 * step + rest, rel=1e-12)
        return step
    shown = [each.n, None if name == "partial" else each.m, 0 if name == "array" else x]
    assert list(found[:3]) == shown
    return (found[3], mark_in(each, "value", x, found[4])) if name == "calling" else int(found[3])


def is_same(found: Any, expected: Any) -> bool:
    return type(found) is type(expected) and np.array_equal(found, expected)


# -- the machine -------------------------------------------------------------------------------------------------------


class AgainstDicts(RuleBasedStateMachine):
    """Owners of one class, with methods and objects by name, and what dicts say that they should give."""

    def __init__(self, kind: Kind, memory_sets: int) -> None:
        super().__init__()
        self.kind, self.memory_sets = kind, memory_sets
        self.names = [name for name in NAMES if kind.has_fields or name not in DEPENDS]

    @initialize(layered=st.booleans(), has_limits=st.sampled_from([False, False, True]))
    def begin(self, layered: bool, has_limits: bool) -> None:
        gc.collect()  # owners of the example before
        self.place = Path(tempfile.mkdtemp())
        self.cache, self.shared = self.place / "cache", self.place / "shared"
        self.cache.mkdir()
        self.settings = configure(
            cache_dir=self.cache, key_file=self.place / "key", shared_dirs=[self.shared] if layered else []
        )
        self.warnings = warnings.catch_warnings()
        self.warnings.__enter__()
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", EntryWarning)
        clear_reports()
        self.layered, self.has_limits = layered, has_limits
        self.disk = Disk()
        self.begin_process()

    def begin_process(self) -> None:
        configure(memory_sets=self.memory_sets, max_memory_bytes=None)
        self.class_ = self.kind.make()
        self.memory = Memory(self.memory_sets > 0)
        self.gone: list[Modelled] = []
        self.owners = [self.new(0, 0) for _ in range(4)]
        self.next_step()

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.warnings.__exit__(None, None, None)
            self.settings.__exit__(None, None, None)
            configure(persistence="rw", disable=False, memory_sets=self.memory_sets, max_memory_bytes=None)
            shutil.rmtree(self.place)

    def new(self, n: Any, m: int) -> Modelled:
        noted = told(n, m) if self.kind.holds_user else None
        return Modelled(self.kind, self.class_(n, m), n, m, noted=noted)

    def next_step(self) -> None:
        Now.step += 1
        Now.computed.clear()
        Now.announced.clear()
        self.announced: list[str] = []

    def files(self, directory: Path) -> list[Path]:
        """The files of good entries."""
        return sorted(path for path in directory.rglob("*.stored") if path not in self.disk.bad)

    # -- what the model says of methods ----------------------------------------------------------------------

    def name(self, name: str) -> str:
        return name if name in self.names else "value"

    def look(self, each: Modelled, name: str) -> Place:
        """An owner's parameters are looked at for a method; its StorageUser announces a change."""
        each.used.add(name)
        if self.kind.holds_user:
            self.look_by_user(each)
        return self.memory.place(each, DEPENDS.get(name))

    def look_by_user(self, each: Modelled) -> User:
        """An owner's parameters are looked at for objects by name."""
        user, text = each.user, each.text()
        if user.noted != text:
            if user.noted is not None and self.kind.holds_user:
                self.announced.append(text)
            user.noted, user.objects = text, {}
        if not self.kind.holds_user:
            self.memory.place(each, None)
        return user

    def at_hand(self, each: Modelled, name: str, x: int) -> list[Mark]:
        """What memory or disk has for a call, as a list of one, or nothing."""
        in_memory = self.look(each, name).found(name, argument_of(name, x))
        return in_memory or self.on_disk(each, name, x)

    def on_disk(self, each: Modelled, name: str, x: int) -> list[Mark]:
        """What the disk has for a call, as a list of one, or nothing."""
        return [] if name in MEMORY_ONLY else self.disk.found(key_for(each, name, x))

    def check(self, each: Modelled, name: str, x: int, mark: Mark) -> None:
        """Was a result computed now if need be, and otherwise the one that is at hand?"""
        is_computed = name in Now.computed
        if self.disk.disable:
            assert is_computed
            assert mark == ((Now.step, Now.step) if name == "calling" else Now.step)
            return
        place, argument = self.look(each, name), argument_of(name, x)
        in_memory = place.found(name, argument)
        expected = self.at_hand(each, name, x)
        if self.memory.is_known:
            assert is_computed != bool(expected)
            assert is_computed or [mark] == expected
        elif not is_computed:
            # memory may have dropped what it had, and a removed directory hides no longer what a shared one has
            on_disk = self.on_disk(each, name, x)
            assert mark in {*expected, *on_disk, *self.memory.possible(each, place.text, name, argument)}
        if is_computed:
            self.check_computed(each, name, x, mark)
        else:
            place.keep(name, argument, mark)
            each.counts[name]["hits"] += 1
            each.counts[name]["persistent_hits"] += not in_memory

    def check_computed(self, each: Modelled, name: str, x: int, mark: Mark) -> None:
        assert step_of(mark) == Now.step
        if name == "calling" and not self.disk.disable:
            self.check(each, "value", x, mark[1])
        place, argument = self.look(each, name), argument_of(name, x)
        place.keep(name, argument, mark)
        self.memory.all_marks[place.text, name, argument].add(mark)
        each.counts[name]["misses"] += 1
        if name not in MEMORY_ONLY:
            each.counts[name]["stores"] += self.disk.write(key_for(each, name, x), mark)

    # -- what methods do -------------------------------------------------------------------------------------

    @rule(index=owners, name=methods, x=arguments, times=st.integers(1, 3))
    def call(self, index: int, name: str, x: int, times: int) -> None:
        each, name = self.owners[index], self.name(name)
        for _ in range(times):
            self.next_step()
            found = getattr(each.owner, name)(*given(name, x))
            self.check(each, name, x, mark_in(each, name, x, found))

    @rule(index=owners)
    def call_all(self, index: int) -> None:
        for name in self.names:
            for x in range(1 if name in NO_ARGUMENT else 3):
                self.call(index, name, x, 1)

    @rule(index=owners, pair=st.tuples(parameters, parameters), name=methods, x=arguments, times=st.integers(2, 8))
    def alternate(self, index: int, pair: tuple[Any, Any], name: str, x: int, times: int) -> None:
        """Parameters go to and fro; nothing is computed again if memory keeps several sets."""
        before = self.owners[index].counts[self.name(name)]["misses"]
        for _ in range(times):
            for each in pair:
                self.owners[index].set(*each)
                self.call(index, name, x, 1)
        if self.memory.is_shared and self.memory.is_known:
            assert self.owners[index].counts[self.name(name)]["misses"] <= before + 2

    @rule(
        index=owners,
        pair=st.tuples(parameters, parameters),
        name=methods,
        x=arguments,
        between=st.lists(st.tuples(st.sampled_from(list(BETWEEN)), st.none() | owners), min_size=1, max_size=4),
    )
    def return_after(
        self, index: int, pair: tuple[Any, Any], name: str, x: int, between: list[tuple[str, int | None]]
    ) -> None:
        """An owner comes back to its parameters after something has happened, to it under others or to another one."""
        for each in pair:
            self.owners[index].set(*each)
            self.call(index, name, x, 2)
        what = {"name": name, "x": x, "pair": pair, "times": 10, "new": pair[1], "source": index, "is_deep": False}
        what["by_class"] = True
        for act, other in between:
            what["index"] = index if other is None else other
            getattr(self, act)(**{each: what[each] for each in BETWEEN[act]})
        self.owners[index].set(*pair[0])
        self.call(index, name, x, 2)

    @rule(index=owners, name=methods, x=arguments)
    def is_cached(self, index: int, name: str, x: int) -> None:
        each, name = self.owners[index], self.name(name)
        self.next_step()
        found = getattr(each.owner, name).cached(*given(name, x))
        expected = self.at_hand(each, name, x)
        assert found == bool(expected) or not self.memory.is_known
        assert found or not (name not in MEMORY_ONLY and self.disk.found(key_for(each, name, x)))
        assert not Now.computed

    @rule(index=owners, name=methods, x=arguments)
    def refresh(self, index: int, name: str, x: int) -> None:
        each, name = self.owners[index], self.name(name)
        self.next_step()
        mark = mark_in(each, name, x, getattr(each.owner, name).refresh(*given(name, x)))
        place = self.look(each, name)
        for same in self.memory.equal(DEPENDS.get(name), [place]):
            if same is not place:
                same.forget(name, argument_of(name, x))
        each.forbid_before(Now.step, name, place.text, argument_of(name, x))
        self.check_computed(each, name, x, mark)

    @rule(index=owners, name=methods, x=arguments, by_class=st.booleans())
    def clear_call(self, index: int, name: str, x: int, by_class: bool) -> None:
        each, name = self.owners[index], self.name(name)
        if not given(name, x):
            return
        self.next_step()
        if by_class:
            getattr(self.class_, name).cache_clear(each.owner, *given(name, x))
        else:
            getattr(each.owner, name).cache_clear(*given(name, x))
        place = self.look(each, name)
        for same in self.memory.equal(DEPENDS.get(name), [place]):
            same.forget(name, argument_of(name, x))
        each.forbid_before(Now.step, name, place.text, argument_of(name, x))
        if name not in MEMORY_ONLY:
            self.disk.delete(key_for(each, name, x))

    @rule(index=owners, name=methods)
    def clear(self, index: int, name: str) -> None:
        each, name = self.owners[index], self.name(name)
        self.next_step()
        getattr(each.owner, name).cache_clear()
        self.clear_owner(each, name)

    def clear_owner(self, each: Modelled, name: str) -> None:
        place, depends = self.look(each, name), DEPENDS.get(name)
        for same in self.memory.equal(depends, self.memory.visited(each, depends)):
            same.forget(name)
        each.forbid_before(Now.step, name, place.text)
        each.counts[name].clear()
        if name not in MEMORY_ONLY:
            self.disk.delete_method(place.text, name)

    @rule(name=methods)
    def clear_class(self, name: str) -> None:
        """Memory and disk forget a method altogether; no owner is asked."""
        name = self.name(name)
        self.next_step()
        getattr(self.class_, name).cache_clear()
        self.gone = [each for each in self.gone if each.reference() is not None]
        for each in [*self.owners, *self.gone]:
            each.counts[name].clear()
        if name not in MEMORY_ONLY:
            self.disk.delete_method(None, name)
        for place in self.memory.everything([*self.owners, *self.gone]):
            place.forget(name)
        self.memory.least[name] = Now.step

    @rule(index=owners, name=methods)
    def count(self, index: int, name: str) -> None:
        each, name = self.owners[index], self.name(name)
        self.next_step()
        info = getattr(each.owner, name).cache_info()
        place, counts = self.look(each, name), each.counts[name]
        if self.memory.is_known:
            assert (info.hits, info.misses) == (counts["hits"], counts["misses"])
            assert (info.persistent_hits, info.stores) == (counts["persistent_hits"], counts["stores"])
            assert (info.currsize, info.maxsize) == (len(place.results[name]), MAXSIZE if name == "few" else None)

    # -- objects by name -------------------------------------------------------------------------------------

    def user(self, index: int) -> tuple[Modelled, Any, User]:
        """An owner, its StorageUser, and what that should have."""
        each = self.owners[index]
        self.next_step()
        user = storage_user(each.owner)
        if self.kind.holds_user and each.original is None:
            assert user is each.owner.su
        if each.user.noted is None:
            self.look_by_user(each)
        return each, user, each.user

    @rule(index=owners, name=names, value=values, persistent=st.booleans())
    def store(self, index: int, name: str, value: Any, persistent: bool) -> None:
        each, user, _ = self.user(index)
        user.storeObject(name, value, persistent=persistent)
        self.look_by_user(each).objects[name] = value
        if persistent:
            self.disk.write((False, each.text(), name, ""), value)

    def object_at_hand(self, each: Modelled, name: str) -> list[Any]:
        objects = self.look_by_user(each).objects
        found = [objects[name]] if name in objects else self.disk.found((False, each.text(), name, ""))
        objects.update((name, value) for value in found)
        return found

    @rule(index=owners, name=names)
    def read(self, index: int, name: str) -> None:
        each, user, _ = self.user(index)
        found = user.getStoredObject(name)
        (expected,) = self.object_at_hand(each, name) or [None]
        assert is_same(found, expected)
        assert not isinstance(found, np.ndarray) or not found.flags.writeable

    @rule(index=owners, name=names, factor=st.none() | st.integers(1, 3), keep=st.booleans())
    def interpolate(self, index: int, name: str, factor: int | None, keep: bool) -> None:
        """An object that is a table gives an interpolator, others an error; one that was replaced is never found."""
        if factor is not None:
            self.store(index, name, factor * TABLE, keep)
        each, user, _ = self.user(index)
        at_hand = self.object_at_hand(each, name)
        if at_hand and not isinstance(at_hand[0], np.ndarray):
            with pytest.raises(TableError):
                user.getStoredObject(name, interpolator=True, store_interpolator=keep)
            return
        found = user.getStoredObject(name, interpolator=True, store_interpolator=keep)
        assert (found is None) == (not at_hand)
        assert found is None or found(at_hand[0][0]) == pytest.approx(at_hand[0][1])

    @rule(index=owners, name=names)
    def remove(self, index: int, name: str) -> None:
        each, user, _ = self.user(index)
        found = user.removeObject(name)
        was_in_memory = self.look_by_user(each).objects.pop(name, self) is not self
        assert found == (self.disk.delete((False, each.text(), name, "")) or was_in_memory)

    @rule(index=owners)
    def list_objects(self, index: int) -> None:
        """All that can be got, and nothing else; a damaged entry may be listed."""
        each, user, _ = self.user(index)
        found = user.listObjects()
        expected = set(self.look_by_user(each).objects)
        for depends in (None, ("n",)) if self.kind.has_fields else (None,):
            place = self.memory.place(each, depends)
            of_place = {key for key in self.disk.keys() if key[1] == place.text}
            expected |= {label_of(*key[2:]) if key[0] else key[2] for key in of_place if self.disk.found(key)}
            if self.memory.is_known:
                results = place.results.items()
                expected |= {label_of(name, argument) for name, kept in results for argument in kept}
        texts = {each.text(), each.text(("n",))}
        damaged = {label_of(*key[2:]) if key[0] else key[2] for key in self.disk.bad.values() if key[1] in texts}
        assert found == sorted(set(found))
        assert expected <= set(found)
        assert set(found) <= expected | damaged or not self.memory.is_known

    @rule(index=owners)
    def has_changed(self, index: int) -> None:
        each, user, modelled = self.user(index)
        assert user.checkForChangedHash() == (modelled.noted != each.text())
        if not self.kind.holds_user:
            self.memory.place(each, None)

    @rule(index=owners)
    def reset(self, index: int) -> None:
        """What memory has of the owner goes; entries stay."""
        each, user, modelled = self.user(index)
        user.resetStorage()
        modelled.noted, modelled.objects = each.text(), {}
        for depends in (None, ("n",)) if self.kind.has_fields else (None,):
            self.memory.place(each, depends)
            for place in self.memory.visited(each, depends):
                place.results.clear()
        for name in self.names:
            each.forbid_before(Now.step, name, each.text(DEPENDS.get(name)))
        if self.kind.holds_user:
            self.reset_copies(each)

    def reset_copies(self, each: Modelled) -> None:
        """The copies that hold the StorageUser of an owner are reset with it."""
        for other in [*self.owners, *self.gone]:
            if other.original is each:
                for place in self.memory.visited(other, None):
                    place.results.clear()

    # -- what happens to owners ------------------------------------------------------------------------------

    @rule(index=owners, new=parameters)
    def change(self, index: int, new: tuple[Any, int]) -> None:
        self.owners[index].set(*new)

    def replace(self, index: int, new: Modelled) -> None:
        self.gone.append(self.owners[index])
        self.owners[index].owner = None
        self.owners[index] = new

    @rule(index=owners, new=parameters)
    def make(self, index: int, new: tuple[Any, int]) -> None:
        self.replace(index, self.new(*new))

    @rule(index=owners, source=owners, is_deep=st.booleans())
    def copy(self, index: int, source: int, is_deep: bool) -> None:
        each = self.owners[source]
        owner = (copy.deepcopy if is_deep else copy.copy)(each.owner)
        if not self.kind.holds_user:
            self.replace(index, Modelled(self.kind, owner, each.n, each.m))
        elif is_deep:
            noted = (each.original or each).user.noted
            original = None if each.original is None else self.copied_original(owner, noted)
            self.replace(index, Modelled(self.kind, owner, each.n, each.m, original, noted))
        else:
            self.replace(index, Modelled(self.kind, owner, each.n, each.m, each.original or each))

    def copied_original(self, owner: Any, noted: str | None) -> Modelled:
        """What the StorageUser describes of a deep copy of a copy: a deep copy of the original."""
        described = owner.su.func_hashstring.__self__
        assert described is not owner
        return Modelled(self.kind, described, described.n, described.m, noted=noted)

    @rule()
    def collect(self) -> None:
        """Owners to which nothing refers are freed."""
        gc.collect()
        needed = [each.original for each in self.owners]
        for each in self.gone:
            assert each.reference() is None or each in needed
        self.gone = [each for each in self.gone if each in needed]

    @rule()
    def another_process(self) -> None:
        """Nothing is in memory any more."""
        self.owners.clear()
        gc.collect()
        self.begin_process()

    # -- what happens to the disk ----------------------------------------------------------------------------

    @rule(how=st.sampled_from([("rw", False)] * 4 + [("r", False), ("w", False), ("", False), ("rw", True)]))
    def configure(self, how: tuple[str, bool]) -> None:
        self.disk.persistence, self.disk.disable = how
        configure(persistence=how[0], disable=how[1])

    @precondition(lambda self: self.has_limits)
    @rule(sets=st.sampled_from([0, 1, 8]), most=st.sampled_from([None, 0, 2000]))
    def limit_memory(self, sets: int, most: int | None) -> None:
        """From now on, what is in memory may be less, and shared or not."""
        configure(memory_sets=sets, max_memory_bytes=most)
        self.memory.is_known = False

    @rule(seed=st.integers(0, 2**32), how=st.sampled_from(["flip", "cut", "append", "delete"]), most=st.integers(1, 4))
    def damage(self, seed: int, how: str, most: int) -> None:
        chance, files = random.Random(seed), self.files(self.cache)
        for path in chance.sample(files, min(most, len(files))):
            key, data = key_of(path), path.read_bytes()
            del self.disk.own[key]
            if how == "delete":
                path.unlink()
                continue
            position = chance.randrange(len(ENTRY_MAGIC), len(data))  # else upkeep takes it for a file of others
            flipped = bytes([data[position] ^ chance.randrange(1, 256)])
            path.write_bytes(
                data[:position] + {"flip": flipped + data[position + 1 :], "cut": b"", "append": data}[how]
            )
            self.disk.bad[path] = key

    @rule()
    def remove_directory(self) -> None:
        shutil.rmtree(self.cache, ignore_errors=True)
        self.disk.lose_directory()

    @precondition(lambda self: self.layered)
    @rule()
    def publish(self) -> None:
        """What is in one's own directory becomes what others share."""
        for path in self.files(self.cache):
            target = self.shared / path.relative_to(self.cache)
            target.parent.mkdir(parents=True, exist_ok=True)
            self.disk.below[key_of(path)] = self.disk.own.pop(key_of(path))
            path.replace(target)

    @rule(share=st.sampled_from([0.6, 0.8, 0.4, 1.1, 0.0]))
    def tidy(self, share: float) -> None:
        before = {path: path.stat() for path in self.cache.rglob("*.stored")}
        size = sum(each.st_size for each in before.values())
        most = int(share * size)
        with configure(max_bytes=most):
            if not self.disk.writes:
                with pytest.raises(ConfigurationError, match="allows no writing"):
                    upkeep()
                return
            done = upkeep()
        left = {path: before[path] for path in before if path.exists()}
        gone = [each.st_mtime_ns for path, each in before.items() if path not in left]
        assert done.entries == len(left)
        assert done.bytes == sum(each.st_size for each in left.values()) <= most
        assert (done.removed_entries, done.leftovers) == (len(gone), 0)
        assert bool(gone) == (size > most)
        assert max(gone, default=0) <= min((each.st_mtime_ns for each in left.values()), default=2**63)
        self.disk.bad = {path: key for path, key in self.disk.bad.items() if path in left}
        kept = {key_of(path) for path in self.files(self.cache)}
        self.disk.own = {key: value for key, value in self.disk.own.items() if key in kept}

    @rule()
    def look_from_another_process(self) -> None:
        """All that is on disk is found there, and nothing else."""
        self.next_step()
        class_, there = self.kind.make(), self.disk.keys()
        for n, m in PARAMETERS:
            each = Modelled(self.kind, class_(n, m), n, m)
            for name in set(self.names) - MEMORY_ONLY:
                for x in range(1 if name in NO_ARGUMENT else 3):
                    key = key_for(each, name, x)
                    if key in there:
                        self.check_stored(each, name, x, self.disk.found(key))
        assert not Now.computed

    def check_stored(self, each: Modelled, name: str, x: int, expected: list[Mark]) -> None:
        method = getattr(each.owner, name)
        assert method.cached(*given(name, x)) == bool(expected)
        if expected:
            assert [mark_in(each, name, x, method(*given(name, x)))] == expected

    # -- what holds after each step --------------------------------------------------------------------------

    @invariant()
    def files_are_as_expected(self) -> None:
        assert {key_of(path) for path in self.files(self.cache)} == self.disk.own.keys()
        assert {key_of(path) for path in self.files(self.shared)} == self.disk.below.keys()
        assert all(path.exists() for path in self.disk.bad)

    @invariant()
    def changes_are_announced_once(self) -> None:
        assert sorted(Now.announced) == sorted(self.announced)


@pytest.fixture
def collected_in_steps_alone() -> Iterator[None]:
    """A clear for the class reaches on disk what live owners have, so when owners are freed must not be chance."""
    gc.collect()
    gc.freeze()  # what other tests have left takes no time in each collection
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.usefixtures("collected_in_steps_alone")
@pytest.mark.parametrize("memory_sets", [0, 8], indirect=True)
@pytest.mark.parametrize("kind", KINDS)
def test_methods_and_objects_do_what_dicts_do(kind: str, memory_sets: int) -> None:
    """Results and objects are what is in memory or on disk and holds, or computed; nothing else is found or listed."""
    run_state_machine_as_test(
        lambda: AgainstDicts(KINDS[kind], memory_sets),
        settings=hypothesis_settings(max_examples=rounds(8, 300), stateful_step_count=rounds(40, 80), deadline=None),
    )
