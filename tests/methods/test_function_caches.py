"""What functions keep by `functools.lru_cache` or in memos of modules: results of what no longer holds do not stay.

Else other processes would get it, in which these functions have kept nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import gc
import os
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from stored import OwnerWarning, configure, keyed_by, stored
from stored._keys import function_caches


@pytest.fixture(autouse=True)
def shared_memory() -> Iterator[None]:
    """Objects share what is in memory."""
    with configure(memory_sets=8):
        yield


class Cosmology:
    """Is told apart by identity."""

    def __init__(self, h: float) -> None:
        self.h = h

    @functools.lru_cache(maxsize=8)  # noqa: B019  # as users write it
    def age(self, z: float) -> float:
        """Made of the parameter."""
        return self.h * z


@dataclasses.dataclass(frozen=True)
class Frozen:
    """Is told by its values."""

    h: float


class Named(NamedTuple):
    """Is a tuple."""

    h: float


class Kind(enum.Enum):
    """Is one of two."""

    FLAT = 1.0
    OPEN = 2.0


@keyed_by("given", "function")
class Owner:
    """Calls a function with its parameter."""

    def __init__(self, function: Callable[..., Any], given: Any = 1.0) -> None:
        self.function = function
        self.given = given

    @stored
    def value(self) -> Any:
        """Gives what the function gives."""
        return np.sum(self.function(self.given))

    @stored
    def twice(self) -> Any:
        """Uses it again."""
        return 2 * np.sum(self.function(self.given))

    @stored
    def both(self) -> Any:
        """Uses it before another stored method does."""
        return np.sum(self.function(self.given)) + self.twice()


def is_kept(method: Any) -> bool:
    """Does a call answer the next one? Whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OwnerWarning)
        assert method() == method.__wrapped__()
        misses = method.cache_info().misses
        assert method() == method.__wrapped__()
    return bool(method.cache_info().misses == misses)


LIMITS = [None, 1, 8, 128]


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("maxsize", LIMITS)
@pytest.mark.parametrize(
    "given", [1.5, 3, "a", (1.0, ("b", None)), np.float64(2.0), Named(2.0), Frozen(2.0), Kind.FLAT, frozenset({1, 2})]
)
def test_plain_values_that_others_have_asked_for(given: Any, maxsize: int | None, typed: bool) -> None:
    """Equal arguments are the same, and nobody changes a number: results stay."""

    @functools.lru_cache(maxsize=maxsize, typed=typed)
    def function(given: Any, more: float = 2.0) -> float:
        return len(repr(given)) * more

    function(given)
    function(given, more=2.5)
    assert is_kept(Owner(function, given).value)
    assert is_kept(Owner(function, given).twice)


@pytest.mark.parametrize("maxsize", LIMITS)
def test_an_object_that_has_changed(maxsize: int | None) -> None:
    """It is told apart by identity, so that the function gives what it gave before."""
    cosmology = Cosmology(1.0)
    function = functools.lru_cache(maxsize)(lambda cosmology: 2 * cosmology.h)
    owner = Owner(function, cosmology)
    assert is_kept(owner.value)
    assert is_kept(owner.twice)
    cosmology.h = 5.0
    assert not is_kept(owner.value)
    assert owner.value() == 2.0
    assert Owner(function, Cosmology(5.0)).value() == 10.0
    function.cache_clear()
    assert is_kept(owner.value)
    assert owner.value() == 10.0


@pytest.mark.parametrize("maxsize", LIMITS)
def test_an_object_that_others_have_asked_for(maxsize: int | None) -> None:
    """Nothing tells what it was then."""
    cosmology = Cosmology(1.0)
    function = functools.lru_cache(maxsize)(lambda cosmology: 2 * cosmology.h)
    function(cosmology)
    cosmology.h = 5.0
    assert not is_kept(Owner(function, cosmology).value)
    assert Owner(function, Cosmology(5.0)).value() == 10.0


