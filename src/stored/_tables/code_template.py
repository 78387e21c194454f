"""Functions that are compiled from a template, so that they do without tests for cases that they are not for."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Mapping
from typing import Any

__all__ = ["compiled", "made_by"]


def compiled(template: str, parts: Mapping[str, str], names: Mapping[str, Any]) -> Any:
    """What the function ``make`` is, of a source text.

    Parameters
    ----------
    template : str
        The text; ``@name@`` stands for a part. One that is alone in its line is indented as this is.
    parts : mapping of str to str
        The parts by name; they may contain others that follow.
    names : mapping of str to object
        What the code uses.
    """
    source = template
    for name, part in parts.items():
        mark = f"@{name}@"
        lines = source.splitlines()
        source = "\n".join(_filled(line, mark, part.strip()) for line in lines)
    return made_by(source, **names)


@functools.cache
def made_by(source: str, **names: Any) -> Any:
    """The function ``make`` of a source text, with these names known to it; compiled once."""
    scope = {"__name__": __name__, **names}
    exec(source, scope)  # noqa: S102  # of texts in this package only
    return scope["make"]


def _filled(line: str, mark: str, part: str) -> str:
    if line.strip() == mark:
        return textwrap.indent(part, line[: line.index(mark)])
    return line.replace(mark, part)
