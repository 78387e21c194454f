"""A stored function that is found in a class is a method there, unless it stands below @staticmethod."""

from __future__ import annotations

import dataclasses
import functools
import gc
import pickle
from typing import Any

import pytest

from stored import Axis, clear, configure, fill, keyed_by, stored
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
    """Its objects have a method, and itself it is a function."""
    plain = new_function()
    assert [plain(3.0), plain(3.0)] == [3.0, 3.0]
    Child.plain = plain  # type: ignore[attr-defined]
    child: Any = Child(2.0)
    kind: Any = Child
    assert [child.plain(), kind.plain(child, 5.0), plain(child), plain(3.0), kind.plain(4.0)] == [2.0, 10.0, 2.0, 3, 4]
    assert child.plain.cache_info()[:2] == (0, 1)
    assert plain.cache_info()[:2] == (2, 4)
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
    expected = r"on 1\.0\. It is a method of Model; what needs no object is a plain .*; give an object of Model first"
    with pytest.raises(OwnerError, match=expected) as raised:
        Model.method(1.0, 2.0)  # type: ignore[arg-type]
    assert "builtins.float" not in str(raised.value)

    class Untold:
        @stored
        def inner(self) -> float:
            return 1.0

        method = property(inner)
        del inner

    with pytest.raises(OwnerError, match=r"method of objects that tell their parameters; .* Write @keyed_by above"):
        Untold().method  # noqa: B018

    class Local:
        @classmethod
        @stored
        def made(cls, x: float) -> float:
            return x

    with pytest.raises(OwnerError, match=r"results of a class method would belong to a class"):
        Local.made(1.0)
    with pytest.raises(OwnerError, match=r"results of a class method would belong to a class"):
        vars(Local)["made"].__func__(Local, 1.0)


# -- functions that classes have too -----------------------------------------------------------------------------------


def halving(x: Any, y: float = 2.0) -> float:
    return (3.0 if isinstance(x, Unkeyed | Holder) else x) / y


halved = stored(halving)


class Unkeyed:
    helper = halved


@dataclasses.dataclass
class Holder:
    function: Any = halved


@pytest.mark.parametrize("kind", [Unkeyed, Holder])
def test_a_function_that_a_class_has_too_takes_its_objects(kind: Any) -> None:
    """As the plain one does: they need not tell parameters."""
    first = kind()
    assert [halved(first), halved(first, 3.0), halved(8.0)] == [1.5, 1.0, 4.0]
    assert halved.cached(first)
    assert halved.dependencies().method == "halving"
    assert Holder().function(8.0) == 4.0
    with pytest.raises(OwnerError, match="Unkeyed has stored methods, but does not tell its parameters"):
        Unkeyed().helper()


def test_a_function_and_the_method_that_it_is_too() -> None:
    """Both are forgotten, and both take over results of earlier code."""

    def value(self: Any) -> float:
        return float(self if isinstance(self, float) else self.a)

    both = stored(value)

    @keyed_by("a")
    class Local:
        a = 2.0
        method = both

    local = Local()
    assert (both(3.0), local.method()) == (3.0, 2.0)
    both.cache_clear(3.0)
    assert (both.cached(3.0), local.method.cached()) == (False, True)
    both(3.0)
    both.cache_clear()
    assert (both.cached(3.0), local.method.cached()) == (False, False)
    both.cache_accept(sample=1)
    assert (both(3.0), local.method()) == (3.0, 2.0)


@stored
def carried(x: float) -> float:
    return x


Carrier = type("Carrier", (), {"__module__": "tests.methods.models", "of_another_name": carried})


def test_a_function_that_a_class_has_too_is_pickled_by_its_name() -> None:
    """Wherever that class is."""
    assert pickle.loads(pickle.dumps(carried)) is carried
    assert carried(2.0) == 2.0


def test_a_function_that_is_sent_with_a_class_takes_its_objects() -> None:
    """In another process, where it arrives as a method of that class first."""
    plain = new_function()

    class Local:
        a = 3.0
        method = plain

    class Child(Model, Local):
        pass

    arrive, (sent,) = plain.__reduce__()
    arrived = arrive(sent._replace(origin=("elsewhere", 1), number="of another process"))
    Local.method = arrived
    assert arrived is not plain
    assert [arrived(Child(2.0)), arrived(5.0, 2.0), arrived.dependencies().parameters] == [2.0, 10.0, ()]


def test_without_its_class_it_is_still_a_function() -> None:
    """The class is freed, or has got the function later."""
    plain = new_function()

    def made() -> None:
        class Local:
            method = plain

    made()
    gc.collect()
    plain.cache_accept()
    Child.plain = plain  # type: ignore[attr-defined]
    assert (plain(2.0), plain.dependencies().parameters) == (2.0, ())


def test_a_static_method_that_another_class_has_too() -> None:
    """It is no method of that one."""

    class Shows:
        shown = Model.doubled

    assert (Shows.shown(3.0), Model.doubled(3.0), Shows().shown.__wrapped__.__func__) == (
        6,
        6,
        Model.doubled.__wrapped__,
    )


def test_a_static_method_is_known_by_its_first_call() -> None:
    """With what is no object of a class of Python: its calls need not be looked at from then on."""

    class Local:
        @staticmethod
        @stored
        def doubled(x: Any) -> float:
            return 2.0 * (x.a if isinstance(x, Model) else x)

    stored_type: Any = type(Local.doubled)
    assert (Local.doubled(Model(2.0)), stored_type.__stored_is_function__) == (4.0, False)
    assert (Local.doubled(2.0), stored_type.__stored_is_function__) == (4.0, True)
    assert (Local.doubled(2.0), Local.doubled(Model(2.0))) == (4.0, 4.0)


def test_a_method_that_the_body_of_its_class_calls() -> None:
    """With anything; it is a method all the same."""

    @keyed_by("a")
    class Local:
        a = 2.0

        @stored
        def times(self: Any, x: float) -> float:
            return x * (self if isinstance(self, int) else self.a)

        six = times(3, 2.0)

    assert (Local.six, Local().times(2.0), Local.times(Local(), 3.0)) == (6.0, 4.0, 6.0)


def test_calls_that_do_not_fit_are_counted_as_those_of_the_plain_function() -> None:
    """There is no owner among the arguments."""

    class Local:
        @staticmethod
        @stored
        def pair(x: float, y: float = 1.0) -> float:
            return x + y

    function = new_function()
    for each in (function, Local.pair, Model.doubled):
        for args, named in [((1, 2, 3), {}), ((), {}), ((1,), {"z": 2}), ((1, 2, 3), {"z": 2})]:
            with pytest.raises(TypeError) as plain:
                each.__wrapped__(*args, **named)
            each(1.0)
            with pytest.raises(TypeError) as raised:
                each(*args, **named)
            assert str(raised.value).replace("\n", " ") == str(plain.value)


def test_fill_takes_static_methods() -> None:
    """Before their first call, also of a class that a function makes; of a method it wants the objects."""

    class Local:
        @staticmethod
        @stored
        def tripled(x: float) -> float:
            return 3.0 * x

    Model.doubled.cache_clear()
    with configure(memory_sets=2):
        for each in (Model.doubled, Local.tripled):
            assert fill(each, args=[(1.25,), (2.5,)], progress=False).computed == 2
            assert each.cached(1.25)
    with pytest.raises(OwnerError, match="a method without objects; give these, and the name"):
        fill(Model.method)
