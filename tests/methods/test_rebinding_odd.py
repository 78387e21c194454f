"""What is changed while a program runs counts at the next call, whatever kind of object it is, or is in."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HEAD = "from stored import stored, keyed_by\nimport functools, math, sys, types\nimport numpy as np\n"

MODEL = "\n@keyed_by('a')\nclass M:\n    def __init__(s, a): s.a = a\n    @stored\n    def f(s): return {}\n"

DECORATOR = (
    "class Dec:\n    def __init__(s, f): s.f = f; s.k = 1.\n    def __get__(s, o, t): return s\n"
    "    def __call__(s, x): return s.k * s.f(x)\n@Dec\ndef hh(x): return x\n"
)
MEMBERS = "import enum\nclass B(enum.Enum):\n    R=1.\n    G=2.\n"
CONTEXT = (
    "from contextlib import ContextDecorator\nclass sc(ContextDecorator):\n    def __init__(s): s.k=1\n"
    "    def __enter__(s): ST[:]=[s.k]\n    def __exit__(s,*a): pass\nST=[1]\nS=sc()\n@S\ndef h(x): return x*ST[0]\n"
)

CHANGES = {
    "a named tuple in a dict": (
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: float\nD = {'r': P(1.0)}\n",
        "D['r'].x * s.a",
        "m.D['r'] = m.P(5.0)",
    ),
    "a class of dict": ("class AD(dict): pass\nD = AD(k=1.0)\n", "D['k'] * s.a", "m.D['k'] = 5.0"),
    "a class of list": ("class V(list): pass\nD = V([1])\n", "D[0]", "m.D[0] = 3"),
    "a class of float": ("class F(float): pass\nD = {'k': F(1.)}\n", "D['k']*s.a", "m.D['k']=m.F(5.)"),
    "a class of array": (
        "class A(np.ndarray): pass\nD = {'t': np.ones(3).view(A)}\n",
        "float(D['t'][1])*s.a",
        "m.D['t'][1]=4.",
    ),
    "a wrapper of a library": (CONTEXT, "h(s.a)", "m.S.k=6"),
    "another module under an alias": ("import math as xp\nimport cmath\n", "xp.sqrt(s.a)", "m.xp = m.cmath"),
    "a ufunc of a library": ("import scipy.special as sc\n", "sc.expm1(s.a)", "m.sc.expm1 = np.sin"),
    "a function of numpy": ("", "np.mean([1, 2, s.a*10])", "np.mean = np.median"),
    "a partial function in a library": (
        "",
        "np.linalg.norm([s.a, 3.])",
        "np.linalg.norm = m.functools.partial(lambda x, k: k, k=99)",
    ),
    "a compiled function in a dict": ("import cmath\nD = {'k': math.sqrt}\n", "D['k'](s.a)", "m.D['k'] = m.cmath.sqrt"),
    "an array of another byte order": (
        "D = {'t': np.ones(3, dtype='>f8')}\n",
        "D['t'][1]*s.a",
        "m.D['t'][1] = 1+1e-10",
    ),
    "a structured array": (
        "D = {'t': np.ones(3, dtype=[('x','f8')])}\n",
        "D['t']['x'][1]*s.a",
        "m.D['t']['x'][1] = 1+1e-10",
    ),
    "a long array of strings": ("D = {'t': np.array(['a']*2000)}\n", "D['t'][1000]", "m.D['t'][1000] = 'b'"),
    "a member in a dict": (
        MEMBERS + "    def __repr__(s): return 'B'\nD = {'k': B.R}\n",
        "D['k'].value*s.a",
        "m.D['k'] = m.B.G",
    ),
    "a long pattern": (
        "import re\nD = {'k': re.compile('a'*300+'b')}\n",
        "bool(D['k'].match('a'*300+'c'))",
        "m.D['k'] = m.re.compile('a'*300+'c')",
    ),
    "a name after a masked array": (
        "AM = np.ma.array([1., 2.])\ndef zf(x): return x\n",
        "AM[0] * zf(s.a)",
        "m.zf = lambda x: 10*x",
    ),
    "a registered function": (
        "@functools.singledispatch\ndef area(x): return 0\n",
        "area(s.a)",
        "m.area.register(float, lambda x: 100*x)",
    ),
    "an object that is a descriptor": (DECORATOR, "hh(s.a)", "m.hh.k = 7."),
    "an attribute of a member": (
        MEMBERS + "    def __init__(s, x): s.m = x\n",
        "B.R.m*s.a",
        "m.B.R.m = 7.",
    ),
    "a string for a member": (
        "import enum\nclass B(enum.StrEnum):\n    R='r'\nMODE = B.R\n",
        "isinstance(MODE, B)",
        "m.MODE = 'r'",
    ),
    "bytes that can be changed": ("D = {'k': b'ab'}\n", "D['k']", "m.D['k'] = bytearray(b'ab')"),
    "a read-only array": (
        "A = np.ones(3); A.flags.writeable = False\n",
        "A[1]",
        "m.A.flags.writeable = True; m.A[1] = 5",
    ),
    "the bases of a class": (
        "class A:\n    def p(s): return 1\nclass B:\n    def p(s): return 2\nclass T(A): pass\nt = T()\n",
        "t.p()",
        "m.T.__bases__ = (m.B,)",
    ),
    "a module that is imported inside": (
        "def h():\n    from cfg_of_test import X\n    return X\n",
        "h()*s.a",
        "n = m.types.ModuleType('cfg_of_test'); n.X = 50.; sys.modules['cfg_of_test'] = n",
    ),
    "a module that was not there": (
        "def h():\n    try:\n        from none_of_test import X\n    except ImportError: X = 1.\n    return X\n",
        "h()*s.a",
        "n = m.types.ModuleType('none_of_test'); n.X = 50.; sys.modules['none_of_test'] = n",
    ),
    "a built-in name in a helper's module": ("import hm_of_test as hm\n", "hm.h(s.a)", "m.hm.abs = lambda x: 99"),
    "a method that changes an object": (
        "class R:\n    def update(s, d): d['x'] *= 2\nrule = R()\n"
        "def comp(a):\n    d = {'x': a}\n    rule.update(d)\n    return d['x']\n",
        "comp(s.a)",
        "m.R.update = lambda s, d: d.update(x=77)",
    ),
    "an attribute of a dict with attributes": (
        "class AD(dict):\n    __getattr__ = dict.__getitem__\ncfg = AD(k=1)\n",
        "cfg.k*s.a",
        "m.cfg['k'] = 4",
    ),
}

FILES = {"cfg_of_test": "X = 1.0\n", "hm_of_test": "def h(x): return abs(x)\n"}

_count = itertools.count()


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Any]]:
    """Loads a model from source, and takes back what is changed in modules of numpy and others."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    known = set(sys.modules)
    changed = ["numpy", "numpy.linalg", "scipy.special"]
    before = {name: dict(vars(importlib.import_module(name))) for name in changed}
    for name, text in FILES.items():
        (tmp_path / f"{name}.py").write_text(text)

    def load(source: str, expression: str) -> Any:
        name = f"odd_of_test{next(_count)}"
        (tmp_path / f"{name}.py").write_text(HEAD + source + MODEL.format(expression))
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield load
    for name, attributes in before.items():
        vars(sys.modules[name]).update(attributes)
    for name in set(sys.modules) - known:
        if name.endswith("_of_test") or name.startswith("odd_of_test"):
            del sys.modules[name]


