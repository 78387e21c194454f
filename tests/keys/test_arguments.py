"""All spellings of one call have one key, and arguments are rounded before they are used."""

from __future__ import annotations

import collections
import functools
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored._keys import Arguments
from stored.errors import UnstableKeyError
from tests.keys.values import Gaussian, OwnList


def method(self: Any, z: Any, k: Any = 1, *rest: Any, scale: Any = None, **more: Any) -> None:
    """Stands for any method."""


def arguments(ignore: Any = (), function: Any = method, **decimals: Any) -> Arguments:
    return Arguments(function, "Model.f", ignore, decimals)


def key(how: Arguments, *args: Any, **kwargs: Any) -> Any:
    return how.key(how.bind(None, args, kwargs))


def test_all_spellings_of_a_call_have_one_key() -> None:
    """By position, by name, with defaults given or left out, and in any order, but for that of ``**kwargs``."""
    how = arguments()
    spellings = [((2,), {}), ((), {"z": 2}), ((2, 1), {}), ((2,), {"k": 1}), ((), {"k": 1, "z": 2})]
    assert len({key(how, *args, **kwargs) for args, kwargs in spellings}) == 1
    assert key(how, math.nan) == key(how, float("nan")) == key(how, np.float64("nan"))


def test_different_calls_have_different_keys() -> None:
    """Values, their types, their places, their names and their order count."""
    calls: list[Any] = [
        ((1,), {}),
        ((2,), {}),
        ((2.0,), {}),
        ((True,), {}),
        ((np.float32(2),), {}),
        ((np.int64(2),), {}),
        (("1",), {}),
        ((1,), {"b": 1, "a": 2}),
        ((1,), {"a": 2, "b": 1}),
        ((1, 2), {}),
        ((1, 1, 2), {}),
        ((1, 1, (2,)), {}),
        ((1, 1, 2, 3), {}),
    ]
    calls += [((1,), {"scale": 2}), ((1,), {"other": 2}), ((1,), {"other": 3}), ((1,), {"rest": 2}), (("1, k=2",), {})]
    assert len({key(arguments(), *args, **kwargs) for args, kwargs in calls}) == len(calls)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 3), st.integers(0, 3), st.lists(st.integers(0, 1), max_size=2), st.booleans())
def test_binding_is_that_of_the_language(z: int, k: int, rest: list[int], by_name: bool) -> None:
    """What the method would receive is what the key says."""

    def receives(self: Any, z: Any, k: Any = 1, *rest: Any) -> Any:
        return z, k, rest

    how = arguments(function=receives)
    bound = how.bind(
        None, () if by_name and not rest else (z, k, *rest), {"z": z, "k": k} if by_name and not rest else {}
    )
    assert bound == {"z": z, "k": k, "rest": tuple(rest)}
    assert how.apply(receives, None, bound) == (z, k, tuple(rest))
    assert dict(how.key(bound)) == {"z": str(z), "k": str(k), "rest": f"({', '.join(map(str, rest))})"}


def test_ignored_arguments_are_passed_on_and_not_keyed() -> None:
    """They may even have no stable form; those that an interpolation takes are left out too."""
    how = arguments(ignore=("scale", "more"))
    bound = how.bind(None, (1,), {"scale": object(), "other": object()})
    assert [name for name, _ in how.key(bound)] == ["z", "k", "rest"]
    assert [name for name, _ in how.key(bound, ["z"])] == ["k", "rest"]
    received = how.apply(lambda *args, **kwargs: kwargs, None, bound)
    assert received == {"scale": bound["scale"], "other": bound["more"]["other"]}


def takes_all_kinds(self: Any, a: Any, /, b: Any, *rest: Any, c: Any = 3, **more: Any) -> Any:
    return self, a, b, rest, c, more


def takes_names_only(self: Any, *, a: Any, b: Any = 2) -> Any:
    return self, a, b


