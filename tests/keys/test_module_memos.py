"""Names of a module that are empty at first, and filled by what arguments alone give, are memos; others are not."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from stored import keyed_by, stored
from stored._keys.function_reader import read_functions
from stored._keys.module_memos import module_memos

MEMOS = {
    "a dictionary": "C = {}\ndef f(x):\n    if x not in C: C[x] = g(x)\n    return C[x]",
    "a key of several": "C = dict()\ndef f(x, y=1):\n    C[x, y] = g(x, y)\n    return C.get((x, y))",
    "a key with a name": "C: dict = {}\ndef f(x, *y):\n    key = (x, y)\n    C[key] = g(x)\n    return C[key]",
    "a value that is made once": "C = None\ndef f():\n    global C\n    if C is None: C = g()\n    return C",
    "a function without arguments": "C = {}\ndef f():\n    C['a'] = g()\n    return C['a']",
}

OTHERS = {
    "not empty": "C = {1: 2}\ndef f(x):\n    C[x] = 1\n    return C[x]",
    "an argument that is not in the key": "C = {}\ndef f(x, y):\n    C[x] = g(x, y)\n    return C[x]",
    "a part of an argument": "C = {}\ndef f(x):\n    C[x.name] = g(x)\n    return C[x.name]",
    "an argument in an expression": "C = {}\ndef f(x):\n    C[round(x)] = g(x)\n    return C[round(x)]",
    "an argument that is rebound": "C = {}\ndef f(x):\n    x = round(x)\n    C[x] = g(x)\n    return C[x]",
    "a key that is assigned twice": "C = {}\ndef f(x):\n    k = x\n    k = 1\n    C[k] = g(x)\n    return C[k]",
    "what a module fills too": "C = {}\nC[1] = 2\ndef f(x):\n    C[x] = 1\n    return C[x]",
    "what another function fills": "C = {}\ndef f(x):\n    C[x] = 1\n    return C[x]\ndef h(x, y): C[x] = y",
    "what is handed on": "C = {}\ndef f(x):\n    C[x] = 1\n    return C",
    "what is appended to": "C = []\ndef f(x):\n    C.append(x)\n    return C",
    "what is updated": "C = {}\ndef f(x):\n    C[x] = 1\n    C.update(y=2)\n    return C[x]",
    "what is added to": "C = {}\ndef f(x):\n    C[x] += 1\n    return C[x]",
    "an inner function": "C = {}\ndef f(x):\n    def h(): C[x] = 1\n    return C[x]",
    "a value of an argument": "C = None\ndef f(x):\n    global C\n    C = x\n    return C",
    "a method": "C = {}\nclass K:\n    def f(self, x):\n        C[x] = self.y\n        return C[x]",
    "what is rebound": "C = {}\ndef f(x):\n    C[x] = 1\n    return C[x]\nC = {}",
    "no name": "a.C = {}\nx, y = {}, {}\ndef f(x):\n    a.C[x] = 1\n    return a.C[x]",
}


def memos(source: str) -> set[str]:
    tree = ast.parse(source)
    texts = {node: read.text for node, _, read in read_functions(tree)}
    return {name for names in module_memos(tree, texts).values() for name in names}


@pytest.mark.parametrize("kind", MEMOS)
def test_memos(kind: str) -> None:
    """Filled by what the key tells in full."""
    assert memos(MEMOS[kind]) == {"C"}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_memo(kind: str) -> None:
    """What it holds may depend on more than the key tells."""
    assert memos(OTHERS[kind]) == set()


SOURCE = """
from stored import keyed_by, stored
CACHE = {}
TABLE = None
CALLS = []

def slow(x):
    if x not in CACHE:
        CACHE[x] = 10 * x
    return CACHE[x]

def table():
    global TABLE
    if TABLE is None:
        TABLE = [1, 2]
    return TABLE

@keyed_by("p")
class Model:
    def __init__(self, p):
        self.p = p

    @stored
    def value(self, x):
        CALLS.append(x)
        if x < 0:
            slow(x)
            raise ValueError(x)
        return slow(x) + sum(table())
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "with_memos_of_test.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "with_memos_of_test", raising=False)
    return importlib.import_module("with_memos_of_test")


def test_filling_a_memo_changes_no_version(module: Any) -> None:
    """Also where the method fails; another object finds the results."""
    model = module.Model(1.0)
    assert [model.value(x) for x in (1, 2, 1, 2, 1)] == [13, 23, 13, 23, 13]
    with pytest.raises(ValueError, match="-3"):
        model.value(-3)
    assert [module.Model(1.0).value(x) for x in (1, 2)] == [13, 23]
    assert module.CALLS == [1, 2, -3]


def test_what_others_put_into_a_memo_counts(module: Any) -> None:
    """An item, another container, or another value that is made once."""
    model = module.Model(1.0)
    assert [model.value(1), model.value(1)] == [13, 13]
    module.CACHE[5] = 99
    assert [model.value(5), model.value(5)] == [102, 102]
    module.TABLE = [7]
    assert [model.value(1), model.value(1)] == [17, 17]
    module.CACHE = {1: 0}
    assert [model.value(1), model.value(1)] == [7, 7]


def test_a_memo_that_was_filled_before_counts_by_what_it_holds(module: Any) -> None:
    """It may be made of what is no longer there."""
    module.slow(1)
    module.CACHE[1] = 50

    @keyed_by("p")
    class Own:
        p = 1

        @stored(persistent=False)
        def method(self) -> Any:
            return module.slow(1)

    assert [Own().method(), Own().method()] == [50, 50]
    module.CACHE[1] = 60
    assert [Own().method(), Own().method()] == [60, 60]
