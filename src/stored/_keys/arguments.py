"""Which arguments does a call have, rounded, and as text in a key? (`call_code` makes `f(1)` and `f(x=1)` one.)"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from typing import Any

import numpy as np

from stored._keys.call_signature import VARIADIC, call_signature
from stored._keys.canonical import canonical_texts, texts_of_leaves

__all__ = ["Arguments"]

_OWNER_OF_FUNCTION = "_stored_owner_of_function"
"""The parameter that stands before those of a plain function."""

_SELF_KINDS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Arguments:
    """How a method's calls are bound and keyed.

    Parameters
    ----------
    function : callable
        The plain method or function.
    label : str
        What messages call the method.
    ignore : collection of str
        Parameters left out of the key; other names are left to the code.
    decimals : mapping of str to int
        Parameters that are rounded, for the key and for the computation.
    takes_owner : bool
        Is the first parameter the owner? That of a plain function is put before its parameters.

    Raises
    ------
    TypeError
        If `decimals` name an argument that the method does not have, or the method takes no owner.

    Attributes
    ----------
    ignored : frozenset of str
        The parameters that are left out of the key.
    ignored_code : frozenset of str
        The names in `ignore` that are no parameters.
    """

    def __init__(
        self,
        function: Any,
        label: str,
        ignore: Collection[str],
        decimals: Mapping[str, int],
        *,
        takes_owner: bool = True,
    ) -> None:
        _check_options(label, ignore, decimals)
        signature = call_signature(function, label)
        self.signature = signature if takes_owner else _with_owner(signature)
        self._label = label
        names = frozenset(ignore)
        self.ignored = names.intersection(self.signature.parameters)
        self.ignored_code = names - self.ignored
        self._decimals = dict(decimals)
        self.has_rounding = bool(decimals)
        parameters = list(self.signature.parameters)
        if not parameters or self.signature.parameters[parameters[0]].kind not in _SELF_KINDS:
            raise TypeError(
                f"@stored decorates methods; {label}{self.signature} takes no self; a decorator in between shows the"
                " method's own parameters if it uses functools.wraps"
            )
        self._self_name, *self.names = parameters
        kinds = [self.signature.parameters[name].kind for name in self.names]
        self.are_positional = set(kinds) <= {*_SELF_KINDS}
        self._keyed = tuple([name for name in self.names if name not in self.ignored])
        self.check_names("ignore", self.ignored)
        self.check_names("round", self._decimals)
        for name, places in self._decimals.items():
            if not isinstance(places, int):
                raise TypeError(f"round of {label}() gives {places!r} for {name!r}; it must be a number of decimals")

    @property
    def options_text(self) -> str:
        """The text of the options on which results depend: those of other arguments, and how some are rounded."""
        return f"{sorted(self.ignored)!a}, {sorted(self._decimals.items())!a}"

    def check_names(self, option: str, names: Collection[str]) -> None:
        """Refuse names that are not arguments of the method or, for an axis, not single arguments."""
        for name in names:
            if name not in self.names:
                raise TypeError(
                    f"{option} of {self._label}() names {name!r}; its arguments are {', '.join(self.names) or 'none'}"
                )

            kind = self.signature.parameters[name].kind
            if option == "interpolate" and kind in VARIADIC:
                stars = "*" if kind is inspect.Parameter.VAR_POSITIONAL else "**"
                raise TypeError(
                    f"interpolate of {self._label}() names '{stars}{name}', which takes any number of arguments; an"
                    " axis runs along a single one"
                )

    def bind(self, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments of a call by name, with defaults applied and rounded; the owner is not among them."""
        return self._bind(self.signature, owner, args, kwargs)

    def apply(self, function: Callable[..., Any], owner: object, arguments: Mapping[str, Any]) -> Any:
        """Call the plain method with arguments by name."""
        if self.are_positional:
            return function(owner, *arguments.values())
        bound = inspect.BoundArguments(self.signature, {self._self_name: owner, **arguments})
        return function(*bound.args, **bound.kwargs)

    @property
    def keyed_names(self) -> tuple[str, ...]:
        """The names of the arguments in the key."""
        return self._keyed

    def bind_remaining(
        self, given: Mapping[str, Any], owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Bind a call that leaves out some arguments, whose values are given."""
        parameters = [each for name, each in self.signature.parameters.items() if name not in given]
        bound = self._bind(self.signature.replace(parameters=parameters), owner, args, kwargs)
        return {name: given[name] if name in given else bound[name] for name in self.names}

    def _bind(
        self, signature: inspect.Signature, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        try:
            bound = signature.bind(owner, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self._label}() got a call that does not fit its signature: {error}") from None
        bound.apply_defaults()
        return self.round_arguments({name: bound.arguments[name] for name in self.names if name in bound.arguments})

    def round_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments, with those rounded that `decimals` names."""
        for name, decimals in self._decimals.items():
            if name in arguments:
                arguments[name] = self._round(name, arguments[name], decimals)
        return arguments

    def _round(self, name: str, value: Any, decimals: int) -> Any:
        if value is None or isinstance(value, bool | np.bool_):
            return value
        if type(value) in {list, tuple} or (isinstance(value, tuple) and hasattr(value, "_make")):
            rounded = [self._round(name, each, decimals) for each in value]
            return type(value)(rounded) if type(value) in {list, tuple} else type(value)._make(rounded)
        try:
            return _rounded(value, decimals)
        except TypeError:
            raise TypeError(
                f"argument {name!r} of {self._label}() is rounded to {decimals} decimals, so it must be a number, an"
                f" array of numbers, or a list or tuple of these; found {value!r} of type {type(value).__name__}"
            ) from None

    def key(
        self, arguments: Mapping[str, Any], leave_out: Collection[str] = (), numbered: list[str] | None = None
    ) -> tuple[tuple[str, str], ...]:
        """The names of the keyed arguments, with the canonical text of their values; `numbered` is as for `Walk`.

        Raises
        ------
        UnstableKeyError
            Naming an argument that has no stable form.
        """
        if self.ignored or leave_out:
            arguments = {name: arguments[name] for name in self._keyed if name not in leave_out}
        texts = texts_of_leaves(arguments.values())
        if texts is None:
            texts = canonical_texts(arguments, arguments.values(), self._naming, numbered)
        return tuple(zip(arguments, texts))  # noqa: B905  (a text for each; `strict` would take as long as the rest)

    def _naming(self, name: str) -> tuple[str, str, str]:
        """What an error says of an argument that has no form."""
        remedy = f'an argument that does not change the result can be left out with ignore=("{name}",)'
        return f"argument {name!r} of {self._label}(): ", name, remedy


def _rounded(value: Any, decimals: int) -> Any:
    """A number or an array, rounded, and of the type that it had."""
    if isinstance(value, np.ndarray):
        rounded = value if value.dtype.kind == "b" else np.round(value, decimals)
        return rounded if isinstance(rounded, np.ndarray) else np.array(rounded)  # of one without axes, it is a number
    if isinstance(value, Sequence | Set | Mapping):  # else numpy would make an array of it
        raise TypeError
    if type(value) is complex:
        return complex(np.round(value, decimals))
    if isinstance(value, np.number) or not hasattr(value, "__round__"):  # numpy deprecates round() of complex numbers
        return np.round(value, decimals)
    return round(value, decimals)


def _with_owner(signature: inspect.Signature) -> inspect.Signature:
    """The signature of a plain function, as that of a method."""
    owner = inspect.Parameter(_OWNER_OF_FUNCTION, inspect.Parameter.POSITIONAL_ONLY)
    return signature.replace(parameters=[owner, *signature.parameters.values()])


def _check_options(label: str, ignore: object, decimals: object) -> None:
    if isinstance(ignore, str) or not isinstance(ignore, Collection):
        raise TypeError(f"ignore of {label}() is {ignore!r}; give a tuple of names of arguments, such as ('z',)")
    if not isinstance(decimals, Mapping):
        raise TypeError(
            f"round of {label}() is {decimals!r}; give the number of decimals by name of argument, such as {{'z': 3}}"
        )
