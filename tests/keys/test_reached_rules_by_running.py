"""A key that has what the rules say gives what the plain call gives: for classes, and changes of objects, at random."""

from __future__ import annotations

import contextlib
import copy
import functools
import textwrap
import weakref
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stored._keys.reach_report import Reached
from stored._keys.reached import reached
from tests.keys.source_code import load

values = st.sampled_from(["self.a", "self.b", "self.a + self.b", "k", "k + self.a", "1", "self.g()", "self.h(k)"])
filled = st.one_of(values, st.sampled_from(["self._t", "(self._t or 0) + 1", "len(self._c)", "self._c.get(k, 0) + 1"]))

statements = st.one_of(
    st.builds("if self._t is None: self._t = {}".format, filled),
    st.builds("if k > 1: self._t = {}".format, filled),
    st.builds("self._t = {}".format, filled),
    st.builds("t = self._t\nif t is None:\n t = {}\n self._t = t\nx += t".format, filled),
    st.builds("t = {}\nself._t = t".format, filled),
    st.builds("if k not in self._c: self._c[k] = {}\nx += self._c[k]".format, filled),
    st.builds("c = self._c\nif 1 not in c: c[1] = {}\nx += c[1]".format, filled),
    st.builds("x += self._c.setdefault(k, {})".format, filled),
    st.builds("x += {}".format, values),
    st.builds("if self._t is not None: x += self._t".format),
    st.builds("self._log.append({})".format, values),
    st.builds("x += len(self._log)".format),
    st.builds("x += len(self._c)".format),
    st.builds("x += sum(self._c.values())".format),
    st.builds("for y in self._c: x += y".format),
    st.builds("self.n += {}".format, values),
    st.builds("x += self.n".format),
    st.builds("self.a = {}".format, values),
    st.builds("self._t = None".format),
    st.builds("self._c.clear()".format),
    st.builds("x += self.q".format),
)

# memos as they are written, and with mistakes


@st.composite
def mostly(draw: Any, good: list[str], bad: list[str], share: int = 8) -> str:
    """One of the good ones, or once in so many times one of the others."""
    return str(draw(st.sampled_from(bad if draw(st.integers(1, share)) == share else good)))


keys = mostly(["k", "k", "(k, 1)", "('s', k)", "key", "1", "self.b"], ["j", "self.a", "x"])
fills = mostly(
    ["self.a", "self.a + self.b", "self.h(2)", "n", "n + self.a", "self.w()", "self.p"], ["y", "k", "j", "x", "k * n"]
)
item_fills = mostly(
    ["k * self.b", "self.h(k)", "self.a", "k + n", "self.w() + k"], ["j + self.a", "x", "y", "self.g()"]
)
uses = mostly(["x += {}", "x += (lambda: {})()", "return x + {}", "z = {}\nx += z"], ["x += y", "k = {}", "x += 1"])
rest = mostly(
    ["pass"],
    [
        "y = 1",
        "k = 2",
        "j = 3",
        "self.n += 1",
        "self._log.append(1)",
        "return 5",
        "x += 1",
        "self.ensure()",
        "t = 1",
        "self._u = 2",
        "self._u = self.a",
        "n.bit_length()",
        "for y in range(3): pass",
        "v = 2",
        "self._c.clear()",
    ],
    4,
)
before = mostly(
    ["pass", "key = (k, 2)", "n = self.b + 1", "key = ('s', k)", "self.ensure()", "self.build()", "x += self.w()"],
    [
        "y = 1",
        "j = k",
        "key = (k % 2, 2)",
        "t = self._t",
        "n = k",
        "j = k % 2",
        "c = self._c",
        "v = self._c.get(k)",
        "j = self.b",
        "if k: n = 3",
        "for k in [1, 2]: x += k",
    ],
    3,
)
tests = mostly(["{} is None"], ["{} is not None", "{} is None and k", "k > 1", "self._u is None"])


def indented(text: str) -> str:
    return textwrap.indent(text, " ")


def guarded(place: str, other: str, test: str, fill: str, more: str, orelse: str, use: str) -> str:
    text = f"if {test.format(place)}:\n{indented(more)}\n {other} = {fill}\n"
    text += {"": "", "else": "else: x += 1\n", "more": f" {more}\n"}[orelse]
    return text + use.format(other)


def guarded_item(test: str, key: str, other: str, fill: str, more: str, use: str) -> str:
    text = f"if {test.format(key)}:\n{indented(more)}\n self._c[{other}] = {fill}\n"
    return text + use.format(f"self._c[{key}]")


