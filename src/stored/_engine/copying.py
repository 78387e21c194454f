"""Which object does a StorageUser describe after its owner was copied?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Container
from types import FunctionType
from typing import Any, TypeVar
from weakref import ref

from stored.errors import OwnerError

__all__ = ["check_copied_with_owner", "described_instead", "rebound_user"]

U = TypeVar("U")  # a StorageUser, which imports this module


def check_copied_with_owner(func_hashstring: Callable[[], str], memo: Container[int]) -> None:
    """Refuse a deep copy whose hashable string would still describe the original.

    Raises
    ------
    OwnerError
        If the function is no method, and refers to an object that is being copied.
    """
    if isinstance(func_hashstring, FunctionType):
        for each in _reachable_objects(func_hashstring):
            if id(each) in memo:
                raise _describes_original(each)


def described_instead(user: Any, owner: object) -> object | None:
    """The object of the owner's class that a StorageUser describes, if that can be seen and is not the owner."""
    same_class = [each for each in _reachable_objects(user.func_hashstring) if type(each) is type(owner)]
    return None if not same_class or any(each is owner for each in same_class) else same_class[0]


def rebound_user(user: U, original: object, copied: object) -> U:
    """A user with the same functions, called on a copy of the object that they belong to, which they do not keep alive.

    Raises
    ------
    OwnerError
        If the functions are not methods, and so cannot be called on the copy.
    """
    rebound: Any = copy.copy(user)
    functions = [rebound.func_name, rebound.func_hashstring, rebound.func_changed]
    for index, function in enumerate(functions):
        if getattr(function, "__self__", None) is original:
            functions[index] = _method_of(copied, function.__func__)
        elif function is rebound.func_hashstring:
            raise _describes_original(copied)
    rebound.func_name, rebound.func_hashstring, rebound.func_changed = functions
    return rebound  # type: ignore[no-any-return]


def _method_of(owner: object, function: Any) -> Callable[[], Any]:
    return _MethodOfCopy(owner, function) if type(owner).__weakrefoffset__ else function.__get__(owner)


class _MethodOfCopy:
    """A method of a copy, for a user that the original's refers to: a bound method would keep each copy alive."""

    def __init__(self, owner: object, function: Any) -> None:
        self._owner = ref(owner)
        self.__func__ = function

    @property
    def __self__(self) -> object:
        return live_owner(self._owner)

    def __call__(self) -> Any:
        return self.__func__(self.__self__)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.__self__, self.__func__.__name__)  # as bound methods do


def live_owner(reference: Callable[[], object]) -> Any:
    """The owner of a StorageUser that does not keep it alive; an `OwnerError` if it is gone."""
    owner = reference()
    if owner is None:
        raise OwnerError("the object that this StorageUser belonged to is gone; keep it, or ask for another's")
    return owner


def _describes_original(owner: object) -> OwnerError:
    return OwnerError(
        f"a copied {type(owner).__qualname__} holds the StorageUser of the object it was copied from, whose"
        " func_hashstring describes that object; give each copy a StorageUser of its own, or pass methods of the object"
        " as its functions"
    )


def _reachable_objects(function: Any) -> list[object]:
    """The objects that a function can reach without a global name."""
    cells = [_cell_contents(cell) for cell in getattr(function, "__closure__", None) or ()]
    defaults = getattr(function, "__defaults__", None) or ()
    partial = (*getattr(function, "args", ()), *getattr(function, "keywords", {}).values())
    return [getattr(function, "__self__", None), *cells, *defaults, *partial]


def _cell_contents(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # the variable has no value yet
        return None
