"""How does somebody teach the library a type of his own, or of another library?"""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar, overload

from stored._adapters.derived import derived_functions
from stored._adapters.registry import Adapter, add, known_adapter

__all__ = ["register"]

C = TypeVar("C", bound=type)


@overload
def register(kind: C, /) -> C: ...


@overload
def register(
    kind: C,
    /,
    *,
    key: Callable[[Any], Any] | None = None,
    encode: Callable[[Any], Any] | None = None,
    decode: Callable[[Any], Any] | None = None,
    same: Callable[[Any, Any], bool] | None = None,
    subclasses: bool = False,
) -> C: ...


@overload
def register(
    *,
    key: Callable[[Any], Any] | None = None,
    encode: Callable[[Any], Any] | None = None,
    decode: Callable[[Any], Any] | None = None,
    same: Callable[[Any, Any], bool] | None = None,
    subclasses: bool = False,
) -> Callable[[C], C]: ...


def register(
    kind: Any = None,
    /,
    *,
    key: Callable[[Any], Any] | None = None,
    encode: Callable[[Any], Any] | None = None,
    decode: Callable[[Any], Any] | None = None,
    same: Callable[[Any, Any], bool] | None = None,
    subclasses: bool = False,
) -> Any:
    """Teach keys and entries a type.

    Values of a registered type can be parameters, arguments and results, alone or in containers. Results of it are
    written without pickle if it can be encoded, so that others can read them, and are handed out as copies.

    As a decorator of a class of one's own, a dataclass, an attrs class, a pydantic model, a named tuple or one whose
    objects have all in their attributes, it needs no functions: keys and entries take the attributes, or the items.

    Parameters
    ----------
    kind : type
        The type. Without it, a decorator is returned.
    key : callable, optional
        Takes a value, and returns plain values that stand for it in keys: numbers, strings, arrays, containers of
        these and values of other registered types. Two values with equal ones must be the same to every method. By
        default what `encode` returns.
    encode : callable, optional
        Takes a value, and returns plain values and arrays, of which `decode` makes it again. Without it, results of the
        type are pickled.
    decode : callable, optional
        Takes what `encode` returned, and returns the value. It can get anything of that kind, since others may write
        to a shared directory: what it raises makes the entry a damaged one, which counts as missing.
    same : callable, optional
        Takes two values, and returns whether they are equal. It is asked in place of `key` whether a value has changed
        since the last call; values that are the same must have equal keys.
    subclasses : bool
        Does it hold for subclasses too? Then `key` must tell all that they add to it, beside their class, which counts
        by itself. They are pickled where `decode` makes no objects of them.

    Returns
    -------
    type or callable
        The type itself, or a decorator.

    Raises
    ------
    TypeError
        If this is no type, one that needs none of this, or one that somebody else has registered; if an option is no
        function, one of `encode` and `decode` is missing, or nothing tells how values are keyed and written.

    See Also
    --------
    stored.keyed_by : for the classes whose methods are stored.

    Notes
    -----
    A type of the same module and name takes the place of an earlier one, as when a cell of a notebook is run again. The
    code of these functions is a part of keys and entries: after an edit, what is stored is computed anew.

    A package offers what it registers for others by the entry-point group ``stored.adapters``, under the name of the
    package whose types these are: the module, or a function in it, is loaded when such a type is first met.

    Examples
    --------
    >>> from stored import register
    >>> class Grid:
    ...     def __init__(self, edges, unit):
    ...         self.edges, self.unit = edges, unit
    >>> Grid = register(
    ...     Grid,
    ...     encode=lambda grid: {"edges": grid.edges, "unit": grid.unit},
    ...     decode=lambda found: Grid(found["edges"], found["unit"]),
    ... )
    """
    given = {"key": key, "encode": encode, "decode": decode, "same": same}
    for option, function in given.items():
        if not (function is None or callable(function)):
            raise TypeError(f"{option} of register() is {function!r}; give a function")
    if not isinstance(subclasses, bool):
        raise TypeError(f"subclasses of register() is {subclasses!r}; it must be True or False")

    def decorate(found: Any) -> Any:
        add(_adapter(found, given, subclasses))
        return found

    return decorate if kind is None else decorate(kind)


def _adapter(kind: Any, given: dict[str, Any], subclasses: bool) -> Adapter:
    if not isinstance(kind, type):
        raise TypeError(f"register() takes a type, and got {kind!r} of type {type(kind).__name__}")
    name = f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__ == "builtins" or name == "numpy.ndarray":
        raise TypeError(f"{name} is known as it is; register a class of your own that holds it")
    functions = {option: function for option, function in given.items() if function is not None}
    if ("encode" in functions) != ("decode" in functions):
        missing = "decode" if "encode" in functions else "encode"
        raise TypeError(f"register({kind.__qualname__}) has no {missing}; give both encode and decode, or none of them")
    home = next((each for each in map(_module_of, functions.values()) if each), kind.__module__)
    if not functions.keys() - {"same"}:
        functions |= derived_functions(kind)
    elif "key" not in functions:
        functions["key"] = functions["encode"]
    earlier = known_adapter(kind, name)
    if earlier is not None and earlier.home != home:
        raise TypeError(
            f"{name} is registered already, by {earlier.home or 'stored'}; register a subclass of it, or a class of"
            " your own that holds it"
        )
    return Adapter(kind, name, subclasses, copy=_copying(functions), home=home, **functions)


def _module_of(function: Any) -> str | None:
    """The module of whoever has written a function; None for those of Python, such as `attrgetter`."""
    while isinstance(function, functools.partial):
        function = function.func
    module = getattr(function, "__module__", None)
    is_known = isinstance(module, str) and module.partition(".")[0] not in sys.stdlib_module_names
    return module if is_known else None


def _copying(functions: dict[str, Any]) -> Callable[[Any], Any]:
    """A function that copies values, also those that Python cannot copy, if they can be made of plain ones."""
    encode, decode = functions.get("encode"), functions.get("decode")
    if encode is None or decode is None:
        return copy.deepcopy

    def copied(value: Any) -> Any:
        try:
            return copy.deepcopy(value)
        except Exception:  # what is in an object may raise anything
            return decode(copy.deepcopy(encode(value)))

    return copied
