"""A key that has what the rules say gives what the plain call gives: for classes, and changes of objects, at random."""

from __future__ import annotations

import contextlib
import copy
import textwrap
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

bodies = st.lists(statements, min_size=1, max_size=3).map("\n".join)

setters = st.sampled_from(
    [
        "self.a = k; self._t = None; self._c.clear()",
        "self._t = k",
        "self._c[k] = k",
        "self._t, self._c = None, {}",
        "setattr(self, '_t', k)",
        "self.b = k",
        "self.q = k",
        "self.n = 0",
    ]
)

steps = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(["f", "f", "f", "set", "a", "b", "copy"]), st.integers(0, 3)),
    min_size=4,
    max_size=14,
)


def program(f: str, g: str, setter: str) -> str:
    def block(text: str) -> str:
        return textwrap.indent(text, " " * 8)

    return f"""
class C:
    def __init__(self, a, b):
        self.a, self.b, self.n = a, b, 0
        self._t, self._c, self._log = None, {{}}, []
    @property
    def q(self): return self.b * 2
    @q.setter
    def q(self, value): self.b = value
    def set(self, k): {setter}
    def h(self, k): return k * self.b
    def g(self, k=1):
        x = 0
{block(g)}
        return x
    def f(self, k):
        x = self.a
{block(f)}
        return x
"""


class Simulated:
    """What a store does that follows the rules.

    The values of memos are in no key, only whether there is one: a method can ask for that. A result that reads a memo
    which was filled under other parameters, or by somebody else, is private: here it is not kept at all.
    """

    def __init__(self, found: Reached) -> None:
        self.found = found
        self.results: dict[Any, Any] = {}
        self.hits = 0
        self.filled_under: dict[tuple[int, str], Any] = {}

    def call(self, owner: Any, k: int) -> Any:
        plain = type(owner).f
        names = dict.fromkeys(each.name for each in self.found.reads)
        joined = [name for name in names if self.found.rule_of(name).rule != "memo"]
        parameters = copy.deepcopy([getattr(owner, name) for name in joined])
        before = self._memos(owner)
        key = str((parameters, k, [bool(each) for each in before.values()]))
        is_private = any(
            each and self.filled_under.get((id(owner), name)) != parameters for name, each in before.items()
        )
        if not is_private and key in self.results:
            self.hits += 1
            return self.results[key]
        result = plain(owner, k)
        for name, each in self._memos(owner).items():
            if each and not before[name]:
                self.filled_under[id(owner), name] = parameters
        is_changed = parameters != [getattr(owner, name) for name in joined]
        if not is_private and not is_changed:
            self.results[key] = result
        return result

    def _memos(self, owner: Any) -> dict[str, Any]:
        return {each.name: copy.copy(getattr(owner, each.name)) for each in self.found.lazy if each.name != "_log"}


@given(bodies, bodies, setters, steps)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_key_of_a_wrong_result(f: str, g: str, setter: str, actions: Any) -> None:
    """What is found under such a key is what the plain method gives for the object as it is."""
    kind: Any = load(program(f, g.replace("self.g()", "2").replace("self.h(k)", "3"), setter))["C"]
    store = Simulated(reached(kind, kind.f))
    owners = [kind(1, 2), kind(2, 1)]
    for number, action, k in actions:
        owner = owners[number]
        if action == "f":
            with contextlib.suppress(TypeError):
                expected = kind.f(copy.deepcopy(owner), k)
                assert store.call(owner, k) == expected, (f, g, setter, actions)
        elif action == "set":
            owner.set(k)
        elif action == "copy":
            owners[1 - number] = copy.deepcopy(owner)
        else:
            setattr(owner, action, k)