@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
@pytest.mark.parametrize("calls", [0, 1, 4])
@pytest.mark.parametrize("kind", CHANGES)
def test_what_changes_counts(load: Callable[[str, str], Any], kind: str, calls: int) -> None:
    """Before the first call, after it, and behind shortcuts."""
    source, expression, change = CHANGES[kind]
    module = load(source, expression)
    model = module.M(2.0)
    before = repr(vars(module.M)["f"].__wrapped__(model))
    for _ in range(calls):
        assert repr(model.f()) == before
    exec(change, {"m": module, "np": module.np, "sys": sys})
    now = repr(vars(module.M)["f"].__wrapped__(model))
    assert now != before
    assert [repr(model.f()) for _ in range(3)] == [now] * 3


HARMLESS = {
    "a default of getattr": ("class A: pass\n", "getattr(A, 'unit', 1)*s.a"),
    "a name of a metaclass": (
        "T={'K':1}\nclass R(type):\n    def __getattr__(c, n): return T[n]\nclass A(metaclass=R): pass\n",
        "A.K*s.a",
    ),
    "a name that is only declared": (
        "class A:\n    K: float\ndef g():\n    try: return A.K\n    except AttributeError: return 0\n",
        "g()",
    ),
    "a function of uarray": ("from scipy.fft import rfft\n", "float(abs(rfft([1, 2]))[0])"),
    "an object of a library under another name": (
        "from scipy.stats import norm as gauss\n",
        "float(gauss.pdf(s.a))",
    ),
    "a lazy import that fails": (
        "import hm_of_test as hm\ndef g(x):\n    try: return hm.fast(x)\n    except ImportError: return x\n",
        "g(s.a)",
    ),
    "an import that ends the process": (
        "def g(x):\n    if x < 0:\n        from gui_of_test import win\n        return win(x)\n    return x\n",
        "g(s.a)",
    ),
    "a context manager as a decorator": (
        "from contextlib import contextmanager\n@contextmanager\ndef around(n):\n    yield n\n"
        "@around(3)\ndef g(x): return x\n",
        "g(s.a)",
    ),
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_is_ordinary_is_shared(load: Callable[[str, str], Any], tmp_path: Path, kind: str) -> None:
    """No warning, no error, and a hit for another object."""
    (tmp_path / "hm_of_test.py").write_text("def __getattr__(name):\n    raise ImportError(name)\n")
    (tmp_path / "gui_of_test.py").write_text("import sys\nsys.exit('no display')\n")
    module = load(*HARMLESS[kind])
    model = module.M(2.0)
    plain = vars(module.M)["f"].__wrapped__(model)
    assert [model.f(), model.f(), module.M(2.0).f()] == [plain] * 3
    assert model.f.cache_info().misses == 1
    assert module.M(2.0).f.cached()


@pytest.mark.filterwarnings("ignore::stored.OwnerWarning")
def test_a_class_with_a_masked_array_can_be_used(load: Callable[[str, str], Any]) -> None:
    """It has no form, so that results are private."""
    module = load("class T:\n    Z = np.ma.array([1., 2.])\n    def g(s): return s.Z[0]\n", "T().g()*s.a")
    assert module.M(2.0).f() == 2.0