@pytest.mark.parametrize("maxsize", LIMITS)
@pytest.mark.parametrize("make", [lambda: [1.0, 2.0], lambda: np.array([1.0, 2.0]), lambda: {1.0: 2.0}, lambda: {1.0}])
def test_a_result_that_is_changed_in_place(make: Callable[[], Any], maxsize: int | None) -> None:
    """The next computation uses it as it is now."""
    function = functools.lru_cache(maxsize)(lambda given: make())
    owner = Owner(lambda given: sum(map(float, function(given))), 1.0)
    assert is_kept(owner.value)
    assert is_kept(owner.twice)
    found = function(1.0)
    if isinstance(found, set):
        found.add(7.0)
    elif isinstance(found, dict):
        found[7.0] = 1.0
    else:
        found[0] = 7.0
    owner.value.cache_clear()
    assert not is_kept(owner.value)
    function.cache_clear()
    assert is_kept(owner.value)


def test_an_array_that_others_have_asked_for() -> None:
    """They may have changed it, unless it is read-only."""
    function = functools.lru_cache(lambda given: np.full(3, given))
    function(1.0)
    assert not is_kept(Owner(function, 1.0).value)

    @functools.lru_cache
    def fixed(given: float) -> Any:
        made = np.full(3, given)
        made.flags.writeable = False
        return made

    fixed(1.0)
    assert is_kept(Owner(fixed, 1.0).value)


def test_entries_that_are_used_up() -> None:
    """What others asked for does not matter once it is gone, nor where the function computes anew."""
    function = functools.lru_cache(2)(lambda given: [given])
    for number in range(5):
        function(float(number))
        assert is_kept(Owner(function, number + 0.5).value)
    assert not is_kept(Owner(function, 4.0).value)


def rebound(scale: float) -> tuple[Any, Callable[[float], None]]:
    """A function that keeps what it makes of a variable, and one that binds the variable again."""

    @functools.lru_cache
    def function(given: float) -> float:
        return given * scale

    def rebind(value: float) -> None:
        nonlocal scale
        scale = value

    return function, rebind


def test_a_constant_that_is_bound_again() -> None:
    """The function keeps what it made of the constant of before, until it is emptied."""
    function, rebind = rebound(2.0)
    owner = Owner(function, 3.0)
    assert is_kept(owner.value)
    rebind(5.0)
    with pytest.warns(OwnerWarning, match=r"has kept of earlier code, constants or files; empty it when that happens"):
        assert owner.value() == 6.0
    assert not is_kept(owner.value)
    assert is_kept(Owner(function, 4.0).value)  # which it has not kept
    assert not is_kept(Owner(function, 4.0).twice)  # some is of before
    function.cache_clear()
    assert is_kept(owner.value)
    assert owner.value() == 15.0


def test_a_constant_that_is_bound_again_for_a_moment() -> None:
    """What was kept of both is mixed."""
    function, rebind = rebound(2.0)

    def changing(given: float) -> float:
        function(given)
        rebind(5.0)
        function(given + 1)
        return given

    assert not is_kept(Owner(changing, 3.0).value)
    rebind(2.0)
    assert not is_kept(Owner(function, 4.0).value)


def test_stored_methods_that_call_each_other() -> None:
    """What the outer one has let the function keep is not taken for that of others."""
    function = functools.lru_cache(lambda given: [given, given])
    with warnings.catch_warnings():
        warnings.simplefilter("error", OwnerWarning)
        owner = Owner(function, 3.0)
        assert owner.both() == 18.0
        assert is_kept(owner.both)
        assert is_kept(owner.twice)
        assert is_kept(owner.value)


@keyed_by("cosmology")
class Halo:
    """Has a part whose method keeps what it gives."""

    def __init__(self, cosmology: Cosmology) -> None:
        self.cosmology = cosmology

    @stored
    def age(self) -> float:
        """Asks the part."""
        return self.cosmology.age(2.0)

    @stored
    def twice(self) -> float:
        """Asks it again."""
        return 2 * self.cosmology.age(2.0)

    @stored
    def changed(self) -> float:
        """Changes the part for a moment."""
        self.cosmology.h += 1.0
        found = self.cosmology.age(2.0)
        self.cosmology.h -= 1.0
        return found

    @stored
    def failing(self) -> float:
        """Raises after it has asked the part."""
        raise ValueError(self.cosmology.age(2.0))


