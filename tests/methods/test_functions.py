"""A stored function gives what the plain one gives, and has all that a stored method has."""

from __future__ import annotations

import copy
import dataclasses
import functools
import gc
import inspect
import io
import itertools
import linecache
import math
import pickle
import threading
import types
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stored as library
from stored import Axis, configure, keyed_by, storage_user, stored
from stored.errors import OwnerError, OwnerWarning
from tests.methods.models import CALLS

FACTOR = 2.0


def helper(z: float) -> float:
    return FACTOR * z


@stored(ignore=("CALLS",))
def growth(z: float, Om0: float = 0.3, *, scale: float = 1.0) -> float:
    """How structure grows."""
    CALLS.append(z)
    return helper(z) * Om0 * scale


@stored(interpolate=Axis("z", 0.0, 2.0, rtol=1e-8), ignore=("CALLS",))
def age(z: float, Om0: float = 0.3) -> float:
    CALLS.append(z)
    return 10.0 - z * Om0


@stored
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@pytest.fixture(autouse=True)
def empty() -> None:
    """Results of earlier tests are gone."""
    for each in (growth, age, fibonacci):
        each.cache_clear()


def new_function(source: str, module: str = "written") -> Any:
    """The function `f` of a text, as a cell of a notebook defines it."""
    namespace: dict[str, Any] = {"stored": stored, "__name__": module, "CALLS": CALLS}
    file = f"<cell {next(_numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), namespace)
    return namespace["f"]


_numbers = itertools.count()


# -- calls ------------------------------------------------------------------------------------------------------------


def test_a_call_is_computed_once_however_its_arguments_are_given() -> None:
    """Defaults are applied; positions and names are alike."""
    values = [growth(1.0), growth(z=1.0), growth(1.0, 0.3), growth(1.0, Om0=0.3, scale=1.0)]
    assert values == [pytest.approx(0.6)] * 4
    assert CALLS == [1.0]
    assert growth(2.0) == pytest.approx(1.2)
    assert growth.cache_info()[:2] == (3, 2)


def test_the_next_process_finds_the_result() -> None:
    """A function of the same name and code, with nothing in memory."""
    source = "@stored(ignore=('CALLS',))\ndef f(x):\n    CALLS.append(x)\n    return [x]\n"
    one, other = new_function(source), new_function(source)
    assert (one(1.5), other(1.5), CALLS) == ([1.5], [1.5], [1.5])
    assert other.cache_info().persistent_hits == 1


@pytest.mark.parametrize("signature", ["*args, k=2, **named", "a, /, b=2, *, c=3", "", "a=1, *args", "**named"])
def test_any_signature(signature: str) -> None:
    """Of no arguments, of any number of them, by position only and by name only."""
    names = [each.strip("* ").partition("=")[0] for each in signature.split(",") if each.strip() not in {"", "/", "*"}]
    function = new_function(f"@stored\ndef f({signature}):\n    return ({''.join(f'{each}, ' for each in names)})\n")
    plain = function.__wrapped__
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [((), {}), ((1,), {}), ((1, 5), {}), ((), {"k": 7})]
    for args, named in calls * 2:
        try:
            expected = plain(*args, **named)
        except TypeError:
            with pytest.raises(TypeError):
                function(*args, **named)
            continue
        assert function(*args, **named) == expected
        assert function.cached(*args, **named)


def test_it_is_the_plain_function_in_all_else() -> None:
    """Name, docstring, signature, type and copies."""
    assert (growth.__name__, growth.__doc__, growth.__module__) == ("growth", "How structure grows.", __name__)
    assert inspect.signature(growth) == inspect.signature(growth.__wrapped__)
    assert isinstance(growth, types.FunctionType)
    assert inspect.isfunction(growth)
    assert copy.copy(growth) is copy.deepcopy(growth) is growth
    assert pickle.loads(pickle.dumps(growth)) is growth
    assert repr(growth) == "<stored function growth>"
    assert growth.__wrapped__(1.0) == pytest.approx(0.6)


