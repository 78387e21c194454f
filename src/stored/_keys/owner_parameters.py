"""In which ways does an owner tell its parameters, and how are they compared? (`spaces` notices a change.)"""

from __future__ import annotations

import functools
import keyword
from collections.abc import Callable, Hashable, Mapping, Sequence
from operator import attrgetter, methodcaller
from types import MethodType
from typing import Any
from weakref import ref

from stored._adapters import adapter_of
from stored._fork_safe_lock import ForkSafeLock
from stored._keys.canonical import canonical_texts, texts_of_leaves
from stored._keys.class_fields import fields_that_may_be_unset
from stored._keys.class_names import local_class_digest
from stored._keys.estimators import params_of
from stored._keys.function_parameters import FunctionParameters
from stored._keys.immutable_values import NUMBERS_AND_TEXTS, immutable_key
from stored._keys.joined_parameters import JoinedParameters
from stored._keys.keyed_by_line import check_declarations, naming_of_parameter, undeclared_text, unset_text
from stored._keys.method_reads import Selection
from stored._keys.owner_protocols import Described, Describer, OwnerParameters
from stored._keys.parameter_names import (
    STRING_METHODS,
    Converter,
    checked_string,
    converters,
    declares_whole,
    normalise_name,
    owner_method_caller,
    parameter_names,
    parameter_value,
    tells_by_get_params,
)
from stored._keys.qualified_names import module_name, qualified_name
from stored._keys.result_key import Space, space_of
from stored._keys.unchanged import SAME_CLASS_TEST, UnchangedCheck, no_storage_user_checks
from stored._keys.value_tests import ValueTest, joined_check, value_test
from stored.errors import OwnerError, UnstableKeyError
from stored.typing import ABSENT

__all__ = [
    "STRING_METHODS",
    "FieldParameters",
    "OwnString",
    "find_describer",
]


def _no_values(_: object) -> tuple[()]:
    """The values of no parameters."""
    return ()