def test_a_method_of_a_part() -> None:
    """It keeps what it gave for the part as that was."""
    halo = Halo(Cosmology(1.0))
    assert is_kept(halo.age)
    assert is_kept(halo.twice)
    halo.cosmology.h = 5.0
    assert not is_kept(halo.age)
    assert Halo(Cosmology(5.0)).age() == 10.0


def test_a_method_of_a_part_that_others_have_called() -> None:
    """Nothing tells what the part was then."""
    halo = Halo(Cosmology(1.0))
    halo.cosmology.age(2.0)
    halo.cosmology.h = 5.0
    assert not is_kept(halo.age)
    assert Halo(Cosmology(5.0)).age() == 10.0


@pytest.mark.parametrize("name", ["changed", "failing"])
def test_what_is_kept_of_a_part_for_a_moment(name: str) -> None:
    """What a method lets be kept, that changes objects or fails, does not count as made of them as they are now."""
    halo = Halo(Cosmology(1.0))
    with contextlib.suppress(ValueError):
        getattr(halo, name)()
    assert not is_kept(halo.age)
    assert Halo(Cosmology(1.0)).age() == 2.0


@keyed_by("cosmology")
class Outer(Halo):
    """Changes its part for good before it calls another stored method."""

    @stored
    def nested(self) -> float:
        """What the part keeps is of the value that it had before."""
        self.cosmology.age(2.0)
        self.cosmology.h = 5.0
        return self.age()


def test_a_method_that_changes_a_part_and_calls_another() -> None:
    """The other one gets what was kept before the change, and does not keep it."""
    outer = Outer(Cosmology(1.0))
    with pytest.warns(OwnerWarning, match="is not kept"):
        assert outer.nested() == 2.0
    assert not is_kept(outer.age)
    assert Outer(Cosmology(5.0)).age() == 10.0


def test_what_a_forked_process_does_first() -> None:
    """It forgets the computations of the parent."""
    function = functools.lru_cache(lambda given: [given])
    cache = function_caches.function_cache(function)
    cache.begin(function_caches.Setting.ATTRIBUTES, {})
    function_caches._forget_users()
    function(1.0)
    cache.begin(function_caches.Setting.NOTHING, {})
    assert cache.end(cache.begin(function_caches.Setting.NOTHING, {}), function_caches.Setting.NOTHING, True) == ""
    assert not is_kept(Owner(function, 1.0).value)


@contextlib.contextmanager
def computing(function: Callable[[Any], float]) -> Iterator[None]:
    """A block during which another thread computes a stored method, which calls a function at its end."""
    begun, end = threading.Event(), threading.Event()

    def waiting(given: Any) -> float:
        begun.set()
        end.wait()
        return function(given)

    thread = threading.Thread(target=Owner(waiting, "x").value)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        end.set()
        thread.join()


def test_a_process_that_is_forked_while_a_thread_computes() -> None:
    """There, no other computation is under way."""
    cosmology = Cosmology(1.0)
    function = functools.lru_cache(lambda cosmology: 2 * cosmology.h)
    with computing(lambda given: float(function(cosmology) + len(given))):
        child = os.fork()
        if not child:
            function(cosmology)
            cosmology.h = 5.0
            os._exit(is_kept(Owner(function, cosmology).value))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_large_caches_are_not_gone_through_again_and_again() -> None:
    """Only what is new is looked at."""
    looked_at = 0

    class Counting(tuple[float, ...]):
        def __iter__(self) -> Iterator[float]:
            nonlocal looked_at
            looked_at += 1
            return super().__iter__()

    @functools.cache
    def function(given: float) -> Counting:
        return Counting((given,))

    for number in range(600):
        Owner(function, float(number)).value()
    assert looked_at < 30_000


_KEPT: dict[Any, float] = {}


def remembered(cosmology: Cosmology) -> float:
    """Keeps what it gives in a memo of the module."""
    if cosmology not in _KEPT:
        _KEPT[cosmology] = 2 * cosmology.h
    return _KEPT[cosmology]


@keyed_by("cosmology")
class Remembering:
    """Uses a memo of the module."""

    def __init__(self, cosmology: Cosmology) -> None:
        self.cosmology = cosmology

    @stored
    def value(self) -> float:
        """Asks for it."""
        return remembered(self.cosmology)


