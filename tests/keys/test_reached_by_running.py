"""What a method really reads and writes, when it runs, is in the report on it: for classes made at random."""

from __future__ import annotations

import contextlib
import functools
import textwrap
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stored._keys.reached import reached
from tests.keys.source_code import load

NAMES = ["a", "b", "c", "d", "e"]
MAPS = ["m", "n"]

names = st.sampled_from(NAMES)
maps = st.sampled_from(MAPS)
objects = st.sampled_from(["self", "me", "you", "(self if k else me)", "super()"])
readers = objects.filter(lambda each: each != "super()")

atoms = st.one_of(
    st.builds("{}.{}".format, readers, names),
    st.builds("getattr({}, '{}')".format, readers, names),
    st.builds("getattr({}, '{}', 0)".format, readers, names),
    st.builds("{}.__dict__['{}']".format, readers, names),
    st.builds("vars({})['{}']".format, readers, names),
    st.builds("{}.__dict__.get('{}', 1)".format, readers, names),
    st.builds("{}.{}.get({}.{}, 2)".format, readers, maps, readers, names),
    st.builds("len({}.{})".format, readers, maps),
    st.builds("hasattr({}, '{}')".format, readers, names),
    st.builds("{}.helper()".format, objects),
    st.builds("{}.size".format, readers),
    st.builds("{}.lazy".format, readers),
    st.builds("type({}).K".format, readers),
    st.builds("{}.static(k)".format, readers),
    st.builds("{}.make()".format, readers),
    st.builds("{}[k]".format, readers),
    st.builds("len({})".format, readers),
    st.builds("deco({})".format, readers),
    st.sampled_from(["k", "1", "x"]),
)


def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(lambda: {})()".format, inner),
        st.builds("(lambda x={}: x + {})()".format, inner, inner),
        st.builds("sum([{} for x in range(2) if {} > 0])".format, inner, inner),
        st.builds("sum(x for x in [{}])".format, inner.filter(lambda each: ":=" not in each)),
        st.builds("len(f'{{{}}}')".format, inner.filter(lambda each: "'" not in each and "{" not in each)),
        st.builds("(y := {})".format, inner.filter(lambda each: ":=" not in each)),
    )


expressions = st.recursive(atoms, deeper, max_leaves=4)

simple = st.one_of(
    st.builds("x = {}".format, expressions),
    st.builds("{}.{} = {}".format, readers, names, expressions),
    st.builds("{}.{} += {}".format, readers, names, expressions),
    st.builds("{}.{}, x = {}, 1".format, readers, names, expressions),
    st.builds("{}.{}[{}] = {}".format, readers, maps, expressions, expressions),
    st.builds("setattr({}, '{}', {})".format, readers, names, expressions),
    st.builds("object.__setattr__({}, '{}', {})".format, readers, names, expressions),
    st.builds("super().__setattr__('{}', {})".format, names, expressions),
    st.builds("{}.__dict__['{}'] = {}".format, readers, names, expressions),
    st.builds("{}.__dict__.update({}={})".format, readers, names, expressions),
    st.builds("for {}.{} in [1, 2]: x = {}".format, readers, names, expressions),
    st.builds("{}.{}.update(x={})".format, readers, maps, expressions),
    st.builds("c = {}.{}; c[1] = {}".format, readers, maps, expressions),
    st.builds("{}.size = {}".format, readers, expressions),
    st.builds("match {}:\n case C(a=x): pass".format, readers),
    st.builds("match {}:\n case me if {}: x = me.b".format, readers, expressions),
    st.builds("def g(): return {}\nx = g()".format, expressions),
    st.builds("me = {}".format, readers.filter(lambda each: each in {"self", "you"})),
    st.builds("{}.reset()".format, readers),
)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    blocks = inner.map(lambda text: textwrap.indent(text, " "))
    return st.one_of(
        st.builds("if {}:\n{}\nelse:\n{}".format, expressions, blocks, blocks),
        st.builds("for x in range(2):\n{}".format, blocks),
        st.builds("try:\n{}\nexcept ZeroDivisionError as error: pass".format, blocks),
        st.builds("{}\n{}".format, inner, inner),
        st.builds("with null() as x:\n{}\nx = 1".format, blocks),
    )


