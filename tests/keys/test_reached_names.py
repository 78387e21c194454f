"""Names are followed to what they are bound to: through modules and packages, imported or not yet, and classes."""

from __future__ import annotations

import importlib
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stored._keys.code_graph import code_state

Package = Callable[..., Any]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Writes a package of the user's own, and imports its module ``main``."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(**files: str) -> Any:
        folder = tmp_path / "pkg_of_test"
        for name, text in {"__init__": "", **files}.items():
            path = folder.joinpath(*name.split("__in__")).with_suffix(".py")
            path.parent.mkdir(exist_ok=True, parents=True)
            (path.parent / "__init__.py").touch()
            path.write_text(textwrap.dedent(text))
        for name in [each for each in sys.modules if each.partition(".")[0] in {"pkg_of_test", "alone_of_test"}]:
            del sys.modules[name]
        importlib.invalidate_caches()
        return importlib.import_module("pkg_of_test.main")

    return write


def digest(function: Any) -> str:
    return code_state([function]).digest


IMPORTING = {
    "relative": "def f():\n    from . import lib\n    return lib.K",
    "relative name": "def f():\n    from .lib import K\n    return K",
    "absolute": "def f():\n    import pkg_of_test.lib\n    return pkg_of_test.lib.K",
    "with another name": "def f():\n    import pkg_of_test.lib as other\n    return other.K",
    "a module": "def f():\n    from pkg_of_test import lib\n    return lib.g()",
    "by import_module": "import importlib\ndef f():\n    return importlib.import_module('pkg_of_test.lib').K",
    "with a star": "from .lib import *\ndef f():\n    return K",
    "in a branch": "try:\n    from .lib import K\nexcept ImportError:\n    K = 0\ndef f():\n    return K",
    "a part of a package": "import pkg_of_test\ndef f():\n    return pkg_of_test.lib.K",
    "by getattr": "from . import lib\ndef f():\n    return getattr(lib, 'K')",
    "by getattr with a computed name": "from . import lib\ndef f(name='K'):\n    return getattr(lib, name)",
    "in a class inside": "def f():\n    class C:\n        from .lib import K\n        k = K\n    return C.k",
    "by sys.modules": "import sys\nfrom . import lib\ndef f():\n    return sys.modules['pkg_of_test.lib'].K",
    "by its own sys.modules": "import sys\nfrom .lib import K\ndef f():\n    return sys.modules[__name__].K",
    "relative to its own package": (
        "from importlib import import_module\ndef f():\n    return import_module('.lib', __package__).K"
    ),
    "by __import__": "def f():\n    return __import__('pkg_of_test.lib').lib.K",
    "by globals()": "from .lib import K\ndef f(name='K'):\n    return globals()[name]",
}


@pytest.mark.parametrize("kind", IMPORTING)
def test_what_a_function_imports_counts(package: Package, kind: str) -> None:
    """In whichever way, and whether it is imported by now or not."""
    first = digest(package(main=IMPORTING[kind], lib="K = 1\ndef g(): return K").f)
    again = digest(package(main=IMPORTING[kind], lib="# one\nK = 1\n\ndef g(): return K\n").f)
    other = digest(package(main=IMPORTING[kind], lib="K = 2\ndef g(): return K").f)
    assert first == again != other


def test_what_a_module_is_in_counts_where_python_gives_that(package: Package) -> None:
    """``__import__`` gives the package."""
    main = "def f(): return __import__('pkg_of_test.lib').K"
    assert len({digest(package(main=main, lib="", __init__=f"K = {k}").f) for k in (1, 2)}) == 2


ANY_MODULE = [
    "return import_module(name).K",
    "return __import__(name).K",
    "return modules[name].K",
    "return [each for each in modules.values()]",
    "return get(name).K",
    "return import_module('.lib', name).K",
    "return import_module('..pkg_of_test.lib', 'pkg_of_test.main').K",
    "return [each for each in modules]",
]


@pytest.mark.parametrize("body", ANY_MODULE)
def test_a_module_of_which_the_name_is_computed_can_be_any(package: Package, body: str) -> None:
    """So nothing tells that it is the same."""
    state = code_state(
        [
            package(
                main="from importlib import import_module\nfrom sys import modules\nget = modules.get\n"
                f"def f(name):\n    {body}"
            ).f
        ]
    )
    assert not state.is_same()
    (reason,) = state.formless
    assert "by a computed name" in reason


