"""Functions, methods and classes have equal text if they compute the same, and another one if they may not."""

from __future__ import annotations

import dataclasses
import functools
import math
import sys
import types
from typing import Any

import numpy as np
import pytest
import scipy.special

from stored import stored
from stored._keys import canonical
from stored.errors import UnstableKeyError
from tests.keys.models import Base, Colour, Dark, Model, OldWord, Told, plus_one, plus_two, power, square

# -- methods and classes ----------------------------------------------------------------------------------------------


def test_bound_methods_are_values_by_owner_and_function() -> None:
    """A method counts with the parameters of its owner."""
    assert canonical(Model(1, 2).age) == canonical(Model(1.0, 2).age)
    assert canonical(Model(1, 2).age) != canonical(Model(1, 3).age)
    assert canonical(Told.made) != canonical(Told("x").getHashableString)


def test_bound_stored_methods_are_bound_methods() -> None:
    """A stored method as an argument counts as the plain one does, with its owner's parameters."""

    class Stored(Model):
        @stored
        def time(self) -> float:
            return self.h

    owner = Stored(1, 2)
    assert canonical(owner.time) == canonical(types.MethodType(owner.time.__func__, owner))
    assert canonical(owner.time) != canonical(Stored(1, 3).time)


def made_in_a_function(k: float) -> Any:
    @dataclasses.dataclass(frozen=True)
    class Law:
        x: float

        def __call__(self) -> float:
            return self.x * k

    return Law


def test_local_classes_count_with_what_they_closed_over() -> None:
    """Two classes of one name made by one function are distinguished by what the function gave them."""
    assert canonical(made_in_a_function(2)(1)) == canonical(made_in_a_function(2.0)(1))
    assert canonical(made_in_a_function(2)(1)) != canonical(made_in_a_function(3)(1))


def test_classes_are_values_if_they_can_be_found() -> None:
    """A class itself is a value by its name and its code; a local one is refused, as others can have the same name."""
    assert len({canonical(each) for each in (Base, Dark, int, bool, np.float64, Colour, OldWord)}) == 7
    with pytest.raises(UnstableKeyError, match="type"):
        canonical(made_in_a_function(2))


@pytest.mark.parametrize("line", ["order = 1", "step(self): return 1", "size(self): return 1", "helper(): return 1"])
def test_a_changed_class_is_another_value(line: str) -> None:
    """Changed code or a changed constant, in a method, a property, a static method, or the class body."""
    source = (
        "class C:\n order = 1\n def step(self): return 1\n @property\n def size(self): return 1\n"
        " @staticmethod\n def helper(): return 1\n"
    )
    texts = set()
    for said in (source, source.replace(line, line.replace("1", "2"))):
        module = types.ModuleType("made_for_a_test")
        sys.modules["made_for_a_test"] = module
        try:
            exec(said, module.__dict__)
            texts.add(canonical(module.C))
        finally:
            del sys.modules["made_for_a_test"]
    assert len(texts) == 2


# -- functions --------------------------------------------------------------------------------------------------------


def counting() -> tuple[Any, Any]:
    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n > 0 and even(n - 1)

    def factorial(n: int) -> int:
        return 1 if n < 2 else n * factorial(n - 1)

    return even, factorial


def test_closures_count() -> None:
    """Functions of equal source and different closure differ, whatever the closure holds."""
    assert canonical(power(2)) == canonical(power(2.0))
    contents = [2, 3, "2", [2], np.array([2]), power(2), power(3), Dark(2)]
    assert len({canonical(power(each)) for each in contents}) == len(contents)


def test_mutable_content_of_a_closure_is_in_the_text() -> None:
    """A list that a function closed over changes the function."""
    content = [1]
    function = power(content)
    before = canonical(function)
    content.append(2)
    assert canonical(function) != before


def test_an_unstable_closure_is_refused() -> None:
    """What a function closed over must have a form, and must be there."""
    with pytest.raises(UnstableKeyError, match=r"builtins.object"):
        canonical(power(object()))

    def early() -> int:
        return late

    with pytest.raises(UnstableKeyError, match=r"builtins.function"):
        canonical(early)
    late = 1
    assert canonical(early)


def test_recursive_functions() -> None:
    """One that calls itself has a form; two that call each other have none."""
    even, factorial = counting()
    assert canonical(factorial) == canonical(counting()[1])
    with pytest.raises(UnstableKeyError):
        canonical(even)


def test_defaults_count() -> None:
    """Positional and keyword-only defaults are part of a function."""
    functions = [lambda x, n=1: x, lambda x, n=2: x, lambda x, *, n=1: x, lambda x, *, n=2: x]
    assert len({canonical(each) for each in functions}) == 4


def test_wrappers_are_not_what_they_wrap() -> None:
    """functools.wraps copies the name and leads to the source of the wrapped function; the wrapper still counts."""
    assert (
        len({canonical(each) for each in (square, plus_one(square), plus_two(square), plus_one(plus_one(square)))}) == 4
    )


def test_partials_and_compiled_functions() -> None:
    """A partial is its function and arguments; what is compiled is its name, if it is found under it."""
    partial = functools.partial
    values = [partial(square, 1), partial(square, 2), partial(square, x=1), partial(power, 1), np.sin, np.cos, math.sin]
    values += [scipy.special.gamma, scipy.special.log1p, np.log1p, np.median, np.linalg.norm]
    assert len({canonical(each) for each in values}) == len(values)


def test_a_ufunc_that_only_has_the_name_is_refused() -> None:
    """A function called like one of a library is not that one."""
    impostor = np.frompyfunc(math.sin, 1, 1)
    with pytest.raises(UnstableKeyError, match=r"numpy.ufunc"):
        canonical(impostor)
