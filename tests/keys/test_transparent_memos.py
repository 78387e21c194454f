"""It is proven of memos as scientists write them that results do not depend on whether they were filled before."""

from __future__ import annotations

import functools
import textwrap
from typing import Any

import pytest

from stored._keys.reach_report import Reached
from stored._keys.reached import reached
from tests.keys.source_code import load

MODEL = """
class C:
 def __init__(self, h):
  self.h, self.n, self.last = h, 0, None
  self._t, self._u, self._c, self._d, self._log = None, None, {}, {}, []
 def set(self, h):
  self.h = h
  self._t, self._u = None, None
  self._c.clear()
  self._d = {}
 def make(self, k=0): return [self.h, k]
"""


def report(methods: str, model: str = MODEL) -> Reached:
    """What the method f of a class reaches."""
    inside = textwrap.indent(textwrap.dedent(methods), " ") if methods.startswith("\n") else f" {methods}"
    kind: Any = load(model + inside, functools=functools)["C"]
    return reached(kind, kind.f)


def is_transparent(methods: str, model: str = MODEL) -> bool:
    """Are all memos that it reads?"""
    found = report(methods, model).lazy
    assert found, "there is no memo"
    assert len({each.is_transparent for each in found}) == 1
    return found[0].is_transparent


FRESH = """
class C:
 def __init__(self, h): self.h = h
 def make(self, k=0): return [self.h, k]
"""

