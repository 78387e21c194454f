"""How an owner tells its parameters: `keyed_by`, frozen classes, and methods that return a hashable string."""

from __future__ import annotations

import functools
import keyword
from collections.abc import Callable, Mapping, Sequence
from operator import methodcaller
from types import MethodType, SimpleNamespace
from typing import Any, NamedTuple, Protocol, TypeVar
from weakref import WeakKeyDictionary

from stored._keys import Space, checked_string, class_text, named_canonical, owner_method, parameter_names
from stored._source import module_name, qualified_name
from stored.errors import OwnerError, UnstableKeyError

__all__ = [
    "ATOMIC",
    "OWN_TEST",
    "USER_ATTRIBUTES",
    "FieldParameters",
    "FieldSnapshot",
    "OwnString",
    "Proof",
    "Snapshot",
    "checked_string",
    "compiled_test",
    "find_describer",
    "keyed_by",
    "user_guards",
]

C = TypeVar("C", bound=type)

USER_ATTRIBUTES = ("storageUser", "su")
"""Where an owner holds its `StorageUser`."""

ATOMIC = (float, int, str, bool, type(None), bytes, complex)
"""Types whose objects can never change: the same object is the same value."""


class Proof(NamedTuple):
    """How to see, without computing anything, that an owner's parameters are still the same.

    Attributes
    ----------
    test : str
        A Python expression in ``{owner}``, ``{known}``, ``{type}`` and ``{getattr}``. False and `AttributeError` prove
        nothing.
    known : mapping of str to object
        The attributes of ``{known}``.
    refers_to_owner : bool
        Can what is known refer to the owner? Then nothing but the owner itself may keep it.
    """

    test: str
    known: Mapping[str, Any]
    refers_to_owner: bool = False


@functools.lru_cache(maxsize=256)
def compiled_test(test: str) -> Callable[[Any, Any], bool]:
    """The expression of a `Proof` as a function of owner and known: it takes a fifth of the time of a loop."""
    expression = test.format(owner="owner", known="known", type="type", getattr="getattr")
    made: Callable[[Any, Any], bool] = eval(f"lambda owner, known: {expression}")  # noqa: S307  # identifiers only
    return made


class Snapshot(Protocol):
    """An owner's parameters at one moment."""

    @property
    def space(self) -> Space:
        """Whose results they stand for."""

    def holds(self, owner: Any) -> bool:
        """Are the owner's parameters still these?"""

    def proof(self, guarded: bool) -> Proof | None:
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

    def narrowed(self, names: Sequence[str]) -> Describer:
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

    def narrowed(self, names: Sequence[str]) -> FieldParameters:
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
        name = _told_from_likes(own, name if self.name is None else self.name)
        space = Space(module, name, self.string(owner, values))
        return FieldSnapshot(self, own, values, space)


def _told_from_likes(own: type, name: str) -> str:
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
        quick = self.proof(guarded=False)
        if quick is not None:
            self._known, self._is_same = SimpleNamespace(**quick.known), compiled_test(quick.test)

    def proof(self, guarded: bool) -> Proof | None:
        """The parameters are the same objects, and none that can change."""
        names = self._parameters.names
        guards = user_guards(self._own) if guarded else ()
        if self._values is None or any(map(keyword.iskeyword, names)) or guards is None:
            return None
        known = {f"value{number}": value for number, value in enumerate(self._values)}
        tests = [f"{{owner}}.{name} is {{known}}.{each}" for name, each in zip(names, known, strict=True)]
        return Proof(" and ".join([OWN_TEST, *tests, *guards]), {"own": self._own, **known})

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


OWN_TEST = "{type}({owner}) is {known}.own"
"""What every proof begins with."""


