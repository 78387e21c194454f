"""Functions compiled from a template."""

from __future__ import annotations

from stored._tables.code_template import compiled


def test_parts_are_filled_in_and_indented() -> None:
    """A part alone in its line is indented with it, other parts are expressions, and parts may contain later ones."""
    template = """
def make(x):
    if x:
        @steps@
    return @result@
"""
    parts = {"steps": "x += @step@\nx *= 10\n", "step": "one", "result": "-x"}
    make = compiled(template, parts, {"one": 1})
    assert (make(2), make(0)) == (-30, 0)


def test_an_empty_part_leaves_nothing() -> None:
    """A step that a case does without is none."""
    make = compiled("def make(x):\n    @nothing@\n    return @f@(x)\n", {"nothing": "", "f": ""}, {})
    assert make(3) == 3