class FieldParameters:
    """Parameters that are attributes of the owner.

    Parameters
    ----------
    names : sequence of str
        The attributes.
    module, name : str, optional
        The module and the name of the owner, in place of those of its class.
    convert : mapping of str to callable, optional
        The functions that make the values by which parameters are keyed, where these are others.
    is_whole : bool
        Do exactly these attributes count, whatever methods read beside them?
    """

    def __init__(
        self,
        names: Sequence[str],
        module: str | None = None,
        name: str | None = None,
        convert: Mapping[str, Converter] | None = None,
        is_whole: bool = False,
    ) -> None:
        self.joins_reads = not is_whole
        self.is_whole = is_whole
        self.are_attributes = True
        self.names = tuple(map(normalise_name, names))
        self.module = module
        self.name = name
        self.convert = {normalise_name(each): function for each, function in (convert or {}).items()}
        self._get: Callable[[object], Any] = attrgetter(*self.names) if self.names else _no_values
        self.described: Described = self
        self._class_names: tuple[ref[type], str, str] | None = None
        self.quick_values = self._get if len(self.names) > 1 and not self.convert else self.values

    def selected(self, selection: Selection) -> OwnerParameters:
        """A describer of the parameters that a method depends on, or of all, and the attributes that it reads."""
        chosen = self if selection.depends is None else self.only(selection.depends)
        return JoinedParameters(chosen, selection) if selection.joined or selection.takes_all else chosen

    def only(self, names: Sequence[str]) -> FieldParameters:
        """A describer of some of the parameters only."""
        self.check_names(names, "depends")
        kept = {normalise_name(name) for name in names}
        convert = {name: function for name, function in self.convert.items() if name in kept}
        return FieldParameters(names, self.module, self.name, convert)

    def check_names(self, names: Sequence[str], what: str) -> None:
        """Raise an `OwnerError` if something names what is no parameter."""
        unknown = [name for name in names if normalise_name(name) not in self.names]
        if unknown:
            raise OwnerError(f"{what} names {unknown[0]!r}, which is none of the parameters {', '.join(self.names)}")

    def values(self, owner: object) -> tuple[object, ...]:
        """The values of the parameters now, converted."""
        if self.convert:
            return self._values_one_by_one(owner)
        try:
            found = self._get(owner)
        except AttributeError:
            return self._values_one_by_one(owner)
        return (found,) if len(self.names) == 1 else found  # attrgetter returns a tuple for several names only

    def _values_one_by_one(self, owner: object) -> tuple[object, ...]:
        unset = fields_that_may_be_unset(type(owner))
        try:
            return tuple(
                [
                    ABSENT if name in unset and not hasattr(owner, name) else parameter_value(owner, name, self.convert)
                    for name in self.names
                ]
            )
        except AttributeError as error:
            raise OwnerError(unset_text(type(owner), self.names, error)) from error

    def check(self, owner: object, values: tuple[Any, ...]) -> None:
        """Refuse methods of the owner itself."""
        for name, value in zip(self.names, values, strict=True):
            if isinstance(value, MethodType) and value.__self__ is owner:
                kind = type(owner).__name__
                raise UnstableKeyError(
                    f"{kind}.{name}, a parameter of {kind}, is a method of the class, not a value; name the attributes"
                    ' that it computes from, as in @keyed_by("H0", "Om0"), or make it a property',
                    "builtins.method",
                )

    def quick_key(self, values: tuple[object, ...]) -> Hashable:
        """That of values that cannot change."""
        return immutable_key(values)

    def space(self, owner_class: type, values: tuple[object, ...]) -> Space:
        """The name of the class, and the text of the values."""
        known = self._class_names
        if known is None or known[0]() is not owner_class:
            known = self._class_names = ref(owner_class), *self._names_of(owner_class)
        _, module, name = known
        texts = texts_of_leaves(values)
        if texts is not None:
            return Space(module, name, texts, self.names)
        numbered: list[str] = []
        naming = functools.partial(naming_of_parameter, owner_class, self.names, values)
        texts = canonical_texts(self.names, values, naming, numbered)
        return space_of(module, name, texts, self.names, numbered)

    def _names_of(self, owner_class: type) -> tuple[str, str]:
        """Module and name of the owners of a class."""
        # classes of the same name, from different modules, can have the same folder if the user chooses it
        name, module = owner_class.__qualname__, module_name(owner_class.__module__, owner_class)
        if self.module is not None:
            name, module = qualified_name(owner_class), self.module
        name = unique_class_name(owner_class, name if self.name is None else self.name)
        return module, name

    def unchanged_check(
        self, owner_class: type, values: tuple[object, ...], may_hold_user: bool
    ) -> UnchangedCheck | None:
        """Are the parameters the same objects, or have they the same in them? None if nothing tells."""
        conditions = no_storage_user_checks(owner_class) if may_hold_user else ()
        if any(map(keyword.iskeyword, self.names)) or conditions is None:
            return None
        pairs = enumerate(zip(self.names, values, strict=True))
        found = [self._test_of(name, number, each) for number, (name, each) in pairs]
        check = UnchangedCheck(" and ".join([SAME_CLASS_TEST, *conditions]), {"owner_class": owner_class}, rebound=())
        return joined_check(check, found, {"convert": self.convert} if self.convert else None)

    def _test_of(self, name: str, number: int, value: Any) -> ValueTest | None:
        expected = f"value{number}"
        if name not in self.convert:
            return value_test(f"{{owner}}.{name}", expected, value)
        if type(value) not in NUMBERS_AND_TEXTS:
            return None
        converted = (
            f"(_stored_converted := {{expected}}.convert[{name!r}]({{owner}}.{name})) == {{expected}}.{expected}"
        )
        test = f"{converted} and {{type}}(_stored_converted) is {{type}}({{expected}}.{expected})"
        return ValueTest(test, {expected: value})


class WholeParameters(FieldParameters):
    """Parameters that something, of this name, tells as a whole, which is the only value."""

    def __init__(self, source: str, module: str | None = None, name: str | None = None, is_whole: bool = False) -> None:
        super().__init__((source,), module, name, is_whole=is_whole)
        self.are_attributes = False

    def only(self, names: Sequence[str]) -> FieldParameters:
        """It has no parts to choose from."""
        if not names:
            return FieldParameters((), self.module, self.name)
        raise OwnerError(
            f"depends={names!r} needs single parameters to choose from, but {self._source} tells them as a whole; say"
            " depends='auto', or name them with @keyed_by"
        )

    _source = "the key of a registered type"

    def unchanged_check(self, owner_class: type, values: tuple[object, ...], may_hold_user: bool) -> None:
        """There is none: a function has to be called."""


class EstimatorParameters(WholeParameters):
    """What an estimator tells by ``get_params()``."""

    _source = "get_params()"

    def values(self, owner: object) -> tuple[object, ...]:
        """The parameters by their names."""
        try:
            return (params_of(owner),)
        except AttributeError as error:
            raise OwnerError(unset_text(type(owner), self.names, error)) from error


class RegisteredParameters(WholeParameters):
    """What the key of a registered type tells.

    Parameters
    ----------
    owner : type
        The class: the registered type, or one that inherits from it, whose methods may read more than that tells.
    """

    def __init__(self, owner: type) -> None:
        super().__init__("key", is_whole=_registered(owner).kind is owner)

    def values(self, owner: object) -> tuple[object, ...]:
        """The name of the type, what its key is now and, if it is somebody's own, the function that makes it."""
        adapter = _registered(type(owner))
        return ((adapter.name, adapter.key(owner), adapter.key if adapter.home else None),)


def _registered(owner: type) -> Any:
    return adapter_of(owner)


