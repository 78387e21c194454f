"""Results are forgotten as a whole: those of a method, and those of an object."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import stored as package
from stored import OwnerError, StorageUser, configure, keyed_by, stored
from stored.stores import MemoryStore
from tests.keys.source_code import load

COMPUTED: Counter[str] = Counter()


def note(name: str) -> None:
    COMPUTED[name] += 1


class Listing(MemoryStore):
    """A store that notes which names are listed."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: set[str] = set()

    def names(self, folder: str = "") -> Iterator[str]:
        for name in super().names(folder):
            self.listed.add(name)
            yield name


@pytest.fixture
def store(cache_dir: object) -> Iterator[Listing]:
    COMPUTED.clear()
    found = Listing()
    with configure(store=found, memory_sets=8):
        yield found


@keyed_by("a")
class Model:
    def __init__(self, a: float = 1.0) -> None:
        self.a = a

    @stored(ignore=("note",))
    def one(self, x: float = 1.0) -> float:
        note("one")
        return self.a * x

    @stored(ignore=("note",))
    def two(self) -> float:
        note("two")
        return self.a

    @property
    @stored(ignore=("note",), persistent=False)
    def three(self) -> float:
        note("three")
        return self.a


class Sub(Model):
    @stored
    def four(self) -> float:
        return self.a


class Other:
    """Whose results are in folders of another module."""

    def __init__(self) -> None:
        self.a = 1.0
        self.su = StorageUser("another_module", "rw", lambda: "it", lambda: "parameters", None)

    one = Model.one


def results_in(store: Listing, part: str) -> set[str]:
    return {name for name in MemoryStore.names(store) if part in name and name.endswith(".stored")}


def test_a_method_is_forgotten_for_all_owners(store: Listing) -> None:
    """Freed ones, those of earlier parameters and of subclasses, in memory and on disk; other methods stay."""
    model = Model()
    for a in (1.0, 2.0, 3.0):
        model.a = a
        model.one(), model.one(2.0), model.two()
    Sub(5.0).one(), Sub(5.0).two(), Sub(5.0).four()
    gc.collect()
    others = results_in(store, "-two-") | results_in(store, "-four-")
    assert len(results_in(store, "-one-")) == 7
    assert len(others) == 5
    store.listed.clear()
    Model.one.cache_clear()
    assert results_in(store, "-one-") == set()
    assert store.listed, "what is listed is what goes"
    assert all("/one-" in name for name in store.listed)
    assert results_in(store, "-two-") | results_in(store, "-four-") == others
    COMPUTED.clear()
    for a in (1.0, 2.0, 3.0):
        model.a = a
        model.one(), model.one(2.0), model.two()
    Sub(5.0).one(), Sub(5.0).two()
    assert COMPUTED == {"one": 7}
    assert model.one.cache_info().misses == 6


def test_results_of_earlier_code_go_too(store: Listing) -> None:
    """They do not come back with the code."""
    source = """
        @stored
        def method(self):
            return helper(self.a)

        class Model:
            a = 1.0
            method = method
        """
    made = load(source, helper=lambda a: a + 1)
    made["method"].__stored_method__.set_owner_class(made["Model"], "method")
    model = keyed_by("a")(made["Model"])()
    first = made["helper"]
    assert model.method() == 2.0
    made["helper"] = lambda a: a + 5
    assert model.method() == 6.0
    assert len(results_in(store, "-method-")) == 2
    made["Model"].method.cache_clear()
    assert results_in(store, "-method-") == set()
    made["helper"] = first
    assert not model.method.cached()
    model.method()
    made["helper"] = lambda a: a + 7
    model.method()
    model.method.cache_clear()
    assert results_in(store, "-method-") == set()


def test_an_object_forgets_its_parameters_of_now(store: Listing) -> None:
    """Nothing of others is listed, but what is in the folder of its results."""
    owners = [Model(float(n)) for n in range(300)]
    for each in owners:
        each.one(), each.two()
    store.listed.clear()
    owners[7].one.cache_clear()
    assert len(results_in(store, "-one-")) == 299
    assert len(results_in(store, "-two-")) == 300
    assert 1 <= len(store.listed) <= 10
    assert all("/one-" in name for name in store.listed)


def test_an_owner_is_forgotten(store: Listing) -> None:
    """All its methods, properties included, with the counts; other owners stay."""
    first, second = Sub(1.0), Sub(2.0)
    for owner in (first, second):
        owner.one(), owner.two(), owner.three, owner.four()
    assert package.clear(first) is None
    COMPUTED.clear()
    assert not first.four.cached()
    for owner in (first, second):
        owner.one(), owner.two(), owner.three
    assert COMPUTED == {"one": 1, "two": 1, "three": 1}
    assert first.one.cache_info().misses == 1


def test_what_has_no_stored_methods_is_refused() -> None:
    """And what does not tell its parameters."""

    class Plain:
        pass

    class Silent:
        @stored
        def method(self) -> int:
            return 1

    class Asking:
        """Whose code of one method cannot be followed."""

        def getHashableString(self) -> str:
            return "it"

        @stored(depends="auto")
        def unknown(self) -> Any:
            return vars(self)

        @stored(persistent=False)
        def known(self) -> int:
            note("known")
            return 1

    with pytest.raises(OwnerError, match=r"stored\.clear\(\) got an object of .*Plain, which has no stored methods"):
        package.clear(Plain())
    with pytest.raises(
        OwnerError, match=r"got the class Model, not an object, .*, or say Class\.method\.cache_clear\(\)"
    ):
        package.clear(Model)
    with pytest.raises(OwnerError, match="does not tell its parameters"):
        package.clear(Silent())
    owner = Asking()
    owner.known()
    package.clear(owner)
    assert not owner.known.cached()