def test_a_memo_of_a_module_for_an_object_that_changes() -> None:
    """It has what was made of the object as it was."""
    owner = Remembering(Cosmology(1.0))
    assert is_kept(owner.value)
    owner.cosmology.h = 5.0
    with pytest.warns(OwnerWarning, match="is not kept: it may have used what _KEPT .* or name '_KEPT' in ignore"):
        assert owner.value() == 2.0
    assert not is_kept(owner.value)
    assert Remembering(Cosmology(5.0)).value() == 10.0


SCALE = 2.0


class Scaled(NamedTuple):
    """Has a method that reads a constant."""

    h: float

    def value(self) -> float:
        """Made of both."""
        return SCALE * self.h


class ScaledKind(enum.Enum):
    """Has a method that reads a constant."""

    ONE = 1.0

    def value_of(self) -> float:
        """Made of both."""
        return SCALE * self.value


class Calling:
    """Is called."""

    def __call__(self, given: float) -> float:
        return SCALE * given


OF_CONSTANTS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "a named tuple": lambda: (functools.lru_cache(lambda given: given.value()), Scaled(1.0)),
    "an enumeration": lambda: (functools.lru_cache(lambda given: given.value_of()), ScaledKind.ONE),
    "a bound method": lambda: (functools.lru_cache(lambda given: given()), Scaled(1.0).value),
    "an object that is called": lambda: (functools.lru_cache(Calling()), 1.0),
    "a partial object": lambda: (functools.partial(functools.lru_cache(lambda given: SCALE * given)), 1.0),
    "a dictionary": lambda: (SimpleNamespace(f=functools.lru_cache(lambda given: SCALE * given)), 1.0),
}


@pytest.mark.parametrize("name", OF_CONSTANTS)
def test_constants_behind_arguments_and_functions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They count wherever they are read."""
    function, given = OF_CONSTANTS[name]()

    @keyed_by("given", "function")
    class Calls:
        def __init__(self) -> None:
            self.given, self.function = given, function

        @stored
        def value(self) -> float:
            return getattr(self.function, "f", self.function)(self.given)

    assert Calls().value() == 2.0
    monkeypatch.setattr(sys.modules[__name__], "SCALE", 5.0)
    assert not is_kept(Calls().value)


def test_equal_arguments_of_another_type() -> None:
    """They get what was kept for the others."""
    function = functools.lru_cache(lambda x: 2.0 * x)
    Owner(function, np.float32(0.5)).value()
    assert not is_kept(Owner(function, 0.5).value)


def test_a_file_that_a_function_reads(tmp_path: Path) -> None:
    """What was kept of its earlier content does not hold."""
    path = tmp_path / "a.txt"
    path.write_text("2.0")
    function = functools.lru_cache(lambda: float(path.read_text()))

    @keyed_by("given")
    class Reading:
        given = 1.0

        @stored(uses=(path,))
        def value(self) -> float:
            return self.given * function()

    assert is_kept(Reading().value)
    path.write_text("5.00")
    assert not is_kept(Reading().value)
    function.cache_clear()
    assert is_kept(Reading().value)
    assert Reading().value() == 5.0


def test_a_constant_that_the_method_itself_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept meanwhile is made of it."""
    monkeypatch.setattr(sys.modules[__name__], "SCALE", 2.0)
    function = functools.lru_cache(lambda given: SCALE * given)

    def changing(given: float) -> float:
        global SCALE
        SCALE = 9.0
        found = function(given)
        SCALE = 2.0
        return found

    assert is_kept(Owner(changing, 1.0).value)  # as in other processes
    assert not is_kept(Owner(function, 1.0).value)


def test_a_cache_that_is_emptied_and_filled_by_others() -> None:
    """As often as before: it is told all the same."""
    cosmology = Cosmology(1.0)
    function = functools.lru_cache(lambda cosmology: 2 * cosmology.h)
    assert is_kept(Owner(function, cosmology).value)
    function.cache_clear()
    cosmology.h = 5.0
    function(cosmology)
    cosmology.h = 1.0
    assert not is_kept(Owner(function, cosmology).twice)


