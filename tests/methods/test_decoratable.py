"""What cannot be stored is refused with the reason and a way."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from stored import stored


def generator() -> Any:
    yield 1


async def coroutine() -> int:
    return 1


class Plain:
    def number(self) -> int:
        return 1


async def asynchronous_generator() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (generator, "is a generator, whose values can be used only once; return a list"),
        (asynchronous_generator, "is a generator, whose values"),
        (coroutine, "cannot be awaited again; store a plain method or function that computes the value"),
        (classmethod(len), "would belong to a class, whose attributes can change.* a plain function"),
        (staticmethod(len), "put @stored below @property and @staticmethod"),
        (property(len), "put @stored below @property and @staticmethod"),
        (Plain().number, "the method of one object.*decorate the method in its class"),
        (3, "got 3; put it above a def; the name of results is a string"),
        (functools.partial(len), r"wrap it in a def"),
        (
            functools.update_wrapper(functools.partial(generator), generator),
            "partial function in it.* wrap it in a def",
        ),
        (functools.wraps(functools.partial(len))(lambda x: x), "wrap it in a def"),
        (int, "decorate its methods, or a function that makes an object of it"),
    ],
)
def test_the_reason_and_the_way(wrong: Any, message: str) -> None:
    """Each kind has its own."""
    with pytest.raises(TypeError, match=message):
        stored(wrong)
