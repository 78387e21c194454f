"""In which ways does an owner tell its parameters, and what are they now?"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Sequence
from operator import methodcaller
from types import MethodType, SimpleNamespace
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from stored._keys.canonical import class_text, named_canonical
from stored._keys.parameter_names import checked_string, owner_method, parameter_names
from stored._keys.result_key import Space
from stored._keys.source import module_name, qualified_name
from stored._keys.unchanged import ATOMIC, OWN_TEST, UnchangedCheck, compile_check, no_storage_user_checks
from stored.errors import OwnerError, UnstableKeyError

__all__ = ["STRING_METHODS", "Describer", "FieldParameters", "FieldSnapshot", "OwnString", "Snapshot", "find_describer"]


class Snapshot(Protocol):
    """An owner's parameters at one moment."""

    @property
    def space(self) -> Space:
        """Whose results they stand for."""

    def holds(self, owner: Any) -> bool:
        """Are the owner's parameters still these?"""

    def unchanged_check(self, guarded: bool) -> UnchangedCheck | None:
        """A quick proof that they are, or None if there is none.

        Parameters
        ----------
        guarded : bool
            Can the owner hold a `StorageUser` by now, which would tell more of it?
        """


class Describer(Protocol):
    """One of the ways to tell parameters."""

    def snapshot(self, owner: Any) -> Snapshot:
        """The owner's parameters now."""

    def only(self, names: Sequence[str]) -> Describer:
        """The same, for some of the parameters only."""


class FieldParameters:
    """Parameters that are attributes of the owner.

    Parameters
    ----------
    names : sequence of str
        The attributes.
    module, name : str, optional
        In place of the class's own module and name.
    """

    def __init__(self, names: Sequence[str], module: str | None = None, name: str | None = None) -> None:
        self.names = tuple(map(_normal, names))
        self.module = module
        self.name = name

    def only(self, names: Sequence[str]) -> FieldParameters:
        """The same owner, described by some of its parameters only."""
        unknown = [name for name in names if _normal(name) not in self.names]
        if unknown:
            raise OwnerError(f"depends names {unknown[0]!r}, which is none of the parameters {', '.join(self.names)}")
        return FieldParameters(names, self.module, self.name)

    def values(self, owner: object) -> tuple[object, ...]:
        """The values of the parameters now."""
        try:
            return tuple([getattr(owner, name) for name in self.names])
        except AttributeError as error:
            raise OwnerError(
                f"{type(owner).__qualname__} is keyed by {', '.join(self.names)}, but {error}; set every parameter"
                " before a stored method is called"
            ) from error

    def string(self, owner: object, values: tuple[object, ...]) -> str:
        """The canonical hashable string for such values."""
        pairs = [*zip(self.names, values, strict=True)]
        methods = [name for name, value in pairs if isinstance(value, MethodType) and value.__self__ is owner]
        if methods:
            raise _is_a_method(methods[0], type(owner).__qualname__)
        named = named_canonical(pairs, f"parameter {{}} of {type(owner).__qualname__}")
        return ", ".join([f"{name}={text}" for name, text in named])

    def snapshot(self, owner: object) -> FieldSnapshot:
        """The owner's parameters now."""
        values = self.values(owner)
        own = type(owner)
        # in a folder of the user's choice, classes of one name from different modules can meet
        name, module = own.__qualname__, module_name(own.__module__)
        if self.module is not None:
            name, module = qualified_name(own), self.module
        name = unique_class_name(own, name if self.name is None else self.name)
        space = Space(module, name, self.string(owner, values))
        return FieldSnapshot(self, own, values, space)


def unique_class_name(own: type, name: str) -> str:
    """The name of an owner; one whose class was made in a function bears what the function gave to the class."""
    text = class_text(own)
    return f"{name}-{text}" if text else name


def _is_a_method(name: str, kind: str) -> UnstableKeyError:
    return UnstableKeyError(
        f"parameter {name!r} of {kind} is a method of the class, not a value; name the attributes that it computes"
        " from, or make it a property",
        "builtins.method",
    )