def test_a_method_that_empties_a_cache() -> None:
    """What it has used is no longer there to be looked at."""
    cosmology = Cosmology(1.0)
    function = functools.lru_cache(lambda cosmology: 2 * cosmology.h)
    function(cosmology)
    cosmology.h = 5.0

    def emptying(given: Any) -> float:
        found = function(given)
        function.cache_clear()
        return float(found)

    owner = Owner(emptying, cosmology)
    with pytest.warns(OwnerWarning, match="is not kept"):
        owner.value()
    assert owner.value() == 10.0


def test_what_others_ask_for_while_a_thread_computes() -> None:
    """It is not taken for that of the computation."""
    cosmology = Cosmology(1.0)
    function = functools.lru_cache(lambda cosmology: 2 * cosmology.h)
    with computing(lambda given: float(len(given)) if given else float(function(cosmology))):
        function(cosmology)
        cosmology.h = 5.0
        assert not is_kept(Owner(function, cosmology).value)


def test_a_version_does_not_stand_for_what_functions_keep() -> None:
    """Objects that have changed are others."""
    function = functools.lru_cache(lambda cosmology: 2 * cosmology.h)

    @keyed_by("cosmology")
    class Versioned:
        def __init__(self, cosmology: Cosmology) -> None:
            self.cosmology = cosmology

        @stored(version="1")
        def value(self) -> float:
            return function(self.cosmology)

    owner = Versioned(Cosmology(1.0))
    assert is_kept(owner.value)
    owner.cosmology.h = 5.0
    assert not is_kept(owner.value)


def test_a_name_to_be_ignored() -> None:
    """Then nobody looks at what is kept."""
    kept = functools.lru_cache(lambda given: [given])

    @keyed_by("given")
    class Ignoring:
        def __init__(self, given: float) -> None:
            self.given = given

        @stored(ignore=("kept",))
        def value(self) -> float:
            return kept(self.given)[0]

    kept(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OwnerWarning)
        assert is_kept(Ignoring(1.0).value)


def test_classes_whose_methods_keep_objects_are_freed() -> None:
    """They keep the class, which has them; nothing else does."""

    class Local:
        def __init__(self, h: float) -> None:
            self.h = h

        @functools.lru_cache(maxsize=None)  # noqa: B019, UP033
        def age(self) -> list[float]:
            return [self.h]

    @keyed_by("part")
    class Whole:
        def __init__(self, part: Any) -> None:
            self.part = part

        @stored
        def age(self) -> float:
            return self.part.age()[0]

    whole = Whole(Local(1.0))
    assert is_kept(whole.age)
    dead = weakref.ref(Local), weakref.ref(whole.part), weakref.ref(Whole)
    del Local, Whole, whole
    gc.collect()
    assert [each() for each in dead] == [None, None, None]


def test_functions_and_what_they_keep_are_freed() -> None:
    """Nothing of a function stays that is no longer used."""
    cosmology = Cosmology(1.0)
    function = functools.lru_cache(lambda given: [given.h])
    assert is_kept(Owner(function, cosmology).value)
    dead = weakref.ref(function), weakref.ref(cosmology)
    del function, cosmology
    gc.collect()
    assert [each() for each in dead] == [None, None]


MODULE = """
import sys
from functools import lru_cache
from stored import keyed_by, stored

SCALE = 2.0

@lru_cache
def slow(x):
    return SCALE * x

@keyed_by("a")
class M:
    def __init__(self, a):
        self.a = a

    @stored(persistent=True)
    def f(self):
        return slow(self.a)

if sys.argv[1] == "both":
    M(3.0).f()
SCALE = 5.0
print(M(3.0).f())
"""


def test_another_process(tmp_path: Path) -> None:
    """It does not get what was made of the constant of before."""
    file = tmp_path / "program.py"
    file.write_text(MODULE)

    def run(what: str) -> str:
        command = [sys.executable, "-W", "ignore", str(file), what]
        environment = {**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache")}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    assert run("both") == "6.0\n"
    assert run("one") == "15.0\n"
    assert run("one") == "15.0\n"
