"""What a method reaches through its object is found on the class: its code, its attributes, and its memos."""

from __future__ import annotations

import dataclasses
import functools
import sys
import typing
from typing import Any

import attrs
import pytest

from stored._keys.known_of_class import forget_class, known_of_class
from stored._keys.reach_report import Reached
from stored._keys.reached import reached
from tests.keys.source_code import load


def report(source: str, name: str = "f", kind: str = "C", is_known: bool = True, **names: Any) -> Reached:
    """What the method of a class reaches."""
    made: Any = load(
        source, is_known, typing=typing, functools=functools, dataclasses=dataclasses, attrs=attrs, **names
    )[kind]
    method = next(vars(base)[name] for base in made.__mro__ if name in vars(base))
    return reached(made, method)


def names(found: Reached) -> set[str]:
    return {each.name for each in found.reads}


def code(found: Reached) -> list[str]:
    return [each.__qualname__ for each in found.code]


def rules(found: Reached) -> dict[str, str]:
    return {each.name: found.rule_of(each.name).rule for each in found.reads}


# -- what is reached --------------------------------------------------------------------------------------------------

KINDS = """
class Base:
    scale = 2
    def step(self): return self.of_base
    @property
    def size(self): return self.height
    @size.setter
    def size(self, value): self.height = value * self.unit
    @size.deleter
    def size(self): del self.height
    @functools.cached_property
    def table(self): return self.made_of
    @classmethod
    def shared(cls): return cls.scale
    @staticmethod
    def constant(x): return x.other
    @stored
    def kept(self): return self.of_kept
    half = functools.partialmethod(step, 0.5)
    short = lambda self: self.of_lambda
    @functools.lru_cache
    def cached(self): return self.of_cached
    @functools.singledispatchmethod
    def choose(self, x): return self.of_default
    @choose.register
    def _(self, x: int): return self.of_int
class Mixin:
    def step(self): return super().step() + self.of_mixin
class C(Mixin, Base):
    def f(self, x=1): return {}
"""

REACHED: dict[str, tuple[set[str], set[str]]] = {
    "self.step()": ({"of_base", "of_mixin"}, {"Mixin.step", "Base.step"}),
    "super().step": ({"of_base", "of_mixin"}, {"Mixin.step", "Base.step"}),
    "super().scale": ({"scale"}, set()),
    "self.size": ({"height"}, {"Base.size"}),
    "setattr(self, 'size', 1)": ({"unit"}, {"Base.size"}),
    "delattr(self, 'size')": ({"unit"}, {"Base.size"}),
    "self.size.append(1)": ({"height", "unit"}, {"Base.size"}),
    "self.table": ({"table", "made_of"}, {"Base.table"}),
    "self.shared()": ({"scale"}, {"Base.shared"}),
    "self.constant(1)": (set(), {"Base.constant"}),
    "self.constant(self)": ({"other"}, {"Base.constant"}),
    "self.kept()": ({"of_kept"}, {"Base.kept"}),
    "self.half()": ({"of_base"}, {"Base.step"}),
    "self.short()": ({"of_lambda"}, {"Base.<lambda>"}),
    "self.cached()": ({"of_cached"}, {"Base.cached"}),
    "self.choose(1)": ({"of_default", "of_int"}, {"Base.choose", "Base._"}),
    "Base.step(self)": ({"of_base"}, {"Base.step"}),
    "type(self).step(self)": ({"of_base", "of_mixin"}, {"Mixin.step", "Base.step"}),
    "type(self).scale": ({"scale"}, set()),
    "type(self).__name__": ({"__name__"}, set()),
    "type(self).__instancecheck__": (set(), set()),
    "self.profile(1)": ({"profile"}, set()),
    "object.__repr__(self)": (set(), set()),
    "[self.step for y in x]": ({"of_base", "of_mixin"}, {"Mixin.step", "Base.step"}),
    "len(self)": (set(), set()),
    "self.__doc__": ({"__doc__"}, set()),
}


@pytest.mark.parametrize("expression", REACHED)
def test_methods_and_attributes_that_are_reached(expression: str) -> None:
    """All kinds of methods are followed, to what they read."""
    found = report(KINDS.replace("{}", expression))
    assert (names(found), set(code(found)) - {"C.f"}) == REACHED[expression]
    assert found.reads_everything == ()
    assert code(found)[0] == "C.f"


