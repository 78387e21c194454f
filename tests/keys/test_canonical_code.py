"""Functions, methods and classes have equal text if they compute the same, and another one if they may not."""

from __future__ import annotations

import collections
import copy
import dataclasses
import enum
import functools
import json
import logging
import math
import os
import shutil
import subprocess
import sys
import threading
import types
from pathlib import Path
from typing import Any, NamedTuple

import attrs
import numpy as np
import pytest
import scipy.special
import wrapt

import stored as stored_package
from stored import stored
from stored._keys import canonical
from stored._keys.canonical import Walk
from stored._keys.class_content import class_content
from stored.errors import UnstableKeyError
from tests.keys.models import Base, Colour, Dark, Model, OldWord, Told, plus_one, plus_two, power, square
from tests.keys.values import AttrsRecord, Gaussian, Record

# -- methods and classes ----------------------------------------------------------------------------------------------


def test_bound_methods_are_values_by_owner_and_function() -> None:
    """A method counts with the parameters of its owner."""
    assert canonical(Model(1, 2).age) == canonical(Model(1, 2).age)
    methods = [Model(1, 2).age, Model(1.0, 2).age, Model(1, 3).age, Model.age]
    assert len({canonical(each) for each in methods}) == len(methods)
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
    assert canonical(made_in_a_function(2)(1)) == canonical(made_in_a_function(2)(1))
    others = [made_in_a_function(k)(1) for k in (2, 2.0, 3, [2], [3])]
    assert len({canonical(each) for each in others}) == len(others)


def test_classes_are_values() -> None:
    """A class itself is a value by its name and all that it says, also one that was made in a function."""
    kinds = [Base, Dark, int, bool, np.float64, Colour, OldWord, *(made_in_a_function(k) for k in (2, 3, [2], [3]))]
    assert len({canonical(each) for each in kinds}) == len(kinds)
    assert canonical(made_in_a_function([2])) == canonical(made_in_a_function([2]))


LINES = [
    *("order = 1", "step(self): return 1", "size(self): return 1", "helper(): return 1", "lazy(self): return 1"),
    *(
        "values = [1]",
        "text = '1'",
        "array = np.array([1])",
        "Inner: x = 1",
        "class C(Low1)",
        "law = Low1",
        "pair = {1: 2}",
    ),
    *("of(cls): return 1", "self.f = 1", "low = Low1()"),
]


@pytest.mark.parametrize("line", LINES)
def test_a_changed_class_is_another_value(line: str) -> None:
    """Changed code, a changed constant or container, or another base or class inside."""
    source = (
        "import functools\nimport numpy as np\nclass Low1:\n x = 1\nclass Low2:\n x = 1\n"
        "class C(Low1):\n order = 1\n def step(self): return 1\n @property\n def size(self): return 1\n"
        " @staticmethod\n def helper(): return 1\n @functools.cached_property\n def lazy(self): return 1\n"
        " values = [1]\n text = '1'\n array = np.array([1])\n class Inner: x = 1\n law = Low1\n pair = {1: 2}\n"
        " @classmethod\n def of(cls): return 1\n @size.setter\n def size(self, value): self.f = 1\n low = Low1()\n"
    )
    texts = set()
    assert line in source
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
    assert canonical(power([2])) == canonical(power([2]))
    contents = [2, 2.0, 3, "2", [2], [3], {"a": 1}, np.array([2]), np.array([3]), power(2), power(3), Dark(2), Dark(3)]
    assert len({canonical(power(each)) for each in contents}) == len(contents)


def test_mutable_content_of_a_closure_is_in_the_text() -> None:
    """A list that a function closed over changes the function."""
    content = [1]
    function = power(content)
    before = canonical(function)
    content.append(2)
    assert canonical(function) != before


def test_an_unstable_closure_is_refused() -> None:
    """What a function closed over must have a form."""
    with pytest.raises(UnstableKeyError, match=r"it\.n\[0\] is a value of type builtins.object"):
        canonical(power([object()]))


