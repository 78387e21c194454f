"""A wrapper takes what its calls are bound to: what it shows of another function, or its own arguments."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any

import pytest

from stored import stored
from stored._keys.call_signature import call_signature


def plain(z: float, H0: float = 50.0, *, scale: float = 1.0) -> tuple[float, float, float]:
    return z, H0, scale


@functools.wraps(plain)
def passes_on(*args: Any, **kwargs: Any) -> Any:
    return plain(*args, **kwargs)


@functools.wraps(plain)
def names_some(first: float, *args: Any, scale: float = 1.0, **kwargs: Any) -> Any:
    return plain(first, *args, scale=scale, **kwargs)


@functools.wraps(plain)
def takes_one(z: float) -> Any:
    return plain(z, 70.0)


@functools.wraps(takes_one)
def passes_on_to_one(*args: Any) -> Any:
    return takes_one(*args)


@functools.wraps(plain)
def says_another(*args: Any) -> Any:
    return args


says_another.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [inspect.Parameter("a", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
)


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (plain, ["z", "H0", "scale"]),
        (passes_on, ["z", "H0", "scale"]),
        (names_some, ["z", "H0", "scale"]),
        (takes_one, ["z"]),
        (passes_on_to_one, ["z"]),
        (says_another, ["a"]),
        (functools.lru_cache(plain), ["z", "H0", "scale"]),
        (stored(takes_one), ["z"]),
    ],
)
def test_the_arguments_that_a_call_can_have(function: Any, names: list[str]) -> None:
    """Those of the innermost function that the wrappers pass any arguments on to."""
    assert list(call_signature(function, "f").parameters) == names


@pytest.mark.parametrize("function", [plain, passes_on, names_some, takes_one, passes_on_to_one])
def test_a_stored_wrapper_gives_what_the_plain_one_gives(function: Any) -> None:
    """Or its TypeError."""
    kept = stored(persistent=False)(function)
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [((1.0,), {}), ((1.0, 2.0), {}), ((1.0,), {"scale": 3.0})]
    for args, named in [*calls, *calls, ((), {}), ((1.0, 2.0, 3.0), {}), ((1.0,), {"q": 1.0})]:
        try:
            expected = function(*args, **named)
        except TypeError:
            with pytest.raises(TypeError):
                kept(*args, **named)
        else:
            assert kept(*args, **named) == expected


def with_another(z: float, verbose: bool = False, *args: Any) -> Any: ...
def with_another_first(verbose: bool = False, *args: Any) -> Any: ...
def with_another_by_name(*args: Any, verbose: bool = False, **kwargs: Any) -> Any: ...
def with_one_by_name_only(*args: Any, H0: float = 50.0, **kwargs: Any) -> Any: ...
def with_another_default(z: float, H0: float = 70.0, **kwargs: Any) -> Any: ...
def with_more(z: float, H0: float = 50.0, scale: float = 1.0, fourth: float = 1.0, *args: Any) -> Any: ...


@pytest.mark.parametrize(
    "wrapper",
    [
        with_another,
        with_another_first,
        with_another_by_name,
        with_one_by_name_only,
        with_another_default,
        with_more,
    ],
)
def test_what_takes_others_than_it_shows_is_refused(wrapper: Callable[..., Any]) -> None:
    """A value would be bound to another argument than the plain call gives it to."""
    with pytest.raises(TypeError, match=r"plain\(\) is a wrapper that takes .*, and shows .* by functools\.wraps"):
        stored(functools.wraps(plain)(wrapper))


def test_what_c_defines_may_tell_nothing() -> None:
    """Then it takes what it shows, or that is an error as ever."""

    class Opaque:
        __wrapped__ = staticmethod(plain)
        __call__ = operator.itemgetter(0)

    opaque: Any = Opaque()
    assert list(call_signature(opaque, "f").parameters)
    with pytest.raises(ValueError, match="no signature"):
        call_signature(max, "max")
