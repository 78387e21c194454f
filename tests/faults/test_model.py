"""A StorageUser and decorated methods do what plain dicts would do, through restarts, damage, upkeep and layers."""

from __future__ import annotations

import random
import shutil
import tempfile
import warnings
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stored import Axis, ConfigurationError, EntryWarning, StorageUser, configure, keyed_by, stored, upkeep
from stored import _keys as keys
from stored._storage.format import unpack
from stored._storage.reports import clear_reports
from tests.faults.scale import rounds

MODULE = __name__
MAXSIZE = 2
Key = tuple[str, ...]


class Now:
    """What all that is computed in one step of the machine is marked with."""

    step = 0
    computed = 0

    @classmethod
    def made(cls, *what: Any) -> tuple[Any, ...]:
        cls.computed += 1
        return (*what, cls.step)


@keyed_by("n")
class Plain:
    """An owner without a StorageUser."""

    methods = ("value", "fleeting", "curve")

    def __init__(self, n: int) -> None:
        self.n = n

    def text(self) -> str:
        return f"n={self.n}"

    @stored
    def value(self, x: int) -> Any:
        return Now.made("value", self.n, x)

    @stored(persistent=False, maxsize=MAXSIZE)
    def fleeting(self, x: int) -> Any:
        return Now.made("fleeting", self.n, x)

    @stored(interpolate=Axis("x", 0.0, 3.0, points=6))
    def curve(self, x: float) -> float:
        Now.computed += 1
        return 1000.0 * Now.step + 10.0 * self.n + x


class Holder:
    """An owner with a StorageUser, which its methods share."""

    methods = ("value", "fleeting")

    def __init__(self, n: int) -> None:
        self.n = n
        self.su = StorageUser(MODULE, "rw", lambda: "Holder", self.text, None)

    def text(self) -> str:
        return f"holder n={self.n}"

    @stored
    def value(self, x: int) -> Any:
        return Now.made("value", self.n, x)

    @stored(persistent=False, maxsize=MAXSIZE)
    def fleeting(self, x: int) -> Any:
        return Now.made("fleeting", self.n, x)


