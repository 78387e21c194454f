"""`dependencies()` tells what results depend on, to read and as data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stored
from stored import Dependencies, OwnerError, keyed_by
from stored._keys.code_listing import CodePlace
from tests.methods import rebound_library, rebound_names
from tests.methods.rebound_names import Model

HERE = str(Path(rebound_names.__file__))


def names(found: tuple[Any, ...]) -> set[str]:
    return {each.name.removeprefix("tests.methods.") for each in found}


def test_all_that_counts_is_told() -> None:
    """Parameters and attributes with their values, code with file and line, constants, packages."""
    found = Model(1.5).of_module.dependencies()
    assert isinstance(found, Dependencies)
    assert (found.method, [tuple(each) for each in found.parameters]) == ("Model.of_module", [("p", "1.5", "")])
    assert names(found.code) == {"rebound_names.Model.of_module", "rebound_library.scaled"}
    line = rebound_library.scaled.__code__.co_firstlineno
    assert f"{rebound_library.__file__}:{line}" in {each.place for each in found.code}
    assert {each.name.rpartition(".")[2]: each.detail for each in found.constants} == {"FACTOR": "5.0", "OFFSET": "7.0"}
    assert (found.private, found.everything, found.packages) == ((), (), ())
    inherited = Model(1.5).through_self.dependencies()
    assert {each.label if hasattr(each, "label") else each.name for each in inherited.attributes} == {
        "ORDER",
        "class.ORDER",
    }
    assert all(HERE in each.place for each in inherited.attributes)


def test_it_reads_well() -> None:
    """One line for each, under headings; nothing of what there is not."""
    text = str(Model(1.5).container.dependencies())
    assert text == repr(Model(1.5).container.dependencies())
    lines = text.splitlines()
    assert lines[0].startswith("results of Model.container(), version ")
    assert [each for each in lines if each.endswith(":")] == ["  parameters:", "  code:", "  constants:"]
    assert "    tests.methods.rebound_names.TABLE = [1.0, 2.0]" in lines


def test_of_the_class_there_are_no_values() -> None:
    """And a method of a class that is gone says so."""
    assert [tuple(each) for each in Model.constant.dependencies().parameters] == [("p", "", "")]
    method: Any = stored.stored(depends="auto")(lambda self: 1)
    with pytest.raises(OwnerError, match="ask it of an object"):
        method.dependencies()


OPEN = iter(())


@keyed_by("p")
class Odd:
    def __init__(self, p: float) -> None:
        self.p = p
        self._memo: Any = None

    @property
    def broken(self) -> float:
        raise ValueError(self.p)

    @stored.stored
    def memo(self) -> Any:
        if self._memo is None:
            self._memo = self.p
        return self._memo

    @stored.stored
    def formless(self) -> Any:
        return OPEN

    @stored.stored
    def computed(self, name: str) -> Any:
        return getattr(self, name)

    @stored.stored
    def of_package(self) -> Any:
        return pytest.approx(self.p)

    @stored.stored
    def of_class(self) -> Any:
        return Odd, rebound_names

    @stored.stored
    def unset(self) -> Any:
        return self.missing  # type: ignore[attr-defined]

    @stored.stored(depends=("p",))
    def chosen(self) -> float:
        return self.p


class Told:
    def getHashableString(self) -> str:
        return "told"

    @stored.stored
    def method(self) -> int:
        return 1


LIMIT = 12.0


def helper(x: float) -> float:
    return x + LIMIT


class Cosmology:
    def __init__(self, h: float) -> None:
        self.h = h

    def age(self, z: float) -> float:
        return helper(self.h) / (1 + z)


@keyed_by("cosmo")
class Halo:
    def __init__(self, cosmo: Cosmology) -> None:
        self.cosmo = cosmo
        self.others = [helper]

    @stored.stored
    def age(self, z: float) -> float:
        return self.cosmo.age(z) + self.others[0](z)


def test_what_values_reach_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code of their classes, and of functions in them; `explain` says that it has changed."""
    halo = Halo(Cosmology(0.7))
    found = halo.age.dependencies()
    assert {"test_dependencies.Cosmology", "test_dependencies.Cosmology.age", "test_dependencies.helper"} <= names(
        found.code
    )
    assert "test_dependencies.LIMIT" in names(found.constants)
    assert names(Halo.age.dependencies().code) == {"test_dependencies.Halo.age"}
    halo.age(1.0)
    monkeypatch.setitem(globals(), "LIMIT", 13.0)
    assert "(code that its class, or a function in it, reaches has changed)" in str(halo.age.explain(1.0))


@keyed_by("p")
class Narrowed:
    def __init__(self, p: float) -> None:
        self.p = self.q = p

    @stored.stored(
        uses=(math.hypot, Path("a.txt"), "numpy", 3, names, "no such package"),
        ignore=("y", "OPEN"),
        depends=("p",),
        version="2",
    )
    def method(self, x: float, y: float) -> Any:
        return x + y


