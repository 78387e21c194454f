"""Variables of enclosing functions are memos if they are filled with what is always the same; others are not."""

from __future__ import annotations

import ast

import pytest

from stored._keys.closure_memos import closure_memos
from stored._keys.function_reader import read_functions

FILL = "if t is None: t = load()"

MEMOS = {
    "filled before it is used": f"def f(x):\n  nonlocal t\n  {FILL}\n  return t * x",
    "in some steps": "def f(x):\n  nonlocal t\n  if t is None:\n    raw = load()\n    t = raw[1:]\n  return t * x",
    "by what other variables hold": "def f(x):\n  nonlocal t\n  if t is None: t = k * 2\n  return x, lambda: t",
    "after something else": f"def f(x):\n  nonlocal t\n  y = x + 1\n  if y: return 0\n  {FILL}\n  y += t\n  return y",
    "and emptied by another": f"def f(x):\n  nonlocal t\n  {FILL}\n  return t * x\n"
    " def reset():\n  nonlocal t\n  t = None\n def other():\n  nonlocal k\n  k = 1",
    "of a function inside": f"def f(x):\n  def load_it():\n   nonlocal t\n   {FILL}\n   return t\n  return load_it()",
}

OTHERS = {
    "filled with an argument": "def f(x):\n  nonlocal t\n  if t is None: t = x\n  return t * x",
    "filled with a variable of its own": "def f(x):\n  nonlocal t\n  y = x\n  if t is None: t = load(y)\n  return t",
    "filled for some arguments": "def f(x):\n  nonlocal t\n  if x: t = load()\n  return t",
    "filled otherwise": "def f(x):\n  nonlocal t\n  if t is None: t = load()\n  else: x = 1\n  return t * x",
    "filled as an item": "def f(x):\n  nonlocal t\n  if t is None: t, a[0] = load()\n  return t * x",
    "filled by what runs more": f"def f(x):\n  nonlocal t\n  {FILL.replace('load()', '(y := load())')}\n  return t",
    "filled by what has other steps": "def f(x):\n  nonlocal t\n  if t is None:\n    print()\n    t = k\n  return t",
    "not filled": "def f(x):\n  nonlocal t\n  if t is None: y = load()\n  return t",
    "used before": f"def f(x):\n  nonlocal t\n  y = t\n  {FILL}\n  return y",
    "bound again": f"def f(x):\n  nonlocal t\n  {FILL}\n  t = x\n  return t",
    "added to": f"def f(x):\n  nonlocal t\n  {FILL}\n  t += x\n  return t",
    "changed": f"def f(x):\n  nonlocal t\n  {FILL}\n  t[0].a = x\n  return t[0]",
    "set by another": f"def f(x):\n  nonlocal t\n  {FILL}\n  return t\n def g(x):\n  nonlocal t\n  t = x",
    "set by another, and emptied": f"def f(x):\n  nonlocal t\n  {FILL}\n  return t\n"
    " def g(x):\n  nonlocal t\n  t = None\n  for t in x: pass",
    "a counter": "def f(x):\n  nonlocal t\n  t += 1\n  return x",
}


def memos(function: str) -> set[str]:
    tree = ast.parse(f"def around(t=None, k=1):\n {function}\n return f")
    texts = {node: read.text for node, _, read in read_functions(tree)}
    return {name for names in closure_memos(texts).values() for name in names}


@pytest.mark.parametrize("kind", MEMOS)
def test_memos(kind: str) -> None:
    """Whether they were filled before changes no result."""
    assert memos(MEMOS[kind]) == {"t"}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_memo(kind: str) -> None:
    """What it holds may depend on what was called before."""
    assert memos(OTHERS[kind]) == set()
