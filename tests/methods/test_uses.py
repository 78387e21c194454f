"""What code does not show counts where `uses=` names it; what does not matter is left out by `ignore=`."""

from __future__ import annotations

import os
import types
from pathlib import Path
from typing import Any

import pytest

from stored import OwnerWarning, keyed_by, stored

MODULE = types.ModuleType("used_by_test")
exec("K = 2.0\ndef helper(x): return K * x", vars(MODULE))


def owner_of(uses: tuple[Any, ...], compute: Any) -> Any:
    @keyed_by("p")
    class Owner:
        def __init__(self, p: float) -> None:
            self.p = p

        @stored(uses=uses, ignore=("compute",))
        def method(self) -> Any:
            return compute()

    return Owner(1.0)


def test_a_file_counts_by_its_content(tmp_path: Path) -> None:
    """Whether it is there or not; touched, moved away and back, it is the same file."""
    path = tmp_path / "table.dat"
    owner = owner_of((path,), lambda: path.read_text() if path.exists() else None)
    assert [owner.method(), owner.method()] == [None, None]
    for content in ("one", "two", "one"):
        path.write_text(content)
        assert [owner.method(), owner.method(), owner.method()] == [content] * 3
    os.utime(path, ns=(0, 0))
    assert owner.method() == "one"
    path.rename(tmp_path / "other")
    assert owner.method() is None
    (tmp_path / "other").rename(path)
    assert owner.method() == "one"
    assert owner.method.cache_info().misses == 3


def test_what_a_function_returns_counts() -> None:
    """It is called with each call; what it raises is raised."""
    state: dict[str, Any] = {"value": 1}
    owner = owner_of((lambda: state["value"],), lambda: state["value"])
    assert [owner.method(), owner.method()] == [1, 1]
    state["value"] = 2
    assert [owner.method(), owner.method()] == [2, 2]
    del state["value"]
    with pytest.raises(KeyError):
        owner.method()


def test_what_has_no_form_makes_results_private() -> None:
    """The warning names the function that gives it."""
    owner = owner_of((lambda: iter(()),), lambda: 7)
    with pytest.warns(OwnerWarning, match=r"for one object only.*<lambda>\(\) gives has no form"):
        assert owner.method() == 7


def test_functions_and_modules_count_by_their_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the method had named them."""
    for used in (MODULE.helper, MODULE):
        owner = owner_of((used,), lambda: vars(MODULE)["helper"](1.0))
        assert [owner.method(), owner.method()] == [2.0, 2.0]
        with monkeypatch.context() as patch:
            patch.setattr(MODULE, "K", 3.0)
            assert [owner.method(), owner.method()] == [3.0, 3.0]
        assert owner.method() == 2.0


def test_strings_and_distributions_count() -> None:
    """Each makes results of its own."""

    def compute(self: Any) -> int:
        CALLS.append(1)
        return len(CALLS)

    for uses in ((), ("edition 1",), ("edition 2",), ("pytest",), (3,)):
        method = stored(uses=uses, ignore=("CALLS",))(compute)
        kinds = [keyed_by("p")(type("Owner", (), {"p": 1.0, "method": method})) for _ in range(2)]
        assert [kind().method() for kind in kinds] == [len(CALLS)] * 2
    assert len(CALLS) == 5


CALLS: list[int] = []


@pytest.mark.parametrize("uses", ["table.dat", 3, None, (object(),)])
def test_what_cannot_be_used_is_refused(uses: Any) -> None:
    """When the method is decorated, with what would do."""
    with pytest.raises(TypeError, match=r"uses of .*; give "):
        stored(uses=uses)(lambda self: 1)


class Reporter:
    """Has no form."""

    def __init__(self) -> None:
        self.lines = iter(())

    def line(self, text: str) -> None: ...


REPORTER = Reporter()
REPORT = types.SimpleNamespace(line=REPORTER.line)


@keyed_by("p")
class Ignoring:
    def __init__(self, p: float) -> None:
        self.p = p
        self.log = Reporter()

    @stored(ignore=("REPORTER", "self.log", f"{__name__}.REPORT"))
    def method(self, x: float) -> float:
        REPORTER.line("begin")
        self.log.line("middle")
        REPORT.line("end")
        return self.p * x

    @stored(ignore=("self.log",))
    def other(self) -> float:
        self.log.line("middle")
        REPORTER.line("end")
        return self.p

    @stored(ignore=("verbos", "x"))
    def mistaken(self, x: float, verbose: bool = False) -> float:
        return self.p


def test_ignored_names_leave_results_shared() -> None:
    """Names of the module, with that before them or not, and attributes of the object."""
    assert Ignoring(2.0).method(3.0) == 6.0
    assert Ignoring(2.0).method.cached(3.0)


def test_what_is_not_ignored_counts() -> None:
    """It has no form, so that results are private."""
    with pytest.warns(OwnerWarning, match="REPORTER.lines is a value of type"):
        assert Ignoring(2.0).other() == 2.0


def test_a_slip_in_a_name_is_told_once() -> None:
    """With the arguments that there are."""
    with pytest.warns(OwnerWarning, match=r"names 'verbos', which is none of its arguments \(x, verbose\)"):
        assert Ignoring(2.0).mistaken(1.0) == 2.0
    assert Ignoring(3.0).mistaken(1.0) == 3.0


# -- of stored methods that others call -------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["outer", "inner"])
@pytest.mark.parametrize("options", [{}, {"persistent": False}, {"depends": "auto"}, {"version": "1"}])
def test_what_an_inner_method_uses_counts_for_who_calls_it(tmp_path: Path, first: str, options: Any) -> None:
    """A file and what a function gives; whichever is called first, and nobody is told that the file is not named."""
    path, state = tmp_path / "table.dat", {"value": 1}
    path.write_text("one")
    version = options.get("version")

    @keyed_by("p")
    class Owner:
        p = 1.0

        @stored(uses=(path, lambda: state["value"]), ignore=() if version else ("path", "state"), version=version)
        def inner(self) -> Any:
            return path.read_text(), state["value"]

        @stored(**{name: each for name, each in options.items() if name != "version"})
        def outer(self) -> Any:
            return self.inner()

    owner = Owner()
    getattr(owner, first)()
    assert [owner.outer(), owner.outer()] == [("one", 1)] * 2
    assert str(path) in [each.name for each in owner.outer.dependencies().uses]
    path.write_text("two")
    assert [owner.outer(), owner.outer()] == [("two", 1)] * 2
    state["value"] = 2
    assert [owner.outer(), Owner().outer()] == [("two", 2)] * 2
    path.write_text("one")
    state["value"] = 1
    assert owner.outer() == ("one", 1)
    assert owner.outer.cache_info().misses == 3


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """Nothing reads what it contains."""
    with pytest.raises(TypeError, match=r"has the folder '.*' in it, of which no content is read; name its files"):
        owner_of((tmp_path,), lambda: 1)