def test_what_is_named_and_what_is_left_out_is_told() -> None:
    """What `uses` names counts; what other options leave out does not."""
    found = Narrowed(1.0).method.dependencies()
    assert [each.name for each in found.uses] == [
        "hypot",
        str(Path.cwd() / "a.txt"),
        "'numpy'",
        "3",
        "names",
        "'no such package'",
    ]
    assert [each.detail for each in found.uses] == ["", "", np.__version__, "", "", ""]
    assert found.unseen == (
        "the code of the method, for which its version stands",
        "attributes other than the parameters in depends",
        "OPEN, which ignore leaves out",
        "y, which ignore leaves out",
    )
    assert "  not on:\n    the code of the method" in str(found)
    assert Model(1.0).container.dependencies().unseen == ()


def test_the_place_of_a_class_without_a_source_is_not_known() -> None:
    """As of one that a program makes."""
    assert CodePlace.of(type("Made", (), {})) == (f"{__name__}.Made", "")


def test_what_is_special_is_told() -> None:
    """Memos, reasons of private results, code that cannot be followed, versions, classes and modules."""
    odd = Odd(2.0)
    assert names(odd.memo.dependencies().memos) == {"_memo"}
    assert "OPEN is a value of type" in odd.formless.dependencies().private[0]
    assert odd.computed.dependencies().everything
    packages = {each.name: each.detail for each in odd.of_package.dependencies().packages}
    assert packages["pytest"] == pytest.__version__
    code = {each.name: each.place for each in odd.of_class.dependencies().code}
    line = next(number for number, text in enumerate(Path(__file__).read_text().splitlines()) if text == "class Odd:")
    assert code[f"{__name__}.Odd"] == f"{__file__}:{line}"  # where its decorators begin
    assert code["tests.methods.rebound_names"] == HERE
    assert [tuple(each)[:2] for each in odd.unset.dependencies().attributes] == [("missing", "absent")]
    assert names(odd.chosen.dependencies().parameters) == {"p"}
    del odd.p
    assert odd.chosen.dependencies().parameters[0].detail == "raises AttributeError"
    assert names(Told().method.dependencies().parameters) == {"the hashable string of the object"}


@keyed_by("h", "q")
class Beside:
    def __init__(self, handle: object = None) -> None:
        self.h = self.q = self.extra = 1.0
        self.handle = handle

    @stored.stored(ignore=("self.q", "self.extra"))
    def ignoring(self) -> float:
        return self.h + self.q + self.extra

    @stored.stored(depends=("h",), version="1")
    def chosen(self) -> float:
        return self.h + self.extra

    @stored.stored
    def private(self) -> str:
        return str(self.handle)


class Stringed:
    def __init__(self) -> None:
        self.h = self.other = 1.0

    def getHashableString(self) -> str:
        return str(self.h)

    @stored.stored
    def method(self) -> float:
        return self.h + self.other


def test_what_is_not_seen_and_what_is_private_is_told_of_an_object() -> None:
    """A declared parameter counts though it is ignored; what has no form is named, in `explain` too."""
    assert [each for each in Beside().ignoring.dependencies().unseen if "ignore" in each] == [
        "self.extra, which ignore leaves out"
    ]
    with pytest.warns(stored.OwnerWarning, match=r"depends=\('h',\) of Beside\.chosen\(\) leaves out"):
        Beside().chosen()
    (left_out,) = [each for each in Beside().chosen.dependencies().unseen if "depends leaves out" in each]
    assert left_out.startswith("the attribute extra, read at ")
    model = Beside(object())
    with pytest.warns(stored.OwnerWarning, match=r"say ignore=\('self.handle',\) if it does not change results"):
        model.private()
    (reason,) = model.private.dependencies().private
    assert reason.startswith("the attribute 'handle', read at ")
    assert Beside.private.dependencies().private == ()
    assert "this object only, and not stored: the attribute 'handle'" in str(model.private.explain())


def test_of_an_owner_with_a_string_of_its_own_the_attributes_are_what_it_must_tell() -> None:
    """They do not join the key."""
    found = Stringed().method.dependencies()
    assert "attributes that the string must tell:" in str(found)
    assert names(found.attributes) == {"h", "other"}
    assert "the attribute other, unless the hashable string tells it" in found.unseen


def test_parameters_without_a_form_are_told_all_the_same() -> None:
    """Calls are refused then, and this may be read to find out why."""

    @keyed_by("p")
    class Odd:
        p = object()

        @stored.stored
        def method(self) -> str:
            return str(self.p)

    with pytest.raises(stored.StoredError, match="no form"):
        Odd().method()
    assert [each.name for each in Odd().method.dependencies().parameters] == ["p"]