@st.composite
def guards(draw: Any, place: str) -> str:
    other = draw(mostly([place], ["self._u", "self._t", "x"], 12))
    orelse = draw(mostly([""], ["else", "more"]))
    return guarded(place, other, draw(tests), draw(fills), draw(rest), orelse, draw(uses))


@st.composite
def item_guards(draw: Any) -> str:
    key = draw(keys)
    other = draw(mostly([key], ["k", "1", "j"], 12))
    test = draw(mostly(["{} not in self._c", "not {} in self._c"], ["{} in self._c", "k > 1"]))
    return guarded_item(test, key, other, draw(item_fills), draw(rest), draw(uses))


def filled_in(text: str, **parts: str) -> str:
    for name, part in parts.items():
        text = text.replace(f"<{name}>", part)
    return text


@st.composite
def names_of_items(draw: Any) -> str:
    key = draw(keys)
    text = draw(
        st.sampled_from(
            [
                "v = self._c.get(<K>)\nif v is None:\n <M>\n v = <V>\n self._c[<K>] = v\nx += <R>",
                "v = self._c.get(<K>)\nif v is None: v = self._c[<K>] = <V>\nx += <R>",
                "try: v = self._c[<K>]\nexcept KeyError:\n <M>\n v = self._c[<K>] = <V>\nx += <R>",
                "try: return self._c[<K>]\nexcept KeyError:\n <M>\nv = <V>\nself._c[<K>] = v\nreturn <R>",
                "if <K> in self._c: return self._c[<K>]\n<M>\nv = <V>\nself._c[<K>] = v\nreturn <R>",
                "if <K> in self._c: v = self._c[<K>]\nelse:\n v = <V>\n <M>\n self._c[<K>] = v\nx += <R>",
                "for k in [1, 2, k]:\n if <K> not in self._c:\n  <M>\n  self._c[<K>] = <V>\n x += self._c[<K>]",
                "c = self._c\nif <K> not in c:\n <M>\n c[<K>] = <V>\nx += c[<K>]",
                "if (v := self._c.get(<K>)) is not None: return v\n<M>\nv = self._c[<K>] = <V>\nreturn <R>",
                "self._c[<K>] = <V>\nx += self._c[<K>]",
            ]
        )
    )
    returned = draw(mostly(["v", "self._c[<K>]"], ["x", "v + k"]))
    return filled_in(text, R=returned, K=key, M=draw(rest), V=draw(item_fills))


@st.composite
def names_of_memos(draw: Any, place: str) -> str:
    text = draw(
        st.sampled_from(
            [
                "t = <P>\nif t is None:\n <M>\n t = <V>\n <P> = t\nx += <R>",
                "t = getattr(self, '_t', None)\nif t is None: t = self._t = <V>\nx += <R>",
                "if <P> is not None: return <P>\n<M>\nt = <V>\n<P> = t\nreturn <R>",
                "if <P> is not None: return <P> + k\nt = <V>\n<M>\n<P> = t\nreturn <R> + k",
                "if self._t is None: self.build()\nx += <R> + self._u",
                "if self._t is None: self._u, self._t = <V>, <V>\nx += self._t + self._u",
                "if self._t is None:\n self._u = <V>\n <M>\n self._t = self._u\nx += self._t + self._u",
                "self.ensure()\nx += <R>",
                "self.build()\nx += <R>",
                "for j in range(3):\n if <P> is None:\n  <M>\n  <P> = <V>\n x += <P>",
                "for j in [k, 1]:\n x += y\n if <P> is None:\n  y = j\n  <P> = <V>\nx += <R>",
                "if k > 1:\n if <P> is None:\n  <P> = <V>\n x += <P>\nx += <R>",
                "<P> = <V>\nx += <R>",
                "if (t := <P>) is None:\n <M>\n t = <P> = <V>\nx += <R>",
                "if <P> is None:\n with lock:\n  if <P> is None:\n   <M>\n   <P> = <V>\nx += <R>",
                "with null():\n <M>\n if <P> is None: <P> = <V>\n x += <R>",
                "x += self.w() + self.p",
            ]
        )
    )
    returned = draw(mostly(["t" if "t = " in text else "<P>", "<P>"], ["x", "t"]))
    return filled_in(text, R=returned, P=place, M=draw(rest), V=draw(fills))


by_memo = {
    "_t": st.one_of(guards("self._t"), names_of_memos("self._t")),
    "_u": st.one_of(guards("self._u"), names_of_memos("self._u"), guards("self.__dict__['_u']")),
    "_c": st.one_of(item_guards(), names_of_items()),
}