def test_attributes_of_it_can_be_set() -> None:
    """As those of any function."""
    function: Any = stored(lambda x: x)
    function.unit = "km"
    function.__qualname__ = function.__doc__ = "named"
    assert (function.unit, function.__wrapped__.unit, function.__doc__, function(1)) == ("km", "km", "named", 1)


def test_decorators_above_and_below() -> None:
    """Those that use functools.wraps."""

    def doubled(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def double(*args: Any) -> Any:
            return 2 * function(*args)

        return double

    @doubled
    @stored
    def above(x: float) -> float:
        return x

    @stored
    @doubled
    def below(x: float) -> float:
        return x

    assert [above(1.5), above(1.5), below(1.5), below(1.5)] == [3.0] * 4
    assert below.cache_info().hits == 1  # type: ignore[attr-defined]


def test_a_function_that_calls_itself() -> None:
    """By its stored name, each value once."""
    assert fibonacci(40) == 102334155
    assert fibonacci.cache_info()[:2] == (38, 41)


def test_threads_compute_a_result_once() -> None:
    """The others wait for it."""
    meet, calls = threading.Barrier(4), list[float]()

    @stored(ignore=("calls",))
    def slow(x: float) -> float:
        calls.append(x)
        threading.Event().wait(0.05)
        return x

    def ask() -> None:
        meet.wait()
        assert slow(1.0) == 1.0

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert calls == [1.0]


def test_owners_as_arguments_are_told_by_all_that_they_tell() -> None:
    """A changed parameter of one, or another attribute, is another call."""

    @keyed_by("H0")
    class Cosmology:
        def __init__(self, H0: float) -> None:
            self.H0 = H0
            self.q = 1.0

        def rate(self) -> float:
            return self.H0 * self.q

    @stored
    def hubble(cosmology: Cosmology, z: float) -> float:
        return cosmology.rate() * z

    cosmology = Cosmology(70.0)
    values = [hubble(cosmology, 1.0), hubble(Cosmology(71.0), 1.0)]
    cosmology.H0 = 72.0
    values.append(hubble(cosmology, 1.0))
    cosmology.q = 2.0
    values.append(hubble(cosmology, 1.0))
    assert values == [70.0, 71.0, 72.0, 144.0]


def test_where_nothing_is_stored_it_is_the_plain_function() -> None:
    """disable=True."""
    with configure(disable=True):
        assert [growth(1.0), growth(1.0)] == [pytest.approx(0.6)] * 2
    assert CALLS == [1.0, 1.0]


# -- code -------------------------------------------------------------------------------------------------------------


def test_a_changed_helper_and_a_changed_constant_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the next call, and the way back, too."""
    assert [growth(1.0), growth(1.0)] == [pytest.approx(0.6)] * 2
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "FACTOR", 4.0)
        assert growth(1.0) == pytest.approx(1.2)
        patch.setitem(globals(), "helper", lambda z: z)
        assert growth(1.0) == pytest.approx(0.3)
    assert growth(1.0) == pytest.approx(0.6)


def test_a_function_that_is_defined_again() -> None:
    """As by a notebook: another text has results of its own, the same one finds them again."""
    sources = ["@stored\ndef f(x):\n    return x\n", "@stored\ndef f(x):\n    return -x\n"]
    assert [new_function(sources[k % 2])(1.0) for k in range(4)] == [1.0, -1.0, 1.0, -1.0]


def test_functions_of_one_name_in_two_modules() -> None:
    """Each has results of its own, also with a version in place of the code."""
    one = new_function("@stored(version='1')\ndef f(x):\n    return x\n", "one")
    other = new_function("@stored(version='1')\ndef f(x):\n    return -x\n", "other")
    assert (one(1.0), other(1.0)) == (1.0, -1.0)


def test_a_function_that_keeps_results_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """functools.cache below: what it keeps of earlier code is not stored as that of the code of now."""
    kept = stored(functools.lru_cache(lambda z: FACTOR * z))
    with pytest.warns(OwnerWarning, match="keeps results whatever becomes of the object; decorate the plain") as caught:
        assert [kept(1.0), kept(1.0)] == [2.0, 2.0]
    assert "keyed_by" not in str(caught[0].message)
    monkeypatch.setitem(globals(), "FACTOR", 4.0)
    with pytest.warns(OwnerWarning, match=r"a result of \S+<lambda>\(\) is not kept: it has used what"):
        assert [kept(1.0), kept(2.0)] == [kept.__wrapped__(1.0), kept.__wrapped__(2.0)]


def test_a_built_in_function_with_a_version() -> None:
    """The version stands for its code, which nothing can read, so that results are stored."""
    sine = stored(version="1")(math.sin)
    assert [sine(0.5), sine(0.5)] == [math.sin(0.5)] * 2
    assert sine.cache_info().stores == 1
    assert sine.dependencies().private == ()


def test_a_stored_function_as_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an argument or a parameter it counts by its code, and by all that this reaches."""

    @stored
    def applied(function: Callable[[float], float], x: float) -> float:
        return function(x)

    values = [applied(growth, 1.0), applied(helper, 1.0)]
    monkeypatch.setitem(globals(), "FACTOR", 4.0)
    assert [*values, applied(growth, 1.0)] == pytest.approx([0.6, 2.0, 1.2])


def test_explain_names_what_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument, or a constant of the module; the call stands there as it is written."""
    growth(1.0)
    assert str(growth.explain(1.0)) == "growth(z=1.0, Om0=0.3, scale=1.0): hit, in memory"
    assert "nearest stored result differs: argument z is 2.0, stored is 1.0" in str(growth.explain(2.0))
    monkeypatch.setitem(globals(), "FACTOR", 4.0)
    assert f"constant {__name__}.FACTOR is 4.0, stored is 2.0" in str(growth.explain(1.0))


def test_dependencies_are_those_of_the_function() -> None:
    """Code and constants; there are no parameters."""
    found = growth.dependencies()
    assert found.method == "growth"
    assert (found.parameters, found.attributes, found.private, found.everything) == ((), (), (), ())
    assert {each.name for each in found.code} == {f"{__name__}.growth", f"{__name__}.helper"}
    assert [each.name for each in found.constants] == [f"{__name__}.FACTOR"]
    assert str(found).startswith("results of growth(), version ")
    with_version = stored(version="1")(lambda x: x)
    assert with_version.dependencies().unseen == ("the code of the function, for which its version stands",)


def test_what_has_no_form_is_kept_in_memory_only() -> None:
    """The warning, and explain, are about the function."""
    lock = threading.Lock()

    @stored
    def locked(x: float) -> tuple[float, bool]:
        return x, lock.locked()

    @stored
    def guarded(x: float) -> Any:
        return x, handle.closed

    assert locked(1.0) == (1.0, False)  # locks do not count
    kept = (
        r"results of \S+guarded\(\) are kept in this process only.*a change inside it is not seen: give what can change"
    )
    with open("/dev/null") as handle:
        with pytest.warns(OwnerWarning, match=kept):
            assert guarded(1.0) == (1.0, False)
        assert guarded(1.0) == (1.0, False)
        assert guarded.cache_info()[:2] == (1, 1)
        assert "its result is for this process only" in str(guarded.explain(1.0))


def test_a_callable_object() -> None:
    """What it keeps nobody can tell; the words are those for functions."""

    class Callable:
        def __init__(self) -> None:
            functools.update_wrapper(self, helper)

        def __call__(self, z: float) -> float:
            return helper(z)

    function: Any = stored(Callable())  # type: ignore[arg-type]
    with pytest.warns(OwnerWarning, match="may remember something; decorate the plain function below that"):
        assert [function(1.0), function(1.0)] == [2.0, 2.0]


def test_functions_that_one_function_makes_warn_once() -> None:
    """They have the same code; another one has warnings of its own."""
    handle = io.StringIO()

    def make(k: int) -> Any:
        @stored(ignore=("nothing",))
        def made(x: float) -> Any:
            return x + k, handle.closed

        return made

    def make_another() -> Any:
        return stored(lambda x: (x, handle.closed))

    with pytest.warns(OwnerWarning) as caught:
        assert [make(k)(1.0) for k in range(3)] == [(1.0, False), (2.0, False), (3.0, False)]
    assert ["names 'nothing'" in str(each.message) for each in caught] == [False, True]
    with pytest.warns(OwnerWarning, match="are kept in this process only"):
        make_another()(1.0)


def test_a_function_has_no_storage_user() -> None:
    """The error says so, and not what to write above a class of the library."""
    for each in (growth, helper, len, Counter().total):
        with pytest.raises(
            OwnerError, match=r"storage_user\(\) got .* have no parameters, and so no StorageUser; give"
        ):
            storage_user(each)


def test_a_function_that_changes_what_it_uses() -> None:
    """The warning is about the function."""
    state = {"count": 0}

    @stored
    def counting(x: float) -> float:
        state["count"] += 1
        return x + state["count"]

    with pytest.warns(OwnerWarning, match=r"a result of \S+counting\(\) was not kept"):
        assert counting(1.0) == 2.0
    with pytest.warns(OwnerWarning, match="names 'nothing'.*no name that the code of .*<lambda> uses"):
        stored(ignore=("nothing",))(lambda x: x)(1)


def test_results_that_are_drawn() -> None:
    """They are not stored; and a generator is no argument."""

    @stored
    def draw(generator: Any) -> float:
        return float(generator.random())

    @stored
    def unseeded() -> float:
        return float(np.random.default_rng().random())

    with pytest.raises(library.UnstableKeyError, match=r"argument 'generator' of \S+draw\(\)"):
        draw(np.random.default_rng(1))
    with pytest.warns(OwnerWarning, match="makes a generator"):
        unseeded()
    assert unseeded.cache_info().stores == 0


# -- closures ---------------------------------------------------------------------------------------------------------


def make(factor: Any, calls: list[Any]) -> Any:
    @stored(persistent=False, ignore=("calls",))
    def scaled(x: float) -> Any:
        calls.append((factor, x))
        return factor * x

    return scaled


def test_closures_count_by_value() -> None:
    """Each call of the outer function makes another function, and those that are the same share their results."""
    calls: list[Any] = []
    with configure(memory_sets=3):
        assert [make(k, calls)(2.0) for k in (1.0, 2.0, 1.0, 2.0)] == [2.0, 4.0, 2.0, 4.0]
        assert calls == [(1.0, 2.0), (2.0, 2.0)]
        for k in (3.0, 4.0, 5.0, 1.0):  # memory has the last three
            make(k, calls)(2.0)
        assert [factor for factor, _ in calls] == [1.0, 2.0, 3.0, 4.0, 5.0, 1.0]


def test_a_closure_that_changes_is_noticed() -> None:
    """nonlocal, in the outer function."""
    factor = 2.0

    @stored
    def scaled(x: float) -> float:
        return factor * x

    values = [scaled(1.0), scaled(1.0)]
    factor = 3.0
    values += [scaled(1.0), scaled(1.0)]
    assert values == [2.0, 2.0, 3.0, 3.0]


def test_functions_that_are_made_are_freed() -> None:
    """Also those that close over themselves, with all that memory had for them."""

    def outer(factor: float) -> Any:
        @stored(persistent=False)
        def product(n: int) -> float:
            return factor * (1.0 if n < 2 else n * product(n - 1))

        return product

    made = []
    with configure(memory_sets=8):
        for factor in range(40):
            function = outer(float(factor))
            assert function(3) == function(3) == factor**3 * 6.0
            made.append(weakref.ref(function.__wrapped__))
    del function
    gc.collect()
    assert sum(each() is not None for each in made) == 0


# -- controls ---------------------------------------------------------------------------------------------------------


def test_cache_clear_forgets_one_call_or_all() -> None:
    """In memory and on disk; the counts begin again with the latter."""
    for each in (1.0, 2.0, 3.0):
        growth(each)
    growth.cache_clear(2.0)
    assert [growth.cached(each) for each in (1.0, 2.0, 3.0)] == [True, False, True]
    growth.cache_clear()
    assert not any(growth.cached(each) for each in (1.0, 2.0, 3.0))
    assert growth.cache_info()[:2] == (0, 0)
    growth(1.0)
    library.clear(growth)
    assert not growth.cached(1.0)


def test_cache_clear_forgets_results_of_earlier_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, and on disk."""
    growth(1.0)
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "FACTOR", 4.0)
        growth(1.0)
        growth.cache_clear()
    assert not growth.cached(1.0)


