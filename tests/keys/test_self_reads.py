"""What a method does with its object is told by its syntax tree: which attributes it reads, and which it writes."""

from __future__ import annotations

from typing import Any

import pytest

from stored._keys.self_accesses import SelfAccesses
from stored._keys.self_reads import self_accesses
from tests.keys.source_code import load, method


def accesses(body: str, arguments: str = "self, k=1") -> SelfAccesses:
    """What a method with this body does."""
    found = self_accesses(method(body, arguments).__code__)
    assert found is not None
    return found


def reads(body: str) -> set[str]:
    """The attributes whose values are used."""
    return {each.name for each in accesses(body).reads if each.is_used}


def writes(body: str) -> dict[str, str]:
    """The attributes that are written, each with what is left in it."""
    return {each.name: each.leaves for each in accesses(body).writes if each.through != "other"}


READS = {
    "return self.a": {"a"},
    "return self.a + self.b * self.a": {"a", "b"},
    "me = self\nreturn me.a": {"a"},
    "me = you = self\nreturn you.a": {"a"},
    "me, n = self, 1\nreturn me.a": {"a"},
    "(me, (n, you)) = self, (1, self)\nreturn me.a + you.b": {"a", "b"},
    "me = self if k else None\nreturn me.a": {"a"},
    "me = None or self\nreturn me.a": {"a"},
    "return (me := self).a + me.b": {"a", "b"},
    "with self as me: return me.a": {"a"},
    "self = k\nreturn self.a": {"a"},
    "match self:\n case me: return me.a": {"a"},
    "match self:\n case C(a=1, b=[x, *y]): return x": {"a", "b"},
    "match k:\n case C(a=1) | {'u': self.a}: pass\n case {'v': 1, **rest} if self.b: return rest": {"a", "b"},
    "return lambda: self.a": {"a"},
    "return lambda x, y=self.a: x": {"a"},
    "return [self.a for x in self.b if self.c]": {"a", "b", "c"},
    "return {self.a: self.b for x in k for y in self.c}": {"a", "b", "c"},
    "return {self.a for self_ in k}, (self.b for x in k)": {"a", "b"},
    "return [self for self in self.items]": {"items"},
    "return [self.x for self in k]": set(),
    "def g(self): return self.x\nreturn g": set(),
    "def g(x): return self.a + x\nreturn g": {"a"},
    "def g(me=self): return me.a\nreturn g": {"a"},
    "async def g(x=self.a, *y, **z):\n async with self.b: return await self.c\nreturn g": {"a", "b", "c"},
    "me = None\ndef g():\n nonlocal me\n me = self\nreturn me.a": {"a"},
    "class D:\n n = self.a\n def g(this): return self.b + this.x\nreturn D": {"a", "b"},
    "return getattr(self, 'a')": {"a"},
    "return getattr(self, 'a', self.b)": {"a", "b"},
    "return getattr(self.a, 'x')": {"a"},
    "return getattr(self.a, k)": {"a"},
    "return hasattr(self, 'a')": {"a"},
    "return self.__dict__['a']": {"a"},
    "return vars(self)['a']": {"a"},
    "return self.__dict__.get('a', self.b)": {"a", "b"},
    "d = self.__dict__\nreturn d['a'], 'b' in d": {"a", "b"},
    "return self.__getattribute__('a'), object.__getattribute__(self, 'b')": {"a", "b"},
    "return super().a": {"a"},
    "return super(C, self).a": {"a"},
    "return type(self).a + self.__class__.b": {"a", "b"},
    "self.a += self.b": {"b"},
    "self.a = self.a + self.b": {"b"},
    "self.a[k] += 1": set(),
    "self.a[self.b] = k": {"b"},
    "self.a += 1\nreturn self.a": {"a"},
    "return f'{self.a} {self.b!r:>{self.c}}'": {"a", "b", "c"},
    "return self.a(self.b, *self.c, x=self.d, **self.e)": {"a", "b", "c", "d", "e"},
    "return self.a[self.b:self.c:self.d]": {"a", "b", "c", "d"},
    "assert self.a, self.b\nraise ValueError(self.c) from self.d": {"a", "b", "c", "d"},
    "for x in self.a:\n while self.b: pass\n else: return self.c": {"a", "b", "c"},
    "try: return self.a\nexcept self.b as e: return self.c\nfinally: self.d()": {"a", "b", "c"},
    "return not self.a, -self.b, self.c < self.d, self.e in k, self.g is None": {"a", "b", "c", "d", "e", "g"},
    "return (self.a if self.b else self.c) or self.d": {"a", "b", "c", "d"},
    "yield self.a\nyield from self.b": {"a", "b"},
    "x: int = self.a\ny: self.b\nreturn x": {"a"},
    "self.a.b.c.d.e.f = 1": set(),
    "x = self.a\nfor i in k: x = x.next\nreturn x.value": {"a"},
    "t = self.a\nreturn t[0].x": {"a"},
    "return self.a[0][1].x, (self.b or self.c).y, self.d().z": {"a", "b", "c", "d"},
    "del k\nimport os\nfrom os import path as p\nglobal g\ng = 1\nreturn self.a": {"a"},
    "return self.__a": {"_C__a"},
    "return getattr(self, '__a')": {"__a"},
    "return self.__a__": {"__a__"},
    "return [self.m(x) for x in k]": {"m"},
    "return next(self.a)": {"a"},
    "return object.__getattribute__(k, 'a')": set(),
    "if k: return\nassert self.a": {"a"},
    "match self:\n case [x, y]: pass\n case {'x': 1}: pass\n case [1, *_]: pass\n case None: pass": set(),
    "async def g(): return (await self.a).x\nreturn g": {"a"},
    "@self.a\ndef g(): pass\nreturn g": {"a"},
    "return [y := self.a for x in k], y": {"a"},
    "global g\ng += self.a": {"a"},
    "try: pass\nexcept ValueError: return self.a": {"a"},
    "return isinstance(self, self.a) and callable(self) and id(self)": {"a"},
}


