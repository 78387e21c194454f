"""A model of five modules, and the demo's cosmology, whose files are edited between two runs in new processes."""

from __future__ import annotations

import ast
import copy
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import stored.demo

FILES = {
    "constants": """
        C = 3.0
        TABLE = {"a": 1.5, "b": [2.0, 4.0]}
        NAMES = ("a", "b")
        """,
    "lib": """
        import math
        from constants import C, TABLE
        import constants

        class Grid:
            n = 4

            def __init__(self, low, high):
                self.low, self.high = low, high

            def points(self):
                step = (self.high - self.low) / self.n
                return [self.low + i * step for i in range(self.n)]

            @property
            def span(self):
                return self.high - self.low

            @staticmethod
            def scaled(x):
                return x * 1.25

            @classmethod
            def unit(cls):
                return cls(0.0, 1.0)

        def weight(x, k=2.0):
            return C * math.exp(-x / k) + TABLE["a"]

        def twice(function):
            def inner(*args):
                return 2 * function(*args) + constants.TABLE["b"][1]
            return inner

        @twice
        def shape(x):
            return x**1.5 + offset(x)

        def offset(x):
            if x > 1.0:
                return recursive(x - 1.0)
            return 0.5

        def recursive(x):
            return x + offset(x - 1.0) if x > 0 else 0.25

        KINDS = {"w": weight, "s": shape}
        """,
    "base": """
        import lib

        class Base:
            ORDER = 2
            SCALE = 1.5

            def helper(self, x):
                return self.SCALE * x**self.ORDER + self.extra

            @property
            def extra(self):
                return lib.offset(self.p) + 0.125

            def hook(self):
                return 1.0
        """,
    "tools": """
        import functools
        import os

        FOLDER = os.path.dirname(os.path.abspath(__file__))

        def integral(f, a, b, n=5):
            h = (b - a) / n
            return sum(f(a + (i + 0.5) * h) for i in range(n)) * h

        add = functools.partial(lambda a, b: a + 2 * b, 3.0)

        class Config:
            def __init__(self):
                self.tol = 0.5
                self.names = ["x", "y"]

            def factor(self):
                return self.tol * len(self.names)

        CONFIG = Config()

        def depth():
            return len(os.path.relpath(os.path.join(FOLDER, "data"), FOLDER))
        """,
    "model": """
        from stored import Axis, keyed_by, stored
        from base import Base
        from lib import KINDS, Grid, weight
        import lib, tools
        from tools import CONFIG, integral

        LIMIT = 10.0

        @keyed_by("p")
        class Model(Base):
            def __init__(self, p):
                self.p = p
                self.half = p / 2
                self.grid = Grid(0.0, p)

            def hook(self):
                return super().hook() + 2.0

            @stored
            def of_function(self):
                return weight(self.p) + self.half + self.hook()

            @stored
            def of_base(self):
                return self.helper(3.0) + sum(self.grid.points()) + self.grid.span

            @stored
            def of_stored(self):
                return 10 * self.of_function() + min(self.of_base(), LIMIT)

            @stored
            def of_objects(self):
                f = lambda x: KINDS["s"](x) * tools.add(x)
                return integral(f, 0.0, self.p) + CONFIG.factor() + tools.depth()

            @stored
            def of_imported(self):
                from constants import NAMES
                return Grid.scaled(self.p) + Grid.unit().span + len(NAMES) + lib.shape(2.5)

            @stored(interpolate=Axis("x", 0.0, 2.0, rtol=1e-6))
            def table(self, x):
                return weight(x, 3.0) + self.p
        """,
}

RUN = """
import json
import stored
from model import Model

METHODS = ("of_function", "of_base", "of_stored", "of_objects", "of_imported")

def values(model):
    return [getattr(model, each)() for each in METHODS]

with stored.configure(disable=True):
    model = Model(1.5)
    plain = [Model.table.__wrapped__(model, 0.7), *values(model)]
model = Model(1.5)
found = [model.table(0.7), *values(model)]
misses = sum(getattr(model, each).cache_info().misses for each in (*METHODS, "table"))
print(json.dumps({"plain": plain, "found": found, "misses": misses}))
"""


_DEMO = Path(stored.demo.__file__).parent


