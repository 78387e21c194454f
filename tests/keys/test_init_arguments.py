"""Bare `keyed_by` takes the arguments that `__init__` keeps as attributes of the same names."""

from __future__ import annotations

import functools
import re
from typing import Any, Protocol

import numpy as np
import pytest

from stored import keyed_by, stored
from stored._keys.estimators import tells_params
from stored.errors import OwnerError
from tests.keys.models import snapshot, string


@keyed_by
class Halo:
    def __init__(self, mass: Any, *, shape: Any = 5.0) -> None:
        self.mass, self._shape = mass, shape

    @property
    def shape(self) -> Any:
        return self._shape

    @stored
    def value(self) -> Any:
        return self.mass, self.shape


def test_the_arguments_are_the_parameters() -> None:
    """Those that need their names too, and one that a property shows."""
    owner = Halo(1, shape=2)
    assert string(owner) == "mass=1, shape=2"
    assert [owner.value() for _ in range(3)] == [(1, 2)] * 3
    owner._shape = 3
    assert [owner.value() for _ in range(3)] == [(1, 3)] * 3
    assert Halo(1, shape=3).value.cached()


def test_an_inherited_init_counts() -> None:
    """A subclass that is decorated itself adds its own arguments, one that is not has those of its base."""

    class Same(Halo):
        pass

    class Fixed(Halo):
        def __init__(self, n: Any) -> None:
            super().__init__(n, shape=2 * n)

    @keyed_by
    class Wider(Halo):
        def __init__(self, mass: Any, extra: Any) -> None:
            super().__init__(mass)
            self.extra = extra

    assert string(Same(1)) == "mass=1, shape=5.0"
    assert string(Fixed(1)) == "mass=1, shape=2"
    assert string(Wider(1, 2)) == "mass=1, shape=5.0, extra=2"
    assert keyed_by(Same) is Same
    assert string(Same(1)) == "mass=1, shape=5.0"


def test_a_class_without_arguments_has_no_parameters() -> None:
    """What its methods read joins their keys; of a protocol it has no arguments either."""

    class HasValue(Protocol):
        def value(self) -> Any: ...

    @keyed_by
    class Model(HasValue):
        n = 1

        @stored
        def value(self) -> Any:
            return self.n

    owner = Model()
    assert string(owner) == ""
    assert owner.value() == 1
    owner.n = 2
    assert [owner.value(), Model().value()] == [2, 1]


def test_what_new_takes_counts_where_there_is_no_init() -> None:
    """As `__init__` would."""

    @keyed_by(name="made")
    class Made:
        mass: Any

        def __new__(cls, mass: Any) -> Any:
            made = super().__new__(cls)
            made.mass = mass
            return made

    assert snapshot(Made(1)).space.name.startswith("made")
    assert string(Made(1)) == "mass=1"


def test_an_argument_that_is_not_kept_is_named() -> None:
    """At the first call, with the line to add: in `__init__`, or above the class."""

    @keyed_by
    class Model:
        def __init__(self, H0: Any, Om0: Any, z: Any) -> None:
            self.H0, self._Om0, self.grid = H0, Om0, z * 2

        @stored
        def value(self) -> Any:
            return self.H0

    owner = Model(1, 2, 3)
    with pytest.raises(
        OwnerError,
        match=r"takes 'Om0', but Model\.Om0 is not set; write self\.Om0 = Om0 in __init__, or name .*"
        r'@keyed_by\("H0", "_Om0"\)',
    ):
        owner.value()
    owner.Om0 = 2  # type: ignore[attr-defined]
    with pytest.raises(OwnerError, match=r"takes 'z', but Model\.z is not set"):
        owner.value()

    @keyed_by
    class Forgets:
        def __init__(self, z: Any) -> None:
            self.grid = z

        @stored
        def value(self) -> Any:
            return 1

    with pytest.raises(OwnerError, match=r"write self\.z = z in __init__$"):
        Forgets(1).value()


def test_a_value_of_the_class_is_not_what_an_object_was_made_of() -> None:
    """All objects would have the same, so that ``only=True`` would take them for equal; unless it is a default."""

    @keyed_by(only=True)
    class Shadowed:
        n = 1

        def __init__(self, n: Any) -> None:
            self._m = n

        @stored
        def value(self) -> Any:
            return self._m

    with pytest.raises(OwnerError, match=r"takes 'n', but Shadowed\.n is not set; write self\.n = n in"):
        Shadowed(2).value()

    @keyed_by(only=True)
    class Default:
        n = 1

        def __init__(self, n: Any = None) -> None:
            if n is not None:
                self.n = n

        @stored
        def value(self) -> Any:
            return self.n

    assert [Default().value(), Default(2).value(), Default(1).value()] == [1, 2, 1]


