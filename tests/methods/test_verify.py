"""With `verify`, a share of the calls that stored results answer is computed anew, and what differs is replaced."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import threading
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import Axis, OwnerWarning, StaleResultWarning, configure, keyed_by, stored
from tests.methods.random_programs import run_program

WORLD = [1.0]
COMPUTED: Counter[str] = Counter()


def world() -> float:
    """What no key sees, since it is ignored."""
    return WORLD[0]


def note(name: str) -> None:
    COMPUTED[name] += 1


class Point:
    def __init__(self, x: float) -> None:
        self.x = x


@keyed_by("a")
class Model:
    def __init__(self, a: float = 2.0) -> None:
        self.a = a

    @stored(ignore=("world", "note"))
    def number(self, x: float = 1.0) -> float:
        note("number")
        return self.a * world() * x

    @stored(ignore=("world",))
    def array(self) -> Any:
        return np.arange(5) * world() * self.a

    @stored(ignore=("world",), copy=True)
    def items(self) -> Any:
        return {"a": [world() * self.a, "text", None], "b": (1, {2, 3})}

    @stored(ignore=("world",), persistent=False)
    def point(self) -> Any:
        return Point(self.a * world())

    @stored(ignore=("world",), interpolate=True)
    def spline(self) -> Any:
        x = np.linspace(0.0, 1.0, 20)
        return np.array([x, world() * self.a * x**2])

    @stored(ignore=("world", "note"), interpolate=Axis("z", -1.0, 1.0, outside="clip"))
    def curve(self, z: float) -> float:
        note("curve")
        return self.a * world() * float(np.sinh(z))

    @stored(ignore=("world",), interpolate=Axis("z", 0.5, 1.0, values="log"))
    def positive(self, z: float) -> float:
        return self.a * world() * float(np.exp(z))

    @stored(ignore=("world",), interpolate=Axis("z", 0.0, 1.0, points=9))
    def few_points(self, z: float) -> float:
        return self.a * world() * float(np.exp(z))

    @stored(ignore=("world",), interpolate=(Axis("x", 0.0, 1.0), Axis("y", 0.0, 1.0)))
    def surface(self, x: float, y: float) -> float:
        return self.a * world() * (1 + x * y)

    @stored(ignore=("world", "note"), persistent=False)
    def steps(self, n: int) -> float:
        note("steps")
        return world() if n < 2 else self.steps(n - 1) + self.steps(n - 2)


CALLS = {
    "number": lambda m: m.number(),
    "number of others": lambda m: m.number(3.0),
    "array": lambda m: m.array()[1],
    "items": lambda m: m.items()["a"][0],
    "point": lambda m: m.point().x,
    "spline": lambda m: round(float(m.spline()(1.0)), 9),
    "curve": lambda m: round(m.curve(0.5) / np.sinh(0.5), 4),
    "curve at points": lambda m: round(m.curve(np.linspace(-2.0, 1.0, 50))[-1] / np.sinh(1.0), 4),
    "logarithm": lambda m: round(m.positive(0.5) / np.exp(0.5), 4),
    "few points": lambda m: round(m.few_points(0.5) / np.exp(0.5), 4),
    "surface": lambda m: round(m.surface(1.0, np.array([0.0, 1.0]))[1] / 2, 4),
    "of others": lambda m: m.steps(10) / 89 * m.a,
}

of_all_calls = pytest.mark.parametrize("name", CALLS)


@pytest.fixture(autouse=True)
def as_at_first(cache_dir: object) -> None:
    WORLD[0] = 1.0
    COMPUTED.clear()


@of_all_calls
@pytest.mark.parametrize("on_disk", [False, True])
def test_each_stale_result_is_found_and_replaced(name: str, on_disk: bool) -> None:
    """In memory and on disk; the caller gets the new value, and so do all after it."""
    if on_disk and name in {"point", "of others"}:
        pytest.skip("they are in memory only")
    call, model = CALLS[name], Model()
    expected = call(model) * 2.0
    WORLD[0] = 2.0
    assert call(model) == expected / 2.0, "no key sees it"
    with configure(memory_sets=0) if on_disk else configure():
        owner = Model() if on_disk else model
        with configure(verify=1.0), pytest.warns(StaleResultWarning):
            assert call(owner) == pytest.approx(expected)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert call(owner) == pytest.approx(expected)
            with configure(verify=1.0):
                assert call(owner) == pytest.approx(expected)
            if on_disk:
                assert call(Model()) == pytest.approx(expected)


@of_all_calls
def test_what_holds_stays(name: str) -> None:
    """Without a warning, and the same object is handed out; tables at zeros and limits too."""
    call, model = CALLS[name], Model()
    with configure(verify=1.0), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len({call(model) for _ in range(3)}) == 1
        model.curve(0.0), model.curve(0.0), model.curve(1e-12), model.curve(np.array([])), model.curve(5.0)
        model.curve(float("nan"))
        assert np.shares_memory(model.array(), model.array())


def test_the_warning_tells_the_call_both_values_and_what_is_not_seen() -> None:
    """At the line of the caller."""
    model = Model()
    model.number(3.0), model.curve(0.5), model.array()
    WORLD[0] = 2.0
    with configure(verify=1.0), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.number(3.0), model.curve(0.5), model.array()
    texts = [str(each.message) for each in caught]
    assert texts[0] == (
        "a stored result of Model.number(x=3.0) is stale: it was 6.0, and computing it now gives 12.0, which replaces"
        " it; its key does not see note, which ignore leaves out; world, which ignore leaves out. Let that count,"
        " or name what it depends on in uses=(...) of @stored"
    )
    assert re.match(
        r"a stored result of Model.curve\(\) is stale: it was 1\.042\d* at z=0.5, and computing it now gives 2\.084",
        texts[1],
    )
    assert "it was [0. 2. 4. 6. 8.], and computing it now gives [ 0. 4. 8. 12. 16.]" in texts[2]
    assert {each.filename for each in caught} == {__file__}
    assert all(each.category is StaleResultWarning for each in caught)


CLOCK = [0.0]


@keyed_by("a")
class OfClock:
    a = 1.0

    @stored(ignore=("CLOCK",), persistent=False)
    def fails(self) -> float:
        if CLOCK[0]:
            raise ValueError("no more")
        return 1.0

    @stored(version="1", persistent=False)
    def unseen(self) -> float:
        return CLOCK[0]


def test_an_error_in_place_of_a_result_is_raised() -> None:
    """The result is forgotten: it does not come back."""
    CLOCK[0] = 0.0
    owner = OfClock()
    owner.fails(), owner.unseen()
    CLOCK[0] = 1.0
    with configure(verify=1.0):
        with (
            pytest.raises(ValueError, match="no more"),
            pytest.warns(
                StaleResultWarning,
                match="it was 1.0, and .* gives an error, ValueError: no more; it is forgotten",
            ),
        ):
            owner.fails()
        with pytest.warns(StaleResultWarning, match="its key does not see the code of the method"):
            assert owner.unseen() == 1.0
    with pytest.raises(ValueError, match="no more"):
        owner.fails()


@keyed_by("a")
class Tables:
    a = 1.0

    @stored(ignore=("CLOCK",), interpolate=Axis("z", 0.0, 1.0, outside="clip"))
    def curve(self, z: float) -> float:
        if CLOCK[0] == 2.0:
            raise ValueError("no more")
        return z * (1.0 + CLOCK[0])


TABLE_CALLS = {
    "a value": lambda owner: owner.curve(0.5),
    "values": lambda owner: owner.curve(np.array([0.25, 0.5])),
    "outside": lambda owner: owner.curve(5.0),
    "the interpolant": lambda owner: owner.curve.interpolant()(0.5),
    "a derivative": lambda owner: owner.curve.derivative(0.5),
    "an inverse": lambda owner: owner.curve.inverse(0.5),
    "an integral": lambda owner: owner.curve.integral(0.0, 1.0),
}


@pytest.mark.parametrize("name", TABLE_CALLS)
def test_tables_are_verified_however_they_are_asked(name: str) -> None:
    """Also where no point on the axis is asked for; an error of the method forgets them."""
    CLOCK[0] = 0.0
    call, owner = TABLE_CALLS[name], Tables()
    before = call(owner)
    CLOCK[0] = 1.0
    with configure(verify=1.0), pytest.warns(StaleResultWarning):
        now = call(owner)
    assert np.all(now == pytest.approx(before * (0.5 if name == "an inverse" else 2.0)))
    CLOCK[0] = 2.0
    with configure(verify=1.0), pytest.raises(ValueError, match="no more"), pytest.warns(StaleResultWarning):
        call(owner)
    with pytest.raises(ValueError, match="no more"):
        call(owner)
    CLOCK[0] = 0.0


def test_masked_arrays_on_disk_hold() -> None:
    """Their values are pickled, and what is masked does not count."""

    @keyed_by("a")
    class Masked:
        a = 1.0

        @stored
        def value(self) -> Any:
            return np.ma.array([1.0, np.inf, self.a], mask=[False, True, False])

    Masked().value()
    with configure(verify=1.0), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Masked().value().sum() == 2.0


def test_what_is_unknown_is_said() -> None:
    """Where nothing tells what the key does not see."""

    @keyed_by("a")
    class Drifting:
        a = 1.0

        @stored(persistent=False)
        def value(self) -> float:
            return float(len(os.environ.get("STORED_TEST_OF_VERIFY", "")))

    owner = Drifting()
    owner.value()
    [space] = [each for each in _spaces(owner) if each.memories]
    [memory] = space.memories.values()
    [result] = memory.values()
    result.value = 5.0
    with configure(verify=1.0), pytest.warns(StaleResultWarning, match="nothing is known that its key does not see"):
        assert owner.value() == 0.0


def _spaces(owner: Any) -> list[Any]:
    from stored._engine import owner_record

    return [each.of(owner) for each in owner_record(owner)._spaces.values()]


# -- which calls ------------------------------------------------------------------------------------------------------


def chosen(count: int, **settings: Any) -> list[int]:
    model, found = Model(), []
    model.number()
    COMPUTED.clear()
    with configure(**settings):
        for number in range(count):
            model.number()
            if COMPUTED.pop("number", 0):
                found.append(number)
    return found


def test_the_share_is_chosen_by_the_seed() -> None:
    """The same calls each time, others with another seed; about as many as asked."""
    first = chosen(1000, verify=0.1)
    assert 60 < len(first) < 140
    assert first == chosen(1000, verify=0.1) == chosen(1000, verify=0.1, verify_seed=0)
    assert first != chosen(1000, verify=0.1, verify_seed=1)
    assert chosen(100) == []
    assert chosen(100, verify=0) == []
    assert chosen(100, verify=1) == list(range(100))


def test_a_result_that_others_need_is_computed_once_for_each_call() -> None:
    """Recursion costs no more than computing all anew."""
    model = Model()
    model.steps(40)
    COMPUTED.clear()
    with configure(verify=1.0):
        model.steps(40)
    assert COMPUTED["steps"] == 41


def test_threads_verify_each_by_itself() -> None:
    """At once, without a wrong value."""
    model = Model()
    found: list[list[float]] = []

    def call() -> None:
        found.append([model.number(float(n % 5)) for n in range(200)])

    with configure(verify=0.5):
        threads = [threading.Thread(target=call) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert found == [[2.0 * (n % 5) for n in range(200)]] * 4


def test_rounding_is_no_difference() -> None:
    """Numbers that are within the tolerance hold."""
    model = Model()
    model.number()
    WORLD[0] = 1.0 + 1e-12
    with configure(verify=1.0), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.number() == 2.0
        with configure(verify_rtol=0.0):
            warnings.simplefilter("ignore")
            assert model.number() == 2.0 * WORLD[0]


def test_the_environment_asks_for_it(tmp_path: Path) -> None:
    """In a process that changes nothing itself."""
    code = textwrap.dedent("""
        from stored import keyed_by, stored
        import pathlib
        PATH = pathlib.Path("world")

        @keyed_by("a")
        class Model:
            a = 1.0
            @stored
            def value(self):
                return float(PATH.read_text())

        print(Model().value())
    """)
    (tmp_path / "script.py").write_text(code)
    env = {**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache")}
    runs = []
    for world_now, verify in (("1", ""), ("2", ""), ("2", "1"), ("2", "")):
        (tmp_path / "world").write_text(world_now)
        run = subprocess.run(
            [sys.executable, "script.py"],
            cwd=tmp_path,
            env={**env, "STORED_VERIFY": verify},
            capture_output=True,
            text=True,
            check=True,
        )
        runs.append((run.stdout.strip(), "StaleResultWarning" in run.stderr))
    assert runs == [("1.0", False), ("1.0", False), ("2.0", True), ("2.0", False)]


@pytest.mark.filterwarnings(f"ignore::{OwnerWarning.__module__}.OwnerWarning")
@pytest.mark.parametrize("decorator", ["@stored", "@stored(depends='auto')"])
def test_programs_at_random_with_planted_values(decorator: str) -> None:
    """All values are verified, and what was exchanged in memory is found."""
    with configure(verify=1.0), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for seed in range(15):
            run_program(seed, decorator, plants=True)
    assert any(each.category is StaleResultWarning for each in caught)
