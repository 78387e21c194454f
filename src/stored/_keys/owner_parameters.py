"""In which ways does an owner tell its parameters, and how are they compared? (`results` notices a change.)"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Sequence
from operator import methodcaller
from types import MethodType, SimpleNamespace
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from stored._keys.canonical import canonical_pairs, local_class_digest
from stored._keys.parameter_names import checked_string, owner_method_caller, parameter_names
from stored._keys.result_key import Pairs, Space
from stored._keys.source import module_name, qualified_name
from stored._keys.unchanged import ATOMIC, SAME_CLASS_TEST, UnchangedCheck, compile_check, no_storage_user_checks
from stored.errors import OwnerError, UnstableKeyError

__all__ = ["STRING_METHODS", "Describer", "FieldParameters", "FieldSnapshot", "OwnString", "Snapshot", "find_describer"]


class Snapshot(Protocol):
    """An owner's parameters at one moment."""

    @property
    def space(self) -> Space:
        """The owner's name and parameters, as keys contain them."""

    def holds(self, owner: Any) -> bool:
        """Are the owner's parameters still these?"""

    def unchanged_check(self, may_hold_user: bool) -> UnchangedCheck | None:
        """A quick check that they are, or None if there is none.

        Parameters
        ----------
        may_hold_user : bool
            Can the owner hold a `StorageUser` by now, which would take the place of these parameters?
        """


class Describer(Protocol):
    """One of the ways in which owners tell their parameters."""

    def snapshot(self, owner: Any) -> Snapshot:
        """The owner's parameters now."""

    def only(self, names: Sequence[str]) -> Describer:
        """A describer of some of the parameters only."""


class FieldParameters:
    """Parameters that are attributes of the owner.

    Parameters
    ----------
    names : sequence of str
        The attributes.
    module, name : str, optional
        The module and the name of the owner, in place of those of its class.
    """

    def __init__(self, names: Sequence[str], module: str | None = None, name: str | None = None) -> None:
        self.names = tuple(map(_normalise_name, names))
        self.module = module
        self.name = name

    def only(self, names: Sequence[str]) -> FieldParameters:
        """A describer of some of the parameters only."""
        unknown = [name for name in names if _normalise_name(name) not in self.names]
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

    def pairs(self, owner: object, values: tuple[object, ...]) -> Pairs:
        """The names of the parameters, with the canonical texts of these values."""
        pairs = [*zip(self.names, values, strict=True)]
        methods = [name for name, value in pairs if isinstance(value, MethodType) and value.__self__ is owner]
        if methods:
            raise _method_parameter_error(methods[0], type(owner).__qualname__)
        return canonical_pairs(pairs, f"parameter {{}} of {type(owner).__qualname__}")

    def snapshot(self, owner: object) -> FieldSnapshot:
        """The owner's parameters now."""
        values = self.values(owner)
        cls = type(owner)
        # classes of the same name, from different modules, can have the same folder if the user chooses it
        name, module = cls.__qualname__, module_name(cls.__module__)
        if self.module is not None:
            name, module = qualified_name(cls), self.module
        name = unique_class_name(cls, name if self.name is None else self.name)
        space = Space(module, name, self.pairs(owner, values))
        return FieldSnapshot(self, cls, values, space)


def unique_class_name(owner_class: type, name: str) -> str:
    """The name of an owner, with the digest of what a function gave to its class if it was made in one."""
    suffix = local_class_digest(owner_class)
    return f"{name}-{suffix}" if suffix else name


def _method_parameter_error(name: str, kind: str) -> UnstableKeyError:
    return UnstableKeyError(
        f"parameter {name!r} of {kind} is a method of the class, not a value; name the attributes that it computes"
        " from, or make it a property",
        "builtins.method",
    )


