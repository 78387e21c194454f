"""Classes made from source that `inspect` finds, without a file."""

from __future__ import annotations

import itertools
import linecache
import textwrap
from typing import Any

from stored import stored

_numbers = itertools.count()


def load(source: str, is_known: bool = True, **names: Any) -> dict[str, Any]:
    """What a module with this source defines; unless `is_known`, its source cannot be found."""
    source = textwrap.dedent(source)
    filename = f"<module {next(_numbers)} of the tests>"
    if is_known:
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    space: dict[str, Any] = {"__name__": "tests_made", "stored": stored, **names}
    exec(compile(source, filename, "exec", dont_inherit=True), space)
    return space


def method(body: str, arguments: str = "self, k=1") -> Any:
    """The function ``f`` with this body, in a class ``C``."""
    source = f"class C:\n    def f({arguments}):\n{textwrap.indent(textwrap.dedent(body), '        ')}\n"
    return vars(load(source)["C"])["f"]