def test_of_a_table_that_is_asked_by_constants_these_items_count(package: Package) -> None:
    """If all of it is used elsewhere, all counts there."""
    table = "T = dict(a={}, b={}, c=3)\ndef f(): return T['a'] + T.get('z', 1)\ndef g(): return T['a'], list(T)"
    modules = [package(main=table.format(*each)) for each in ((1, 1), (1, 2), (2, 2))]
    assert [digest(modules[0].f) == digest(each.f) for each in modules] == [True, True, False]
    assert [digest(modules[0].g) == digest(each.g) for each in modules] == [True, False, False]
    state = code_state([modules[0].f])
    modules[0].T["z"] = 0
    assert not state.is_same()
    assert code_state([modules[0].f]).digest != state.digest


def test_names_that_a_module_makes_when_it_is_asked_count(package: Package) -> None:
    """By its ``__getattr__``."""
    lazy = "def __getattr__(name):\n    if name == 'K': return {}\n    raise AttributeError(name)"
    main = "from . import lib\ndef f():\n    return lib.K"
    assert len({digest(package(main=main, lib=lazy.format(k)).f) for k in (1, 2)}) == 2
    module = package(main=main, lib=lazy.format(3))
    state = code_state([module.f])
    assert state.is_same()
    vars(module.lib)["__getattr__"] = lambda name: 1 / 0
    assert not state.is_same()


@pytest.mark.parametrize(
    "statement",
    [
        "import no_such_module_of_test as lib",
        "from . import no_such_module as lib",
        "from .broken import lib",
        "from .lib import missing as lib",
        "import xml.dom.minidom_not_there as lib",
        "from .... import lib",
    ],
)
def test_what_cannot_be_imported_is_absent(package: Package, statement: str) -> None:
    """The function may never come there."""
    main = f"def f():\n    {statement}\n    return lib"
    state = code_state([package(main=main, lib="", broken="1 / 0").f])
    assert state.formless == ()
    assert state.is_same()


def test_a_package_of_a_library_is_not_imported(package: Package) -> None:
    """It counts by name until then."""
    sys.modules.pop("wsgiref.handlers", None)
    state = code_state([package(main="def f():\n    import wsgiref.handlers as lib\n    return lib.K").f])
    assert "wsgiref.handlers" not in sys.modules
    assert state.formless == ()


def test_a_module_that_is_used_as_a_whole_counts_with_all_its_names(package: Package) -> None:
    """Functions, constants and classes."""
    main = "from . import lib\ndef use(module): return vars(module)\ndef f():\n    return use(lib)"
    libs = ["K = 1", "K = 2", "K = 1\nL = 1", "K = 1\ndef g(): return 1", "K = 1\ndef g(): return 2"]
    assert len({digest(package(main=main, lib=each).f) for each in libs}) == len(libs)


CLASSES = [
    ("Part.K", "class Part:\n    K = 1"),
    ("Part.K", "class Part:\n    K = 2"),
    ("Part.K", "class Part:\n    K = 1.0"),
    ("Part.g()", "class Part:\n    @staticmethod\n    def g(): return 1"),
    ("Part.g()", "class Part:\n    @staticmethod\n    def g(): return 2"),
    ("Part.g(1)", "class Part:\n    def g(self): return 1"),
    ("Part.g(1)", "class Part:\n    def g(self): return 2"),
    (
        "Part.g()",
        "class Part:\n    @classmethod\n    def g(cls): return cls.h()\n    @staticmethod\n    def h(): return 1",
    ),
    (
        "Part.g()",
        "class Part:\n    @classmethod\n    def g(cls): return cls.h()\n    @staticmethod\n    def h(): return 2",
    ),
    ("Part.__name__", "class Part: pass"),
    ("Part.missing", "class Part: pass"),
    ("Part().g", "class Base:\n    g = 1\nclass Part(Base): pass"),
    ("Part().g", "class Base:\n    g = 2\nclass Part(Base): pass"),
]


def test_what_is_read_of_a_class_counts(package: Package) -> None:
    """A plain value or function alone; for all else, the class with its bases."""
    found = [
        digest(package(main=f"from .lib import Part\ndef f():\n    return {each}", lib=lib).f) for each, lib in CLASSES
    ]
    assert len(set(found)) == len(CLASSES)
    more = "class Part:\n    K = 1\n    def unused(self): return 1"
    assert digest(package(main="from .lib import Part\ndef f():\n    return Part.K", lib=more).f) == found[0]


