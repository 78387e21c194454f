"""Which owner has which results? They are registered for as long as it lives, and dropped when it is freed."""

from __future__ import annotations

import functools
import weakref
from collections import OrderedDict
from typing import Any

from stored._engine import StorageUser, described_instead, rebound_user
from stored._fork_safe_lock import ForkSafeLock
from stored._keys import USER_ATTRIBUTES, FieldParameters, find_describer, parameter_names
from stored._methods.definition import Definition
from stored._methods.parameter_sources import DescribedParameters, OwnerParameters, UserParameters
from stored._methods.results import Results
from stored._settings import validity
from stored.errors import OwnerError, UnstableKeyError

__all__ = ["clear_everywhere", "results_of"]


class OwnerResults:
    """The results of one owner, for each definition of a stored method.

    Parameters
    ----------
    user : StorageUser or None
        The StorageUser that describes the owner: the one it holds, or one of its own for a copy that holds its
        original's.
    """

    def __init__(self, user: StorageUser | None) -> None:
        self.user = user
        self.by_definition: dict[Definition, Results] = {}


_MOST_UNREFERENCED = 256
"""The number of owners without weak references (slots without ``__weakref__``) whose results stay registered."""


class Registry:
    """The results of owners, for as long as these live."""

    def __init__(self) -> None:
        self.referenced: dict[int, tuple[weakref.ref[Any], OwnerResults]] = {}
        self.unreferenced: OrderedDict[object, OwnerResults] = OrderedDict()
        _registries.add(self)


_registries: weakref.WeakSet[Registry] = weakref.WeakSet()

_registry_lock = ForkSafeLock()

_default_registry = Registry()


def results_of(owner: object, definition: Definition) -> Results:
    """The results of a method for an owner.

    Raises
    ------
    OwnerError
        If the owner does not tell its parameters.
    """
    owner_results = _find_or_register(owner, definition)
    results = owner_results.by_definition.get(definition)
    if results is not None and results.kind is not type(owner):  # an assignment to __class__ can change that
        owner_results.by_definition.pop(definition, None)
        results.end_shortcut()
        results = None
    if results is None:
        parameters = _parameters_of(owner, owner_results.user, definition)
        results = owner_results.by_definition.setdefault(definition, Results(definition, type(owner), parameters))
    return results


def _parameters_of(owner: object, user: StorageUser | None, definition: Definition) -> OwnerParameters:
    if user is None:
        describer = find_describer(type(owner))
        return DescribedParameters(describer if definition.depends is None else describer.only(definition.depends))
    if definition.depends is not None:
        raise OwnerError(
            f"depends={definition.depends!r} needs single parameters to choose from, but {type(owner).__qualname__}"
            " holds a StorageUser, which has one hashable string for all"
        )
    names = parameter_names(type(owner))
    attribute, held = _storage_user(owner)
    return UserParameters(user, attribute if held is user else None, None if names is None else FieldParameters(names))


def _storage_user(owner: object) -> tuple[str | None, StorageUser | None]:
    """The StorageUser that an owner holds, and in which attribute."""
    for name in USER_ATTRIBUTES if validity.has_storage_users else ():
        try:
            user = object.__getattribute__(owner, name)  # not by __getattr__, which may answer for another object
        except AttributeError:
            continue
        if isinstance(user, StorageUser):
            return name, user
    return None, None


def _find_or_register(owner: object, definition: Definition) -> OwnerResults:
    _, held = _storage_user(owner)
    registry = _default_registry if held is None else held.decorated
    owner_results = None if registry is None else _find(registry, owner)
    if owner_results is not None:
        return owner_results
    with _registry_lock:
        if held is not None and held.decorated is None:
            # a StorageUser often refers to its owner: in any other registry, its results would keep both alive
            held.decorated = Registry()
        registry = _default_registry if held is None else held.decorated
        return _find(registry, owner) or _register(registry, owner, held, definition)


def _find(registry: Registry, owner: object) -> OwnerResults | None:
    found = registry.referenced.get(id(owner))
    return found[1] if found is not None and found[0]() is owner else None


def _register(registry: Registry, owner: object, held: StorageUser | None, definition: Definition) -> OwnerResults:
    owner_results = OwnerResults(None if held is None else _user_describing(owner, held))
    if owner_results.user is not held and not type(owner).__weakrefoffset__:
        return owner_results  # a copy without weak references is not registered: its results are found in the store
    try:
        reference = weakref.ref(owner, functools.partial(_remove, registry.referenced, id(owner)))
    except TypeError:
        return _register_by_parameters(registry, owner, owner_results, definition)
    registry.referenced[id(owner)] = (reference, owner_results)
    return owner_results


def _remove(referenced: dict[int, Any], owner_id: int, _: object) -> None:
    referenced.pop(owner_id, None)


def _register_by_parameters(
    registry: Registry, owner: object, owner_results: OwnerResults, definition: Definition
) -> OwnerResults:
    """An owner without weak references is registered by its parameters, since results depend on nothing else."""
    space = _parameters_of(owner, owner_results.user, definition).snapshot(owner).space
    key = (type(owner), space, definition.depends)
    registered = registry.unreferenced.setdefault(key, owner_results)
    registry.unreferenced.move_to_end(key)
    if len(registry.unreferenced) > _MOST_UNREFERENCED:
        registry.unreferenced.popitem(last=False)
    return registered


def _user_describing(owner: object, held: StorageUser) -> StorageUser:
    """The owner's StorageUser; for a copy that holds its original's, one that describes the copy."""
    original = described_instead(held, owner)
    return held if original is None else rebound_user(held, original, owner)


def clear_everywhere(definition: Definition) -> None:
    """Forget the results of a method for every live owner that has used it."""
    for owner, results in live_results(definition):
        try:
            results.clear(owner)
        except (OwnerError, UnstableKeyError):  # not all parameters are set; the other owners' results go too
            results.clear(None)


def live_results(definition: Definition) -> list[tuple[object, Results]]:
    """Every live owner that has used a method, with its results; None for one that is registered by its parameters."""
    with _registry_lock:
        found: list[tuple[object, OwnerResults]] = []
        for registry in list(_registries):
            # each list in one step, since owners may be freed at any moment
            found += [(reference(), each) for reference, each in list(registry.referenced.values())]
            found += [(None, each) for each in list(registry.unreferenced.values())]
    return [(owner, each.by_definition[definition]) for owner, each in found if definition in each.by_definition]