def takes_no_names(self: Any, a: Any, b: Any = 2, /) -> Any:
    return self, a, b


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        (takes_all_kinds, (1, 2), {}),
        (takes_all_kinds, (1,), {"b": 2, "a": 4, "self": 5}),
        (takes_all_kinds, (1, 2, 3, 4), {"c": 5, "d": 6}),
        (takes_names_only, (), {"b": 1, "a": 2}),
        (takes_names_only, (), {"a": 2}),
        (takes_no_names, (1,), {}),
        (takes_no_names, (1, 3), {}),
    ],
)
def test_the_method_gets_the_call_as_it_was(function: Any, args: Any, kwargs: Any) -> None:
    """Whatever the kinds of its parameters, it receives what a plain call would give it."""
    how = arguments(function=function)
    assert how.apply(function, "owner", how.bind("owner", args, kwargs)) == function("owner", *args, **kwargs)


def test_arguments_that_are_given_are_not_bound() -> None:
    """Values along an axis can be given beside a call of the other arguments, wherever they stand."""
    how = arguments(function=takes_all_kinds)
    assert how.bind_remaining({"b": 7}, None, (1,), {"c": 4}) == how.bind(None, (1, 7), {"c": 4})


def test_the_owner_is_not_an_argument() -> None:
    """Whatever the method calls its owner, it is in no key."""

    def odd(this: Any, self: Any, /) -> None: ...

    assert key(arguments(function=odd), 3) == (("self", "3"),)


def test_arrays_count_by_content() -> None:
    """The layout in memory does not, and an array changed in place is another argument."""
    how, values = arguments(), np.arange(6.0).reshape(2, 3)
    before = key(how, values)
    assert before == key(how, np.asfortranarray(values))
    values[0, 0] = 1
    assert before != key(how, values)


def test_an_argument_without_a_stable_form_is_named() -> None:
    """The message says which argument of which method, and of what type."""
    with pytest.raises(
        UnstableKeyError, match=r"argument 'k' of Model.f\(\): k\[0\] is a value of type builtins.object"
    ):
        key(arguments(), 1, [object()])


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1,), {"z": 1}), ((1, 2), {"k": 3})])
def test_a_call_that_does_not_fit_is_refused(args: Any, kwargs: Any) -> None:
    """As the plain method would, by name."""
    with pytest.raises(TypeError, match=r"Model.f\(\) got a call that does not fit its signature: "):
        arguments().bind(None, args, kwargs)


def test_options_that_name_no_argument_are_refused() -> None:
    """A slip in a name would otherwise have no effect, or a wrong one."""
    with pytest.raises(TypeError, match=r"round of Model.f\(\) names 'zz'; its arguments are z, k, rest, scale, more"):
        arguments(zz=3)
    with pytest.raises(TypeError, match=r"round of Model.f\(\) names 'self'"):
        arguments(self=3)
    with pytest.raises(TypeError, match="its arguments are none"):
        arguments(z=3, function=lambda self: None)
    assert arguments(ignore=("z", "zz", "lib.report")).ignored_code == {"zz", "lib.report"}


@pytest.mark.parametrize("option", [3, None, "z"])
def test_ignore_takes_names(option: Any) -> None:
    """What is no collection of them is an error that says what it should be."""
    with pytest.raises(TypeError, match=r"ignore of Model.f\(\) is .*; give a tuple of names"):
        arguments(ignore=option)


@pytest.mark.parametrize("option", [3, None, ("z", 3)])
def test_round_takes_decimals_by_name(option: Any) -> None:
    """What is no mapping is an error that says what it should be."""
    with pytest.raises(TypeError, match=r"round of Model.f\(\) is .*; give the number of decimals by name"):
        Arguments(method, "Model.f", (), option)


def test_an_axis_runs_along_a_single_argument() -> None:
    """Any number of arguments have no values to sample between."""
    how = arguments()
    how.check_names("interpolate", ["z", "scale"])
    for name, shown in (("rest", r"'\*rest'"), ("more", r"'\*\*more'")):
        with pytest.raises(TypeError, match=rf"interpolate of Model.f\(\) names {shown}, which takes any number"):
            how.check_names("interpolate", [name])