def test_what_is_known_of_a_read() -> None:
    """Its first place, whether it is called, what is read further on, and the value now."""
    found = report("""
        class Base:
            limit = 1
        class C(Base):
            limit = 2
            n = 3
            def f(self):
                return self.cosmo.age(self.n) + self.profile(1) + self.cosmo.z + super().limit + type(self).n
    """)
    by_name = {(each.name, each.through): each for each in found.reads}
    assert by_name["cosmo", "self"].paths == (("age",), ("z",))
    assert by_name["profile", "self"].is_called
    assert not by_name["cosmo", "self"].is_called
    assert by_name["cosmo", "self"].place.line == 8
    assert str(by_name["cosmo", "self"].place).endswith(":8 in C.f")
    assert found.class_attributes == {"limit", "n"}
    made: Any = sys.intern and found.reads and found.code[0].__globals__["C"]()
    made.n = 30
    values = {key: each.value(made) for key, each in by_name.items() if key[0] in {"n", "limit"}}
    assert values == {("n", "self"): 30, ("n", "class"): 3, ("limit", "super"): 1}


def test_methods_that_an_attribute_can_replace() -> None:
    """Of what is reached, functions can be hidden by an attribute of the object, properties cannot."""
    found = report(KINDS.replace("{}", "self.step(), self.size, self.kept(), self.table, self.half()"))
    assert found.methods == {"step", "kept", "half"}
    assert found.constants == (0.5, {})


def test_results_kept_by_functools_are_private() -> None:
    """functools.cache on a method knows nothing of attributes."""
    found = report(KINDS.replace("{}", "self.cached()"))
    assert ["functools.cache" in each.text for each in found.private] == [True]


DECORATED = """
def plain(function):
    def wrapper(self, *args):
        return function(self, *args) * self.of_wrapper
    return wrapper
def wrapped(function):
    @functools.wraps(function)
    def wrapper(*args, **options):
        return function(*args, **options)
    return wrapper
class Wrapper:
    def __init__(self, function):
        self.function, self.__wrapped__ = function, function
    def __get__(self, owner, kind=None): return lambda: self.function(owner)
class C:
    @plain
    def f(self): return self.g() + self.h
    @wrapped
    def g(self): return self.of_g
    @property
    @wrapped
    def h(self): return self.of_h
    def i(self): return self.j()
    @Wrapper
    def j(self): return self.of_j
"""


def test_decorated_methods() -> None:
    """Decorators are followed to the function inside, with functools.wraps and without, and count themselves."""
    found = report(DECORATED)
    assert names(found) == {"of_wrapper", "of_g", "of_h"}
    assert [each.__code__.co_name for each in found.code] == ["wrapper", "f", "wrapper", "g", "wrapper", "h"]
    assert found.reads_everything == ()


def test_a_decorator_that_cannot_be_read() -> None:
    """An object in place of the method may do anything, and remember anything."""
    found = report(DECORATED, "i")
    assert "of_j" in names(found)
    assert found.reads_everything
    assert found.private


def test_descriptors_that_set_are_values() -> None:
    """The value of such an attribute is what the object has."""
    found = report("""
        class Positive:
            def __set_name__(self, owner, name): self.name = name
            def __get__(self, owner, kind=None): return owner.__dict__[self.name]
            def __set__(self, owner, value): owner.__dict__[self.name] = value
        class Slotted:
            __slots__ = ("b",)
        class C(Slotted):
            a = Positive()
            def f(self): return self.a + self.b
    """)
    assert rules(found) == {"a": "joins", "b": "joins"}
    assert found.class_attributes == frozenset()


