"""Whatever changes while a program runs: the next call gives what the plain method gives."""

from __future__ import annotations

import gc
import importlib
import sys
import textwrap
import types
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import wrapt

IMPORTS = "import functools, os, sys, types\nimport numpy as np\nfrom stored import keyed_by, stored"


class Case(NamedTuple):
    """A method of a model, and what is done before it is called again."""

    names: str
    body: str
    steps: tuple[str, ...]
    methods: str = ""
    bases: str = ""


MANY = "\n".join([f"K{number} = {number}.0" for number in range(130)])
ALL = "+".join([f"K{number}" for number in range(130)])
WRAPPED = "twice = wrapt.decorator(lambda wrapped, _, args, options: 2 * wrapped(*args, **options))\n"
LISTENING = "class L:\n    def __init__(self): self.k = 1.0\n    def append(self, x): pass\nG = L()\n"

CASES = {
    "values of a table": Case("T = {'a': 1.0}", "return sum(T.values())", ("m.T['a'] = 2.0",)),
    "a copy of a table": Case("T = {'a': 1.0}", "return T.copy()['a']", ("m.T['a'] = 2.0",)),
    "a table asked for None": Case("T = {None: 1.0}", "return T.get(None)", ("m.T[None] = 2.0",)),
    "a table asked for the module": Case("T = {__name__: 1.0}", "return T[__name__]", ("m.T[m.__name__] = 2.0",)),
    "a helper of the object": Case("def h(o): return o.a", "return h(self)", ("m.h = lambda o: o.b", "o.b = 9.0")),
    "a name that is gone": Case(
        f"{MANY}\nclass K:\n    fn = staticmethod(lambda: 2.0)",
        f"return (1.0 if K.fn is None else K.fn()) + {ALL}",
        ("m.K.fn = None; gc.collect()",),
    ),
    "a name among many": Case(MANY, f"return {ALL}", ("m.K7 = 8", "del m.K7; m.K7 = 9.0")),
    "a built-in name among many": Case(MANY, f"return abs(self.a) + {ALL}", ("m.abs = lambda x: 5.0",)),
    "a wrapped helper": Case("def h(x): return x", "return h(self.a)", (f"{WRAPPED}m.h = twice(m.h)",)),
    "a wrapped method": Case(
        "", "return self.g()", (f"{WRAPPED}m.Model.g = twice(vars(m.Model)['g'])",), "def g(self): return self.a"
    ),
    "a string that is equal": Case("K = 'a'", "return type(K).__name__", ("m.K = np.str_('a')",)),
    "an object that is changed first": Case(
        f"{LISTENING}def h(): return G.k", "G.append(1)\nreturn h()", ("m.G.k = 2.0",)
    ),
    "an object that changes others": Case(
        "class F:\n    def __init__(self): self.k = 1.0\n    def fill(self, x): x[:] = self.k\nG = F()",
        "x = np.zeros(3)\nG.fill(x)\nreturn float(x.sum())",
        ("m.G.k = 2.0",),
    ),
    "an array that is unlocked": Case(
        "A = np.zeros(3); A.setflags(write=False)",
        "return float(A[0])",
        ("m.A.setflags(write=True); m.A[0] = 2; m.A.setflags(write=False)",),
    ),
    "an array with an older view": Case(
        "A = np.zeros(3); V = A[:]; A.setflags(write=False)", "return float(A[0])", ("m.V[0] = 2",)
    ),
    "a record of an array": Case("R = np.zeros(1, [('a', float)])[0]", "return float(R['a'])", ("m.R['a'] = 2",)),
    "bases": Case(
        "class B0:\n    def g(self): return 1.0\nclass B1:\n    def g(self): return 2.0",
        "return self.g()",
        ("m.Model.__bases__ = (m.B1,)",),
        "",
        "(B0)",
    ),
    "a special method that all have": Case(
        "", "return len(str(self))", ("m.Model.__str__ = lambda self: 'abc'",), "def __repr__(self): return 'ab'"
    ),
    "an equality": Case("", "return 1.0 if self == 3 else 0.0", ("m.Model.__eq__ = lambda self, other: True",)),
    "a registered method": Case(
        "",
        "return self.g(1)",
        ("vars(m.Model)['g'].register(int)(lambda self, x: 5.0)",),
        "@functools.singledispatchmethod\ndef g(self, x): return 0.0",
    ),
    "a copy of the environment": Case("", "return os.environ.copy().get('STORED_TEST_A')", ("env('2')",)),
    "a method of the environment": Case("get = os.environ.get", "return get('STORED_TEST_A')", ("env('2')",)),
    "a partial function of it": Case(
        "get = functools.partial(os.getenv, 'STORED_TEST_A')", "return get()", ("env('2')",)
    ),
    "a default that gives it": Case(
        "def g(e=os.getenv): return e('STORED_TEST_A')", "return g()", ("env('2')", "env('3')")
    ),
    "the environment in a table": Case("D = {'e': os.environ}", "return D['e'].get('STORED_TEST_A')", ("env('2')",)),
    "bytes of the environment": Case("", "return os.environb.get(b'STORED_TEST_A')", ("env('2')",)),
    "variables in a path": Case("", "return os.path.expandvars('$STORED_TEST_A')", ("env('2')",)),
    "a module with a property": Case(
        "class X(types.ModuleType):\n    K = property(lambda self: self.k)\nP = X('P'); P.k = 1.0",
        "return P.K",
        ("m.P.k = 2.0",),
    ),
    "names of a function": Case("K = 1.0\ndef h(): pass", "return h.__globals__['K']", ("m.K = 2.0",)),
    "eval of a module": Case("import builtins\nK = 1.0", "return builtins.eval('K')", ("m.K = 2.0",)),
    "a default that is changed": Case("A = [1.0]\ndef g(k=A): return k[0]", "return g()", ("m.A[0] = 2.0",)),
    "a keyword default": Case("A = [1.0]\ndef g(*, k=A): return k[0]", "return g()", ("m.A[0] = 2.0",)),
    "a module by a computed name": Case(
        "K = 1.0", "return sys.modules[self.name].K", ("m.K = 2.0",), "name = 'tests_made'"
    ),
    "modules as a whole": Case(
        "import sys", "return 'made_by_test' in dict(sys.modules)", ("imported('made_by_test')",)
    ),
}


@pytest.mark.parametrize("calls", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_what_changes_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, calls: int) -> None:
    """Before the call takes a shortcut, and behind it."""
    case = CASES[name]
    (tmp_path / "tests_made.py").write_text(
        f"{IMPORTS}\n{case.names}\n@keyed_by('a')\nclass Model{case.bases}:\n"
        "    def __init__(self): self.a = 1.0; self.b = 3.0\n    @stored\n    def f(self):\n"
        f"{textwrap.indent(case.body, ' ' * 8)}\n{textwrap.indent(case.methods, ' ' * 4)}\n"
    )
    monkeypatch.setenv("STORED_TEST_A", "1")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tests_made", raising=False)
    importlib.invalidate_caches()
    m: Any = importlib.import_module("tests_made")
    given = {
        "m": m,
        "gc": gc,
        "np": np,
        "wrapt": wrapt,
        "env": lambda value: monkeypatch.setenv("STORED_TEST_A", value),
        "imported": lambda name: monkeypatch.setitem(sys.modules, name, types.ModuleType(name)),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        owner = m.Model()
        for step in ("", *case.steps):
            exec(step, {"o": owner, **given})
            for _ in range(calls):
                found = owner.f()
                assert (found, type(found)) == (owner.f.__wrapped__(), type(owner.f.__wrapped__()))
