"""What the last versions of a method were made of is kept beside its results, for `explain()` and one warning."""

from __future__ import annotations

import platform
import types
from pathlib import Path
from typing import Any

import pytest

from stored import VolatileKeyWarning, configure, keyed_by, stored
from stored._storage import current_store, headers

CHANGED = types.ModuleType("changed_by_test")
exec("K = 1.0\nSHAPE = (1,)\ndef helper(x): return K * x + len(SHAPE)", vars(CHANGED))


@keyed_by("p")
class Model:
    def __init__(self, p: float) -> None:
        self.p = p

    @stored
    def method(self) -> Any:
        return CHANGED.helper(self.p)

    @stored
    def of_package(self) -> Any:
        return pytest.approx(self.p)  # which cannot be stored by another process, so only its code is told


def test_headers_tell_the_packages(cache_dir: Path) -> None:
    """Those that the code reaches, with Python and the version of the code."""
    Model(1.0).of_package()
    (header,) = headers(current_store())
    assert header.writer["pytest"] == pytest.__version__
    assert header.writer["python"] == platform.python_version()
    assert header.key.version == Model.of_package.dependencies().version


def test_changed_constants_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With both values; what is the same is not."""
    Model(1.0).method()
    monkeypatch.setattr(CHANGED, "K", 2.0)
    explanation = Model(1.0).method.explain()
    assert explanation.differences["constant changed_by_test.K"] == ("1.0", "2.0")
    assert "constant changed_by_test.K is 2.0, stored is 1.0" in str(explanation)
    assert len(explanation.differences) == 2


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    """As a constant is."""
    path = tmp_path / "table.dat"
    path.write_text("1")

    @keyed_by("p")
    class Reading:
        p = 1.0

        @stored(uses=(path,))
        def method(self) -> str:
            return path.read_text()

    Reading().method()
    path.write_text("2")
    assert f"of uses: {path} is file" in str(Reading().method.explain())


def test_changed_functions_and_what_is_no_longer_used_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that is not known is not shown."""
    Model(1.0).method()
    monkeypatch.setattr(CHANGED, "helper", types.FunctionType((lambda x: x).__code__, vars(CHANGED), "helper"))
    differences = Model(1.0).method.explain().differences
    assert differences["constant changed_by_test.K"] == ("1.0", "absent")
    assert any(name.startswith("code ") for name in differences)
    assert "has changed:" in str(Model(1.0).method.explain())


def test_without_a_history_the_version_alone_is_told(monkeypatch: pytest.MonkeyPatch, cache_dir: Path) -> None:
    """As where it was removed, or is damaged; it is not taken for a result."""
    Model(1.0).method()
    (path,) = cache_dir.rglob("code-*.code")
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    monkeypatch.setattr(CHANGED, "K", 3.0)
    assert list(Model(1.0).method.explain().differences) == ["the method's version"]
    path.unlink()
    assert list(Model(1.0).method.explain().differences) == ["the method's version"]


def test_a_constant_that_is_always_another_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the third recomputation for its sake, each in another process; no other constant is."""
    for number in range(4):
        monkeypatch.setattr("stored._methods.code_history._PROCESS", str(number))
        monkeypatch.setattr(CHANGED, "K", float(number + 10))
        if number == 1:
            monkeypatch.setattr(CHANGED, "SHAPE", (1, 2))
        if number < 3:
            Model(1.0).method()
    with pytest.warns(
        VolatileKeyWarning, match=r"3 times because changed_by_test.K was another one .*10.0, 11.0, .*'K'"
    ):
        Model(1.0).method()
    assert Model(1.0).method() == 15.0


def test_edits_of_code_are_no_volatile_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where the code is the same each time, and another process has run it."""
    for number in range(6):
        monkeypatch.setattr(CHANGED, "K", 50.0 + number)
        Model(1.0).method()
    monkeypatch.undo()
    for number in range(6):
        monkeypatch.setattr("stored._methods.code_history._PROCESS", str(number))
        monkeypatch.setattr(CHANGED, "K", float(number))
        if number % 2:
            monkeypatch.setattr(CHANGED, "helper", types.FunctionType((lambda x: x * K).__code__, vars(CHANGED)))  # noqa: F821
        Model(1.0).method()
        monkeypatch.undo()


def test_the_history_is_bounded_and_one_file(monkeypatch: pytest.MonkeyPatch, cache_dir: Path) -> None:
    """However many versions there are; in a shared directory there is none."""
    shared = cache_dir.parent / "shared"
    with configure(cache_dir=shared):
        Model(1.0).method()
    with configure(shared_dirs=(shared,)):
        for number in range(12):
            monkeypatch.setattr(CHANGED, "SHAPE", (0,) * number)
            if number % 2:
                monkeypatch.setattr(CHANGED, "helper", lambda x: x)
            Model(1.0).method()
            monkeypatch.undo()
    (path,) = cache_dir.rglob("code-*.code")
    assert path.stat().st_size < 20_000
    assert len(list(shared.rglob("code-*.code"))) == 1


PART = types.ModuleType("part_of_test")
exec(
    "class Part:\n    def __init__(self, q): self.q = q\n    def value(self): return K * self.q\nK = 1.0",
    vars(PART),
)


@keyed_by("part")
class Whole:
    def __init__(self, q: float) -> None:
        self.part = PART.Part(q)

    @stored
    def method(self, x: float = 1.0) -> float:
        value: float = self.part.value() * x
        return value


@pytest.mark.parametrize("name", ["K", "Part"])
def test_what_changed_in_the_class_of_a_parameter_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With the old and the new text, though the version of the method is the same."""
    Whole(2.0).method()
    if name == "K":
        monkeypatch.setattr(PART, "K", 3.0)
        expected = {"constant part_of_test.K": ("1.0", "3.0")}
    else:
        monkeypatch.setattr(PART.Part, "value", lambda self: self.q)
        expected = {}
    found = Whole(2.0).method.explain()
    assert found.where is None
    assert "(code that its class, or a function in it, reaches has changed)" in str(found)
    assert found.differences.items() >= expected.items()
    assert any(each.startswith(("code ", "constant ")) for each in found.differences)


def test_the_latest_of_earlier_versions_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of results that are as near, that of the code that was used last."""
    for value in (1.0, 5.0, 6.0):
        monkeypatch.setattr(CHANGED, "K", value)
        Model(1.0).method()
    monkeypatch.setattr(CHANGED, "K", 7.0)
    assert Model(1.0).method.explain().differences["constant changed_by_test.K"] == ("6.0", "7.0")


def test_of_results_in_memory_only_the_classes_of_parameters_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they were made of is kept beside results in the store."""

    @keyed_by("part")
    class Own(Whole):
        @stored(persistent=False)
        def in_memory(self) -> float:
            value: float = self.part.value()
            return value

    with configure(memory_sets=8):
        Own(2.0).in_memory()
        monkeypatch.setattr(PART, "K", 3.0)
        found = Own(2.0).in_memory.explain()
    assert set(found.differences) == {"parameter part"}
    assert "(code that its class, or a function in it, reaches has changed)" in str(found)