@pytest.mark.parametrize(
    ("special", "expression"),
    [
        ("__getitem__", "self[1]"),
        ("__len__", "len(self)"),
        ("__bool__", "not self"),
        ("__len__", "1 if self else 2"),
        ("__call__", "self(1)"),
        ("__add__", "self + 1"),
        ("__radd__", "1 + self"),
        ("__iter__", "[y for y in self]"),
        ("__contains__", "1 in self"),
        ("__eq__", "self == 1"),
        ("__str__", "f'{self}'"),
        ("__repr__", "str(self)"),
        ("__neg__", "-self"),
        ("__getattr__", "self.nothing"),
        ("__getattribute__", "self.nothing"),
        ("__setattr__", "setattr(self, 'x', 1)"),
        ("__delattr__", "delattr(self, 'x')"),
        ("__enter__", "g()"),
    ],
)
def test_special_methods_are_reached(special: str, expression: str) -> None:
    """Those that Python calls itself."""
    found = report(f"""
        class C:
            def {special}(self, *args): return self.special
            def f(self):
                def g():
                    with self: pass
                return {expression}
    """)
    if special != "__enter__" or "special" in names(found):
        assert "special" in names(found)
    assert f"C.{special}" in code(found)


@pytest.mark.parametrize(
    "source",
    [
        "class C(list):\n def f(self): return self[0]",
        "class C(dict):\n def f(self): return len(self)",
        "class C(list):\n def f(self): return self.index(1)",
    ],
)
def test_what_the_object_itself_contains(source: str) -> None:
    """It is no attribute."""
    found = report(source)
    assert found.reads_everything
    assert found.private


@pytest.mark.parametrize(
    "body",
    [
        "g(self)",
        "g(*k, self)",
        "len(self)",
        "C(self)",
        "os.getcwd(self)",
        "os.nothing(self)",
        "k.g(self)",
        "textwrap.fill(self)",
        "self.x(self)",
        "super().x(self)",
        "self.fluent().x",
        "self.__reduce__()",
        "object.__reduce_ex__(self, 2)",
        "type(self).__dict__",
        "type(self).__subclasses__()",
        "getattr(self, k)",
    ],
)
def test_where_the_analysis_ends(body: str) -> None:
    """Then all of the class counts, and it is told where and why."""
    found = report(
        f"""
        import os, textwrap
        k = "x"
        def len(x): return 1
        class C:
            n = 1
            def fluent(self): return self
            def other(self): return self.n
            def f(self): return {body}
            def __len__(self): return 2
        """
    )
    assert found.reads_everything
    assert all(each.place.line == 9 and each.text for each in found.reads_everything)
    assert "C.other" in code(found)
    assert "n" in found.class_attributes


def test_helpers_of_the_same_module_are_followed() -> None:
    """A function that gets the object is one that it reaches."""
    found = report("""
        def helper(x, model): return model.a
        class C:
            def f(self): return helper(1, self) + self.g(1, self)
            def g(self, x, me): return me.b
    """)
    assert names(found) == {"a", "b"}
    assert found.reads_everything == ()


def test_functions_of_other_modules_of_the_user_are_followed() -> None:
    """Those of installed packages are not: of what they read, nothing is known."""
    other = load("def helper(model): return model.a")
    source = "class C:\n def f(self): return helper(self)"
    other["helper"].__module__ = "another_of_the_user"
    found = report(source, helper=other["helper"])
    assert names(found) == {"a"}
    assert found.reads_everything == ()
    other["helper"].__module__ = "hypothesis"
    assert report(source, helper=other["helper"]).reads_everything


def test_source_that_is_not_known() -> None:
    """Nothing is known of what it reads."""
    found = report("class C:\n def f(self): return self.a", is_known=False)
    assert ["source" in each.text for each in found.reads_everything] == [True]


def test_super_of_an_unknown_class() -> None:
    """A function that was put into a class from elsewhere has no class after which to search."""
    found = report("""
        def g(function): return lambda self: function(self)
        class D:
            @g
            def f(self): return super().f()
        class B:
            def f(self): return self.a
        class C(B):
            h = vars(D)["f"]
            def f(self): return self.h()
    """)
    assert found.reads_everything


def test_super_without_a_cell() -> None:
    """With its arguments written out, super() begins after the class in which the function stands."""
    found = report("""
        class B:
            def f(self): return self.a
        class C(B):
            def f(self): return super(C, self).f()
    """)
    assert names(found) == {"a"}
    assert found.reads_everything == ()


def test_diamonds() -> None:
    """The next class is that of the object's class, not that of the method's."""
    source = """
        class A:
            def f(self): return self.a
        class B(A):
            def f(self): return super().f() + self.b
        class D(A):
            def f(self): return super().f() + self.d
        class C(B, D): pass
    """
    assert names(report(source)) == {"a", "b", "d"}
    assert names(report(source, kind="B")) == {"a", "b"}