def test_an_attribute_of_an_object_that_is_deleted_is_missing() -> None:
    """An argument that `__init__` does keep is named as well."""
    owner = Halo(1)
    del owner.mass
    with pytest.raises(OwnerError, match=r"takes 'mass', but Halo\.mass is not set"):
        owner.value()


def test_an_object_that_tells_its_params_is_an_owner() -> None:
    """As estimators of scikit-learn do, which keep the arguments of `__init__`, also where that is wrapped."""

    class Estimator:
        def _keep(self, alpha: Any) -> None:
            self.alpha = alpha

        __init__ = functools.lru_cache(_keep)

        def get_params(self) -> Any:
            return {"alpha": self.alpha}

        def set_params(self, alpha: Any) -> None:
            self.alpha = alpha

    owner = Estimator(1)
    assert string(owner) == "alpha=1"
    owner.set_params(2)
    assert string(owner) == "alpha=2"
    del owner.alpha
    with pytest.raises(OwnerError, match=r"takes 'alpha', but Estimator\.alpha is not set"):
        string(owner)


def starred() -> Any:
    class Starred:
        def __init__(self, H0: Any, *rest: Any, **more: Any) -> None:
            self.H0 = H0

        @stored
        def value(self) -> Any:
            return 1

    return Starred


def test_arguments_without_names_have_to_be_named() -> None:
    """The error says which, and gives the line with those that have names."""
    with pytest.raises(OwnerError, match=r'__init__\(\) takes \*rest and \*\*more, .*@keyed_by\("H0"\)'):
        keyed_by(starred())(1).value()

    class Compiled:
        __init__ = type("Opaque", (), {"__call__": None, "__signature__": 3})()

        @stored
        def value(self) -> Any:
            return 1

    with pytest.raises(OwnerError, match=r'takes arguments whose names are not known.*@keyed_by\("H0", "Om0"\)'):
        keyed_by(Compiled).value(object.__new__(Compiled))


@pytest.mark.parametrize(
    "base", [dict, list, set, frozenset, tuple, str, bytes, bytearray, int, float, complex, np.ndarray]
)
def test_content_that_is_no_attribute_is_named_by_a_property(base: Any) -> None:
    """Of a class that inherits from a type of Python's or of numpy's; the line is a remedy."""
    content = "np.asarray" if base is np.ndarray else base.__name__

    class Plain(base):  # type: ignore[misc]
        @stored
        def value(self) -> Any:
            return repr(self)

    made = np.zeros(2).view(Plain) if base is np.ndarray else Plain()
    line = re.escape(f'content = property({content}) in the class, and @keyed_by("content", only=True) above it')
    with pytest.raises(OwnerError, match=f"(?s)Write {line}"):
        made.value()
    keyed_by(Plain)
    with pytest.raises(OwnerError, match=f"inherits from {base.__name__}, whose content is no attribute; write {line}"):
        made.value()


def test_content_that_a_property_names_counts() -> None:
    """Also where it changes."""

    @keyed_by("content", only=True)
    class Row(list):  # type: ignore[type-arg]
        content = property(list)

        @stored
        def value(self) -> Any:
            return sum(self)

    @keyed_by("content", only=True)
    class Field(np.ndarray):  # type: ignore[type-arg]
        content = property(np.asarray)

        @stored
        def value(self) -> Any:
            return float(self.sum())

    row, field = Row([1, 2]), np.ones(2).view(Field)
    assert [row.value(), field.value()] == [3, 2.0]
    row.append(4)
    field[0] = 5.0
    assert [row.value(), field.value()] == [7, 6.0]
    assert [Row([1, 2]).value(), np.full(2, 3.0).view(Field).value()] == [3, 6.0]


def test_the_line_names_where_unnamed_arguments_are_kept() -> None:
    """An attribute of the same name as `**more` is a parameter too."""

    @keyed_by
    class Keeping:
        def __init__(self, H0: Any, *rest: Any, **more: Any) -> None:
            self.H0, self.more = H0, more

        @stored
        def value(self) -> Any:
            return self.H0

    with pytest.raises(OwnerError, match=r'takes \*rest and \*\*more, .*@keyed_by\("H0", "more"\)'):
        Keeping(1).value()

    @keyed_by("more")
    class Naming(Keeping):
        pass

    assert string(Naming(1, a=2)) == "H0=1, more={'a': 2}"


def test_what_only_looks_like_an_estimator_tells_no_params() -> None:
    """A `get_params` that takes an argument, or of which no signature is known."""

    class Asking:
        def get_params(self, name: Any) -> Any: ...

        def set_params(self) -> None: ...

    class Compiled(Asking):
        get_params: Any = type

    class Bound(Asking):
        get_params = staticmethod(dict)  # type: ignore[assignment]

    assert [tells_params(each) for each in (Asking, Compiled, Bound, int)] == [False] * 4
