"""Objects tell their class by its name and bases and, where that is not enough, by its content."""

from __future__ import annotations

import abc
import collections
import dataclasses
import enum
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from stored import OwnerWarning, UnstableKeyError
from stored._keys import canonical
from stored._keys.class_names import base_names, class_name, local_class_digest
from tests.keys.models import Base, Cosmology


class First(Base):
    pass


def made(k: Any) -> Any:
    class Local(Base):
        order = k

        def value(self) -> Any:
            return self.order

    return Local


def of_two(is_first: bool) -> Any:
    """One of two classes that have the same name and other code."""
    if is_first:

        class Local:
            def value(self) -> int:
                return 1

        return Local

    class Local:  # type: ignore[no-redef]
        def value(self) -> int:
            return 2

    return Local


def test_a_class_is_known_by_its_name_and_its_bases() -> None:
    """Those that are the user's own."""
    assert class_name(int) == "'builtins.int'"
    assert class_name(Base) == "'tests.keys.models.Base'"
    assert class_name(First) == f"'{__name__}.First'('tests.keys.models.Base')"
    assert base_names(First) == ["'tests.keys.models.Base'"]


def test_classes_of_functions_are_known_by_their_content() -> None:
    """Also two of one name with other code, and those made by calling `type`."""
    kinds = [made(1), made(2), made([1]), type("Made", (Base,), {"x": 1}), type("Made", (Base,), {"x": 2})]
    assert len({class_name(each) for each in kinds}) == len(kinds)
    assert class_name(made([1])) == class_name(made([1]))
    assert class_name(of_two(True)) != class_name(of_two(False))


def test_a_class_stays_the_same_one() -> None:
    """Though it counts something in an attribute."""
    kind = made(1)
    before = class_name(kind), local_class_digest(kind)
    kind.order += 1
    assert (class_name(kind), local_class_digest(kind)) == before


def test_classes_in_one_another_have_a_name() -> None:
    """Objects of a class as its attribute, and of two classes as those of each other."""

    def pair(k: Any) -> tuple[Any, Any]:
        one, two = made(k), made(k + 1)
        one.own, one.other, two.other = one(), two(), one()
        return one, two

    assert [*map(class_name, pair(1))] == [*map(class_name, pair(1))] != [*map(class_name, pair(2))]


def test_all_bases_and_the_metaclass_count() -> None:
    """Those of libraries too."""

    def of(base: Any, **options: Any) -> Any:
        class Local(base, **options):
            pass

        return Local

    class Meta(type):
        pass

    kinds = [of(base) for base in (dict, collections.Counter, ValueError, KeyError, object)]
    kinds += [of(object, metaclass=each) for each in (Meta, abc.ABCMeta)]
    kinds += [base("E", ["A"]) for base in (enum.Enum, enum.IntEnum, enum.Flag, enum.IntFlag)]
    assert len({class_name(each) for each in kinds}) == len(kinds)
    assert len({local_class_digest(each) for each in kinds}) == len(kinds)
    assert len({canonical(each) for each in kinds}) == len(kinds)
    assert class_name(pathlib.PurePosixPath) == "'pathlib.PurePosixPath'"


def test_classes_that_a_library_makes_for_users_are_described_by_their_content() -> None:
    """Though they say that they are of a module of Python."""
    kinds = [dataclasses.make_dataclass("S", [("x", float)], frozen=each) for each in (True, False)]
    assert len({class_name(each) for each in kinds}) == 2


WITHOUT_FORM = r"\.order\[0\] is a value of type builtins.object.*under its own"


def test_what_has_no_form_in_a_class_is_refused_with_its_place() -> None:
    """Where the class is told by its content, as a base is."""
    with pytest.raises(UnstableKeyError, match=WITHOUT_FORM):
        base_names(type("Below", (made([object()]),), {}))


def closing(value: object) -> type:
    """A class with a helper that closes over a value."""

    class Local:
        def helper(self) -> object:
            return value

    return Local


def test_an_owners_class_that_closes_over_what_has_no_form_is_like_no_other() -> None:
    """Its results are found by this process only, and a warning says so once."""
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    kinds = [closing(iter([])), closing(iter([])), closing(deep)]
    with pytest.warns(OwnerWarning, match=r"found by this process only.*(list_iterator|nested too deeply)") as found:
        assert len({local_class_digest(each) for each in kinds * 2}) == 3
    assert len(found) == 3


def test_an_owners_attributes_without_a_form_are_left_to_its_methods() -> None:
    """Those that a method reads join its key."""
    assert local_class_digest(made([object()])) == local_class_digest(made([object()])) != ""


def test_classes_whose_objects_are_in_one_another_take_no_time() -> None:
    """Each is told once, though there are two to the 30 ways from the last to the first."""
    kind = made(1)
    for _ in range(30):
        kind = type("Local", (), {"a": kind(), "b": kind()})
    assert class_name(kind).startswith("'")


def test_the_code_of_methods_is_left_to_their_versions() -> None:
    """The digest of what a function gave to a class, for its objects as owners; other classes have none."""
    assert local_class_digest(Cosmology) == local_class_digest(int) == ""
    assert len({local_class_digest(made(k)) for k in (1, 2, [1])}) == 3
    assert local_class_digest(of_two(True)) == local_class_digest(of_two(False)) != ""


def test_classes_of_a_script_are_known_by_their_constants_too() -> None:
    """Since one that travels to another process is not found there under its name."""
    script = (
        "from stored._keys.class_names import class_name, local_class_digest\n"
        "class A: x = [1]\n"
        "name = class_name(A)\n"
        "B = type('A', (), {'x': [1], '__module__': '__main__'})\n"
        "C = type('A', (), {'x': [2], '__module__': '__main__'})\n"
        "print(name == class_name(B), name == class_name(C), repr(local_class_digest(A)))\n"
        "of = lambda **said: type('Op', (), {'__module__': '__main__', **said})\n"
        "kinds = [of(at=lambda self, x: x), of(at=lambda self, x: 2 * x), of(x=1)]\n"
        "print(len(set(map(class_name, kinds))), len(set(map(local_class_digest, [of(x=1), of(x=2)]))))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "''", "3", "2"]