@pytest.mark.parametrize(
    "making", ["type(self)(2)", "self.__class__(2)", "object.__new__(type(self))", "super().__new__(type(self))"]
)
def test_objects_of_the_same_class_that_are_made(making: str) -> None:
    """They may do all that the class can."""
    found = report(f"""
        class C:
            n = 1
            def __init__(self, h): self.h = h
            def g(self): return self.n
            def f(self): return {making}.g()
    """)
    assert set(code(found)) == {"C.f", "C.__init__", "C.g"}
    assert found.class_attributes == {"n"}
    assert found.reads_everything == ()


def test_classes_made_in_functions() -> None:
    """The variables of the function are no attributes."""
    found = report("""
        def factory(k):
            class Made:
                def f(self): return self.a + k
            return Made
        C = factory(2)
    """)
    assert names(found) == {"a"}
    assert found.reads_everything == ()


def test_variables_without_a_value() -> None:
    """A function can be made before the variables that it closes over have values."""
    found = report(
        """
        def factory():
            class Made:
                def f(self):
                    self.t = 1
                    return later(self)
            reports.append(reached(Made, Made.f))
            later = None
            return Made
        C = factory()
    """,
        reports=(reports := []),
        reached=reached,
    )
    assert found.reads_everything
    assert reports[0].reads_everything


# -- rules ------------------------------------------------------------------------------------------------------------

MODEL = """
class C:
 def __init__(self, h):
  self.h, self.n = h, 0
  self._t, self._cache, self._log = None, {}, []
 def set(self, h):
  self.h, self._t = h, None
  self._cache.clear()
 def make(self, k=0): return self.h
"""

