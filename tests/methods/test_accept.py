"""`cache_accept`: results of earlier code are taken over once a few, computed anew as they are asked for, agree."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import Axis, StaleResultWarning, configure, keyed_by, stored
from stored._engine import empty_memory

COMPUTED: Counter[str] = Counter()


def note(name: str) -> None:
    COMPUTED[name] += 1


def shape(x: float) -> float:
    return x + 1.0


def harmless(x: float) -> float:
    return 1.0 + x


def harmful(x: float) -> float:
    return x + 2.0 if x else 1.0


def rounding(x: float) -> float:
    return (x + 1.0) * (1.0 + 1e-14)


@keyed_by("a")
class Model:
    def __init__(self, a: float = 2.0) -> None:
        self.a = a

    @stored(ignore=("note",))
    def number(self, x: float) -> float:
        note("number")
        return self.a * shape(x)

    @stored(ignore=("note",), persistent=False)
    def in_memory(self, x: float) -> Any:
        note("in_memory")
        return [self.a * shape(x)]

    @stored(ignore=("note",), interpolate=Axis("z", 0.0, 1.0))
    def curve(self, z: float, n: int = 0) -> float:
        note("curve")
        return self.a * shape(z) + n

    @stored(ignore=("note",), interpolate=(Axis("x", 0.0, 1.0), Axis("y", 0.0, 1.0)))
    def surface(self, x: float, y: float, n: int = 0) -> float:
        note("surface")
        return self.a * shape(x) * y + n

    @stored(ignore=("note",), interpolate=True)
    def table(self, n: int = 0) -> Any:
        note("table")
        x = np.linspace(0.0, 1.0, 9)
        return np.array([x, [shape(each) + n for each in x]])


CALLS: dict[str, Callable[[Any, int], Any]] = {
    "number": lambda model, n: model.number(float(n)),
    "in_memory": lambda model, n: model.in_memory(float(n))[0],
    "curve": lambda model, n: model.curve(0.5, n),
    "surface": lambda model, n: model.surface(0.5, 0.5, n),
    "table": lambda model, n: float(model.table(n)(0.5)),
}

of_all_calls = pytest.mark.parametrize("name", CALLS)


@pytest.fixture(autouse=True)
def as_at_first(cache_dir: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    COMPUTED.clear()
    empty_memory()
    for name in CALLS:
        monkeypatch.setattr(vars(Model)[name].__stored_method__, "acceptance", None)
    with configure(memory_sets=8):
        yield


def computed(name: str) -> int:
    """How many results were computed since this was last asked."""
    found = COMPUTED.pop(name, 0)
    return {"curve": bool(found), "surface": bool(found)}.get(name, found)


def numbers(model: Any) -> list[float]:
    """The results of five calls."""
    return [model.number(float(n)) for n in range(5)]


def edit(monkeypatch: pytest.MonkeyPatch, function: Callable[[float], float]) -> None:
    monkeypatch.setitem(globals(), "shape", function)


@of_all_calls
def test_after_a_few_that_agree_the_others_are_taken_over(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each object, and of objects made later."""
    call, model = CALLS[name], Model()
    before = [call(model, n) for n in range(8)]
    edit(monkeypatch, harmless)
    getattr(Model, name).cache_accept()
    computed(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        counts = []
        for n in range(8):
            assert call(model, n) == pytest.approx(before[n], rel=1e-12)
            counts.append(computed(name))
    assert counts == [1, 1, 1, 0, 0, 0, 0, 0]
    assert [call(Model(), n) for n in range(8)] == pytest.approx(before, rel=1e-12)
    assert computed(name) == 0
    call(model, 9)
    assert computed(name) == 1


@of_all_calls
def test_one_that_differs_ends_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a warning that shows both; all are computed anew."""
    call, model = CALLS[name], Model()
    for n in range(6):
        call(model, n)
    edit(monkeypatch, lambda x: 3.0 * x + 5.0)
    expected = [vars(Model)[name].__wrapped__ and call(Model(3.0), n) for n in range(6)]
    getattr(Model, name).cache_accept()
    with pytest.warns(
        StaleResultWarning, match=rf"a result of Model.{name}\(.*\) by earlier code, version .* is stale"
    ):
        first = call(model, 0)
    computed(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [first, *[call(model, n) for n in range(1, 6)]]
    if name != "table":  # which does not depend on a
        expected = [(each - shift) * 2.0 / 3.0 + shift for each, shift in zip(expected, _shifts(name), strict=True)]
    assert found == pytest.approx(expected, rel=1e-6)


def _shifts(name: str) -> list[float]:
    return [float(n) if name in {"curve", "surface"} else 0.0 for n in range(6)]


def test_the_warning_shows_both_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a table, at the argument at which they differ most."""
    model = Model()
    model.number(3.0), model.curve(0.5)
    edit(monkeypatch, lambda x: x + 2.0)
    Model.number.cache_accept()
    Model.curve.cache_accept()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.number(3.0), model.curve(0.5)
    first, second = [str(each.message) for each in caught]
    assert re.match(
        r"a result of Model.number\(x=3.0\) by earlier code, version \w{8}, is stale: it was 8.0, and the code of now"
        r" gives 10.0. cache_accept\(\) takes over no result of that version any more; what has changed:"
        r" .*code tests.methods.test_accept.shape",
        first,
    )
    assert re.search(r"it was [\d.]+ at z=[\d.]+, and the code of now gives [\d.]+\. ", second)
    assert {each.filename for each in caught} == {__file__}


def test_a_difference_later_than_the_sample_is_found_before_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third of three differs."""
    model = Model()
    for n in (0.0, 1.0, 2.0):
        model.number(n)
    edit(monkeypatch, harmful)
    Model.number.cache_accept(sample=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.number(0.0) == 2.0
        with pytest.raises(StaleResultWarning):
            model.number(1.0)
    assert [model.number(n) for n in (0.0, 1.0, 2.0)] == [2.0, 6.0, 8.0]


def test_each_version_is_compared_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that only older code has computed is not taken over because later code agrees."""
    model = Model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(8):
            model.number(float(n))
        edit(monkeypatch, lambda x: x + 7.0)
        for n in range(4):
            model.number(float(n))
        edit(monkeypatch, lambda x: 7.0 + x)
        Model.number.cache_accept(sample=2)
        assert [model.number(float(n)) for n in range(4)] == [14.0, 16.0, 18.0, 20.0]
    with pytest.warns(StaleResultWarning):
        assert model.number(4.0) == 22.0
    computed("number")
    assert [model.number(float(n)) for n in range(8)] == [2.0 * (n + 7.0) for n in range(8)]
    assert computed("number") == 3


def test_the_tolerance_is_that_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding is accepted by default, and not with a tolerance of 0."""
    model = Model()
    model.number(1.0)
    edit(monkeypatch, rounding)
    Model.number.cache_accept(sample=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.number(1.0)
    model.number(2.0)
    edit(monkeypatch, lambda x: x + 1.0)
    Model.number.cache_accept(sample=1, rtol=0.0)
    with pytest.warns(StaleResultWarning):
        model.number(2.0)


def test_an_object_accepts_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others compute anew; another edit ends it."""
    first, second = Model(1.0), Model(2.0)
    for n in range(5):
        first.number(float(n)), second.number(float(n))
    edit(monkeypatch, harmless)
    first.number.cache_accept(sample=1)
    computed("number")
    numbers(first)
    assert computed("number") == 1
    numbers(second)
    assert computed("number") == 5
    edit(monkeypatch, lambda x: 1.0 + 1.0 * x)
    numbers(first)
    assert computed("number") == 5


def test_another_edit_ends_that_of_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for the code of now."""
    model = Model()
    numbers(model)
    edit(monkeypatch, harmless)
    Model.number.cache_accept(sample=1)
    model.number(0.0), model.number(1.0)
    edit(monkeypatch, lambda x: 1.0 + 1.0 * x)
    computed("number")
    numbers(model)
    assert computed("number") == 5


def test_an_edit_before_the_first_call_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was not there when results were accepted."""
    model = Model()
    numbers(model)
    edit(monkeypatch, harmless)
    Model.number.cache_accept(sample=1)
    edit(monkeypatch, lambda x: 1.0 + x if x < 3 else -5.0)
    assert numbers(model) == [2.0, 4.0, 6.0, -10.0, -10.0]


def test_results_of_an_owner_with_other_parts_are_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of owners with one string, the classes of attributes make versions, too."""

    class First:
        def value(self, x: float) -> float:
            return x

    class Second(First):
        def value(self, x: float) -> float:
            return x if x < 3 else -1.0

    class Owner:
        def __init__(self, part: First) -> None:
            self.part = part

        def getHashableString(self) -> str:
            return "one"

        @stored
        def value(self, x: float) -> float:
            return self.part.value(x)

    first, second = Owner(First()), Owner(Second())
    for n in range(6):
        first.value(float(n))
    Owner.value.cache_accept(sample=2)
    assert [second.value(float(n)) for n in range(6)] == [0.0, 1.0, 2.0, -1.0, -1.0, -1.0]


def test_explain_and_dependencies_tell_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """That results may be taken over, and that they were; in a later process too, by the header."""
    model = Model()
    for n in range(3):
        model.number(float(n))
    assert "cache_accept" not in f"{model.number.explain(5.0)} {model.number.dependencies()}"
    edit(monkeypatch, harmless)
    Model.number.cache_accept(sample=1)
    assert str(model.number.explain(5.0)).endswith(
        "\n  cache_accept() takes over results of earlier code: none has been compared, 0 taken over"
    )
    model.number(0.0), model.number(1.0)
    assert re.search(
        r"changes of code: cache_accept\(\) takes over results of earlier code: 1 of 1 of version"
        r" \w{8} agree, 1 taken over",
        str(model.number.dependencies()),
    )
    assert "changes of code" in str(Model.number.dependencies())
    monkeypatch.setattr(Model.number.__stored_method__, "acceptance", None)
    assert str(model.number.explain(0.0)) == "Model.number(x=0.0): hit, in memory"
    assert re.fullmatch(
        r"Model.number\(x=1.0\): hit, in memory; computed by earlier code, version \w{8}, and taken over by"
        r" cache_accept\(\)",
        str(model.number.explain(1.0)),
    )


def test_a_later_process_takes_over_results(tmp_path: Path) -> None:
    """After an edit of a file, and what it took over is there for those after it."""
    source = """
        import sys
        from stored import keyed_by, stored

        @keyed_by("a")
        class Model:
            a = 2.0
            @stored
            def value(self, x):
                return {body}

        if __name__ == "__main__":
            model = Model()
            if len(sys.argv) > 1:
                Model.value.cache_accept(sample=2)
            print([model.value(float(x)) for x in range(6)])
            print(model.value.cache_info().misses)
        """
    env = {**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache")}
    runs = []
    for body, option in (("self.a * x", ""), ("x * self.a", "accept"), ("x * self.a", ""), ("x + x", "")):
        (tmp_path / "model.py").write_text(textwrap.dedent(source.format(body=body)))
        run = subprocess.run(
            [sys.executable, "model.py", *option.split()],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stderr == ""
        runs.append(run.stdout.split("\n")[:2])
    assert {run[0] for run in runs} == {str([2.0 * x for x in range(6)])}
    assert [int(run[1]) for run in runs] == [6, 2, 0, 6]


def test_results_of_one_object_only_are_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing tells that they would be those of now."""

    @keyed_by("a")
    class Private:
        a = 1.0

        def __init__(self) -> None:
            self.stream = iter(range(9))

        @stored(ignore=("note",), persistent=False)
        def value(self) -> float:
            note("value")
            return shape(self.a) + 0 * id(self.stream)

    owner = Private()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        owner.value()
        edit(monkeypatch, harmless)
        Private.value.cache_accept(sample=1)
        owner.value()
    assert computed("value") == 2


def test_a_computation_that_changes_parameters_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may mix old and new."""

    @keyed_by("a")
    class Changing:
        def __init__(self) -> None:
            self.a, self.changes = 1.0, False

        @stored(ignore=("note", "self.changes", "self.a"))
        def value(self) -> float:
            note("value")
            if self.changes:
                self.a = 2.0
            return shape(self.a)

    owner = Changing()
    owner.value()
    edit(monkeypatch, lambda x: x + 5.0)
    Changing.value.cache_accept(sample=1)
    owner.changes = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert owner.value() == 7.0
    owner.a, owner.changes = 1.0, False
    with pytest.warns(StaleResultWarning):
        assert owner.value() == 6.0


@pytest.mark.parametrize("persistence", ["rw", ""])
def test_what_refers_to_its_owner_is_taken_over_too(persistence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From memory or the store, as far as these have it."""

    @keyed_by("a")
    class Referring:
        a = 1.0

        @stored(ignore=("note",))
        def value(self, n: int) -> Any:
            note("value")
            return [shape(n), n]

    owner = Referring()
    with configure(persistence=persistence):
        for n in range(4):
            owner.value(n)
        edit(monkeypatch, harmless)
        owner.value.cache_accept(sample=1)
        computed("value")
        assert [owner.value(n) for n in range(4)] == [[n + 1.0, n] for n in range(4)]
    assert computed("value") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample": 0}, "sample is 0; it must be a positive integer"),
        ({"sample": True}, "sample is True; it must be a positive integer"),
        ({"sample": 1.5}, "sample is 1.5; it must be a positive integer"),
        ({"rtol": -1e-9}, "rtol is -1e-09; it must be a finite number that is not negative"),
        ({"rtol": float("nan")}, "rtol is nan; it must be a finite number"),
        ({"rtol": "1"}, "rtol is '1'; it must be a finite number"),
    ],
)
def test_options_that_cannot_be(options: Any, message: str) -> None:
    for accept in (Model.number.cache_accept, Model().number.cache_accept):
        with pytest.raises(ValueError, match=message):
            accept(**options)


def test_without_a_store_only_memory_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing persists."""
    model = Model()
    with configure(persistence=""):
        for n in range(4):
            model.number(float(n))
        edit(monkeypatch, harmless)
        Model.number.cache_accept(sample=1)
        computed("number")
        for n in range(4):
            model.number(float(n))
        assert computed("number") == 1