@st.composite
def filling_bodies(draw: Any, memos: tuple[str, ...] = ("_t", "_u", "_c")) -> str:
    """Statements that fill different memos, and some that do other things."""
    chosen = draw(st.lists(st.sampled_from(memos), min_size=1, max_size=2, unique=True))
    parts = [draw(before), *(draw(by_memo[each]) for each in chosen)]
    parts += [draw(mostly(["pass"], ["x += y", "x += k", "x += n", "x += len(self._c)", "x += self._u", "x += j"], 4))]
    if draw(st.integers(1, 6)) == 6:
        parts.insert(draw(st.integers(0, len(parts))), draw(st.one_of(statements, by_memo["_t"], by_memo["_c"])))
    return "\n".join(parts)


bodies = st.one_of(st.lists(statements, min_size=1, max_size=3).map("\n".join), filling_bodies())

helpers = st.one_of(st.just("pass"), filling_bodies(("_u",)), filling_bodies(("_c",)))

builders = mostly(
    ["pass", "self._t = self.a", "self._u = self.a + 1\nself._t = self.b"],
    ["self._t = self.a\nself._u = 2", "if self.a > 1: self._t = self.b", "self._u = 3"],
    4,
)
ensurers = mostly(
    ["pass", "if self._t is not None: return\nself._t = self.b", "if self._u is None: self._u = self.a"],
    ["if self._u is None: self._t = self.b", "if self._t is None: return\nself._u = self._t", "self._t = 2"],
    4,
)
getters = mostly(
    [
        "return self.b",
        "if self._u is None: self._u = self.b\nreturn self._u",
        "if self._t is not None: return self._t\nt = self.a * 2\nself._t = t\nreturn t",
    ],
    [
        "return self._u or 2",
        "return 2 if self._t is None else 3",
        "if self._u is None: return 3\nreturn self._u",
        "if 's' not in self._c: self._c['s'] = self.b\nreturn self._c['s']",
        "return len(self._c)",
    ],
    4,
)

setters = st.sampled_from(
    [
        "self.a = k; self._t = None; self._c.clear()",
        "self._t = k",
        "self._c[k] = k",
        "self._t, self._c = None, {}",
        "self.a = k; self._t, self._u, self._c = None, None, {}",
        "self.a = k; self._u = None",
        "setattr(self, '_t', k)",
        "self.b = k",
        "self.q = k",
        "self.n = 0",
    ]
)

resetters = mostly(
    ["self.a = k; self._t, self._u, self._c = None, None, {}"],
    ["self._t = self._u = None", "self._c.clear()", "self.a = k; self._u = None", "self._t = None", "self._c = None"],
    3,
)

steps = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(["f", "f", "f", "set", "a", "b", "copy"]), st.integers(0, 3)),
    min_size=4,
    max_size=14,
)


def program(f: str, g: str, setter: str, build: str = "pass", ensure: str = "pass", w: str = "return 1") -> str:
    def block(text: str) -> str:
        return textwrap.indent(text, " " * 8)

    return f"""
import contextlib
lock, null = contextlib.nullcontext(), contextlib.nullcontext
class C:
    def __init__(self, a, b):
        self.a, self.b, self.n = a, b, 0
        self._t, self._u, self._c, self._log = None, None, {{}}, []
    @property
    def q(self): return self.b * 2
    @q.setter
    def q(self, value): self.b = value
    def set(self, k): {setter}
    def h(self, k): return k * self.b
    def build(self):
{block(build)}
    def ensure(self):
{block(ensure)}
    def w(self):
{block(w)}
    @functools.cached_property
    def p(self): return self.w() + self.a
    def g(self, k=1):
        x = y = j = 0
        n = self.b
{block(g)}
        return x
    def f(self, k):
        x = self.a
        y = j = 0
{block(f)}
        return x
"""


def is_filled(value: Any) -> bool:
    """Is there something in a memo?"""
    return value is not None and value not in ({}, [])


def state(value: Any) -> Any:
    """Of a memo: whether it is filled; of one that is filled item by item, with which."""
    return sorted(value, key=repr) if isinstance(value, dict) else is_filled(value)


