"""What is the syntax tree of a source, and which name does a private one have in it?"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from stored._fork_safe_lock import ForkSafeLock

__all__ = ["FunctionNode", "mangled", "parameters", "parse", "without_warnings"]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_lock = ForkSafeLock()

_MOST_TIMES = 5


@contextmanager
def without_warnings() -> Iterator[None]:
    """Within the block, the compiler warns of nothing: it did so when the code was first compiled.

    One thread is in it at a time, since the filters of warnings belong to all threads: two that set them back in the
    order in which they came would leave those of the block.
    """
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def parse(source: str) -> ast.Module:
    """The syntax tree.

    While CPython 3.11 makes one, it loses count of its depth if another is made meanwhile, by a thread or by what a
    garbage collection runs, and raises a `SystemError` (its issue 106905): one is made at a time, and made again.
    """
    with _lock:
        for _ in range(_MOST_TIMES - 1):
            try:
                return ast.parse(source)
            except SystemError:
                continue
        return ast.parse(source)


def parameters(node: ast.arguments) -> list[ast.arg]:
    """All parameters of a function, in their order."""
    found = [*node.posonlyargs, *node.args, node.vararg, *node.kwonlyargs, node.kwarg]
    return [each for each in found if each is not None]


def mangled(name: str, class_name: str | None) -> str:
    """A private name with that of its class before it."""
    short = (class_name or "").lstrip("_")
    return f"_{short}{name}" if short and name.startswith("__") and not name.endswith("__") else name
