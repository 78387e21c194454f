"""The names that a function uses and does not define are found, but for those that it only changes."""

from __future__ import annotations

import ast
import sys
import textwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored._keys.function_reader import read_functions
from stored._keys.used_names import OWN_MODULE, Origin, ReadFunction, UsedName


def read(source: str, name: str = "f") -> ReadFunction:
    tree = ast.parse(textwrap.dedent(source))
    (found,) = [each for node, _, each in read_functions(tree) if getattr(node, "name", "<lambda>") == name]
    return found


def reads(source: str, name: str = "f") -> set[str]:
    return {each.dotted for each in read(source, name).reads}


@pytest.mark.parametrize(
    ("body", "used"),
    [
        ("return a + b.c.d(x)", {"a", "b.c.d"}),
        ("a = 1; return a", set()),
        ("return [a for a in b if c]", {"b", "c"}),
        ("return [a for a in a]", {"a"}),
        ("return {k: v for k, v in p for q in k}", {"p"}),
        ("return [x for y in z] + [y]", {"z", "y"}),
        ("return (n := m) + n", {"m"}),
        ("return [(n := m) for _ in r] + [n]", {"m", "r"}),
        ("return lambda y=a: y + b", {"a", "b"}),
        ("def g(y=a): return y + x + c\n    return g", {"a", "c"}),
        ("@a\n    def g(y): return g(y)\n    return g", {"a"}),
        ("class D(a):\n        b = 1\n        def m(self): return b\n    return D", {"a", "b"}),
        ("class D:\n        x: a = 1\n    return D", {"a"}),
        ("y: a = 1; return y", set()),
        ("for i in a: j = i\n    else: j = 0\n    return i + j", {"a"}),
        ("with a as b, c(b): return b", {"a", "c"}),
        ("try: return a\n    except b as e: return e", {"a", "b"}),
        ("match x:\n        case [a, *b]: return a, b\n        case {'k': c, **d}: return c, d", set()),
        ("match x:\n        case A.b: return 1\n        case K(v=w): return w", {"A.b", "K"}),
        ("import a.b; return a.b.c", {"a.b.c"}),
        ("global a; a = 1; return a", {"a"}),
        ("return f'{a!r:{b}}'", {"a", "b"}),
        ("del a[b]", {"b"}),
        ("return a[b].c", {"a", "b"}),
        ("return getattr(a.b, 'c')", {"getattr", "a.b.c"}),
        ("return a().b", {"a"}),
        ("async def g():\n        async for i in a: await b(i)\n    return g", {"a", "b"}),
        ("yield a\n    yield from b", {"a", "b"}),
        ("assert a, b", {"a", "b"}),
        ("return super().f()", {"super"}),
    ],
)
def test_names_that_are_used(body: str, used: set[str]) -> None:
    """In every kind of expression and scope."""
    assert reads(f"def f(x):\n    {body}") == used


@pytest.mark.parametrize(
    ("body", "used"),
    [
        ("calls.append(x)", set()),
        ("calls.append(a)", {"a"}),
        ("return calls.pop()", {"calls.pop"}),
        ("memo[x] = a", {"a"}),
        ("memo[a][x] = 1", {"a"}),
        ("memo[x] += 1", set()),
        ("lib.memo[x] = 1", set()),
        ("lib.value = 1", set()),
        ("del lib.value", set()),
        ("global n; n += 1", set()),
        ("global n; n = n + 1", {"n"}),
        ("y = []; y.append(x); y[0] = 1; return y", set()),
        ("lib.calls.update(x)", set()),
        ("lib.update(x)", set()),
    ],
)
def test_names_that_are_changed(body: str, used: set[str]) -> None:
    """What only changes an object does not read it."""
    assert reads(f"def f(x):\n    {body}") == used


def test_names_that_a_function_imports_tell_from_where() -> None:
    """Also those that a function inside uses, and those of packages around."""
    source = """
        def f(x):
            import a.b, c.d as e
            from g import h as i
            from . import j
            from ..k import l
            return a.b.x, e.y, i, [j.z for _ in l]
        """
    assert read(source).reads == {
        UsedName("a", ("b", "x"), Origin("a")),
        UsedName("e", ("y",), Origin("c.d")),
        UsedName("i", (), Origin("g", 0, "h")),
        UsedName("j", ("z",), Origin("", 1, "j")),
        UsedName("l", (), Origin("k", 2, "l")),
    }
    assert read("def f(): return import_module('a.b').c").reads == {UsedName("import_module", (), None, "a.b")}


def test_a_name_declared_global_is_not_that_of_the_function_around() -> None:
    """Though that has a variable of this name."""
    source = "def f():\n n = 1\n def g():\n  global n\n  return n\n return g"
    assert read(source).reads == {UsedName("n", (), OWN_MODULE)}
    assert read(source, "g").reads == {UsedName("n", (), OWN_MODULE)}


def test_private_names_have_that_of_their_class() -> None:
    """As Python mangles them."""
    assert reads("class C:\n def f(self): return __a + lib.__b + __c__") == {"_C__a", "lib._C__b", "__c__"}


NAMES = st.sampled_from("abcd")

EXPRESSIONS: Any = st.recursive(
    NAMES | st.sampled_from(["1", "x"]),
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("[{} for {} in [{}]]".format, inner, NAMES, inner),
        st.builds("(lambda {}: {})({})".format, NAMES, inner, inner),
        st.builds("[({} := {}), {}][1]".format, st.sampled_from("yz"), inner, inner),
        st.builds("{{{}: {} for {} in [{}] if {}}}".format, inner, inner, NAMES, inner, inner),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_names_are_those_that_python_looks_up(expression: str) -> None:
    """Whatever scopes are in one another, all global names that the compiler finds; since 3.12, it leaves some out."""
    source = f"def f(x):\n    return {expression}"
    try:
        module = compile(source, "f", "exec")
    except SyntaxError:  # an assignment that Python does not allow there
        return
    found, expected = reads(source), set(global_names(module.co_consts[0]))
    assert found == expected or (found > expected and sys.version_info >= (3, 12))


def global_names(code: Any) -> Any:
    import dis

    yield from [each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_GLOBAL"]
    for each in code.co_consts:
        if hasattr(each, "co_code"):
            yield from global_names(each)