PROVEN = {
    "guarded": """
        def f(self, k):
            if self._t is None:
                self._t = self.make()
            return self._t[k]
    """,
    "asked with a walrus": """
        def f(self, k):
            if (t := self._t) is None:
                t = self._t = self.make()
            if (v := self._c.get(k)) is not None:
                return v + t
            v = self._c[k] = self.make(k)
            return v + t
    """,
    "locked, and asked again": """
        def f(self, k):
            if self._t is None:
                with self._lock:
                    if self._t is None:
                        self._t = self.make()
            return self._t[k]
    """,
    "beside other statements": """
        def note(self):
            global noted
            noted = 1
        def f(self, k):
            import math
            x: int
            y: int = 0
            self.note()
            if self._t is None:
                z: float = math.pi
                self._u, self._t = [z], self.make()
            while y < 3:
                y += self._t[0]
            match k:
                case [a, *b]: y += self._t[1]
                case {"a": 1, **c}: y += 1
                case _: pass
            try:
                y += self._u[0]
            except ValueError:
                y = 3
            if self._t is not None: return y
            return self._u
    """,
    "items of what vars() gives": """
        def f(self, k):
            if vars(self).get("_t") is None: self.__dict__["_t"] = self.make()
            t = vars(self)["_t"]
            return t[k]
    """,
    "a dictionary, by attributes": """
        def f(self, k):
            if (self.h, k) not in self._c:
                v = self.make(k)
                self._c[self.h, k] = v
                w = self._c[self.h, k]
            return self._c[self.h, k]
    """,
    "in any context": """
        def f(self, k):
            with open(k) as lines:
                if self._t is None: self._t = self.make()
                x = self._t[0]
            return 1
    """,
    "filled in steps": """
        def f(self, k):
            n = self.n + 1
            if self._t is None:
                x = [self.h * i for i in range(n)]
                total = 0
                for each in x:
                    if each > 5:
                        break
                    total += each
                y = {}
                y["total"] = total
                x.append(1)
                self._t = (x, y)
            p, q = self._t
            return p[k] + q["total"]
    """,
    "two at once": """
        def f(self, k):
            if self._t is None:
                self._u, self._t = self.make()
            return self._t + self._u + k
    """,
    "two in a row": """
        def f(self, k):
            if self._t is None:
                self._u = self.make()
                self._t = sum(self._u)
            return self._t + self._u[k]
    """,
    "a method that builds": """
        def build(self):
            total = 0
            for i in range(3):
                total += self.h
            self._u = total
            self._t = [total]
        def f(self, k):
            if self._t is None:
                self.build()
            return self._t[k] + self._u
    """,
    "a method that ensures": """
        def ensure(self):
            if self._t is not None:
                return
            self._t = self.make()
        def f(self, k):
            self.ensure()
            return self._t[k]
    """,
    "a property": """
        @property
        def table(self):
            if self._t is None:
                self._t = self.make()
            return self._t
        def f(self, k): return self.table[k] + len(self.table)
    """,
    "returned early": """
        def table(self):
            if self._t is not None:
                return self._t
            x = self.make()
            self._t = x
            return x
        def f(self, k): return self.table()[k]
    """,
    "returned early with else": """
        def table(self):
            if self._t is not None:
                return self._t
            else:
                self._t = self.make()
                return self._t
        def f(self, k): return self.table()[k]
    """,
    "evaluated early": """
        def f(self, k):
            if self._t is not None: return self._t[k]
            self._t = self.make()
            return self._t[k]
    """,
    "a local name": """
        def f(self, k):
            t = self._t
            if t is None:
                t = self.make()
                self._t = t
            return t[k]
    """,
    "a local name in a chain": """
        def f(self, k):
            t = getattr(self, "_t", None)
            if t is None:
                t = self._t = self.make()
            return t[k]
    """,
    "a local name for what is there": """
        def f(self, k):
            if self._t is None: self._t = self.make()
            t = self._t
            return (lambda z: t[z] + self._t[z])(k)
    """,
    "kept": """
        @functools.cached_property
        def t(self): return self.h
        def f(self, k): return self.t + k
    """,
    "a dictionary": """
        def f(self, k):
            if k not in self._c:
                self._c[k] = self.make(k)
            return self._c[k]
    """,
    "a dictionary, by tuples": """
        def f(self, k, m=1):
            key = (k, m)
            if key not in self._c:
                self._c[key] = self.make(k + m)
            return self._c[key]
    """,
    "a dictionary, by several tuples": """
        def g(self, k):
            if ("g", k) not in self._c: self._c["g", k] = self.make(k)
            return self._c["g", k]
        def f(self, k, m=1):
            key = ("f", k)
            if not key in self._c:
                self._c[key] = self.make(k)
            if "x" not in self._c: self._c["x"] = self.make(7)
            return self._c[key] + self.g(m) + self._c["x"]
    """,
    "a dictionary by another name": """
        def f(self, k):
            c = self._c
            if k not in c:
                c[k] = self.make(k)
            return c[k]
    """,
    "a dictionary in a loop": """
        def f(self, k):
            total = []
            for z in k:
                if z not in self._c:
                    self._c[z] = self.make(z)
                total = total + self._c[z]
            return total
    """,
    "a dictionary, tried": """
        def f(self, k):
            try:
                return self._c[k]
            except KeyError:
                x = self.make(k)
            self._c[k] = x
            return x
    """,
    "a dictionary, tried, with a name": """
        def f(self, k):
            try:
                v = self._c[k]
            except KeyError:
                v = self._c[k] = self.make(k)
            return v
    """,
    "a dictionary, asked with get": """
        def f(self, k):
            v = self._c.get(k)
            if v is None:
                v = self.make(k)
                self._c[k] = v
            return v
    """,
    "a dictionary, returned early": """
        def f(self, k):
            if k in self._c: return self._c[k]
            v = self.make(k)
            self._c[k] = v
            return v
    """,
    "a dictionary, either way": """
        def f(self, k):
            if k in self._c:
                v = self._c[k]
            else:
                v = self.make(k)
                self._c[k] = v
            return v
    """,
    "nested": """
        def table(self):
            if self._u is None: self._u = self.make()
            return self._u
        def f(self, k):
            if self._t is None:
                self._t = self.table() + self.table()
            if k not in self._c:
                self._c[k] = self.make(k) + self._t
            return self._c[k] + self.table()
    """,
    "counted and logged": """
        def f(self, k):
            self.n += 1
            if self._t is None:
                print("making")
                self._log.append("made")
                self.last = 1
                self._t = self.make()
            return self._t[k]
    """,
    "under a lock": """
        def f(self, k):
            with self.lock:
                if self._t is None: self._t = self.make()
                return self._t[k]
    """,
    "filled at two places alike": """
        def g(self):
            if self._t is None: self._t = self.make(1)
            return self._t[0]
        def f(self, k):
            if self._t is None: self._t = self.make(1)
            return self._t[k] + self.g()
    """,
    "filled anew": """
        def f(self):
            self._t = self.make()
            return self._t[0]
    """,
    "by its name": """
        def f(self, k):
            if self.__dict__.get("_t") is None: object.__setattr__(self, "_t", self.make())
            return self._t[k]
    """,
}

PROVEN_FRESH = {
    "hasattr": """
        def reset(self): del self._t
        def f(self, k):
            if not hasattr(self, "_t"): self._t = self.make()
            return self._t[k]
    """,
    "in __dict__": """
        def reset(self): self.__dict__.pop("_t", None)
        def f(self, k):
            if "_t" not in self.__dict__: self._t = self.make()
            return self._t[k]
    """,
    "tried": """
        def f(self, k):
            try:
                return self._t
            except AttributeError:
                pass
            self._t = self.make()
            return self._t
    """,
    "tried, all in one": """
        def f(self, k):
            try:
                t = self._t
            except AttributeError:
                t = self._t = self.make()
            return t[k]
    """,
    "a container that is made": """
        def reset(self): self._c = {}
        def f(self, k):
            if not hasattr(self, "_c"): self._c = {}
            c = self._c
            if k not in c: c[k] = self.make(k)
            return c[k]
    """,
    "private": """
        def f(self, k):
            if getattr(self, "_C__t", None) is None: self.__t = self.make()
            return self.__t[k]
    """,
}