class Modelled:
    """An owner, and what its memory should hold."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.memories = {name: OrderedDict[Any, Any]() for name in (*owner.methods, "objects")}
        self.seen = dict.fromkeys(self.memories, owner.n)
        self.counts = {name: Counter[str]() for name in owner.methods}

    def memory(self, name: str) -> OrderedDict[Any, Any]:
        """What is in memory for a method or for objects, after the owner had a look at its parameters."""
        if self.seen[name] != self.owner.n:
            # a call of an owner with a StorageUser is a look at its objects too, and not the other way round
            is_call = isinstance(self.owner, Holder) and name != "objects"
            for each in self.memories if is_call else [name]:
                if self.seen[each] != self.owner.n:
                    self.memories[each].clear()
                    self.seen[each] = self.owner.n
        return self.memories[name]

    def key(self, name: str, argument: Any) -> Key:
        """What tells the entry from others."""
        if name == "objects":
            return ("", self.owner.text(), argument)
        arguments = "" if name == "curve" else str(argument)
        return (f"{MODULE}.{type(self.owner).__name__}.{name}", self.owner.text(), name, arguments)


def key_of(path: Path) -> Key:
    """What the header of a file says."""
    key = keys.Key.from_bytes(unpack(path.read_bytes()).key)
    own = (key.definition, key.space.string, key.object)
    return (*own, "".join(text for _, text in key.arguments)) if key.definition else own


KINDS = (Plain, Plain, Holder, Holder)
names = st.sampled_from(["a", "value", "x/y"])
values = st.none() | st.integers() | st.lists(st.text(max_size=3), max_size=3) | st.dictionaries(names, st.floats(0, 1))
method_names = st.sampled_from(Plain.methods)
which = st.integers(0, len(KINDS) - 1)
holders = st.integers(2, 3)
arguments = st.integers(0, 2)
chances = st.integers(0, 2**32)
BETWEEN = {"clear_one": 3, "clear_all": 2, "refresh": 3, "is_cached": 3, "info": 2, "restart": 1, "reset": 1}
BETWEEN["publish"] = 0
"""What may come between two calls, and how many arguments it has."""
betweens = st.lists(st.sampled_from(list(BETWEEN)), min_size=1, max_size=4)


OWNERS = [kind(n) for kind in (Plain, Holder) for n in range(2)]
CALLS: dict[Key, tuple[Any, str, int]] = {
    Modelled(owner).key(name, None if name == "curve" else x): (owner, name, x)
    for owner in OWNERS
    for name in {"value", "curve"}.intersection(owner.methods)
    for x in range(3)
}
"""The calls behind all keys that there can be."""


class AgainstDicts(RuleBasedStateMachine):
    """Memory ends with parameters and owners; entries end when they are removed or damaged."""

    @initialize(layered=st.booleans())
    def begin(self, layered: bool) -> None:
        self.place = Path(tempfile.mkdtemp())
        self.cache, self.shared = self.place / "cache", self.place / "shared"
        self.settings = configure(
            cache_dir=self.cache, key_file=self.place / "key", shared_dirs=[self.shared] if layered else []
        )
        self.warnings = warnings.catch_warnings()
        self.warnings.__enter__()
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", EntryWarning)
        clear_reports()
        self.layered, self.persistence, self.disable = layered, "rw", False
        self.owners = [Modelled(kind(0)) for kind in KINDS]
        self.own: dict[Key, Any] = {}
        self.below: dict[Key, Any] = {}
        self.hidden: set[Key] = set()
        self.bad: dict[Path, Key] = {}

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.warnings.__exit__(None, None, None)
            self.settings.__exit__(None, None, None)
            configure(persistence="rw", disable=False)
            shutil.rmtree(self.place)

    # -- what the model says --------------------------------------------------------------------------------------

    @property
    def reads(self) -> bool:
        return "r" in self.persistence and not self.disable

    @property
    def writes(self) -> bool:
        return "w" in self.persistence and not self.disable

    def found(self, key: Key) -> list[Any]:
        """What is stored for a key, as a list of one, or nothing."""
        if not self.reads or key in self.bad.values():
            return []
        if key in self.own:
            return [self.own[key]]
        return [self.below[key]] if key in self.below and key not in self.hidden else []

    def write(self, key: Key, value: Any) -> bool:
        if self.writes:
            self.bad = {path: each for path, each in self.bad.items() if each != key}
            self.own[key] = value
        return self.writes

    def delete(self, key: Key) -> bool:
        """Remove an entry, bad or good, and hide what is below."""
        if not self.writes:
            return False
        was_here = key in self.own or key in self.bad.values()
        self.own.pop(key, None)
        self.bad = {path: each for path, each in self.bad.items() if each != key}
        if key in self.below and key not in self.hidden:
            self.hidden.add(key)
            return True
        return was_here

    def remember(self, each: Modelled, name: str, argument: Any, value: Any) -> None:
        memory = each.memory(name)
        memory[argument] = value
        memory.move_to_end(argument)
        if name == "fleeting" and len(memory) > MAXSIZE:
            memory.popitem(last=False)

    def files(self, directory: Path) -> list[Path]:
        """The files of good entries."""
        return sorted(path for path in directory.rglob("*.stored") if path not in self.bad)

    # -- methods --------------------------------------------------------------------------------------------------

    def method(self, index: int, name: str) -> tuple[Modelled, str, Any]:
        Now.step += 1
        Now.computed = 0
        each = self.owners[index]
        name = name if name in each.owner.methods else "value"
        return each, name, getattr(each.owner, name)

    def check(self, each: Modelled, name: str, x: int, step: int, value: Any) -> None:
        if name == "curve":
            assert value == pytest.approx(1000.0 * step + 10.0 * each.owner.n + x, rel=1e-12)
        else:
            assert value == (name, each.owner.n, x, step)

    def computed(self, each: Modelled, name: str, argument: Any) -> None:
        each.counts[name]["misses"] += 1
        self.remember(each, name, argument, Now.step)
        if name != "fleeting":
            each.counts[name]["stores"] += self.write(each.key(name, argument), Now.step)

    @rule(index=which, name=method_names, x=arguments, times=st.integers(1, 3), anew=st.booleans())
    def call(self, index: int, name: str, x: int, times: int, anew: bool = False) -> None:
        if anew:
            self.restart(index)
        each, name, method = self.method(index, name)
        for _ in range(times):
            value = method(float(x) if name == "curve" else x)
            self.check(each, name, x, self.expected(each, name, x), value)

    @rule(index=which, anew=st.booleans())
    def call_all(self, index: int, anew: bool) -> None:
        if anew:
            self.restart(index)
        for name in self.owners[index].owner.methods:
            for x in range(3):
                self.call(index, name, x, 1)

    def expected(self, each: Modelled, name: str, x: int) -> int:
        """In which step the answer of a call was computed."""
        if self.disable:
            assert Now.computed > 0
            return Now.step
        argument = None if name == "curve" else x
        memory, counts = each.memory(name), each.counts[name]
        before, Now.computed = Now.computed, 0
        stored_values = [] if name == "fleeting" or argument in memory else self.found(each.key(name, argument))
        if argument in memory or stored_values:
            assert before == 0
            counts["hits"] += 1
            counts["persistent_hits"] += argument not in memory
            self.remember(each, name, argument, memory.get(argument, *stored_values))
        else:
            assert before > 0
            self.computed(each, name, argument)
        return int(memory[argument])

    def is_cached(self, index: int, name: str, x: int) -> None:
        each, name, method = self.method(index, name)
        result = method.cached(x)
        argument = None if name == "curve" else x
        expected = argument in each.memory(name) or (name != "fleeting" and self.found(each.key(name, argument)))
        assert result == bool(expected)
        assert Now.computed == 0

    def refresh(self, index: int, name: str, x: int) -> None:
        each, name, method = self.method(index, name)
        self.check(each, name, x, Now.step, method.refresh(x))
        self.computed(each, name, None if name == "curve" else x)

    def clear_one(self, index: int, name: str, x: int) -> None:
        each, name, method = self.method(index, name)
        method.cache_clear(x)
        argument = None if name == "curve" else x
        each.memory(name).pop(argument, None)
        self.delete(each.key(name, argument))

    def clear_all(self, index: int, name: str) -> None:
        each, name, method = self.method(index, name)
        method.cache_clear()
        each.memory(name).clear()
        each.counts[name].clear()
        beginning = each.key(name, "")[:3]
        removed = {path: key for path, key in self.bad.items() if not path.exists()}
        for key in {*self.own, *self.below, *removed.values()}:
            # whether a damaged one is recognised depends on where it is damaged
            if key[:3] == beginning and (key in removed.values() or key not in self.bad.values()):
                self.delete(key)

    def info(self, index: int, name: str) -> None:
        each, name, method = self.method(index, name)
        result, memory, counts = method.cache_info(), each.memory(name), each.counts[name]
        assert (result.hits, result.misses) == (counts["hits"], counts["misses"])
        assert (result.persistent_hits, result.stores) == (counts["persistent_hits"], counts["stores"])
        assert (result.currsize, result.maxsize) == (len(memory), MAXSIZE if name == "fleeting" else None)

    @rule(index=which, name=method_names, x=arguments, between=betweens, anew=st.booleans())
    def call_before_and_after(self, index: int, name: str, x: int, between: list[str], anew: bool) -> None:
        self.call(index, name, x, 2)
        for act in between:
            getattr(self, act)(*(index, name, x)[: BETWEEN[act]])
        self.call(index, name, x, 1, anew)

    # -- objects --------------------------------------------------------------------------------------------------

    @rule(index=holders, name=names, value=values, persistent=st.booleans())
    def store(self, index: int, name: str, value: Any, persistent: bool) -> None:
        each = self.owners[index]
        each.owner.su.storeObject(name, value, persistent=persistent)
        each.memory("objects")[name] = value
        if persistent:
            self.write(each.key("objects", name), value)

    @rule(index=holders, name=names, anew=st.booleans())
    def read(self, index: int, name: str, anew: bool) -> None:
        if anew:
            self.restart(index)
        each = self.owners[index]
        result = each.owner.su.getStoredObject(name)
        memory = each.memory("objects")
        expected = [memory[name]] if name in memory else self.found(each.key("objects", name))
        assert [result] == (expected or [None])
        memory.update((name, value) for value in expected)

    @rule(index=holders, name=names)
    def remove(self, index: int, name: str) -> None:
        each = self.owners[index]
        result = each.owner.su.removeObject(name)
        in_memory = each.memory("objects").pop(name, self) is not self
        assert result == (self.delete(each.key("objects", name)) or in_memory)

    @rule(index=holders, anew=st.booleans())
    def list_all(self, index: int, anew: bool) -> None:
        if anew:
            self.restart(index)
        each = self.owners[index]
        listed = each.owner.su.listObjects()
        result = [name for name in listed if "(" not in name]  # calls of methods are listed too
        expected = set(each.memory("objects"))
        beginning = each.key("objects", "")[:2]
        own = {key for key in {*self.own, *self.below} if key[:2] == beginning and self.found(key)}
        expected |= {key[2] for key in own}
        damaged = {key[2] for key in self.bad.values() if key[:2] == beginning}
        assert result == sorted(set(result))
        assert expected <= set(result) <= expected | damaged

    # -- what happens to owners -----------------------------------------------------------------------------------

    @rule(index=which, n=st.integers(0, 1))
    def change(self, index: int, n: int) -> None:
        self.owners[index].owner.n = n

    def restart(self, index: int) -> None:
        old = self.owners[index].owner
        self.owners[index] = Modelled(type(old)(old.n))

    def reset(self, index: int) -> None:
        """Have a StorageUser reset, if there is one."""
        each = self.owners[index]
        if not isinstance(each.owner, Holder):
            return
        each.owner.su.resetStorage()
        for name, memory in each.memories.items():
            memory.clear()
            each.seen[name] = each.owner.n

    # -- what happens to the store --------------------------------------------------------------------------------

    @rule(how=st.sampled_from([("rw", False)] * 4 + [("r", False), ("w", False), ("", False), ("rw", True)]))
    def configure(self, how: tuple[str, bool]) -> None:
        self.persistence, self.disable = how
        configure(persistence=self.persistence, disable=self.disable)

    @rule(seed=chances, how=st.sampled_from(["flip", "cut", "append", "delete"]), number=st.integers(1, 4))
    def damage(self, seed: int, how: str, number: int) -> None:
        chance, files = random.Random(seed), self.files(self.cache)
        for path in chance.sample(files, min(number, len(files))):
            key, data = key_of(path), path.read_bytes()
            del self.own[key]
            if how == "delete":
                path.unlink()
                continue
            position = chance.randrange(len(data))
            flipped = bytes([data[position] ^ chance.randrange(1, 256)])
            path.write_bytes(
                data[:position] + {"flip": flipped + data[position + 1 :], "cut": b"", "append": data}[how]
            )
            self.bad[path] = key

    @rule()
    def publish(self) -> None:
        """What is in one's own directory becomes what others share."""
        for path in self.files(self.cache) if self.layered else []:
            target = self.shared / path.relative_to(self.cache)
            target.parent.mkdir(parents=True, exist_ok=True)
            self.below[key_of(path)] = self.own.pop(key_of(path))
            path.replace(target)

    @rule(share=st.sampled_from([0.6, 0.8, 0.4, 1.1, 0.0]))
    def tidy(self, share: float) -> None:
        before = {path: path.stat() for path in self.cache.rglob("*.stored")}
        size = sum(each.st_size for each in before.values())
        most = int(share * size)
        with configure(max_bytes=most):
            if not self.writes:
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
        self.bad = {path: key for path, key in self.bad.items() if path in left}
        kept = {key_of(path) for path in self.files(self.cache)}
        self.own = {key: value for key, value in self.own.items() if key in kept}

    @invariant()
    def files_are_as_expected(self) -> None:
        assert {key_of(path) for path in self.files(self.cache)} == self.own.keys()
        assert {key_of(path) for path in self.files(self.shared)} == self.below.keys()
        assert all(path.exists() for path in self.bad)

    @invariant()
    def new_owners_find_what_is_stored(self) -> None:
        Now.computed = 0
        for key in ({*self.own, *self.below, *self.bad.values()}) & CALLS.keys():
            each, name, x = CALLS[key]
            each, expected = Modelled(type(each)(each.n)), self.found(key)
            if expected:
                self.check(each, name, x, *expected, getattr(each.owner, name)(float(x)))
            else:
                assert not getattr(each.owner, name).cached(x)
        assert Now.computed == 0


TestAgainstDicts = AgainstDicts.TestCase
TestAgainstDicts.settings = hypothesis_settings(
    max_examples=rounds(50, 600), stateful_step_count=rounds(40, 80), deadline=None
)