def _of_demo(name: str) -> str:
    text = (_DEMO / f"_{name}.py").read_text()
    return text.replace("from stored.demo import _physics as physics", "import physics").replace("stored.demo._", "")


DEMO = {
    "cosmology": _of_demo("cosmology"),
    **{f"physics/{each.stem}": _of_demo(f"physics/{each.stem}") for each in sorted((_DEMO / "_physics").glob("*.py"))},
}

RUN_DEMO = """
import json
import stored
from cosmology import FlatLambdaCDM

AT = {"age": 1.0, "comoving_distance": 1.0, "growth_factor": 1.0, "sigma": 5.0}
model = FlatLambdaCDM()
with stored.configure(disable=True):
    plain = [getattr(FlatLambdaCDM, name).__wrapped__(model, x) for name, x in AT.items()]
    plain.append(model.sigma_of_shape())
model = FlatLambdaCDM()
found = [*[float(getattr(model, name)(x)) for name, x in AT.items()], model.sigma_of_shape()]
misses = sum(getattr(model, each).cache_info().misses for each in (*AT, "sigma_of_shape"))
print(json.dumps({"plain": plain, "found": found, "misses": misses}))
"""


def write(folder: Path, files: Mapping[str, str] = FILES, **changed: str) -> None:
    """Write the files of a model, some of them with another content."""
    for name, text in {**files, **changed}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(textwrap.dedent(text))


def run(folder: Path, cache: Path, program: str = RUN, **environment: str) -> dict[str, Any] | None:
    """What a new process gives; None if the model raises an error, or does not end."""
    variables = {**os.environ, "STORED_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [sys.executable, "-W", "ignore", "-c", program]
    how: dict[str, Any] = {"cwd": folder, "env": variables, "capture_output": True, "text": True, "timeout": 90}
    try:
        done = subprocess.run(command, **how, check=False)
    except subprocess.TimeoutExpired:  # an edit of a loop, or of the number of points
        return None
    return None if done.returncode else json.loads(done.stdout)


class _Mutator(ast.NodeTransformer):
    """Changes the node of a number, counted in the order in which they are visited."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.place = ""

    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        changed = _mutated(node)
        if changed is None:
            return node
        self.left -= 1
        if self.left != -1:
            return node
        self.place = f"line {node.lineno}: {ast.unparse(node)} -> {ast.unparse(changed)}"  # type: ignore[attr-defined]
        return ast.copy_location(changed, node)


def _mutated(node: ast.AST) -> ast.AST | None:
    """A node that gives something else; None for one that has none."""
    if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
        value: Any = node.value
        return ast.Constant(value * 3 if 0.0 < value < 1e-4 else value * 2 + 1)  # tolerances stay small
    if isinstance(node, ast.BinOp):
        other = copy.copy(node)
        other.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return other
    if isinstance(node, ast.Compare):
        return ast.Compare(node.left, [ast.LtE() if isinstance(node.ops[0], ast.Gt) else ast.Gt()], node.comparators)
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Lambda):
        return ast.parse("(lambda *a, **k: 2.75)()", mode="eval").body
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in _OTHERS:
        return ast.Attribute(node.value, _OTHERS[node.attr], node.ctx)
    return None


_OTHERS = {
    "high": "low",
    "low": "high",
    "p": "half",
    "half": "p",
    "Om0": "Ob0",
    "Ob0": "Om0",
    "SCALE": "ORDER",
    "ORDER": "SCALE",
    "tol": "names",
}


def mutants(files: Mapping[str, str], step: int = 1) -> Iterator[tuple[str, str, str]]:
    """Every number, operator, call and attribute of a model changed in turn: module, place and new source.

    With a step, these are every so many of them.
    """
    places = [(module, number) for module, text in files.items() for number in range(_places(text))]
    for module, number in places[::step]:
        mutator = _Mutator(number)
        tree = ast.fix_missing_locations(mutator.visit(_parsed(files[module])))
        yield module, mutator.place, ast.unparse(tree)


def _places(text: str) -> int:
    """How many nodes can be changed?"""
    mutator = _Mutator(-1)
    mutator.visit(_parsed(text))
    return -1 - mutator.left


def _parsed(text: str) -> ast.Module:
    return ast.parse(textwrap.dedent(text))