@pytest.mark.parametrize("name", PROVEN)
def test_memos_as_they_are_written(name: str) -> None:
    """They are transparent."""
    assert is_transparent(PROVEN[name])


@pytest.mark.parametrize("name", PROVEN_FRESH)
def test_memos_that_are_no_attributes_at_first(name: str) -> None:
    """They are transparent."""
    assert is_transparent(PROVEN_FRESH[name], FRESH)


GUARDED = "if self._t is None: self._t = self.make()"
ITEM = "if k not in self._c: self._c[k] = self.make(k)"

UNPROVEN = {
    "a key that is assigned with its item": "def f(self, k):\n  k = self._c[k] = self.h\n  return self._c[k]",
    "a key of the filling of another": "def f(self):\n  j = 1\n  if self._t is None:\n   j = 2\n"
    "   self._t = self.make()\n"
    "  if j not in self._c: self._c[j] = j\n  return self._t + self._c[j]",
    "what was found in a function before": "def f(self):\n  g = lambda: t\n  t = self._t\n  x = g()\n"
    "  if t is None: t = self._t = self.make()\n  return x",
    "after any context": f"def f(self, k):\n  with k:\n   {GUARDED}\n  return self._t",
    "added in the filling": "def f(self):\n  x = 1\n  if self._t is None:\n   x += 1\n   self._t = self.make()\n"
    "  return self._t + x",
    "a variable of the filling added to": "def f(self):\n  x = 1\n  if self._t is None:\n   x = 2\n"
    "   self._t = self.make()\n  x += 1\n  return self._t + x",
    "a walrus elsewhere": f"def f(self, k):\n  {ITEM}\n  return (k := 3) + self._c[k]",
    "the container by another name": f"def f(self, k):\n  c = self._c\n  c = c or {{}}\n  {ITEM}\n  return self._c[k]",
    "a container that is made anew": f"def f(self, k):\n  self._c = {{}}\n  {ITEM}\n  return self._c[k]",
    "of one key in the filling of another": "def f(self):\n  for j in range(3):\n   if j not in self._c:\n"
    "    self._t = self.h\n    self._c[j] = j\n  return self._t",
    "always raised": "def f(self):\n  if self._t is None:\n   raise ValueError\n   self._t = self.h\n  return self._t",
    "a pattern": f"def f(self, k):\n  match self:\n   case C(_t=None): k = 2\n  {GUARDED}\n  return self._t + k",
    "another self": f"def f(self, k):\n  {GUARDED}\n  return (lambda self: self._t)(k) + self._t",
    "put elsewhere in the filling": "def f(self):\n  x = [1]\n  if self._t is None:\n   x[0] = self.h\n"
    "   self._t = self.make()\n  return self._t + x",
    "in the state that is pickled": "def f(self, k):\n  if self._t is None: self._u, self._t = self.make()\n"
    "  return self._t + self._u\n def __getstate__(self): return {**self.__dict__, '_u': None}",
    "the same texts, after others": "def g(self):\n  if self._t is None:\n   self.make()\n   self._t = self.h\n"
    "  return self._t\n def f(self):\n  if self._t is None: self._t = self.h\n  return self._t + self.g()",
    "tried and added": "def f(self, k):\n  x = 1\n  try:\n   x += self._c[k]\n  except KeyError:\n"
    "   self._c[k] = self.make(k)\n  return x",
    "not filled": "def f(self, k):\n  if self._t is not None: k += 1\n  self._t = 1\n  return k",
    "length": f"def f(self, k):\n  {ITEM}\n  return k if 3 in self._c else 2",
    "or": "def f(self, k):\n  self._t = self.h\n  return k\n def g(self): self._t = None".replace(
        "self._t = self.h", "x = self._t or 0\n  if self._t is None: self._t = self.h\n  k += x"
    ),
    "asked in an expression": f"def f(self, k):\n  x = 0 if self._t is None else self._t\n  {GUARDED}\n  return x",
    "another condition": "def f(self, k):\n  if k > 1: self._t = self.make()\n  return self._t",
    "and": f"def f(self, k):\n  {GUARDED.replace('None', 'None and k > 1')}\n  return self._t",
    "another memo asked for": "def f(self, k):\n  if self._u is None: self._u = 1\n"
    "  if self._u is None: self._t = self.make()\n  return self._t",
    "else": f"def f(self, k):\n  {GUARDED}\n  else: k += 1\n  return self._t[k]",
    "variable of the filling": "def f(self, k):\n  x = 1\n  if self._t is None:\n   x = 2\n   self._t = self.make()\n"
    "  return self._t[k] + x",
    "variable changed in the filling": "def f(self, k):\n  x = [1]\n  if self._t is None:\n   x.append(2)\n"
    "   self._t = self.make()\n  return self._t[k] + x",
    "item of a variable changed in the filling": "def f(self):\n  x = [1]\n  if self._t is None:\n   x[0] = 2\n"
    "   self._t = self.make()\n  return self._t[0] + x",
    "taken from a variable in the filling": "def f(self):\n  x = [1]\n  if self._t is None:\n   y = x.pop()\n"
    "   self._t = [y]\n  return self._t[0] + x",
    "left early": "def f(self, k):\n  if self._t is None:\n   if self.h: return 3\n   self._t = self.make()\n"
    "  return self._t",
    "continued": "def f(self, k):\n  for i in k:\n   if self._t is None:\n    if self.h: continue\n"
    "    self._t = self.make()\n   x = self._t\n  return x",
    "filled at times": "def f(self, k):\n  if self._t is None:\n   if self.h: self._t = self.make()\n  return self._t",
    "more after filling": "def f(self, k):\n  if self._t is None:\n   self._t = self.make()\n   self.make().pop()\n"
    "  return self._t",
    "another variable returned": "def f(self):\n  if self._t is not None: return self._t\n  x = self.make()\n"
    "  self._t = x\n  x = 3\n  return x",
    "another memo returned": "def f(self):\n  if self._u is None: self._u = 2\n"
    "  if self._t is not None: return self._t\n"
    "  self._t = self.make()\n  return self._u",
    "a changed variable returned": "def f(self, k):\n  if self._t is not None: return self._t[k]\n  x = self.make()\n"
    "  k = 1\n  self._t = x\n  return x[k]",
    "nothing returned": "def f(self, k):\n  if self._t is not None: return\n  self._t = self.make()\n  return 2",
    "something returned": "def f(self, k):\n  if self._t is not None: return 2\n  self._t = self.make()",
    "not all returned": "def f(self, k):\n  if k:\n   if self._t is not None: return\n"
    "   self._t = self.make()\n  return 2",
    "key changed": "def f(self, k):\n  if k not in self._c:\n   self._c[k] = self.make(k)\n  k = 2\n"
    "  return self._c[k]",
    "key changed in the filling": "def f(self, k):\n  if k not in self._c:\n   k = 3\n   self._c[k] = self.make(k)\n"
    "  return self._c[k]",
    "another key": "def f(self, k, m):\n  if k not in self._c: self._c[k] = self.make(k)\n  return self._c[m]",
    "key that is computed": "def f(self, k):\n  j = k % 2\n  if j not in self._c: self._c[j] = self.make(k)\n"
    "  return self._c[j]",
    "key of another name": "def f(self, k):\n  c = self._c\n  if k not in c: c[k] = self.make(k)\n"
    "  return [c[k] for k in [1, 2]]",
    "key in a function": "def f(self, k):\n  if k not in self._c: self._c[k] = self.make(k)\n"
    "  g = lambda: self._c[k]\n  k = 2\n  return g()",
    "variable of a loop": "def f(self, k):\n  for i in range(3):\n   if self._t is None: self._t = [i]\n"
    "   x = self._t[0]\n"
    "  return x",
    "variable after a loop": "def f(self, k):\n  y = x = 0\n  for i in range(3):\n   y += x\n   if self._t is None:\n"
    "    x = 2\n    self._t = self.make()\n  return y",
    "filled at two places": "def g(self):\n  if self._t is None: self._t = [2]\n  return self._t\n"
    f" def f(self):\n  {GUARDED}\n  return self._t + self.g()",
    "items filled at two places": "def g(self, k):\n  if k not in self._c: self._c[k] = self.make(k + 1)\n"
    f"  return self._c[k]\n def f(self, k):\n  {ITEM}\n  return self._c[k] + self.g(3)",
    "items filled at two places, by another key": f"def f(self, k):\n  {ITEM}\n"
    "  if 'a' not in self._c: self._c['a'] = self.make(1)\n  return self._c[k] + self._c['a']",
    "emptied here": f"def f(self, k):\n  {GUARDED}\n  x = self._t\n  self._t = None\n  return x",
    "emptied in a loop": "def f(self, k):\n  for i in k:\n   if self._t is None: self._t = self.make()\n"
    "   x = self._t\n"
    "   del self._t\n  return x",
    "emptied alone": "def f(self, k):\n  if self._t is None: self._u, self._t = self.make()\n"
    "  return self._t + self._u\n def g(self): self._u = None",
    "left as an empty list": f"def f(self, k):\n  {GUARDED}\n  return self._t\n def g(self): self._t = []",
    "emptied by another name": f"def f(self, k):\n  {GUARDED}\n  return self._t\n def t(self): return self._t\n"
    " def g(self): self.t().clear()",
    "hasattr of None": "def f(self, k):\n  if not hasattr(self, '_t'): self._t = self.make()\n  return self._t",
    "no dictionary": f"def f(self, k):\n  {ITEM}\n  return self._c[k]\n def g(self): self._c = None",
    "a dictionary made elsewhere": "def g(self):\n  if self._c is None: self._c = {}\n def f(self, k):\n"
    f"  {ITEM}\n  self.g()\n  return self._c[k]",
    "the dictionary itself": "def f(self, k):\n  c = self._c\n  if c is None: c = self._c = {}\n"
    "  if k not in c: c[k] = self.make(k)\n  return 4 if 3 in c else c[k]",
    "something else written, and read": f"def f(self, k):\n  self.n += 1\n  {GUARDED}\n  return self._t * self.n",
    "a dictionary read before": f"def f(self, k):\n  x = self._c.get(k, 1)\n  {ITEM}\n  return x",
    "tried with more": "def f(self, k):\n  try:\n   x = self._c[k]\n   y = 2\n  except KeyError:\n   y = 3\n"
    "   self._c[k] = self.make(k)\n  return y",
    "another error": "def f(self, k):\n  try:\n   x = self._c[k]\n  except TypeError:\n"
    "   x = self._c[k] = self.make(k)\n"
    "  return x",
    "read in a function before": f"def f(self, k):\n  g = lambda: self._t\n  x = g()\n  {GUARDED}\n  return x",
    "variable of the filling in a function": "def f(self):\n  x = 1\n  g = lambda: x\n  if self._t is None:\n   x = 2\n"
    "   self._t = self.make()\n  return g()",
    "kept, and set": "@functools.cached_property\n def t(self): return self.h\n def f(self):\n  self.t = 3\n"
    "  return self.t",
    "kept, and asked for": "@functools.cached_property\n def t(self): return self.h\n def f(self):\n"
    "  return self.t if 't' in self.__dict__ else 3",
    "of another object": f"def f(self, k):\n  {GUARDED}\n  return self._t + k._t",
    "a generator": f"def f(self, k):\n  {GUARDED}\n  yield self._t",
    "of the class": f"def f(self, k):\n  {GUARDED}\n  return self._t + type(self)._t",
}


