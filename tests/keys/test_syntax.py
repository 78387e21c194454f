"""A source is parsed whatever other threads parse meanwhile, and whatever the interpreter counts wrongly."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from stored._keys import syntax
from tests.faults.processes import in_threads


def _dumps(source: str) -> list[str]:
    return [ast.dump(syntax.parse(source)) for _ in range(20)]


def test_threads_parse_at_once() -> None:
    """Each gets the tree of its source."""
    sources = [f"x = {' + '.join(map(str, range(number, number + 200)))}" for number in range(8)]
    dumps = [ast.dump(ast.parse(each)) for each in sources]
    found = in_threads(*[(_dumps, each) for each in sources])
    assert found == [[each] * 20 for each in dumps]


@pytest.mark.parametrize("failures", [1, 4, 5])
def test_a_count_that_is_wrong(failures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is parsed again; an error that stays is raised."""
    parse, left = ast.parse, [SystemError("depth mismatch")] * failures

    def failing(source: str) -> Any:
        if left:
            raise left.pop()
        return parse(source)

    monkeypatch.setattr(ast, "parse", failing)
    if failures < 5:
        assert ast.dump(syntax.parse("x = 1")) == ast.dump(parse("x = 1"))
    else:
        with pytest.raises(SystemError):
            syntax.parse("x = 1")
