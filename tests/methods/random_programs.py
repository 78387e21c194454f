"""Small classes at random, with setters, memos, lazy attributes and nested objects, and what is done to them."""

from __future__ import annotations

import copy
import random
import textwrap
from typing import Any

from stored import OwnerError, keyed_by
from stored._engine import owner_record
from tests.keys.source_code import load

__all__ = ["run_program"]

_VALUES = (
    *("self.a", "self.b", "self.u", "self.N", "self.d", "k", "1", "self.part.x", "self.part.double()"),
    *("self.helper(k)", "self.lazy", "self.table[1]", "self.fixed", "len(self.items)", "self.items[-1]"),
    *("self.part.lazy()", "self.part.kept", "self.inner.lazy()", "self.inner.kept", "self.inner.double()"),
    *("self.other(k)", "self.total()", "getattr(self, 'u')", "self.maker(k)", "self.pair[0]", "self.settings['m']"),
)

_STATEMENTS = (
    "x += {v}",
    "x = x * 2 + {v}",
    "if {v} > 2: x += {w}",
    "for i in range(2): x += {v} + i",
    "if self._t is None: self._t = {v}\nx += self._t",
    "if self._t is None:\n    self._t = {v}\n    x += 1",
    "if self._t is not None: x += self._t",
    "t = self._t\nif t is None:\n    t = {v}\n    self._t = t\nx += t",
    "if k not in self._c: self._c[k] = {v}\nx += self._c[k]",
    "x += self._c.setdefault(k, {v})",
    "x += len(self._c)",
    "try: x += self._z\nexcept AttributeError:\n    self._z = {v}\n    x += self._z",
    "if not hasattr(self, '_z'): self._z = {v}\nx += self._z",
    "self.count += 1",
    "x += self.count",
    "self.log.append({v})",
    "self.u = {v}",
    "x += sum(self.items)",
    "x += (lambda y: y * self.b + {v})(k)",
    "x += [self.u * y + {v} for y in (1, 2)][1]",
)

_STEPS = (
    *("o.a = n", "o.b = n", "o.u = n", "o.part.x = n", "o.items.append(n)", "o.items[0] = n", "o.settings['m'] = n"),
    *("o.set(n)", "o.reset()", "o._t = None", "o._c.clear()", "o._c[1] = n", "o._t = n", "o.count = n", "o.N = n"),
    *("o.lazy", "o.plain(n)", "o.part = type(o.part)(n)", "o.pair = (n, 0)", "o.fill(n)", "o.d = n"),
    *("o.maker = (lambda s: lambda k: k + s)(n)", "o.__dict__.pop('fixed', None)", "o.fixed", "C.N = n"),
    *("o.part.y = n", "o.part._m = n", "o.part.lazy()", "o.part._m = None", "o.part.kept", "o.inner.x = n"),
    *("o.inner.y = n", "o.inner.lazy()", "o.inner._m = None", "o.inner._m = n", "o.inner.kept", "o.inner.z = n"),
    *("o.helper = lambda k: n * 7", "o.__dict__.pop('helper', None)", "o.total = o.part.double", "o.part.z = n"),
)

_CLASS = """
import functools
import re

class Part:
    def __init__(self, x): self.x, self.y, self._m, self.opaque = x, 1, None, re.compile("a")
    def double(self): return self.x * 2
    def lazy(self):
        if self._m is None: self._m = self.x + 10 * self.y
        return self._m
    @functools.cached_property
    def kept(self): return self.x + 100 * self.y

class Inner(Part):
    def __init__(self, x):
        super().__init__(x)
        del self.opaque

class C:
    N = 3
    def __init__(self, a, b):
        self.a, self.b, self.u, self.d = a, b, 1, a * 2
        self.part, self.inner, self.items, self.pair, self.settings = Part(a), Inner(b), [1, b], (a, b), {{"m": 1}}
        self.maker = lambda k: k + 1
        self.count, self.log, self._t, self._c, self._lazy, self._table = 0, [], None, {{}}, None, None
    @property
    def lazy(self):
        if self._lazy is None: self._lazy = {lazy}
        return self._lazy
    @property
    def table(self):
        if self._table is None: self._table = [self.a, self.b + {table}]
        return self._table
    @functools.cached_property
    def fixed(self): return {fixed}
    def helper(self, k): return k * self.b + self.N
    def fill(self, k): self._t = k + self.b
    def set(self, k):
        {setter}
    def reset(self): self._t = self._lazy = None; self._c.clear()
    def plain(self, k): return self.method(k) if k else self.lazy
    def total(self): return self.a + self.u
{methods}
"""


_HELPERS = """
def same(self, k): return self.N + self.b * k
def same_again(self, k):
    found = self.b * k
    return found + self.N
def another(self, k): return k * self.b - self.N - 7
"""
"""Edits of the helper: of the first two, results are those of before."""


def _block(choose: random.Random, values: tuple[str, ...], statements: tuple[str, ...]) -> str:
    lines = [
        choose.choice(statements).format(v=choose.choice(values), w=choose.choice(values))
        for _ in range(choose.randint(1, 4))
    ]
    return textwrap.indent("\n".join(["x = 0", *lines, "return x"]), " " * 8)