def test_refresh_computes_anew() -> None:
    """And replaces what is stored."""
    assert growth(1.0) == growth.refresh(1.0) == growth(1.0)
    assert CALLS == [1.0, 1.0]


def test_cache_accept_takes_over_results_of_earlier_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a few agree."""
    for each in (1.0, 2.0, 3.0):
        growth(each)
    monkeypatch.setitem(globals(), "helper", lambda z: z * FACTOR)
    growth.cache_accept(sample=1)
    assert [growth(each) for each in (1.0, 2.0, 3.0)] == [pytest.approx(0.6 * k) for k in (1, 2, 3)]
    assert CALLS == [1.0, 2.0, 3.0, 1.0]


def test_options() -> None:
    """A name, a bound of memory, rounding, arguments that do not count, and copies."""
    calls: list[float] = []

    @stored("short", maxsize=2, round={"x": 2}, ignore=("verbose", "calls"), copy=True, uses=("text",))
    def named(x: float, verbose: bool = False) -> list[float]:
        calls.append(x)
        return [x]

    first = named(1.234)
    first.append(0.0)
    assert [named(1.2341, True), named(1.23)] == [[1.23]] * 2
    for each in (2.0, 3.0):
        named(each)
    assert (calls, named.cache_info().currsize, named.cache_info().maxsize) == ([1.23, 2.0, 3.0], 2, 2)
    assert str(named.explain(1.23)).startswith("short(x=1.23): hit, in the store")
    together = stored(single_flight=False, persistent=False)(lambda x: x)
    assert (together(1), together(1), together.cache_info().hits) == (1, 1, 1)


def test_containers_are_the_callers_own() -> None:
    """As results of methods are."""

    @stored
    def listed(x: float) -> list[float]:
        return [x]

    listed(1.0).append(2.0)
    assert listed(1.0) == [1.0]


def test_results_are_computed_anew_to_compare() -> None:
    """verify= holds for functions."""
    growth(1.0)
    with configure(verify=1.0):
        assert growth(1.0) == pytest.approx(0.6)
    assert CALLS == [1.0, 1.0]


# -- axes -------------------------------------------------------------------------------------------------------------


def test_a_function_along_an_axis() -> None:
    """Its first argument may be the one of the axis; it has all that an interpolated method has."""
    assert age(0.5) == pytest.approx(9.85)
    sampled = len(CALLS)
    assert age(np.array([0.5, 1.0])) == pytest.approx([9.85, 9.7])  # type: ignore[arg-type]
    assert age.inverse(9.85) == pytest.approx(0.5)
    assert age.derivative(0.5) == pytest.approx(-0.3)
    assert age.integral(0.0, 1.0) == pytest.approx(9.85)
    assert age.roots(9.85) == pytest.approx([0.5])
    assert age.interpolant()(0.5) == pytest.approx(9.85)
    assert len(CALLS) == sampled
    assert age.exact(0.5) == pytest.approx(9.85)
    assert age(0.5, 0.4) == pytest.approx(9.8)
    assert age.inverse(9.8, Om0=0.4) == pytest.approx(0.5)


def test_the_only_argument_along_an_axis() -> None:
    """A number goes to the table at once."""
    square = stored(interpolate=Axis("x", 0.0, 1.0))(lambda x: x * x)
    assert [square(0.5) for _ in range(3)] == [pytest.approx(0.25)] * 3
    assert square.cache_info()[:2] == (2, 1)


def test_two_axes_and_tables() -> None:
    """A surface, and a function that returns a table."""
    axes = Axis("x", 0.0, 1.0, rtol=1e-4), Axis("y", 0.0, 1.0, rtol=1e-4)
    surface = stored(interpolate=axes)(lambda x, y, k=1.0: k * x * y)
    assert surface(0.5, 0.5) == pytest.approx(0.25)
    assert surface.derivative(0.5, 0.5, nu=(1, 0), k=2.0) == pytest.approx(1.0)
    table = stored(interpolate=True)(lambda n: np.array([np.linspace(0.0, 1.0, n), np.linspace(0.0, 2.0, n)]))
    assert table(20)(0.5) == pytest.approx(1.0)


def test_what_is_not_interpolated_says_so() -> None:
    """With the way to have it."""
    with pytest.raises(AttributeError, match=r"growth\(\) is not interpolated along an axis, so it has no inverse"):
        growth.inverse(0.6)


# -- fill and listings ------------------------------------------------------------------------------------------------


def test_fill_computes_the_calls_of_a_function(tmp_path: Path) -> None:
    """What is missing of them; for a table, one call."""
    growth(1.0)
    report = library.fill(growth, args=[(1.0,), (2.0,)], progress=False)
    assert (report.found, report.computed) == (1, 1)
    assert library.fill(age, progress=False).computed == 1
    report = library.fill(growth, args=[("text",), ()], progress=False)
    told = {name: type(error).__name__ for name, error in report.failures}
    assert told == {"growth(z='text', Om0=0.3, scale=1.0)": "TypeError", "growth()": "TypeError"}


def test_fill_says_how_it_is_called_for_functions() -> None:
    """They have no methods, and methods without objects cannot be computed."""

    class Model:
        @stored
        def total(self) -> float:
            return 1.0

    with pytest.raises(TypeError, match=r"got 'total' for methods.*fill\(function, args="):
        library.fill(growth, "total")
    with pytest.raises(OwnerError, match="a method without objects"):
        library.fill(Model.total)


def test_frozen_dataclasses_are_results_and_arguments() -> None:
    """As of methods."""

    @stored
    def moved(point: Point) -> Point:
        return Point(point.x + 1.0)

    assert [moved(Point(1.0)), moved(Point(1.0))] == [Point(2.0)] * 2
    assert moved.cache_info().hits == 1


@dataclasses.dataclass(frozen=True)
class Point:
    x: float


def parabola(outside: Any, persistent: bool = True) -> Any:
    @stored(interpolate=Axis("x", 1.0, 2.0, outside=outside), persistent=persistent)
    def square(x: float) -> float:
        return x**2

    return square


def test_functions_of_one_name_treat_what_is_outside_each_in_its_way() -> None:
    """Also where a cell of a notebook is edited and run again; the table on disk is one."""
    for _ in range(2):
        assert math.isnan(parabola("nan")(3.0))
        assert parabola("exact")(3.0) == 9.0
        assert parabola("clip")(3.0) == pytest.approx(4.0)
        with pytest.raises(library.OutsideAxisError):
            parabola("raise")(3.0)


def test_a_function_that_becomes_persistent_is_stored() -> None:
    """What memory has of the one before is not its result."""
    parabola("clip", persistent=False)(1.5)
    square = parabola("clip")
    square(1.5)
    assert square.cache_info().stores == 1