@pytest.mark.parametrize("body", READS)
def test_attributes_that_are_read(body: str) -> None:
    """Through self, by whatever name it goes, and in functions and comprehensions too."""
    assert reads(body) == READS[body]
    assert accesses(body).unknown_reads == ()


WRITES = {
    "self.a = 1": {"a": "value"},
    "self.a: int = 1": {"a": "value"},
    "self.a: int": {},
    "self.a, (self.b, *self.c) = 1, k": {"a": "value", "b": "value", "c": "value"},
    "self.a, self.b = None, []": {"a": "nothing", "b": "empty"},
    "self.a, self.b = k": {"a": "value", "b": "value"},
    "self.a, *self.b = None, None, None": {"a": "value", "b": "value"},
    "self.a = self.b = None": {"a": "nothing", "b": "nothing"},
    "self.a += 1": {"a": "value"},
    "self.a = self.a + 1": {"a": "value"},
    "del self.a": {"a": "nothing"},
    "del self.a[k], self.b.x": {"a": "empty", "b": "value"},
    "for self.a in k: pass": {"a": "value"},
    "async def g():\n async for self.a in k: pass\n async with k as self.b: pass": {"a": "value", "b": "value"},
    "with k as self.a: pass": {"a": "value"},
    "[1 for self.a in k]": {"a": "value"},
    "setattr(self, 'a', 1)": {"a": "value"},
    "setattr(self, 'a', None)": {"a": "nothing"},
    "delattr(self, 'a')": {"a": "nothing"},
    "self.__setattr__('a', 1)": {"a": "value"},
    "super().__setattr__('a', None)": {"a": "nothing"},
    "super().__delattr__('a')": {"a": "nothing"},
    "object.__setattr__(self, 'a', 1)": {"a": "value"},
    "object.__delattr__(self, 'a')": {"a": "nothing"},
    "setattr(self.a, 'x', 1)": {"a": "value"},
    "setattr(self.a, k, 1)": {"a": "value"},
    "self.__dict__['a'] = 1": {"a": "value"},
    "self.__dict__['a'] += 1": {"a": "value"},
    "del self.__dict__['a']": {"a": "nothing"},
    "self.__dict__.update(a=1, b=None)": {"a": "value", "b": "nothing"},
    "self.__dict__.setdefault('a', {})": {"a": "empty"},
    "self.__dict__.__setitem__('a', 1)": {"a": "value"},
    "self.__dict__.pop('a', None)": {"a": "nothing"},
    "self.a[k] = 1": {"a": "value"},
    "self.a[k][0].x = None": {"a": "value"},
    "self.a.append(1)": {"a": "value"},
    "self.a.b.append(1)": {"a": "value"},
    "self.a.update(x=1)": {"a": "value"},
    "self.a.setdefault(k, []).append(1)": {"a": "value"},
    "self.a.clear()": {"a": "empty"},
    "self.a.pop(k)": {"a": "empty"},
    "return self.a.pop(k)": {"a": "value"},
    "a = self.a\na[k] = 1": {"a": "value"},
    "a = self.a\na += [1]": {"a": "value"},
    "for a in self.a: a[k] = 1": {"a": "value"},
    "np.add(1, k, out=self.a)": {"a": "value"},
    "np.modf(k, out=(self.a, self.b))": {"a": "value", "b": "value"},
    "np.copyto(self.a, k)": {"a": "value"},
    "next(self.a)": {"a": "value"},
    "type(self).a = 1": {"a": "value"},
    "self.a = {}": {"a": "empty"},
    "self.a = collections.OrderedDict()": {"a": "empty"},
    "self.a = defaultdict(list)": {"a": "empty"},
    "self.a = deque(maxlen=3)": {"a": "empty"},
    "self.a = dict(k)": {"a": "value"},
    "self.a = self.dict()": {"a": "value"},
    "self.a = ()": {"a": "empty"},
    "self.__a = 1": {"_C__a": "value"},
    "setattr(self, '__a', 1)": {"__a": "value"},
    "me = self\nme.a = 1": {"a": "value"},
    "k.a = 1": {},
}