@pytest.mark.parametrize("name", UNPROVEN)
def test_memos_without_a_proof(name: str) -> None:
    """They are not."""
    assert not is_transparent(UNPROVEN[name])


def test_dataclasses() -> None:
    """Fields that are memos are transparent, if no generated method that is reached reads them."""
    source = """
    import dataclasses
    @dataclasses.dataclass
    class C:
        _u = None
        h: float
        _t: object = dataclasses.field(default=None, init=False)
        def f(self):
            if self._t is None: self._t = [self.h]
            return self._t
        def g(self): return str(self), self.f()
        def i(self):
            if self._u is None: self._u = [self.h]
            return str(self), self._u
    """
    kind: Any = load(source)["C"]
    assert [each.is_transparent for each in reached(kind, kind.f).lazy] == [True]
    assert [each.is_transparent for each in reached(kind, kind.g).lazy] == [False]
    assert [each.is_transparent for each in reached(kind, kind.i).lazy] == [True]


def test_a_file_that_is_edited_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without source there is no proof."""
    monkeypatch.setattr("stored._keys.transparent_memos.function_tree", lambda code: None)
    assert not is_transparent(PROVEN["guarded"])


def test_memos_that_are_not_read() -> None:
    """Those that are written only count for nothing, and are not called transparent if they are no memos."""
    written = report("def f(self, k):\n  self.last = k\n  self._log.append(k)\n  return self.h").written_here
    assert {name: each.is_transparent for name, each in written.items()} == {"last": False, "_log": True}
    removed = report("def f(self, k):\n  self._log.append(k)\n  self._log.remove(k)\n  return self.h").written_here
    assert not removed["_log"].is_transparent