def test_loggers_locks_and_sentinels_in_functions_and_classes_have_a_text() -> None:
    """They change no result, and sentinels are one."""

    class Own(logging.Logger):
        pass

    for each in (logging.getLogger("a"), Own("a"), threading.Lock(), threading.RLock(), threading.Condition()):
        assert canonical(power(each)) == canonical(power(each)) != canonical(power(1))
    assert canonical(power(object())) == canonical(power(object()))

    class Guarded:
        guard = threading.Lock()
        log = logging.getLogger("a")
        hint = list[int]

    assert canonical(Guarded) == canonical(Guarded)
    assert canonical(Guarded())


def test_type_hints_have_a_form() -> None:
    """Those of Python itself."""
    values = [list[int], list[float], dict[str, int], int | None, int | str, list[int] | None, list]
    assert len({canonical(each) for each in values}) == len(values)


def test_functions_are_described_by_all_that_somebody_gave_to_them() -> None:
    """Attributes of partial functions and of those with a cache too, and a name of their own, whatever is in a name."""

    def named(name: str) -> Any:
        def function() -> None: ...

        function.__name__ = name
        return function

    def marked(function: Any, **marks: Any) -> Any:
        vars(function).update(marks)
        return function

    class OwnPartial(functools.partial[Any]):
        pass

    makers: list[Any] = [lambda: functools.partial(max, 1), lambda: functools.lru_cache(max), lambda: named("function")]
    makers += [lambda: OwnPartial(max, 1), lambda: OwnPartial(max, 2), lambda: named("other")]
    marks: list[dict[str, Any]] = [{}, {"x": 1}, {"x": 2}, {"x": 1, "y": 2}, {"x=1, 'y'": 2}]
    texts = [canonical(marked(make(), **each)) for make in makers for each in marks]
    assert len(set(texts)) == len(texts)
    assert texts == [canonical(marked(make(), **each)) for make in makers for each in marks]


def test_functions_of_libraries_that_hold_users_functions() -> None:
    """By what they hold, not by what they have met so far."""

    def single(helper: Any) -> Any:
        made = functools.singledispatch(helper)
        made.register(int, math.sin)
        return made

    one = single(math.cos)
    before = canonical(one)
    one(2)
    assert canonical(one) == before == canonical(single(math.cos)) != canonical(single(math.tan))
    vectorized = [np.vectorize(power(1)), np.vectorize(power(2)), np.vectorize(power(2), otypes=[int])]
    assert len({canonical(each) for each in vectorized}) == len(vectorized)
    vectorized[1]([1.0])
    assert canonical(vectorized[1]) == canonical(np.vectorize(power(2)))

    def with_method(helper: Any) -> Any:
        class Own:
            method = functools.singledispatchmethod(helper)

        return Own

    assert canonical(with_method(power(1))) == canonical(with_method(power(1))) != canonical(with_method(power(2)))


def test_a_function_that_reads_its_class_is_described_by_that() -> None:
    """Of one that a function made, by all that the class says."""

    def made(k: Any) -> Any:
        class Own:
            order = k

            @staticmethod
            def read() -> Any:
                return __class__.order  # type: ignore[name-defined]

        return Own.read

    assert canonical(made(1)) == canonical(made(1)) != canonical(made(2))


def test_a_variable_without_a_value_yet_counts() -> None:
    """When it has one, the function is another."""

    def early() -> int:
        return late

    before = canonical(early)
    late = 1
    assert canonical(early) != before
    assert canonical(early) == canonical(early)


def test_recursive_functions() -> None:
    """One that calls itself has a form, and so have two that call each other."""
    even, factorial = counting()
    assert canonical(factorial) == canonical(counting()[1]) != canonical(even)
    assert canonical([even, factorial]) == canonical([*counting()])


def circle(length: int, last: int) -> Any:
    """One of so many functions of which each can call every one."""
    functions: list[Any] = []
    functions += [lambda x, number=number: functions[x](number) for number in range(length - 1)]
    functions.append(lambda x, number=last: functions[x](number))
    return functions[0]


def test_many_functions_that_call_each_other() -> None:
    """The text of each is made once."""
    assert canonical(circle(40, 5)) == canonical(circle(40, 5)) != canonical(circle(40, 6))


def test_a_class_in_its_own_methods_and_attributes() -> None:
    """A reference back stands for itself, in functions and objects that are attributes."""

    def made(k: Any) -> Any:
        class Own:
            order = k
            first: Any = None

            def __init__(self, k: Any = 1) -> None:
                super().__init__()
                self.k = k

            def other(self) -> Any:
                return Own(k), Own.first

        Own.first = Own(k)
        return Own

    for of in (lambda kind: kind, lambda kind: kind(1), lambda kind: kind.other, lambda kind: kind(1).other):
        assert canonical(of(made(1))) == canonical(of(made(1))) != canonical(of(made(2)))