@pytest.mark.parametrize("body", WRITES)
def test_attributes_that_are_written(body: str) -> None:
    """By assignment, by name, and by changes of what is in them; with what there is in them afterwards."""
    assert writes(body) == WRITES[body]
    assert accesses(body).unknown_writes == ()


CERTAIN = {
    "self.a = 1": True,
    "self.a[k] = 1": True,
    "self = k\nself.a = 1": False,
    "me = self if k else k\nme.a = 1": False,
    "self.a.append(1)": False,
    "self.get()[k] = 1": False,
}


@pytest.mark.parametrize("body", CERTAIN)
def test_whether_a_write_is_certain(body: str) -> None:
    """It is not, if the name can refer to something else, or the method may do something else."""
    assert [each.is_certain for each in accesses(body).writes if each.through == "self"] == [CERTAIN[body]]


UNKNOWN = [
    "g(self)",
    "return k(x=self)",
    "return [self]",
    "x = self, 1",
    "x = [*self, self]",
    "x = {'a': self}",
    "k.owner = self",
    "k[0] = self",
    "self.me = self",
    "global g\ng = self",
    "global g\ng = self.__dict__",
    "def g():\n nonlocal me\n me = self\nme = None",
    "return lambda: self",
    "def g(): return self\nreturn g()",
    "return getattr(self, k)",
    "return hasattr(self, k)",
    "return self.__getattribute__(k)",
    "return self.__dict__",
    "return self.__dict__[k]",
    "return self.__dict__.items()",
    "x = self.__dict__.items",
    "return g(self.__dict__)",
    "return {**self.__dict__}",
    "return k in self.__dict__",
    "return vars(self)",
    "return vars()",
    "return locals()",
    "return dir(self)",
    "return eval('self.a')",
    "exec('self.a = 1')",
    "raise self",
    "return super(D, self).a",
    "g(super())",
    "g(*k, self)",
    "g(type(self))",
    "k.kind = type(self)",
    "match self:\n case C(1): pass",
    "return (lambda f: f(self))(k)",
    "print(1, file=self)",
    "setattr(self, 'a', self)",
    "self.__dict__.update(a=self)",
    "class D(self): pass",
    "(k or object).__delattr__(self)",
]


@pytest.mark.parametrize("body", UNKNOWN)
def test_where_the_object_cannot_be_followed(body: str) -> None:
    """It is passed on, kept, or asked for what a computed name says: then it is told where."""
    found = accesses(body)
    is_passed = any(each.function in {(), ("g",)} for each in found.passed)
    assert found.unknown_reads or is_passed
    assert all(each.line >= 3 for each in (*found.unknown_reads, *found.passed))


@pytest.mark.parametrize(
    "body",
    [
        "setattr(self, k, 1)",
        "self.__dict__[k] = 1",
        "self.__dict__.update(k)",
        "self.__dict__.update(**k)",
        "self.__dict__.clear()",
        "g(self.__dict__)",
        "object.__setattr__(self, k, 1)",
        "exec('self.a = 1')",
    ],
)
def test_where_any_attribute_may_be_written(body: str) -> None:
    """By a name that is computed, and through the dict as a whole."""
    assert accesses(body).unknown_writes


def test_setattr_that_sets_what_it_is_told_to() -> None:
    """It writes no other attributes than its caller says."""
    kind = load("""
        class C:
            def __setattr__(self, name, value):
                super().__setattr__(name, value)
        class D:
            def __setattr__(self, name, value):
                super().__setattr__(name, float(value))
    """)
    found = [self_accesses(kind[name].__setattr__.__code__) for name in "CD"]
    assert [bool(each and each.unknown_writes) for each in found] == [False, True]


