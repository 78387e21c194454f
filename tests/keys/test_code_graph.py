"""Code that may compute something else has another version."""

from __future__ import annotations

import datetime
import functools
import math
import re
import subprocess
import sys
import threading
import types
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from stored._keys.code_graph import code_state
from tests.keys.models import Base, Colour, Dark, function_of, plus_one, plus_two, power, square
from tests.keys.values import PlainObject


def version(function: Any) -> str:
    return code_state([function]).digest


def formless(function: Any) -> str:
    (reason,) = code_state([function]).formless
    return reason


def around(k: Any, helper: Any = None) -> Any:
    count = 0

    def method(x: Any) -> Any:
        nonlocal count
        count += 1
        return later if x is None else helper(x) * k

    if k == "later":
        later = 1
    return method


def times(k: Any) -> Any:
    def helper(x: Any) -> Any:
        return x * k

    return helper


def test_all_that_has_a_form_in_a_closure_counts() -> None:
    """Constants, containers by content, functions, classes and objects; what has no form is refused with its place."""
    partial = functools.partial
    values = [(1, 2), (1, 3), np.float64(4), np.sin, math.sin, math.cos, frozenset("a"), frozenset("b"), Colour.RED]
    values += [Fraction(1, 3), datetime.date(2020, 1, 1), np.dtype("f4"), partial(power, 1), partial(power, 2)]
    values += [partial(power, n=1), Dark, Base, (power(2), 1), (power(3), 1), functools.lru_cache(power(2))]
    values += [
        [1],
        [2],
        {"a": 1},
        {"a": 2},
        {1},
        bytearray(b"a"),
        np.arange(2),
        np.arange(3),
        Dark(1),
        PlainObject([1]),
    ]
    values += [[1].append, frozenset([Dark(1)]), object()]
    assert len({version(power(each)) for each in values}) == len(values)
    assert version(power(threading.Lock())) == version(power(threading.Lock()))
    assert re.search(r"code of power.*n\[0\] is a value of type builtins.object.*version=", formless(power([object()])))
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    assert re.search(r"code of power.*nested too deeply", formless(power(deep)))
    assert version(power([1])) == version(power([1]))


def test_a_counter_does_not_count() -> None:
    """A variable that only feeds its own += has no part in the version, and one without a value yet is none."""
    counting = around(2, times(1))
    before = version(counting)
    counting(1)
    assert version(counting) == before
    assert counting.__closure__[0].cell_contents == 1
    assert version(around("later")) != version(around("sooner"))


def test_helpers_of_a_closure_count() -> None:
    """By their code and by their own closure, also where they call themselves."""
    helpers = (times(1), times(2), times([1]), abs, function_of("f = lambda x: x"), around(1))
    assert len({version(around(2, helper)) for helper in helpers}) == len(helpers)
    assert version(around(2, times(1))) == version(around(2, times(1)))

    def itself(x: int) -> int:
        return itself(x - 1) if x else 0

    assert version(itself) == version(itself)


def test_classes_of_a_closure_count() -> None:
    """With what the factory gave to them; the class of a method itself is no part of its version."""

    def made(k: Any) -> Any:
        class Own:
            order = k

            def method(self) -> Any:
                return Own

            def parent(self) -> Any:
                return super().__str__()

        return Own

    assert version(made(1).method) == version(made(1).method) != version(made(2).method)
    assert version(made(1).parent) == version(made(2).parent)
    assert version(around(int)) != version(around(float))


def test_decorators_in_between_count_by_code_and_closure() -> None:
    """What is wrapped counts, and each wrapper, with what it closed over."""
    wrapped = [plus_one(square), plus_two(square), plus_one(power(2)), plus_one(power(3)), plus_one(plus_one(square))]
    assert len({version(each) for each in wrapped}) == len(wrapped)
    assert version(plus_one(power(2))) == version(plus_one(power(2)))


def test_objects_that_have_any_attribute_are_no_wrappers() -> None:
    """An object that makes any attribute on request is not followed for ever."""

    class Anything:
        def __getattr__(self, name: str) -> Any:
            return Anything()

    assert version(around(Anything())) == version(around(Anything()))


def test_wrappers_in_a_circle_end() -> None:
    """A function that wraps itself counts once."""

    def circle() -> None: ...

    circle.__wrapped__ = circle  # type: ignore[attr-defined]
    assert version(circle) == version(circle)