RULES: dict[str, dict[str, str]] = {
    "def f(self): return self.h": {"h": "joins"},
    "def f(self):\n  if self._t is None: self._t = self.make()\n  return self._t": {"_t": "memo", "h": "joins"},
    "def f(self, k):\n  if k not in self._cache: self._cache[k] = self.make()\n  return self._cache[k]": {
        "_cache": "memo",
        "h": "joins",
    },
    "def f(self, k):\n  c = self._cache\n  r = c.get(k)\n  if r is None: r = c[k] = self.make()\n  return r": {
        "_cache": "memo",
        "h": "joins",
    },
    "def f(self, k):\n  return self._cache.setdefault(k, self.make())": {"_cache": "memo", "h": "joins"},
    "def f(self):\n  self.n += 1\n  return self.h": {"h": "joins"},
    "def f(self):\n  self._log.append(1)\n  return self.h": {"_log": "memo", "h": "joins"},
    # what is kept depends on what comes before
    "def f(self):\n  self.n += 1\n  return self.n": {"n": "unknown"},
    "def f(self):\n  self._log.append(1)\n  return len(self._log)": {"_log": "joins"},
    "def f(self):\n  self._t = [self._t, 1]\n  return self._t": {"_t": "unknown"},
    "def f(self):\n  self._cache[1] = self._cache.get(1, 0) + 1\n  return self._cache": {"_cache": "unknown"},
    # or on arguments
    "def f(self, k):\n  if self._t is None: self._t = k\n  return self._t": {"_t": "unknown"},
    "def f(self, k):\n  self._cache[k] = 1\n  return len(self._cache)": {"_cache": "unknown"},
    "def f(self, k):\n  self._cache[k] = 1\n  return [x for x in self._cache.values()]": {"_cache": "unknown"},
    "def f(self, k):\n  if self._cache is None: self._cache = {}\n  self._cache[k] = 1\n"
    "  return self._cache.get(k) if k in self._cache else 2": {"_cache": "memo"},
    "def f(self, k):\n  self._cache['last'] = k\n  return self._cache": {"_cache": "unknown"},
    "def f(self, k):\n  if k: self._t = self.make()\n  else: self._t = 2\n  return self._t": {
        "_t": "unknown",
        "h": "joins",
    },
    # or on others
    "def f(self):\n  if self._t is None: self._t = 1\n  return self._t\n def g(self): self._t = 2": {"_t": "unknown"},
    "def f(self):\n  if self._t is None: self._t = 1\n  return self._t\n def g(self, k): setattr(self, k, 2)": {
        "_t": "memo"
    },
    "def f(self):\n  if self._t is None: self._t = 1\n  return self._t\n @classmethod\n def g(cls):\n  o = cls(1)\n"
    "  o._t = 2\n  return o": {"_t": "unknown"},
    "def f(self):\n  if self._t is None: self._t = 1\n  return self._t\n def g(self): self._t = None": {"_t": "memo"},
    "def f(self):\n  if self._t is None: self._t = 1\n  return self._t\n def g(self): del self._t": {"_t": "memo"},
    "def f(self):\n  if self._t is None: self._t = 1\n  return self._t\n @property\n def g(self): return self.h\n"
    " @g.setter\n def g(self, v): self._t = v": {"_t": "unknown"},
    "def f(self):\n  if self._t is None: self._t = 1\n  return self._t\n"
    " def __setstate__(self, s): self.__dict__.update(s)": {"_t": "memo"},
    "def f(self, o):\n  o._t = 3\n  if self._t is None: self._t = 1\n  return self._t": {"_t": "unknown"},
    "def f(self):\n  if self._t is None: self._t = 1\n  g(self)\n  return self._t": {"_t": "unknown"},
    "def f(self, k):\n  setattr(self, k, 1)\n  if self._t is None: self._t = 1\n  return self._t": {"_t": "unknown"},
    "def f(self, k):\n  self._cache[k] = 1\n  return self._cache\n def g(self, o): o._cache[1] = 2": {
        "_cache": "unknown"
    },
    "def f(self):\n  self.n = 3\n  return self.n": {"n": "memo"},
    "def f(self):\n  self._t = None\n  return self._t": {"_t": "unknown"},
    "def f(self, k):\n  self.h.update(k)\n  return self.h": {"h": "joins"},
    "def f(self, k):\n  self.w[k] = 1\n  return self.w": {"w": "unknown"},
    "_s = {}\n def f(self, k):\n  self._s[k] = 1\n  return self._s": {"_s": "unknown"},
    "_s = None\n def f(self):\n  type(self)._s = self.h\n  return self._s": {"_s": "unknown", "h": "joins"},
    "_s = None\n def f(self):\n  self._s = self.make()\n  return self._s": {"_s": "memo", "h": "joins"},
    "_s = 5\n def f(self):\n  self._s = self.make()\n  return self._s": {"_s": "memo", "h": "joins"},
    "def f(self, k):\n  self.c()[k] = 1\n  return self._cache[k]\n def c(self): return self._cache": {
        "_cache": "joins"
    },
    "def f(self, k):\n  self._cache[k] = 1\n  return self._cache[k]\n def c(self): return self._cache\n"
    " def g(self): self.c()[3] = 1": {"_cache": "memo"},
    "@functools.cached_property\n def t(self): return self.h\n def f(self): return self.t": {"t": "memo", "h": "joins"},
    "@functools.cached_property\n def t(self): return self.h\n def f(self): return self.t\n"
    " def g(self): self.__dict__['t'] = 2": {"t": "unknown", "h": "joins"},
    "@functools.cached_property\n def t(self): return self.h\n def f(self): return self.t\n def g(self): del self.t": {
        "t": "memo",
        "h": "joins",
    },
}


@pytest.mark.parametrize("methods", RULES)
def test_how_attributes_count(methods: str) -> None:
    """By value if nothing that is reached writes them; not at all if that fills them, and nothing else does."""
    found = report(f"{MODEL} {methods}")
    assert rules(found) == RULES[methods]
    assert {each.name for each in found.lazy} == {name for name, rule in RULES[methods].items() if rule == "memo"}
    assert all(found.rule_of(name).reason for name in RULES[methods])


def test_attributes_that_are_only_written() -> None:
    """Their values do not count; those that are neither read nor written would."""
    found = report(f"{MODEL} def f(self):\n  self.n += 1")
    assert found.rule_of("n").rule == "memo"
    assert found.rule_of("other").rule == "joins"
    assert found.written_here["n"].filled[0].line == 11
    everything = report(f"{MODEL} def f(self):\n  self.n += 1\n  g(self)")
    assert everything.rule_of("n").rule == "unknown"