def unique_class_name(owner_class: type, name: str) -> str:
    """The name of an owner, with the digest of what a function gave to its class if it was made in one."""
    suffix = local_class_digest(owner_class)
    return f"{name}-{suffix}" if suffix else name


class OwnString:
    """Parameters that the owner itself describes by a hashable string.

    Parameters
    ----------
    method : str
        The name of the owner's method that returns its hashable string.
    name : callable, optional
        Takes the owner and returns its name.
    """

    names = ("",)
    joins_reads = False  # the string is the whole
    is_whole = False

    def __init__(self, method: str, name: Callable[[Any], str] | None) -> None:
        self.described: Described = self
        self.method = method
        self._describe = methodcaller(method)
        self._name = name

    def selected(self, selection: Selection) -> OwnerParameters:
        """Itself, or the attributes that a method reads, in place of the string; that has no parts to choose from."""
        if selection.depends is None:
            return self
        if not selection.depends:
            return FieldParameters(()).selected(selection)
        raise OwnerError(
            f"depends={selection.depends!r} needs single parameters to choose from, but the owner tells a hashable"
            " string as a whole; say depends='auto', describe the class with @keyed_by, or make it a frozen dataclass"
        )

    def values(self, owner: object) -> tuple[str, str]:
        """The hashable string and the name now."""
        cls = type(owner)
        string = checked_string(self._describe(owner), f"{cls.__qualname__}.getHashableString()")
        name = cls.__qualname__ if self._name is None else self._name(owner)
        return string, checked_string(name, f"{cls.__qualname__}.getName()")

    @property
    def quick_values(self) -> Callable[[Any], tuple[str, str]]:
        """The function that returns them."""
        return self.values

    def check(self, owner: object, values: tuple[str, str]) -> None:
        """They are text."""

    def quick_key(self, values: tuple[str, ...]) -> None:
        """None is needed: they cannot change."""

    def space(self, owner_class: type, values: tuple[str, str]) -> Space:
        """The name and the string."""
        return Space(
            module_name(owner_class.__module__, owner_class), unique_class_name(owner_class, values[1]), values[0]
        )

    def unchanged_check(self, owner_class: type, values: tuple[str, str], may_hold_user: bool) -> UnchangedCheck | None:
        """Are the hashable string and the name the same?"""
        conditions = no_storage_user_checks(owner_class) if may_hold_user else ()
        if conditions is None:
            return None
        tests = [f"{{owner}}.{self.method}() == {{expected}}.string"]
        if self._name is not None:
            tests.append("{owner}.getName() == {expected}.name")
        expected = {"owner_class": owner_class, "string": values[0], "name": values[1]}
        return UnchangedCheck(" and ".join([SAME_CLASS_TEST, *tests, *conditions]), expected, rebound=())


_describers: dict[ref[type], tuple[list[Any], Describer]] = {}
"""The describers of classes, with what the classes and their bases declared when these were chosen."""

_describers_lock = ForkSafeLock()

_DESCRIBING_METHODS = (*STRING_METHODS, "getName")


def find_describer(owner: type) -> Describer:
    """The way in which the objects of a class tell their parameters.

    Raises
    ------
    OwnerError
        If there is none.
    """
    # of methods only the type: a method can refer to the class itself, which would then never be freed
    declared: list[Any] = []
    for base in owner.__mro__[:-1]:  # object declares nothing
        get = base.__dict__.get
        declared += *map(type, map(get, _DESCRIBING_METHODS)), get("__stored_parameters__")
    found = _describers.get(ref(owner))
    if found is not None and found[0] == declared:
        return found[1]
    with _describers_lock:  # one describer for all threads: objects share their results only if it is the same
        reference = ref(owner, _forget_describer)
        found = _describers.get(reference)
        if found is None or found[0] != declared:
            found = _describers[reference] = (declared, _choose_describer(owner))
        return found[1]


def _forget_describer(reference: ref[type]) -> None:
    _describers.pop(reference, None)


def _choose_describer(owner: type) -> Describer:
    for method in STRING_METHODS:
        if callable(getattr(owner, method, None)):
            return OwnString(method, owner_method_caller(owner, "getName"))
    own = vars(owner).get("__stored_parameters__")  # its module and name hold for this class, not for subclasses
    if isinstance(own, FunctionParameters):
        return own
    module, name = (None, None) if own is None else (own.module, own.name)
    if tells_by_get_params(owner):
        return EstimatorParameters("get_params()", module, name, declares_whole(owner))
    names = parameter_names(owner)
    if names is not None:
        check_declarations(owner)
        return FieldParameters(names, module, name, converters(owner), declares_whole(owner))
    if getattr(adapter_of(owner), "key", None) is not None:
        return RegisteredParameters(owner)
    raise OwnerError(undeclared_text(owner))