def user_guards(own: type, before: str | None = None) -> list[str] | None:
    """Tests that an owner holds no `StorageUser`, or none in an attribute that comes before one of them.

    None if there are no such tests: of an attribute that an object has not, ``__getattr__`` may answer for another.
    """
    names = USER_ATTRIBUTES[: None if before is None else USER_ATTRIBUTES.index(before)]
    if names and hasattr(own, "__getattr__"):
        return None
    return [f"{{getattr}}({{owner}}, {name!r}, None) is None" for name in names]


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

    def narrowed(self, names: Sequence[str]) -> OwnString:
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
        space = Space(module_name(own.__module__), _told_from_likes(own, name), self.string(owner))
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

    def proof(self, guarded: bool) -> Proof | None:
        """The string is the same."""
        guards = user_guards(self._own) if guarded else ()
        if guards is None:
            return None
        test = f"{{owner}}.{self._parameters.method}() == {{known}}.string"
        return Proof(" and ".join([OWN_TEST, test, *guards]), {"own": self._own, "string": self.space.string})


_described: WeakKeyDictionary[type, tuple[list[Any], Describer]] = WeakKeyDictionary()
"""What classes and their bases said when they were last asked, and what was made of it."""

_WORDS = ("getHashableString", "_getHashableString")
_SAID = (*_WORDS, "getName")


def find_describer(owner: type) -> Describer:
    """The way in which the objects of a class tell their parameters.

    Raises
    ------
    OwnerError
        If there is none.
    """
    # of methods their kind only: what they say can hold the class itself, which would never go then
    said: list[Any] = [type(base.__dict__.get(name)) for base in owner.__mro__ for name in _SAID]
    said += [base.__dict__.get("__stored_parameters__") for base in owner.__mro__]
    known = _described.get(owner)
    if known is None or known[0] != said:
        known = _described[owner] = (said, _describer(owner))
    return known[1]


def _describer(owner: type) -> Describer:
    for method in _WORDS:
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


def keyed_by(*names: str, module: str | None = None, name: str | None = None) -> Callable[[C], C]:
    """Declare which attributes of a class are its parameters.

    The results of stored methods hold as long as these attributes keep their values, and are found again, in memory
    or on disk, by an object with equal values. A subclass is keyed by what its bases are keyed by; decorated itself,
    it adds names to theirs.

    Parameters
    ----------
    *names : str
        The attributes. Their values can be numbers, strings, arrays, functions, containers of these, and other
        owners.
    module : str, optional
        The folder of the results, by default the class's module.
    name : str, optional
        The name of the owner, by default the class's qualified name.

    Returns
    -------
    callable
        The class decorator; it returns the class itself.

    Raises
    ------
    OwnerError
        If no names are given, one is not the name of an attribute, `module` or `name` is no string, or a stored
        method depends on a parameter that is not among them.

    Examples
    --------
    >>> @keyed_by("H0", "Om0")
    ... class Cosmology:
    ...     def __init__(self, H0, Om0):
    ...         self.H0, self.Om0 = H0, Om0
    """
    for each in names:
        if not (isinstance(each, str) and each.isidentifier()):
            raise OwnerError(
                f'keyed_by takes the names of attributes, as in @keyed_by("H0", "Om0"), and got {each!r} of type'
                f" {type(each).__name__}"
            )
    if not names:
        raise OwnerError('keyed_by needs the names of the parameters, as in @keyed_by("H0", "Om0")')

    for option, text in (("module", module), ("name", name)):
        if not (text is None or isinstance(text, str)):
            raise OwnerError(f"{option} of keyed_by is {text!r} of type {type(text).__name__}; it must be a str")

    def decorate(owner: C) -> C:
        if not isinstance(owner, type):
            raise OwnerError(f"keyed_by decorates classes, and got {owner!r} of type {type(owner).__name__}")
        _check_not_described(owner)
        owner.__stored_parameters__ = FieldParameters(names, module, name)  # type: ignore[attr-defined]
        parameters = FieldParameters(parameter_names(owner) or ())
        for attribute in vars(owner).values():
            depends = getattr(attribute, "__stored_depends__", None)
            if depends is not None:
                parameters.narrowed(depends)
        return owner

    return decorate


def _check_not_described(owner: type) -> None:
    """Refuse names that the string of a base class would silence."""
    for name in _WORDS:
        if callable(getattr(owner, name, None)) and name not in vars(owner):
            raise OwnerError(
                f"{owner.__qualname__} inherits {name}(), which comes before keyed_by and does not know the parameters"
                f" named here; override {name}() so that it tells them"
            )