def test_folders_of_the_project_do_not_count(package: Package, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Paths that a module makes of its own place are the same in another checkout."""
    main = """
        from pathlib import Path
        import os
        HERE = Path(__file__).parent / "data"
        TEXT = os.path.join(os.path.dirname(__file__), "data.txt")
        def f(): return HERE, TEXT, __name__, __file__
    """
    found = digest(package(main=main).f)
    (tmp_path / "pkg_of_test").rename(tmp_path / "moved")
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "moved").rename(other / "pkg_of_test")
    for name in [each for each in sys.modules if each.startswith("pkg_of_test")]:
        del sys.modules[name]
    monkeypatch.syspath_prepend(other)
    importlib.invalidate_caches()
    assert digest(importlib.import_module("pkg_of_test.main").f) == found


def test_names_of_odd_functions() -> None:
    """Whose globals are no module's, or whose module is gone."""
    names: dict[str, Any] = {"__name__": "gone_of_test", "K": 1}
    exec("def f():\n    return globals()['K']\ndef g():\n    from . import x\n    return x", names)
    assert code_state([names["f"]]).digest != code_state([names["g"]]).digest
    nameless = types.FunctionType(names["g"].__code__, {})
    assert code_state([nameless]).formless == ()


UPDATING = """
from . import lib
def f(a):
    d = {'x': a}
    lib.update(d)
    return d['x']
"""
UPDATING_BY_CLASS = UPDATING.replace("lib.update", "lib.Rule.fill")
WRAPPED = """
from contextlib import contextmanager
from .lib import DIGITS
@contextmanager
def precision(n):
    yield n + 1
@precision(DIGITS)
def f(a): return a
"""
EDITS = {
    "a function that changes an object": (UPDATING, "def update(d): d['x'] *= 2", "def update(d): d['x'] *= 3"),
    "a static method that does": (
        UPDATING_BY_CLASS,
        "class Rule:\n    @staticmethod\n    def fill(d): d['x'] = 2",
        "class Rule:\n    @staticmethod\n    def fill(d): d['x'] = 3",
    ),
    "what a wrapper of a library closes over": (WRAPPED, "DIGITS = 3", "DIGITS = 5"),
    "the library behind an alias": (
        "from .lib import xp\ndef f(a): return xp.sqrt(a)",
        "import numpy as xp",
        "import numpy.lib.scimath as xp",
    ),
    "names for patterns": (
        "from .lib import P\ndef f(a):\n    match P():\n        case P(u, v): return u",
        "class P:\n    __match_args__ = ('x', 'y')\n    x, y = 1, 2",
        "class P:\n    __match_args__ = ('y', 'x')\n    x, y = 1, 2",
    ),
    "the order of a module's functions": (
        "from . import lib\ndef f(a): return [*vars(lib)]",
        "def g(): return 1\ndef h(): return 2",
        "def h(): return 2\ndef g(): return 1",
    ),
    "what sets an item": (
        "from .lib import S\nG = S()\ndef f():\n    x = []\n    G[0] = x\n    return x",
        "K = 1\nclass S:\n    def __setitem__(self, i, x): x.append(K)",
        "K = 2\nclass S:\n    def __setitem__(self, i, x): x.append(K)",
    ),
    "what sets an attribute": (
        "from .lib import S\nG = S()\ndef f():\n    x = []\n    G.x = x\n    return x",
        "class S:\n    def __setattr__(self, i, x): x.append(1)",
        "class S:\n    def __setattr__(self, i, x): x.append(2)",
    ),
    "what adds in place": (
        "from .lib import S\nG = S()\ndef f():\n    global G\n    x = []\n    G += x\n    return x",
        "class S:\n    def __iadd__(self, x): x.append(1); return self",
        "class S:\n    def __iadd__(self, x): x.append(2); return self",
    ),
    "a function of a namespace": (
        "import types\nfrom .lib import u\nR = types.SimpleNamespace(update=u)\n"
        "def f():\n    d = {}\n    R.update(d)\n    return d",
        "def u(d): d[1] = 1",
        "def u(d): d[1] = 2",
    ),
    "a relative import without a source": (
        "exec('def f(a):\\n    from .lib import K\\n    return K * a')",
        "K = 1",
        "K = 2",
    ),
}


@pytest.mark.parametrize("kind", EDITS)
def test_edits_of_another_module_count(package: Package, kind: str) -> None:
    """Through whatever leads there."""
    main, before, after = EDITS[kind]
    states = [code_state([package(main=main, lib=lib).f]) for lib in (before, after, before)]
    assert states[0].digest == states[2].digest != states[1].digest
    assert states[0].formless == ()


def test_what_a_library_has_counts_by_its_name(package: Package) -> None:
    """Also what has no form, or is large."""
    main = "import mimetypes\ndef f():\n    return mimetypes.types_map, mimetypes.inited"
    state = code_state([package(main=main).f])
    assert state.formless == ()
    (node,) = state.nodes
    assert dict(node.constants) == {}
    assert state.digest == digest(package(main=main).f)