def _source(choose: random.Random, decorator: str) -> str:
    mark = f"    {decorator}\n" if decorator else ""
    inner = tuple(each for each in _VALUES if "other" not in each)
    pure = tuple(each for each in _STATEMENTS if not each.startswith(("self.u =", "self.count +=")))
    leaf = ("self.a", "self.b", "self.u", "self.N", "1", "self.part.x")
    methods = f"{mark}    def other(self, k):\n{_block(choose, inner, pure)}\n{mark}    def method(self, k=1):\n"
    methods += _block(choose, _VALUES, _STATEMENTS)
    setter = choose.choice(
        ("self.a = k", "self.a = k; self.reset()", "self.u = self.b = k", "self._t = None; self.b = k")
    )
    parts = {name: choose.choice(leaf) for name in ("lazy", "table", "fixed")}
    return _CLASS.format(methods=methods, setter=setter, **parts)


def run_program(
    seed: int,
    decorator: str = "@stored",
    plants: bool = False,
    edits: bool = False,
    accepts: bool = False,
    history: int = 0,
) -> int:
    """Make a class and change its objects at random, and compare each call with the plain one; how many hits?

    With `plants`, what memory has is exchanged for wrong values now and then. With `edits`, a helper is exchanged for
    one that does the same, and towards the end for another; with `accepts`, what was computed with those that do the
    same is accepted. Another `history` of the same seed has the same class, and finds what others have stored.
    """
    choose = random.Random(seed)
    state = choose.getstate()
    made = load(_source(choose, decorator))
    choose.setstate(state)
    plain_class: Any = load(_source(choose, ""))["C"]
    if "auto" in decorator and choose.random() < 0.4:
        stored_class = made["C"]
        stored_class.getHashableString = lambda self: "none of its parameters"
    else:
        stored_class = keyed_by("a", "b")(made["C"]) if choose.random() < 0.8 else keyed_by("a")(made["C"])
    if choose.random() < 0.5:
        keyed_by("x")(made["Inner"])
    owners = [stored_class(1, 2), stored_class(2, 1)]
    choose = random.Random(f"{seed} {history}")
    done: list[Any] = []
    for step_number in range(30):
        number = choose.randrange(2)
        if edits and choose.random() < 0.2:
            done.append(_edit(choose, (stored_class, plain_class), owners[number], accepts, step_number > 20))
        if choose.random() < 0.55:
            method, k = choose.choice(("method", "other")), choose.randrange(3)
            done.append((number, method, k))
            if plants and choose.random() < 0.3:
                _plant(owners[number])
            _compare(owners[number], plain_class, method, k, (seed, history, done))
        elif choose.random() < 0.15:
            owners[1 - number] = copy.deepcopy(owners[number]) if choose.random() < 0.5 else stored_class(1, 2)
            done.append((number, "copy or new"))
        else:
            step = choose.choice(_STEPS)
            n = choose.randrange(4)
            done.append((number, step, n))
            _do(step, owners[number], n, stored_class, plain_class)
    return sum(getattr(each, name).cache_info().hits for each in owners for name in ("method", "other"))


def _edit(choose: random.Random, kinds: tuple[Any, Any], owner: Any, accepts: bool, is_late: bool) -> str:
    """Exchange the helper, and accept what was computed before if it is still right."""
    is_another = "another" in kinds[0].helper.__name__ or (is_late and choose.random() < 0.5)
    name = "another" if is_another else choose.choice(("same", "same_again"))
    helper = load(_HELPERS)[name]
    for kind in kinds:
        kind.helper = helper
    holder = choose.choice((kinds[0], owner))
    for method in ("method", "other"):
        if accepts and not is_another:
            getattr(holder, method).cache_accept(sample=1)
    return name


def _plant(owner: Any) -> None:
    for present in owner_record(owner)._spaces.values():
        for space in present.spaces.spaces():
            for memory in space.memories.values():
                for result in memory.values():
                    result.value = (result.value, "planted")


def _do(step: str, owner: Any, n: int, stored_class: Any, plain_class: Any) -> None:
    for kind in (stored_class, plain_class):
        try:
            exec(step, {"o": owner, "n": n, "C": kind})
        except (TypeError, AttributeError, RecursionError, IndexError):
            return
        if not step.startswith("C."):
            return


def _compare(owner: Any, plain_class: Any, method: str, k: int, what: Any) -> None:
    plain = plain_class.__new__(plain_class)
    plain.__dict__.update(copy.deepcopy(vars(owner)))
    try:
        expected = getattr(plain, method)(k)
    except (TypeError, AttributeError, RecursionError, IndexError) as error:
        expected = type(error)
    try:
        found = getattr(owner, method)(k)
    except (TypeError, AttributeError, RecursionError, IndexError) as error:
        if isinstance(error, OwnerError) and "depends='auto'" in str(error):
            return  # its code cannot be followed everywhere
        found = type(error)
    assert found == expected, (what, found, expected)
    assert type(found) is type(expected), (what, found, expected)
