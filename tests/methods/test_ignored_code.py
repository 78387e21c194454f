"""Methods, properties and functions that `ignore` names: what they do does not count, and all else does."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stored import OwnerWarning
from tests.keys.source_code import load

CLASS = """
from stored import keyed_by

def show(owner): print({show})

@keyed_by("p")
class Model:
    def __init__(self, p): self.p = p
    def report(self): print({report})
    @property
    def label(self): return {label}
    @stored
    def noted(self): return {noted}
    def factor(self): return {factor}
    @stored(ignore={ignore})
    def value(self):
        {body}
        return self.p * self.factor()
"""

NUMBERS = {"show": 1, "report": 1, "label": 1, "noted": 1, "factor": 1}


def version(body: str, ignore: tuple[str, ...], **changed: int) -> str:
    """The version of the code of a method with this body, in a class where some number is another one."""
    model = load(CLASS.format(body=body, ignore=ignore, **{**NUMBERS, **changed}))["Model"]
    assert model(2.0).value() == 2.0 * changed.get("factor", 1)
    return str(model.value.__stored_method__.code_of(model).version)


CALLS = {
    "report": [
        "self.report()",
        "report = self.report; report()",
        "Model.report(self)",
    ],
    "label": ["self.label", "str(self.label)"],
    "noted": ["self.noted()"],
    "show": ["show(1)", "show(self)"],
}


@pytest.mark.parametrize(("name", "body"), [(name, body) for name in CALLS for body in CALLS[name]])
def test_what_a_method_leaves_out(name: str, body: str) -> None:
    """An edit of it changes the version only where it is not named; one of anything else always does."""
    ignore = (name if name == "show" else f"self.{name}",)
    if "Model.report" in body:
        ignore = ("Model.report",)
    assert version(body, ()) != version(body, (), **{name: 2})
    assert version(body, ignore) == version(body, ignore, **{name: 2})
    assert version(body, ignore) != version(body, ignore, factor=2)


OTHERS = {
    "another of the module that has the name": (
        ("report",),
        "from report import report, factor",
        "report(1); return factor()",
        "def report(x): print(x)\ndef factor(): return {0}\n",
    ),
    "one that wraps it": (
        ("report.report",),
        "from report import report, factor",
        "report(1); return factor()",
        "import functools\ndef report(x): print(x)\n"
        "def times(f):\n    @functools.wraps(report)\n    def made(): return f()\n    return made\n"
        "@times\ndef factor(): return {0}\n",
    ),
    "an earlier one of its name": (
        ("report.report",),
        "from report import report, factor",
        "report(1); return factor()",
        "def report(): return {0}\nfactor = report\ndef report(x): print(x)\n",
    ),
    "that of a base": (
        ("self.report",),
        "from report import Base",
        "self.report(); return super().report()",
        "class Base:\n    def report(self): return {0}\n",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_looks_like_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts."""
    ignore, imports, body, library = OTHERS[name]
    monkeypatch.syspath_prepend(tmp_path)
    source = f"""
        from stored import keyed_by
        {imports}
        @keyed_by("p")
        class Model({"Base" if "Base" in imports else "object"}):
            def __init__(self, p): self.p = p
            {"def report(self): print(1)" if "Base" in imports else ""}
            @stored(ignore={ignore!r})
            def value(self): {body}
    """
    versions = []
    for number in (2, 3):
        file = tmp_path / "report.py"
        file.write_text(library.format(number))
        os.utime(file, (number, number))
        sys.modules.pop("report", None)
        model = load(source)["Model"]
        assert model(2.0).value() == number
        versions.append(model.value.__stored_method__.code_of(model).version)
    sys.modules.pop("report", None)
    assert versions[0] != versions[1]


def test_a_method_that_gets_the_object() -> None:
    """A method that is left out may do with it what it likes."""
    body = "self.report_of(self)"
    report_of = "@staticmethod\n    def report_of(owner): print(owner.q)\n    "
    source = CLASS.replace("def factor", f"{report_of}def factor")

    def joined(*ignore: str) -> list[str]:
        model = load(source.format(body=body, ignore=ignore, **NUMBERS))["Model"]
        return [each.name for each in model.value.__stored_method__.code_of(model).reads.selection.joined]

    assert joined() == ["q"]
    assert joined("self.report_of") == []


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """A module of functions that report."""
    (tmp_path / "reports_of_tests.py").write_text(
        "import functools\ndef report(x): print(x)\nclass Report: pass\n@functools.lru_cache\ndef kept(x): print(x)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import reports_of_tests

    yield reports_of_tests
    del sys.modules["reports_of_tests"]


@pytest.mark.parametrize("name", ["report", "Report", "kept"])
@pytest.mark.parametrize("how", ["import reports_of_tests as lib", "from reports_of_tests import {0}"])
def test_a_function_by_its_full_name(name: str, how: str, library: types.ModuleType) -> None:
    """However it is imported, it is named by the module in which it is defined."""
    use = f"lib.{name}" if "as lib" in how else name
    source = f"""
        from stored import keyed_by
        {how.format(name)}
        def helper(x):
            {use}
            return x
        @keyed_by("p")
        class Model:
            def __init__(self, p): self.p = p
            @stored(ignore=("reports_of_tests.{name}",))
            def value(self): return helper(self.p)
    """

    def found() -> Any:
        model = load(source)["Model"]
        assert model(2.0).value() == 2.0
        return model.value.__stored_method__.code_of(model).version

    before = found()
    setattr(library, name, type("Report", (), {"__module__": "reports_of_tests", "more": 1}))
    if name == "report":
        exec("def report(x): print(x, x)", vars(library))
    elif name == "kept":
        exec("@functools.lru_cache\ndef kept(x): print(x, x)", vars(library))
    assert found() == before


def test_a_function_by_its_full_name_that_gets_the_object(library: types.ModuleType) -> None:
    """It may do with it what it likes."""
    exec("def report(x): print(x.q)", vars(library))
    source = """
        from stored import keyed_by
        from reports_of_tests import report as shown
        @keyed_by("p")
        class Model:
            def __init__(self, p): self.p = p
            @stored(ignore=("reports_of_tests.report",))
            def value(self):
                shown(self)
                return self.p
    """
    model = load(source)["Model"]
    code = model.value.__stored_method__.code_of(model)
    assert not code.reads.selection.takes_all
    assert [each.name for each in code.reads.selection.joined] == []


def test_a_name_that_nothing_has() -> None:
    """It is told."""
    model = load(CLASS.format(body="pass", ignore=("self.reprot",), **NUMBERS))["Model"]
    with pytest.warns(OwnerWarning, match=r"ignore of Model.value\(\) names 'self.reprot'"):
        model(2.0).value()