statements = st.recursive(simple, nested, max_leaves=5)


def program(body: str, helper: str, wrapping: str) -> str:
    start = "y = x = 1\nme = you = self\n"
    return f"""
import contextlib
null = contextlib.nullcontext
def deco(model): return model.e
def wraps(function):
    def wrapper(*args, **options): return function(*args, **options)
    return wrapper
class Base:
    K = 1
    def helper(self): return self.a
    def __len__(self): return int(self.c > 5)
    def __getitem__(self, k): return self.d
class C(Base):
    @property
    def size(self): return self.b
    @size.setter
    def size(self, value): self.b = value
    @functools.cached_property
    def lazy(self): return self.c + 1
    @staticmethod
    def static(k): return k
    def reset(self): self.e = 2; self.m.clear()
    def make(self): return super().helper()
    def helper(self, k=1):
        {textwrap.indent(start + "return " + helper, " " * 8).strip()}
    {wrapping}
    def f(self, k=1):
{textwrap.indent(start + body + chr(10) + "return x", " " * 8)}
"""


class Recorder:
    """Notes which attributes of an object are read and written."""

    def __init__(self, kind: Any) -> None:
        self.read: set[str] = set()
        self.written: set[str] = set()
        self.owner: Any = self._kind(kind)()
        vars(self.owner).update(dict.fromkeys(NAMES, 1), m=Map(self, "m"), n=Map(self, "n"))
        object.__setattr__(self.owner, "__class__", self._kind(kind))

    def _kind(self, kind: Any) -> Any:
        recorder = self

        class Recorded(kind):  # type: ignore[misc]
            def __getattribute__(self, name: str) -> Any:
                recorder.read.add(name)
                found = kind.__getattribute__(self, name)
                return Map(recorder, "", found) if name == "__dict__" else found

            def __setattr__(self, name: str, value: Any) -> None:
                recorder.written.add(name)
                kind.__setattr__(self, name, value)

        return Recorded


class Map(dict[Any, Any]):
    """A dictionary that notes what is written in it: an attribute, or the names in the ``__dict__`` of an object."""

    def __init__(self, recorder: Recorder, name: str, of: Any = ()) -> None:
        super().__init__(of)
        self.recorder, self.name, self.of = recorder, name, of

    def __setitem__(self, key: Any, value: Any) -> None:
        self.recorder.written.add(self.name or key)
        super().__setitem__(key, value)
        if not self.name:
            self.of[key] = value

    def __getitem__(self, key: Any) -> Any:
        self.recorder.read.update({key} if not self.name else ())
        return super().__getitem__(key)

    def update(self, *args: Any, **options: Any) -> None:
        for key, value in options.items():
            self[key] = value

    def clear(self) -> None:
        self.recorder.written.add(self.name)
        super().clear()


@given(statements, expressions, st.sampled_from(["", "@wraps", "@stored"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_method_does_is_in_its_report(body: str, helper: str, wrapping: str) -> None:
    """Each attribute that it reads or writes when it runs; one that only feeds its own += is written only."""
    helper = "self.a + self.b" if "helper()" in helper or "make()" in helper else helper
    kind: Any = load(program(body, helper, wrapping), functools=functools)["C"]
    found = reached(kind, vars(kind)["f"])
    recorder = Recorder(kind)
    recorder.read.clear()
    recorder.written.clear()
    plain = getattr(vars(kind)["f"], "__wrapped__", vars(kind)["f"])
    with contextlib.suppress(TypeError, KeyError, RuntimeError, AttributeError, NameError):
        plain(recorder.owner)  # what was done until it fails counts
    names_read = {each.name for each in found.reads}
    assert recorder.read & {*NAMES, *MAPS} <= names_read | set(found.written_here)
    assert recorder.written & {*NAMES, *MAPS} <= set(found.written_here)
    growing = {name for name in recorder.read & {*NAMES, *MAPS} if name not in names_read}
    assert all(f".{name} +=" in body or name in MAPS for name in growing)
    assert found.reads_everything == ()
