"""Which code do results belong to, and what can be decorated?"""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any

import pytest

from stored import keyed_by, stored
from tests.methods.models import MODEL_SOURCE, model_from_source
from tests.methods.owners import Described, Plain

# -- versions --


def test_a_changed_body_never_returns_the_old_result(tmp_path: Path) -> None:
    """Changed comments and docstrings keep a result; another body does not."""
    bodies = ["return self.n", "'''Doc.'''\n        return self.n  # as before", "return self.n + 1"]
    results = []
    for index, body in enumerate(bodies):
        model = model_from_source(MODEL_SOURCE.format(decorator="@stored", body=body), tmp_path, f"v{index}")()
        results.append((model.method.cached(), model.method()))
    assert results == [(False, 3), (True, 3), (False, 4)]


def test_an_explicit_version_stands_for_the_source(tmp_path: Path) -> None:
    """With a version the body may change and the result stays; another version is another result."""
    first = model_from_source(
        MODEL_SOURCE.format(decorator="@stored(version='1')", body="return self.n"), tmp_path, "a"
    )()
    same = model_from_source(
        MODEL_SOURCE.format(decorator="@stored(version='1')", body="return self.n + 1"), tmp_path, "b"
    )()
    other = model_from_source(
        MODEL_SOURCE.format(decorator="@stored(version='2')", body="return self.n + 1"), tmp_path, "c"
    )()
    assert [first.method(), same.method(), other.method()] == [3, 3, 4]


def test_classes_of_one_factory_have_separate_results() -> None:
    """A constant from the enclosing function is part of the method's version."""

    def factory(power: int) -> Any:
        @keyed_by("n")
        class Made:
            n = 3

            @stored
            def method(self) -> int:
                return int(self.n**power)

        return Made()

    assert [factory(1).method(), factory(2).method(), factory(1).method()] == [3, 9, 3]


def test_another_axis_is_another_definition(tmp_path: Path) -> None:
    """Changing the axis makes the table anew."""
    source = """
    from stored import Axis
    @keyed_by("n")
    class Model:
        n = 3
        @stored(interpolate=Axis("x", 0.0, 1.0, points={points}))
        def method(self, x):
            return x
    """
    first = model_from_source(source.format(points=5), tmp_path, "a")()
    first.method(0.5)
    assert model_from_source(source.format(points=5), tmp_path, "b")().method.cached(0.1)
    assert not model_from_source(source.format(points=6), tmp_path, "c")().method.cached(0.1)


# -- names --


def test_overrides_with_super_are_two_results() -> None:
    """A method and the override that calls it never answer for one another."""

    class Child(Plain):
        @stored
        def method(self) -> float:
            return super().method() + 10.0

    child = Child(1.0)
    assert [child.method(), child.method(), Plain.method(child)] == [11.0, 11.0, 1.0]
    assert Child(1.0).method() == 11.0
    assert Plain(1.0).method() == 1.0


def test_methods_of_one_wrapper_have_separate_results() -> None:
    """Functions made by one factory are distinguished by their names in the class, in results and when cleared."""

    def power(exponents: list[int]) -> Any:
        def compute(self: Any) -> int:
            return int(self.n ** exponents[0])

        return compute

    @keyed_by("n")
    class Powers:
        n = 3
        square, cube = stored(power([2])), stored(power([3]))
        again = square

    owner = Powers()
    assert [owner.square(), owner.cube(), owner.again()] == [9, 27, 9]
    owner.cube.cache_clear()
    assert owner.square.cached()


def test_an_inherited_method_belongs_to_the_class_that_runs_it() -> None:
    """A subclass that overrides a helper has results of its own, also if it inherits how it is described."""

    class Base(Described):
        def helper(self) -> float:
            return 1.0

        @stored
        def scaled(self) -> float:
            return self.n * self.helper()

    class Child(Base):
        def helper(self) -> float:
            return 2.0

    assert [Base(3.0).scaled(), Child(3.0).scaled(), Base(3.0).scaled()] == [3.0, 6.0, 3.0]


# -- what can be decorated --


def function(x: float) -> float:
    return x


def generator(self: object) -> Any:
    yield 1


async def coroutine(self: object) -> int:
    return 1


async def asynchronous_generator(self: object) -> Any:
    yield 1


@pytest.mark.parametrize(
    "wrong",
    [staticmethod(len), classmethod(len), property(len), int, 5, generator, coroutine, asynchronous_generator],
)
def test_only_plain_methods_can_be_stored(wrong: Any) -> None:
    """Anything but a plain method is refused where it is decorated."""
    with pytest.raises(TypeError, match=r"plain methods|used only once"):
        stored(wrong)


def test_code_without_source_needs_a_version() -> None:
    """A built-in cannot tell its version, and works with one."""
    with pytest.raises(TypeError, match="version="):
        stored(len)


def test_code_without_a_name_is_refused() -> None:
    """What has no name cannot have results of its own."""
    with pytest.raises(TypeError, match="has no __name__"):
        stored(version="1")(operator.itemgetter(0))


def test_a_method_without_self_is_refused() -> None:
    """A function without an owner cannot be a method."""
    with pytest.raises((TypeError, RuntimeError)) as raised:

        class Holder:
            method = stored(lambda: 1)

    assert "takes no self" in str(raised.value.__cause__ or raised.value)  # before Python 3.12 it is the cause