def test_attributes_of_functions_count() -> None:
    """What is set on a function may change what it does."""

    def made(**attributes: Any) -> Any:
        def function() -> Any:
            return vars(function)

        function.__dict__.update(attributes)
        return function

    functions = [made(), made(a=1), made(a=2), made(b=1), made(a=[1])]
    assert len({canonical(each) for each in functions}) == len(functions)
    assert canonical(made(a=1, b=2)) == canonical(made(b=2, a=1))


def test_functions_of_libraries_are_known_by_name() -> None:
    """Their code changes with the version."""
    assert canonical(json.dumps) == "function('json.dumps')"
    assert "python" not in canonical(functools.wraps(square)(json.dumps))


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
    values += [functools.lru_cache(square), functools.lru_cache(power(1)), functools.lru_cache(power(2)), square]
    values += [functools.lru_cache(maxsize=1)(square), functools.partialmethod(square, 1), staticmethod(square)]
    values += [scipy.special.gamma, scipy.special.log1p, np.log1p, np.median, np.linalg.norm]
    assert len({canonical(each) for each in values}) == len(values)


def test_a_ufunc_that_only_has_the_name_is_refused() -> None:
    """A function called like one of a library is not that one."""
    impostor = np.frompyfunc(math.sin, 1, 1)
    with pytest.raises(UnstableKeyError, match=r"numpy.ufunc"):
        canonical(impostor)