class Simulated:
    """What a store does that follows the rules.

    The values of memos are in no key, only whether there is one, or for which keys: a method can ask for that, unless
    it is proven that it makes no difference. A result that reads a memo which was filled under other parameters,
    or by somebody else, is private: here it is not kept at all.
    """

    def __init__(self, found: Reached) -> None:
        self.found = found
        self.results: dict[Any, Any] = {}
        self.hits = 0
        self.filled_under: Any = weakref.WeakKeyDictionary()

    def call(self, owner: Any, k: int) -> Any:
        plain = type(owner).f
        parameters = self._parameters(owner)
        before = self._memos(owner)
        asked = [state(each) for name, each in before.items() if not self.found.written_here[name].is_transparent]
        key = str((parameters, k, asked))
        is_private = self.is_private(owner)
        if not is_private and key in self.results:
            self.hits += 1
            return self.results[key]
        result = plain(owner, k)
        is_changed = parameters != self._parameters(owner)
        for name, each in self._memos(owner).items():
            if is_filled(each) and each != before[name]:
                under = "several" if is_private else None if is_changed else parameters
                self.filled_under.setdefault(owner, {})[name] = under, each
        if not is_private and not is_changed:
            self.results[key] = result
        return result

    def _parameters(self, owner: Any) -> Any:
        names = dict.fromkeys(each.name for each in self.found.reads)
        joined = [name for name in names if self.found.rule_of(name).rule != "memo"]
        return copy.deepcopy([getattr(owner, name) for name in joined])

    def _memos(self, owner: Any) -> dict[str, Any]:
        memos = [each.name for each in self.found.lazy if each.name != "_log"]
        return {name: copy.copy(vars(owner).get(name)) for name in memos}

    def is_private(self, owner: Any) -> bool:
        """Was a memo filled under other parameters, or by others?"""
        parameters = self._parameters(owner)
        known = self.filled_under.get(owner, {})
        return any(
            is_filled(each) and known.get(name) != (parameters, each) for name, each in self._memos(owner).items()
        )


def act(owners: list[Any], number: int, action: str, k: int) -> None:
    """Change an object."""
    if action == "set":
        owners[number].set(k)
    elif action == "copy":
        owners[1 - number] = copy.deepcopy(owners[number])
    else:
        setattr(owners[number], action, k)


def made(f: str, g: str, setter: str, build: str = "pass", ensure: str = "pass", w: str = "return 1") -> Any:
    """The class, in which no method calls itself, and none stands that is not called."""
    g = g.replace("self.g()", "2").replace("self.h(k)", "3") if "self.g()" in f else "pass"
    build = build if "self.build()" in f + g else "pass"
    ensure = ensure if "self.ensure()" in f + g else "pass"
    w = w if "self.w()" in f + g or "self.p" in f + g else "return 1"
    return load(program(f, g, setter, build, ensure, w), functools=functools)["C"]


@given(bodies, bodies, setters, steps)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_key_of_a_wrong_result(f: str, g: str, setter: str, actions: Any) -> None:
    """What is found under such a key is what the plain method gives for the object as it is."""
    kind = made(f, g, setter)
    store = Simulated(reached(kind, kind.f))
    owners = [kind(1, 2), kind(2, 1)]
    for number, action, k in actions:
        if action != "f":
            act(owners, number, action, k)
            continue
        with contextlib.suppress(*ERRORS):
            expected = kind.f(copy.deepcopy(owners[number]), k)
            assert store.call(owners[number], k) == expected, (f, g, setter, actions)


@given(filling_bodies(), helpers, resetters, builders, ensurers, getters, steps)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_transparent_memos_make_no_difference(
    f: str, g: str, setter: str, build: str, ensure: str, getter: str, actions: Any
) -> None:
    """Where that is proven, a method gives what it gives for an object whose memos are empty."""
    kind = made(f, g, setter, build, ensure, getter)
    found = reached(kind, kind.f)
    if not found.lazy or not all(each.is_transparent for each in found.lazy):
        return
    store = Simulated(found)
    owners = [kind(1, 2), kind(2, 1)]
    for number, action, k in actions:
        owner = owners[number]
        if action != "f":
            act(owners, number, action, k)
            continue
        fresh = copy.deepcopy(owner)
        empty: dict[str, Any] = {"_t": None, "_u": None, "_c": {}, "_log": []}
        vars(fresh).update({each.name: empty[each.name] for each in found.lazy if each.name in empty})
        vars(fresh).pop("p", None)
        results = [result(kind.f, each, k) for each in (fresh, copy.deepcopy(owner))]
        is_private = store.is_private(owner)
        with contextlib.suppress(*ERRORS):
            store.call(owner, k)
        assert is_private or results[0] == results[1], (f, g, setter, build, ensure, getter, actions)


ERRORS = (TypeError, KeyError, AttributeError, UnboundLocalError, NameError, RecursionError)


def result(function: Any, owner: Any, k: int) -> Any:
    """What a method gives; its error as well."""
    try:
        return function(owner, k)
    except ERRORS as error:
        return type(error)
