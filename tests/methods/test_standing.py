"""A stored function that is found in a class is a method there, unless it stands below @staticmethod."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from stored import Axis, clear, keyed_by, stored
from stored.errors import OwnerError


@keyed_by("a")
class Model:
    def __init__(self, a: float) -> None:
        self.a = a

    @staticmethod
    @stored
    def doubled(x: float) -> float:
        return 2.0 * x

    @staticmethod
    @stored(interpolate=Axis("z", 0.0, 1.0, rtol=1e-8))
    def curve(z: float) -> float:
        return z**2

    @staticmethod
    @stored
    def constant() -> float:
        return 5.0

    @staticmethod
    @stored
    def of(model: Model) -> float:
        return model.a

    @property
    @stored
    def told(self) -> float:
        return self.a

    @stored
    def method(self, x: float) -> float:
        return self.doubled(x) * self.a


def test_static_methods_are_functions() -> None:
    """Of the class and of its objects, with all attributes; of no argument, too, and of one along an axis."""
    model = Model(3.0)
    Model.doubled.cache_clear()
    assert [Model.doubled(1.5), model.doubled(1.5), model.doubled(x=1.5)] == [3.0] * 3
    assert Model.doubled.cache_info()[:2] == (2, 1)
    assert model.curve(0.5) == pytest.approx(0.25)
    assert model.curve.inverse(0.25) == pytest.approx(0.5)
    assert [Model.constant(), model.constant()] == [5.0, 5.0]
    assert Model.doubled.dependencies().method == "Model.doubled"
    assert Model.doubled.__name__ == "doubled"
    assert not Model.doubled.cached(7.0)
    assert str(Model.doubled.explain(1.5)) == "doubled(x=1.5): hit, in memory"


def test_a_static_method_of_an_object_of_its_class() -> None:
    """The object is an argument, and not the owner."""
    model = Model(3.0)
    assert [Model.of(model), model.of(model)] == [3.0, 3.0]
    model.a = 4.0
    assert Model.of(model) == 4.0
    assert Model.of.cache_info().misses >= 2


def test_methods_and_properties_beside_them_are_as_before() -> None:
    """A method counts the code of a static one that it calls; a property calls the method of its object."""
    model = Model(3.0)
    assert (model.method(1.0), model.told) == (6.0, 3.0)
    model.a = 4.0
    assert (model.method(1.0), model.told, model.told) == (8.0, 4.0, 4.0)
    assert "Model.doubled" in str(Model.method.dependencies())
    clear(model)
    assert not model.method.cached(1.0)


def test_classes_that_functions_make() -> None:
    """A class that has no importable name: static methods, properties, and objects as first arguments."""

    @keyed_by("a")
    class Local:
        a = 2.0

        @staticmethod
        @stored
        def doubled(x: Any) -> float:
            return 2.0 * (x.a if isinstance(x, Local) else x)

        @property
        @stored
        def told(self) -> float:
            return self.a

    local: Any = Local()
    assert [Local.doubled(1.0), local.doubled(1.0), Local.doubled(local)] == [2.0, 2.0, 4.0]
    assert Local.doubled.cache_info()[:2] == (1, 2)
    assert [local.told, local.told] == [2.0, 2.0]
    local.a = 3.0
    assert (local.told, Local.doubled(local)) == (3.0, 6.0)
    assert Local.doubled.dependencies().method.endswith("Local.doubled")


def test_a_method_below_another_decorator() -> None:
    """It is called with its object first, and keeps its results by what that tells."""

    def halved(function: Any) -> Any:
        @functools.wraps(function)
        def half(*args: Any) -> Any:
            return function(*args) / 2

        return half

    @keyed_by("a")
    class Local:
        a = 2.0

        @halved
        @stored
        def value(self) -> float:
            return self.a

    local = Local()
    assert [local.value(), local.value()] == [1.0, 1.0]
    local.a = 3.0
    assert local.value() == 1.5
    assert Local.value.__wrapped__.cache_info(local).misses == 2


def new_function() -> Any:
    @stored
    def plain(x: Any, y: float = 1.0) -> float:
        """A function, of a number or of an object."""
        return y * (x.a if isinstance(x, Model) else x)

    return plain


class Child(Model):
    pass


def test_a_function_that_a_class_gets_later() -> None:
    """It is a method of its objects, and a function of all else."""
    plain = new_function()
    assert [plain(3.0), plain(3.0)] == [3.0, 3.0]
    Child.plain = plain  # type: ignore[attr-defined]
    child: Any = Child(2.0)
    kind: Any = Child
    assert [child.plain(), kind.plain(child, 5.0), plain(child), plain(3.0), kind.plain(4.0)] == [2.0, 10.0, 2.0, 3, 4]
    assert child.plain.cache_info()[:2] == (1, 2)
    assert plain.cache_info()[:2] == (2, 2)
    assert repr(plain) == "<stored function new_function.<locals>.plain>"
    child.a = 7.0
    assert child.plain() == 7.0


def test_a_function_that_a_class_gets_before_it_is_called() -> None:
    """What is asked first is all methods of an object."""
    Child.plain = new_function()  # type: ignore[attr-defined]
    child: Any = Child(2.0)
    clear(child)
    assert child.plain() == 2.0
    clear(child)
    assert not child.plain.cached()


def test_a_class_that_only_shows_a_function() -> None:
    """Functions without arguments, and static ones, by their names in the class body."""
    plain = new_function()
    constant = stored(lambda: 5.0)

    class Shows:
        function = plain
        nothing = constant

    assert Shows.function(3.0) == plain(3.0) == 3.0
    assert Shows.nothing() == constant() == 5.0
    with pytest.raises(OwnerError, match="does not tell its parameters"):
        clear(Shows())
    with pytest.raises(TypeError, match="takes no self"):
        Shows().nothing()  # type: ignore[call-arg, misc]


def test_what_is_no_method_is_refused_where_the_class_is_made() -> None:
    """An axis along the first parameter is for functions only."""
    with pytest.raises((TypeError, RuntimeError)) as raised:

        class Wrong:
            @stored(interpolate=Axis("z", 0.0, 1.0))
            def curve(z) -> float:  # type: ignore[no-untyped-def]
                return 1.0

    assert "interpolate of" in str(raised.value.__cause__ or raised.value)


def test_what_is_neither_is_refused_as_a_method() -> None:
    """An option that names no argument at all."""
    with pytest.raises(TypeError, match=r"interpolate of .*Wrong\.curve\(\) names 'q'; its arguments are x"):

        class Wrong:
            @stored(interpolate=Axis("q", 0.0, 1.0))
            def curve(self, x: float) -> float:
                return x


def test_depends_is_for_methods() -> None:
    """Of a function it is refused: at once, or with the first call if it might be a method."""
    with pytest.raises(TypeError, match=r"depends=\('x',\) chooses from parameters of an object.* plain function"):
        stored(depends=("x",))(lambda x: x)
    function = stored(depends=("x",))(lambda self: self)
    with pytest.raises(TypeError, match="chooses from parameters of an object"):
        function(1.0)

    @keyed_by("a", "b")
    class Local:
        a = b = 1.0
        method = stored(depends=("a",))(lambda self: self.a)

    local: Any = Local()
    assert local.method() == 1.0
    local.b = 2.0
    assert local.method.cached()


def test_the_messages_of_methods_are_as_before() -> None:
    """Without an object, with something else, and below @classmethod."""
    with pytest.raises(TypeError, match=r"Model\.method\(\) was called without its object"):
        Model.method()  # type: ignore[call-arg]
    with pytest.raises(OwnerError, match=r"Model\.method\(\) was called on 1\.0.* a plain function"):
        Model.method(1.0, 2.0)  # type: ignore[arg-type]

    class Local:
        @classmethod
        @stored
        def made(cls, x: float) -> float:
            return x

    with pytest.raises(OwnerError, match=r"results of a class method would belong to a class"):
        Local.made(1.0)
    with pytest.raises(OwnerError, match=r"results of a class method would belong to a class"):
        vars(Local)["made"].__func__(Local, 1.0)