def test_proxies_of_functions_are_what_they_wrap() -> None:
    """A stored method of a class, and a decorator of wrapt, which show the type of a function."""

    @wrapt.decorator
    def twice(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        return 2 * wrapped(*args, **kwargs)

    @wrapt.decorator
    def thrice(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        return 3 * wrapped(*args, **kwargs)

    class Stored(Model):
        @stored
        def time(self) -> float:
            return self.h

    values = [twice(square), thrice(square), twice(plus_one(square)), square, Stored.time, Stored.time.__wrapped__]
    assert len({canonical(each) for each in values}) == len(values)


def body(kind: Any) -> str:
    return class_content(kind, Walk())


def test_what_python_adds_to_a_class_does_not_count() -> None:
    """The attributes that versions of Python give to classes, and what decorators write into them."""
    added = {"__firstlineno__": 5, "__static_attributes__": ("x",), "__annotate__": square, "__doc__": "About."}
    assert body(type("C", (), {"x": 1, **added})) == body(type("C", (), {"x": 1}))
    assert body(type("C", (), {"x": 1, "__array_priority__": 1})) != body(type("C", (), {"x": 1}))
    copied = type("C", (), {"x": 1})
    copy.copy(copied())
    assert body(copied) == body(type("C", (), {"x": 1}))
    for kind in (Dark, made_in_a_function(2), Colour, Gaussian, AttrsRecord, Record):
        assert "python3" not in body(kind)
        assert "__create_fn__" not in body(kind)


def test_fields_of_classes_count() -> None:
    """Members of enumerations, and defaults of fields, of whichever kind of class."""
    kinds: list[Any] = []
    for value in (1, 2, [1]):
        make: Any = functools.partial(dataclasses.field, default_factory=functools.partial(list, value))
        field = dataclasses.field(default=value) if value != [1] else make()
        kinds.append(dataclasses.make_dataclass("C", [("x", Any, field)]))
        kinds.append(attrs.make_class("C", {"x": attrs.field(default=value)}))
        kinds.append(attrs.make_class("C", {"x": attrs.field(factory=functools.partial(list, (value,)))}))
        kinds.append(enum.Enum("C", {"A": value}))
        kinds.append(collections.namedtuple("C", "x", defaults=[value]))
        kinds.append(type("C", (), {"x": value}))
    kinds += [collections.namedtuple("C", "x"), collections.namedtuple("C", "x y"), enum.Enum("C", {"A": object()})]
    kinds += [
        attrs.make_class("C", ["x"]),
        dataclasses.make_dataclass("C", ["x"]),
        dataclasses.make_dataclass("C", ["y"]),
    ]
    kinds += [attrs.make_class("C", {"x": attrs.field(default=1, converter=float)})]
    kinds += [dataclasses.make_dataclass("C", [("x", Any, dataclasses.field(default=1, init=False))])]
    assert len({body(each) for each in kinds}) == len(kinds)


def test_methods_of_enumerations_and_named_tuples_count() -> None:
    """Those that the user has written."""

    def tuples(k: int) -> Any:
        class Both(NamedTuple):
            x: int

            def value(self) -> int:
                return self.x * k

        return Both

    def members(k: int) -> Any:
        class Law(enum.Enum):
            A = 1

            @property
            def strength(self) -> int:
                return int(self.value) * k

        return Law

    for make in (tuples, members):
        assert canonical(make(1)) == canonical(make(1)) != canonical(make(2))


def test_a_class_that_cannot_be_told_is_refused_with_the_place() -> None:
    """Its attribute is named."""

    class Drawing:
        source = np.random.default_rng(1)

    with pytest.raises(UnstableKeyError, match=r"it\[0\]\.source is a value of type numpy.random"):
        canonical([Drawing])
    with pytest.raises(UnstableKeyError, match=r"it\[0\]\.__class__\.source is a value of type numpy.random"):
        canonical([Drawing()])


VERSIONS = """
import dataclasses, enum, typing, functools
import numpy as np
from stored._keys import canonical

@dataclasses.dataclass(frozen=True)
class Frozen:
    x: int
    y: list = dataclasses.field(default_factory=list, compare=False)
    def total(self): return self.x + sum(self.y)

class Kernel(enum.Enum):
    A = "a"
    def width(self): return 2

class Width(typing.NamedTuple):
    sigma: float = 1.0
    def twice(self): return 2 * self.sigma

class Plain(Frozen):
    table = {"a": [1, 2.0]}
    @property
    def size(self): return super().total()
    @functools.cached_property
    def lazy(self): return self.size
    @classmethod
    def made(cls): return cls(1)

def factory(k, *, more=(1,)):
    class Local(Plain):
        def value(self): return self.x * k
    return Local

values = [Frozen, Kernel, Width, Plain, factory(2), factory([2]), Frozen(1), Kernel.A, Width(2.0), factory(2)(1)]
values += [factory, np.float32(0.1), np.arange(3), np.int64(2), {"a": np.float64(0.3)}, functools.partial(factory, 2)]
values += [Plain(1).made]
print("\\n".join(canonical(each) for each in values))
"""


def python_of(version: str) -> str | None:
    """An interpreter that has what the library needs: named in STORED_PYTHON_3.12, say, or on the path."""
    found = os.environ.get(f"STORED_PYTHON_{version}") or shutil.which(f"python{version}")
    needed = "import numpy, scipy, wrapt, xxhash"
    usable = found and subprocess.run([found, "-c", needed], capture_output=True, check=False).returncode == 0
    return found if usable else None


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_texts_are_the_same_in_every_version_of_python(version: str, tmp_path: Path) -> None:
    """Classes, objects and functions of a script, as far as other versions are there."""
    script = tmp_path / "values.py"
    script.write_text(VERSIONS)
    package = str(Path(stored_package.__file__).parent.parent)

    def texts(python: str) -> list[str]:
        environment = {**os.environ, "PYTHONPATH": package}
        return subprocess.run(
            [python, str(script)], env=environment, capture_output=True, text=True, check=True
        ).stdout.splitlines()

    other = python_of(version)
    if other is None:
        pytest.skip(f"no CPython {version} with numpy, scipy, wrapt and xxhash; STORED_PYTHON_{version} can name one")
    expected = texts(sys.executable)
    assert len(set(expected)) == 17
    assert texts(other) == expected


class Parent:
    def method(self) -> int:
        return 1


class Child(Parent):
    def method(self) -> int:
        return super().method()


def test_methods_that_use_super_count_with_their_class() -> None:
    """By its name where its module has it, else by its content."""

    def made(k: int) -> Any:
        class Child(Parent):
            order = k

            def method(self) -> int:
                return super().method()

        return Child.method

    texts = [canonical(each) for each in (Child.method, made(1), made(2))]
    assert len(set(texts)) == 3
    assert canonical(made(1)) == texts[1]