def test_owners_of_other_modules_are_known_from_the_store(store: Listing) -> None:
    """A later process forgets what the owners of modules have stored that it has never seen."""
    other = Other()
    other.one(3.0), Model().one()
    assert len(results_in(store, "another_module/")) == 1
    del other
    gc.collect()
    Model.one.cache_clear()
    assert results_in(store, "-one-") == set()


def test_a_later_process_forgets_all(tmp_path: Path) -> None:
    """Also of a subclass in a module that it does not import."""
    (tmp_path / "base.py").write_text(
        textwrap.dedent("""
        from stored import keyed_by, stored

        @keyed_by("a")
        class Base:
            def __init__(self, a):
                self.a = a
            @stored
            def value(self):
                return self.a
            @stored
            def other(self):
                return self.a
        """)
    )
    (tmp_path / "sub.py").write_text("from base import Base\nclass Sub(Base):\n    pass\n")
    env = {**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache")}
    codes = (
        "import base, sub\nfor kind in (base.Base, sub.Sub):\n  for a in (1, 2): kind(a).value(), kind(a).other()",
        "import base; base.Base.value.cache_clear()",
    )
    counts = []
    for code in codes:
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=True)
        names = [each.name for each in (tmp_path / "cache").rglob("*.stored")]
        counts.append([sum(f"-{name}-" in each for each in names) for name in ("value", "other")])
    assert counts == [[4, 4], [0, 4]]


def test_nothing_is_removed_where_nothing_may_be_written(store: Listing) -> None:
    """A store that is read only keeps all; memory forgets."""
    model = Model()
    model.one()
    with configure(persistence="r"):
        Model.one.cache_clear()
        assert len(results_in(store, "-one-")) == 1
        model.one()
        assert COMPUTED["one"] == 1


def test_files_of_others_stay(store: Listing) -> None:
    """What does not begin as an entry is no result."""
    Model().one()
    [name] = results_in(store, "-one-")
    foreign = name.replace(name[-20:-10], "0" * 10)
    store.write(foreign, [b"my own notes"])
    damaged = name.replace(name[-20:-10], "1" * 10)
    store.write(damaged, [bytes(store.read(name) or b"")[:50]])
    Model.one.cache_clear()
    assert results_in(store, "-one-") == {foreign}


class Waiting:
    """A computation that waits to be let go, and reads what the code cannot see."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self.value = 1.0

    def read(self) -> float:
        found = self.value
        self.has_begun.set()
        assert self.may_end.wait(30)
        return found


WAITING = Waiting()


@keyed_by("a")
class Slow:
    def __init__(self, a: float = 1.0) -> None:
        self.a = a

    @stored(version="1")
    def value(self, x: float = 1.0) -> float:
        return WAITING.read() * x


CLEARS: dict[str, Callable[[Slow], None]] = {
    "of the method": lambda _: Slow.value.cache_clear(),
    "of the object": lambda slow: slow.value.cache_clear(),
    "of an equal object": lambda slow: Slow(slow.a).value.cache_clear(),
    "of the call": lambda slow: slow.value.cache_clear(1.0),
    "of all methods": package.clear,
}


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    found = Waiting()
    monkeypatch.setattr(sys.modules[__name__], "WAITING", found)
    return found


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("name", CLEARS)
def test_what_is_computed_meanwhile_is_forgotten_too(name: str, waiting: Waiting) -> None:
    slow = Slow()
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(slow.value)
        assert waiting.has_begun.wait(30)
        waiting.value = 2.0
        CLEARS[name](slow)
        after = pool.submit(slow.value)
        waiting.may_end.set()
        assert (before.result(30), after.result(30)) == (1.0, 2.0)
    assert slow.value() == 2.0
    with configure(memory_sets=0):
        assert Slow().value() == 2.0


@pytest.mark.usefixtures("store")
def test_what_is_computed_for_others_meanwhile_is_kept(waiting: Waiting) -> None:
    slow = Slow()
    with ThreadPoolExecutor(1) as pool:
        before = pool.submit(slow.value)
        assert waiting.has_begun.wait(30)
        waiting.value = 2.0
        slow.value.cache_clear(3.0)
        Slow(5.0).value.cache_clear()
        package.clear(Slow(6.0))
        waiting.may_end.set()
        assert before.result(30) == 1.0
    assert slow.value() == 1.0


def test_what_is_loaded_meanwhile_is_forgotten_too(store: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    with configure(memory_sets=0):
        assert Model().one() == 1.0
        gc.collect()
        read, model = store.read, Model()

        def read_and_clear(name: str) -> bytes | None:
            found = read(name)
            monkeypatch.undo()
            Model.one.cache_clear()
            return found

        monkeypatch.setattr(store, "read", read_and_clear)
        assert model.one() == 1.0
        assert COMPUTED["one"] == 1
        assert model.one() == 1.0
        assert COMPUTED["one"] == 2