class FieldSnapshot:
    """Attribute values at one moment, compared by identity where that is proof, and by canonical text otherwise."""

    def __init__(self, parameters: FieldParameters, own: type, values: tuple[object, ...], space: Space) -> None:
        self._parameters = parameters
        self._own = own
        self.space = space
        self._remember(values)

    def _remember(self, values: tuple[object, ...]) -> None:
        self._values = values if all(type(value) in ATOMIC for value in values) else None
        self._is_same: Callable[[Any, Any], bool] | None = None

    def _make_test(self) -> None:
        quick = self.unchanged_check(guarded=False)
        if quick is not None:
            self._known, self._is_same = SimpleNamespace(**quick.expected), compile_check(quick.test)

    def unchanged_check(self, guarded: bool) -> UnchangedCheck | None:
        """The parameters are the same objects, and none that can change."""
        names = self._parameters.names
        guards = no_storage_user_checks(self._own) if guarded else ()
        if self._values is None or any(map(keyword.iskeyword, names)) or guards is None:
            return None
        expected = {f"value{number}": value for number, value in enumerate(self._values)}
        tests = [f"{{owner}}.{name} is {{expected}}.{each}" for name, each in zip(names, expected, strict=True)]
        return UnchangedCheck(" and ".join([OWN_TEST, *tests, *guards]), {"own": self._own, **expected})

    def holds(self, owner: object) -> bool:
        """Are the owner's parameters still these?"""
        try:
            if self._is_same is None:
                self._make_test()  # not before it is needed: most owners of a long chain are asked once
            if self._is_same is not None and self._is_same(owner, self._known):
                return True
            values = self._parameters.values(owner)
            if type(owner) is not self._own or self._parameters.string(owner, values) != self.space.string:
                return False
        except (AttributeError, OwnerError, UnstableKeyError):
            return False  # not these; who asks for the new ones is told what is wrong with them
        self._remember(values)  # other objects of the same value
        return True


def _normal(name: str) -> str:
    """A name in normal form NFKC, as all identifiers of a program are."""
    if name.isascii():
        return name
    import unicodedata

    return unicodedata.normalize("NFKC", name)


class OwnString:
    """Parameters that the owner describes in its own words.

    Parameters
    ----------
    method : str
        What the owner calls its method that returns its hashable string.
    name : callable, optional
        Takes the owner and returns its name.
    """

    def __init__(self, method: str, name: Callable[[Any], str] | None) -> None:
        self.method = method
        self._describe = methodcaller(method)
        self._name = name

    def only(self, names: Sequence[str]) -> OwnString:
        """Not possible: a string has no parts."""
        raise OwnerError(
            f"depends={tuple(names)!r} needs single parameters to choose from, but the owner tells a hashable string"
            " as a whole; describe the class with @keyed_by or make it a frozen dataclass"
        )

    def string(self, owner: object) -> str:
        """The hashable string now."""
        return checked_string(self._describe(owner), f"{type(owner).__qualname__}.getHashableString()")

    def snapshot(self, owner: object) -> StringSnapshot:
        """The owner's parameters now."""
        own = type(owner)
        name = own.__qualname__ if self._name is None else self._name(owner)
        name = checked_string(name, f"{own.__qualname__}.getName()")
        space = Space(module_name(own.__module__), unique_class_name(own, name), self.string(owner))
        return StringSnapshot(self, own, space)


class StringSnapshot:
    """An owner's hashable string at one moment."""

    def __init__(self, parameters: OwnString, own: type, space: Space) -> None:
        self._parameters = parameters
        self._own = own
        self.space = space

    def holds(self, owner: object) -> bool:
        """Is the owner's hashable string still this one?"""
        return self._parameters.string(owner) == self.space.string

    def unchanged_check(self, guarded: bool) -> UnchangedCheck | None:
        """The string is the same."""
        guards = no_storage_user_checks(self._own) if guarded else ()
        if guards is None:
            return None
        test = f"{{owner}}.{self._parameters.method}() == {{expected}}.string"
        return UnchangedCheck(" and ".join([OWN_TEST, test, *guards]), {"own": self._own, "string": self.space.string})


_described: WeakKeyDictionary[type, tuple[list[Any], Describer]] = WeakKeyDictionary()
"""What classes and their bases said when they were last asked, and what was made of it."""

STRING_METHODS = ("getHashableString", "_getHashableString")

_DESCRIBING = (*STRING_METHODS, "getName")


def find_describer(owner: type) -> Describer:
    """The way in which the objects of a class tell their parameters.

    Raises
    ------
    OwnerError
        If there is none.
    """
    # of methods their kind only: what they say can hold the class itself, which would never go then
    said: list[Any] = [type(base.__dict__.get(name)) for base in owner.__mro__ for name in _DESCRIBING]
    said += [base.__dict__.get("__stored_parameters__") for base in owner.__mro__]
    known = _described.get(owner)
    if known is None or known[0] != said:
        known = _described[owner] = (said, _describer(owner))
    return known[1]


def _describer(owner: type) -> Describer:
    for method in STRING_METHODS:
        if callable(getattr(owner, method, None)):
            return OwnString(method, owner_method(owner, "getName"))
    names = parameter_names(owner)
    if names is not None:
        own = vars(owner).get("__stored_parameters__")  # module and name are this class's alone, not its subclasses'
        return FieldParameters(names) if own is None else FieldParameters(names, own.module, own.name)
    raise OwnerError(
        f"{owner.__module__}.{owner.__qualname__} has stored methods, but does not tell its parameters. Choose one way:"
        " (1) hold a StorageUser in the attribute storageUser or su;"
        " (2) define getHashableString(), and optionally getName();"
        ' (3) decorate the class with @keyed_by("H0", "Om0", ...);'
        " (4) make it a frozen dataclass or a frozen attrs class."
    )