def test_code_without_a_source_counts_by_what_its_bytecode_uses() -> None:
    """Names that are loaded, imported and stored, whatever stands between."""
    sources = [
        "def f():\n import json\n return json.dumps",
        "def f():\n import json as other\n return other",
        "def f():\n global K\n K = 1\n return K",
        "def f(x):\n LIST.append(1 if x else 2)\n return x",
        "def f(x):\n LIST.append(x)\n return x",
        "def f(x):\n LIST.clear()",
    ]
    names: list[dict[str, Any]] = [{"LIST": [1], "K": 2, "__name__": "of_bytecode"} for _ in sources]
    for source, each in zip(sources, names, strict=True):
        exec(source, each)
    states = [code_state([each["f"]]) for each in names]
    assert len({each.digest for each in states}) == len(sources)
    for each in names:
        each["LIST"].append(5)
    assert [each.is_same() for each in states] == [True, True, True, False, True, True]


def test_code_that_tools_exchange_is_looked_at_where_they_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As autoreload of IPython, which gives functions that are there the code of new ones."""

    def old() -> int:
        return 1

    def new() -> int:
        return 2

    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    state = code_state([old])
    assert state.is_same()
    old.__code__ = new.__code__
    assert not state.is_same()
    assert code_state([old]).digest == code_state([new]).digest != state.digest


class Changing:
    """Raises an error when somebody looks into it again."""

    def __init__(self) -> None:
        self.items = [1, object]


CHANGING = Changing()


def test_what_cannot_be_looked_into_any_more_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is looked at anew."""

    def method() -> Any:
        return CHANGING

    state = code_state([method])
    assert state.is_same()
    monkeypatch.setattr(CHANGING, "items", iter(()))
    assert not state.is_same()


def test_a_class_without_a_form_has_a_number() -> None:
    """Of the object in it that has none."""

    class Holding:
        stream = iter(())

    def method() -> Any:
        return Holding

    (reason,) = code_state([method]).formless
    assert "Holding.stream is a value of type" in reason


class ScienceState:
    """As those of astropy."""

    value: Any = 1

    @classmethod
    def get(cls) -> Any:
        if cls.value is None:
            raise ValueError
        return cls.value


class DefaultCosmology(ScienceState):
    pass


def test_what_is_set_for_the_whole_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cosmology of Colossus and those of astropy: what they are when the method is called."""

    def method() -> Any:
        return DefaultCosmology.get()

    found = [code_state([method])]
    for value in (2, None, iter(())):
        monkeypatch.setattr(DefaultCosmology, "value", value, raising=False)
        assert not found[-1].is_same()
        found.append(code_state([method]))
    assert len({each.digest for each in found}) == 4
    assert [bool(each.formless) for each in found] == [False, False, False, True]
    from colossus.cosmology import cosmology

    def of_colossus() -> Any:
        return cosmology.getCurrent().H0

    monkeypatch.setattr(cosmology, "current_cosmo", None)
    found = [code_state([of_colossus])]
    for name in ("planck18", "WMAP9"):
        cosmology.setCosmology(name, persistence="")
        assert not found[-1].is_same()
        found.append(code_state([of_colossus]))
    assert len({each.digest for each in found}) == 3
    assert [each.formless for each in found] == [()] * 3


class AskingCosmology:
    """One that is set for the whole process, and whose methods ask for what is set."""

    def __init__(self, h: float) -> None:
        self.h = h

    def ratio(self) -> Any:
        return self.h / DefaultCosmology.get().h

    def logarithm(self) -> Any:
        return np.log(DefaultCosmology.get().h)


def test_what_is_set_for_the_whole_process_may_ask_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object of one's own, with the code of its class."""

    def method() -> Any:
        return DefaultCosmology.get().ratio()

    monkeypatch.setattr(DefaultCosmology, "value", AskingCosmology(0.7), raising=False)
    found = [code_state([method])]
    assert found[0].digest == code_state([method]).digest
    assert found[0].formless == ()
    assert code_state([AskingCosmology]).is_same()
    assert found[0].is_same()
    monkeypatch.setattr(DefaultCosmology, "value", AskingCosmology(0.7))
    assert found[0].digest == code_state([method]).digest
    DefaultCosmology.get().h = 0.6
    assert not found[-1].is_same()
    found.append(code_state([method]))
    monkeypatch.setattr(AskingCosmology, "ratio", lambda self: 1.0)
    assert not found[-1].is_same()
    found.append(code_state([method]))
    assert len({each.digest for each in found}) == 3


def test_whether_assertions_run_counts_where_it_is_asked() -> None:
    """By the name that tells it."""

    def asking() -> int:
        return 1 if __debug__ else 2

    code = "from stored._keys.code_graph import code_state\ndef f(): return 1 if __debug__ else 2\n"
    code = f"exec({code!r})\nprint(code_state([f]).digest)"
    found = [
        subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, check=True).stdout
        for options in ((), ("-O",))
    ]
    assert found[0] != found[1]
    assert code_state([asking]).is_same()