def test_writers_whose_source_is_not_known() -> None:
    """They may leave anything in what they name, so that nothing is proven of it."""
    names_of = load(f"{MODEL} def f(self):\n  if self._t is None: self._t = 1\n  return self._t")
    kind = names_of["C"]
    assert [each.is_transparent for each in reached(kind, kind.f).lazy] == [True]
    kind.g = load("def g(self):\n return lambda: setattr(self, '_t', 1)", is_known=False)["g"]
    assert [each.is_transparent for each in reached(kind, kind.f).lazy] == [False]
    kind.g = load("def g(self): self.x = 1", is_known=False)["g"]
    assert [each.is_transparent for each in reached(kind, kind.f).lazy] == [True]


FIELDS = """
@dataclasses.dataclass{}
class C:
    h: float
    n: typing.ClassVar[int] = 3
    _t: object = dataclasses.field(default=None, init=False)
    _c: dict = dataclasses.field(default_factory=dict, init=False)
    given: object = None
    made: object = dataclasses.field(default_factory=object, init=False)
    def __post_init__(self): self.late = 1
    def f(self):
        self._t = self._t or self.h
        self.given = self.given or self.n
        self.made = self.made or 1
        self._c[1] = 2
        return self._t, self.late, self._c[1]
    def g(self): return self == 1, str(self)
"""


@pytest.mark.parametrize("options", ["", "(slots=True)", "(order=True)", "(eq=True, frozen=True)"])
def test_dataclasses(options: str) -> None:
    """Their generated methods are known: fields that are no arguments begin empty, others hold what they are given."""
    found = report(FIELDS.replace("{}", options))
    assert found.reads_everything == ()
    expected = {"given": "memo", "made": "memo", "_t": "memo", "_c": "memo", "late": "joins", "h": "joins"}
    assert rules(found) == {**expected, "n": "joins"}
    whole = report(FIELDS.replace("{}", options), "g")
    assert names(whole) == {"h", "_t", "_c", "given", "made"}
    assert whole.reads_everything == ()


@pytest.mark.parametrize("decorator", ["define", "frozen", "define(slots=False)"])
def test_attrs_classes(decorator: str) -> None:
    """Like dataclasses."""
    found = report(f"""
        @attrs.{decorator}
        class C:
            h: float
            given: object = None
            _t: object = attrs.field(default=None, init=False)
            _c: dict = attrs.field(factory=dict, init=False)
            def f(self):
                object.__setattr__(self, "_t", self._t or self.h)
                object.__setattr__(self, "given", self.given or self.h)
                self._c[1] = 2
                return self._t, self._c[1]
            def g(self): return self == 1
    """)
    assert rules(found) == {"_t": "memo", "given": "memo", "h": "joins", "_c": "memo"}
    assert found.reads_everything == ()


def test_properties_that_keep_their_values() -> None:
    """A subclass of property with a getter of its own, as astropy's lazyproperty, keeps what it has computed."""
    found = report("""
        class Lazy(property):
            def __get__(self, owner, kind=None): return owner.__dict__.setdefault("t", super().__get__(owner, kind))
        class C:
            @Lazy
            def t(self): return self.h
            def f(self): return self.t
    """)
    assert rules(found) == {"t": "memo", "h": "joins"}


def test_two_phases_of_setting_up() -> None:
    """A method that the owner calls from __init__ is a writer like any other that is not reached."""
    found = report("""
        class C:
            def __init__(self, h):
                self.h = h
                self.load()
            def load(self): self.data = [self.h]
            def f(self): return self.data[0]
    """)
    assert rules(found) == {"data": "joins"}
    assert found.written_here == {}


def test_stored_methods_themselves() -> None:
    """The plain function inside counts."""
    found = report("class C:\n @stored\n def f(self): return self.a\n")
    assert names(found) == {"a"}
    assert code(found) == ["C.f"]


def test_what_is_found_for_a_compiled_class_is_kept_elsewhere() -> None:
    """Its attributes cannot be set."""
    found = [known_of_class(complex, "of test", lambda number=number: number) for number in (1, 2)]
    assert found == [1, 1]
    forget_class(complex)
    assert known_of_class(complex, "of test", lambda: 3) == 3
    forget_class(complex)