def without_names(function: Any) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    "function", [lambda: 1, lambda *args: 1, lambda *, self: 1, lambda **all: 1, without_names(method)]
)
def test_a_method_that_takes_no_owner_by_position_is_refused(function: Any) -> None:
    """Behind *args the arguments would be taken for the owner, and all calls for one."""
    with pytest.raises(TypeError, match="takes no self"):
        arguments(function=function)


def test_a_wrapper_that_shows_the_methods_parameters_is_fine() -> None:
    """functools.wraps leads to the signature."""
    how = arguments(function=functools.wraps(method)(without_names(method)))
    assert key(how, 1) == key(how, z=1)


# -- rounding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (0.12345, 0.12),
        (-1.005, -1.0),
        (3, 3),
        (True, True),
        (np.True_, np.True_),
        (None, None),
        (math.inf, math.inf),
        (np.float64(0.12345), np.float64(0.12)),
        (np.float32(0.12345), np.float32(0.12)),
        (np.int64(3), np.int64(3)),
        (Decimal("0.126"), Decimal("0.13")),
        (Fraction(1, 3), Fraction(33, 100)),
        (0.126 + 0.124j, 0.13 + 0.12j),
        (np.complex64(0.126 + 0.124j), np.complex64(0.13 + 0.12j)),
        ([0.126, (0.124, 2)], [0.13, (0.12, 2)]),
        (Gaussian(0.126, [0.124]), Gaussian(0.13, [0.12])),
        (np.array(0.126), np.array(0.13)),
        (np.array(0.126, np.float32), np.array(0.13, np.float32)),
        (np.array(True), np.array(True)),
    ],
)
def test_rounded_values_are_keyed_and_computed_with(value: Any, rounded: Any) -> None:
    """The method receives the very value that stands in the key, of the type that was given."""
    how = arguments(z=2)
    bound = how.bind(None, (value,), {})
    assert bound["z"] == rounded
    assert type(bound["z"]) is type(rounded)
    assert how.key(bound) == key(how, rounded) == key(arguments(), rounded)


def test_arrays_are_rounded_in_a_copy() -> None:
    """Each element is, and the caller's array stays."""
    values = np.array([0.126, 0.124])
    bound = arguments(z=2).bind(None, (values,), {})
    assert bound["z"].tolist() == [0.13, 0.12]
    assert values.tolist() == [0.126, 0.124]


def test_nan_is_rounded_to_itself() -> None:
    """A missing value is a value."""
    assert key(arguments(z=2), math.nan) == key(arguments(), math.nan)


def test_negative_decimals_round_to_tens() -> None:
    """As round() has it."""
    assert key(arguments(z=-1), 26.0) == key(arguments(), 30.0)


def test_defaults_are_rounded_too() -> None:
    """A default is an argument like any other."""

    def f(self: Any, z: float = 0.126) -> None: ...

    assert key(arguments(function=f, z=2)) == key(arguments(function=f), 0.13)


@pytest.mark.parametrize(
    "value", ["0.126", {"a": 1}, object(), b"1", ["x"], OwnList([0.126]), {1.0}, collections.deque([0.126])]
)
def test_what_is_no_number_cannot_be_rounded(value: Any) -> None:
    """The message names the argument, the method and what was found."""
    with pytest.raises(
        TypeError, match=r"argument 'z' of Model.f\(\) is rounded to 2 decimals, so it must be a number"
    ):
        arguments(z=2).bind(None, (value,), {})


@pytest.mark.parametrize("places", ["2", 2.0, None])
def test_decimals_are_integers(places: Any) -> None:
    """A wrong option is an error when the method is decorated."""
    with pytest.raises(TypeError, match=r"round of Model.f\(\) gives .* for 'z'; it must be a number of decimals"):
        arguments(z=places)