def test_special_methods_that_operators_call() -> None:
    """Operators and built-in functions on the object call methods of it."""
    body = """
        x = self[1] + len(self) + (self < 1) + (2 in self) + -self + (3 % self)
        for y in self: self[y] = 1
        del self[1]
        with self: pass
        self(1)
        f"{self}", str(self), [*self], g(*self), self == 1, self or 2
        self += 1
        await self
    """
    found = accesses(body.replace("await self", ""))
    names = {name for names, _ in found.implicit for name in names}
    assert names >= {"__getitem__", "__len__", "__lt__", "__contains__", "__neg__", "__rmod__", "__iter__", "__call__"}
    assert names >= {
        "__setitem__",
        "__delitem__",
        "__enter__",
        "__exit__",
        "__format__",
        "__eq__",
        "__iadd__",
        "__bool__",
    }


def test_paths_of_attributes() -> None:
    """What is read on an attribute is told, also through another name for it."""
    body = "c = self.cosmo\nreturn c.age(1), self.cosmo.flat.x, self.grid.shape[0], g(self.grid), self.f(1)"
    found: dict[str, set[Any]] = {}
    for each in accesses(body).reads:
        found.setdefault(each.name, set()).add(each.path)
    assert found == {"cosmo": {None, ("age",), ("flat", "x")}, "grid": {("shape",), ()}, "f": {()}}
    assert {each.name for each in accesses(body).reads if each.is_called} == {"f"}


DEPENDS = {
    "self.t = self.make()": set(),
    "self.t = g(k)": {"k"},
    "x = k + 1\ny = x\nself.t = y": {"k"},
    "x = 1\nif k: x = 2\nself.t = x": {"k"},
    "x = []\nx.append(k)\nself.t = x": {"k"},
    "x = {}\nx['k'] = k\nself.t = x": {"k"},
    "x = 1\nx += k\nself.t = x": {"k"},
    "def g(y): return k\nself.t = g": {"k"},
    "for i in k: self.t = i": {"k"},
    "self.t[k] = g(k)": set(),
    "self.t['last'] = g(k)": {"k"},
    "self.t.setdefault(k, g(k))": set(),
    "self.t = self.t * 2 + 1": {"self.t"},
    "x = self.t + 1\nself.t = x": {"self.t"},
    "x = self.t\nif x is None: x = g()\nself.t = x": set(),
    "self.t = self.t or g()": set(),
    "self.t = g() if self.t is None else self.t": set(),
    "self.t = (x := self.t)": set(),
    "self.t = self.make(self.t)": {"self.t"},
    "self.t = [self.u for x in range(3)]": {"self.u"},
}


@pytest.mark.parametrize("body", DEPENDS)
def test_what_a_written_value_depends_on(body: str) -> None:
    """On arguments, through variables and conditions, and on attributes: what is kept under a key may depend on it."""
    found = accesses(body).writes
    assert {each for write in found if write.name == "t" for each in write.depends} == DEPENDS[body]


def test_conditions_by_arguments() -> None:
    """Arguments can decide whether something is written or called."""
    body = "if k: self.a = 1\nself.b = 1\nif self.c: self.d = 1\nx = self.m() if k else self.n\nk and self.o()"
    found = accesses(body)
    assert [each.name for each in found.writes if each.control] == ["a"]
    assert {each.name for each in found.reads if each.under_arguments} == {"m", "o"}


def test_a_function_without_source() -> None:
    """Nothing is known of it."""
    assert self_accesses(load("def f(self): return self.a", is_known=False)["f"].__code__) is None


def test_other_arguments_can_be_the_object() -> None:
    """The object can be any argument, the first of all, or none."""
    names = load("""
        def f(x, self): return self.a + x.b
        def g(*args, **options):
            self, *rest = args
            return self.a + args[0].b + inner(*args, **options)
        def h(x, *args): return args
    """)
    found = [
        self_accesses(names["f"].__code__, 1),
        self_accesses(names["f"].__code__, None),
        self_accesses(names["f"].__code__, 5),
        self_accesses(names["g"].__code__, 0),
        self_accesses(names["h"].__code__, 2),
    ]
    assert all(each is not None for each in found)
    assert [{read.name for read in each.reads} for each in found if each] == [{"a"}, set(), set(), {"a", "b"}, set()]
    assert found[3] is not None
    assert [each.function for each in found[3].passed] == [("inner",)]


def test_lambdas_on_one_line() -> None:
    """Each is told by its own tree."""
    kind = load("class C:\n    f, g, h = lambda self: self.a, lambda self: (lambda: self.__b), lambda self: None\n")[
        "C"
    ]
    found = [self_accesses(vars(kind)[name].__code__) for name in "fg"]
    assert [[read.name for read in each.reads] for each in found if each] == [["a"], ["_C__b"]]


def test_the_results_of_deleted_code_are_dropped() -> None:
    """Code that gets the address of deleted code is read anew."""
    for number in range(30):
        found = accesses(f"return self.a{number}")
        assert [each.name for each in found.reads] == [f"a{number}"]
