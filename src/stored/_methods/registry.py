"""Which owner has which results, for as long as it lives."""

from __future__ import annotations

import functools
import weakref
from collections import OrderedDict
from typing import Any

from stored._engine import StorageUser, described_instead, rebound_user
from stored._keys import USER_ATTRIBUTES, FieldParameters, find_describer, parameter_names
from stored._methods.definition import Definition
from stored._methods.owner_parameters import DescribedParameters, OwnerParameters, UserParameters
from stored._methods.results import Results
from stored._settings import validity
from stored._storage import ForkSafeLock
from stored.errors import OwnerError, UnstableKeyError

__all__ = ["clear_everywhere", "results_of"]


class OwnerResults:
    """All that is kept for one owner, by definition.

    Parameters
    ----------
    user : StorageUser or None
        What describes the owner: the one it holds, or for a copy that still holds its original's, one of its own.
    """

    def __init__(self, user: StorageUser | None) -> None:
        self.user = user
        self.by_definition: dict[Definition, Results] = {}


_UNREFERENCED_KEPT = 256
"""Of owners that cannot be referred to weakly (slots without ``__weakref__``), so many are remembered."""


class Registry:
    """What is kept for owners, as long as they live."""

    def __init__(self) -> None:
        self.referenced: dict[int, tuple[weakref.ref[Any], OwnerResults]] = {}
        self.unreferenced: OrderedDict[object, OwnerResults] = OrderedDict()
        _registries.add(self)


_registries: weakref.WeakSet[Registry] = weakref.WeakSet()

_registry_lock = ForkSafeLock()

_registry = Registry()


def results_of(owner: object, definition: Definition) -> Results:
    """The results of a method for an owner.

    Raises
    ------
    OwnerError
        If the owner tells its parameters in none of the four ways.
    """
    kept = _kept(owner, definition)
    results = kept.by_definition.get(definition)
    if results is not None and results.kind is not type(owner):  # an assignment to __class__ can change that
        kept.by_definition.pop(definition, None)
        results.end_shortcut()
        results = None
    if results is None:
        parameters = _parameters_of(owner, kept.user, definition)
        results = kept.by_definition.setdefault(definition, Results(definition, type(owner), parameters))
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


def _kept(owner: object, definition: Definition) -> OwnerResults:
    _, held = _storage_user(owner)
    registry = _registry if held is None else held.decorated
    kept = None if registry is None else _known(registry, owner)
    if kept is not None:
        return kept
    with _registry_lock:
        if held is not None and held.decorated is None:
            # a StorageUser often refers to its owner; kept anywhere else, these results would keep both alive
            held.decorated = Registry()
        registry = _registry if held is None else held.decorated
        return _known(registry, owner) or _registered(registry, owner, held, definition)


def _known(registry: Registry, owner: object) -> OwnerResults | None:
    found = registry.referenced.get(id(owner))
    return found[1] if found is not None and found[0]() is owner else None


def _registered(registry: Registry, owner: object, held: StorageUser | None, definition: Definition) -> OwnerResults:
    kept = OwnerResults(None if held is None else _describing(owner, held))
    if kept.user is not held and not type(owner).__weakrefoffset__:
        return kept  # a copy that nothing can be kept for: its results are found in the store
    try:
        reference = weakref.ref(owner, functools.partial(_forget, registry.referenced, id(owner)))
    except TypeError:
        return _registered_by_value(registry, owner, kept, definition)
    registry.referenced[id(owner)] = (reference, kept)
    return kept


def _forget(referenced: dict[int, Any], number: int, _: object) -> None:
    referenced.pop(number, None)


def _registered_by_value(registry: Registry, owner: object, kept: OwnerResults, definition: Definition) -> OwnerResults:
    """An owner that cannot be referred to weakly is known by its parameters, which is all that results depend on."""
    space = _parameters_of(owner, kept.user, definition).snapshot(owner).space
    key = (type(owner), space, definition.depends)
    known = registry.unreferenced.setdefault(key, kept)
    registry.unreferenced.move_to_end(key)
    if len(registry.unreferenced) > _UNREFERENCED_KEPT:
        registry.unreferenced.popitem(last=False)
    return known


def _describing(owner: object, held: StorageUser) -> StorageUser:
    """The owner's StorageUser; for a copy that still holds its original's, one that describes the copy."""
    original = described_instead(held, owner)
    return held if original is None else rebound_user(held, original, owner)


def clear_everywhere(definition: Definition) -> None:
    """Forget the results of a method for every live owner that has used it."""
    for owner, results in live_results(definition):
        try:
            results.clear(owner)
        except (OwnerError, UnstableKeyError):  # parameters half set: no reason to keep the results of others
            results.clear(None)


def live_results(definition: Definition) -> list[tuple[object, Results]]:
    """Every live owner that has used a method, with its results; None for an owner known by its parameters only."""
    with _registry_lock:
        kept: list[tuple[object, OwnerResults]] = []
        for registry in list(_registries):
            # in one step, since owners die at any moment
            kept += [(reference(), each) for reference, each in list(registry.referenced.values())]
            kept += [(None, each) for each in list(registry.unreferenced.values())]
    return [(owner, each.by_definition[definition]) for owner, each in kept if definition in each.by_definition]