class FieldSnapshot:
    """The values of attributes at one moment, compared by identity where their types are immutable, else by text."""

    def __init__(self, parameters: FieldParameters, cls: type, values: tuple[object, ...], space: Space) -> None:
        self._parameters = parameters
        self._class = cls
        self.space = space
        self._remember(values)

    def _remember(self, values: tuple[object, ...]) -> None:
        self._values = values if all(type(value) in ATOMIC for value in values) else None
        self._is_unchanged: Callable[[Any, Any], bool] | None = None

    def _compile_check(self) -> None:
        check = self.unchanged_check(may_hold_user=False)
        if check is not None:
            self._expected, self._is_unchanged = SimpleNamespace(**check.expected), compile_check(check.test)

    def unchanged_check(self, may_hold_user: bool) -> UnchangedCheck | None:
        """Are the parameters the same objects? None if one of them can change."""
        names = self._parameters.names
        conditions = no_storage_user_checks(self._class) if may_hold_user else ()
        if self._values is None or any(map(keyword.iskeyword, names)) or conditions is None:
            return None
        expected = {f"value{number}": value for number, value in enumerate(self._values)}
        tests = [f"{{owner}}.{name} is {{expected}}.{each}" for name, each in zip(names, expected, strict=True)]
        test = " and ".join([SAME_CLASS_TEST, *tests, *conditions])
        return UnchangedCheck(test, {"owner_class": self._class, **expected})

    def holds(self, owner: object) -> bool:
        """Are the owner's parameters still these?"""
        try:
            if self._is_unchanged is None:
                self._compile_check()  # only when it is needed: a chain samples many owners, and most are asked once
            if self._is_unchanged is not None and self._is_unchanged(owner, self._expected):
                return True
            values = self._parameters.values(owner)
            if type(owner) is not self._class or self._parameters.pairs(owner, values) != self.space.parameters:
                return False
        except (AttributeError, OwnerError, UnstableKeyError):
            return False  # changed; whoever asks for the new parameters gets the error
        self._remember(values)  # other objects, of equal value
        return True


def _normalise_name(name: str) -> str:
    """A name in the normal form NFKC, in which Python has all identifiers."""
    if name.isascii():
        return name
    import unicodedata

    return unicodedata.normalize("NFKC", name)


class OwnString:
    """Parameters that the owner itself describes by a hashable string.

    Parameters
    ----------
    method : str
        The name of the owner's method that returns its hashable string.
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
        cls = type(owner)
        name = cls.__qualname__ if self._name is None else self._name(owner)
        name = checked_string(name, f"{cls.__qualname__}.getName()")
        space = Space(module_name(cls.__module__), unique_class_name(cls, name), self.string(owner))
        return StringSnapshot(self, cls, space)


class StringSnapshot:
    """An owner's hashable string at one moment."""

    def __init__(self, parameters: OwnString, cls: type, space: Space) -> None:
        self._parameters = parameters
        self._class = cls
        self.space = space

    def holds(self, owner: object) -> bool:
        """Is the owner's hashable string still this one?"""
        return self._parameters.string(owner) == self.space.parameters

    def unchanged_check(self, may_hold_user: bool) -> UnchangedCheck | None:
        """Is the hashable string the same?"""
        conditions = no_storage_user_checks(self._class) if may_hold_user else ()
        if conditions is None:
            return None
        test = f"{{owner}}.{self._parameters.method}() == {{expected}}.string"
        expected = {"owner_class": self._class, "string": self.space.string}
        return UnchangedCheck(" and ".join([SAME_CLASS_TEST, test, *conditions]), expected)


_describers: WeakKeyDictionary[type, tuple[list[Any], Describer]] = WeakKeyDictionary()
"""The describers of classes, with what the classes and their bases declared when these were chosen."""

STRING_METHODS = ("getHashableString", "_getHashableString")

_DESCRIBING_METHODS = (*STRING_METHODS, "getName")


def find_describer(owner: type) -> Describer:
    """The way in which the objects of a class tell their parameters.

    Raises
    ------
    OwnerError
        If there is none.
    """
    # of methods only the type: a method can refer to the class itself, which would then never be freed
    declared: list[Any] = [type(base.__dict__.get(name)) for base in owner.__mro__ for name in _DESCRIBING_METHODS]
    declared += [base.__dict__.get("__stored_parameters__") for base in owner.__mro__]
    found = _describers.get(owner)
    if found is None or found[0] != declared:
        found = _describers[owner] = (declared, _choose_describer(owner))
    return found[1]


def _choose_describer(owner: type) -> Describer:
    for method in STRING_METHODS:
        if callable(getattr(owner, method, None)):
            return OwnString(method, owner_method_caller(owner, "getName"))
    names = parameter_names(owner)
    if names is not None:
        own = vars(owner).get("__stored_parameters__")  # module and name hold for this class, not for subclasses
        return FieldParameters(names) if own is None else FieldParameters(names, own.module, own.name)
    raise OwnerError(
        f"{owner.__module__}.{owner.__qualname__} has stored methods, but does not tell its parameters. Choose one way:"
        " (1) hold a StorageUser in the attribute storageUser or su;"
        " (2) define getHashableString(), and optionally getName();"
        ' (3) decorate the class with @keyed_by("H0", "Om0", ...);'
        " (4) make it a frozen dataclass or a frozen attrs class."
    )
