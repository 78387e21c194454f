"""Which owner has which record? It is kept for as long as the owner lives, and dropped when it is freed."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, NamedTuple, cast

from stored._engine.copying import described_instead, rebound_user
from stored._engine.counting import ALL, CountedMethod, counting_of, owners_of
from stored._engine.space import StorageSpace
from stored._engine.spaces import OwnersOfClass, PresentSpace
from stored._engine.user import StorageUser
from stored._engine.user_parameters import UserHolderParameters, UserParameters
from stored._fork_safe_lock import ForkSafeLock
from stored._keys import (
    USER_ATTRIBUTES,
    FieldParameters,
    Key,
    MethodReads,
    OwnerParameters,
    Selection,
    Space,
    converters,
    find_describer,
    parameter_names,
)
from stored._settings import validity
from stored.errors import OwnerError, UnstableKeyError

__all__ = ["OwnerRecord", "Registry", "live_records", "methods_of", "owner_record"]


class Counted(NamedTuple):
    """What counts for a method of an owner.

    Attributes
    ----------
    present : PresentSpace
        The space for the owner's present parameters.
    reads : MethodReads or None
        What the method reads beside them, if that has to be looked at for each call.
    joins_reads : bool
        Do the attributes that it reads join the parameters? Not if the owner tells a string of its own.
    code : object
        The code of the method.
    """

    present: PresentSpace
    reads: MethodReads | None
    joins_reads: bool
    code: Any


class OwnerRecord:
    """What is known of one owner.

    Parameters
    ----------
    user : StorageUser or None
        The StorageUser that describes the owner: the one it holds, or one of its own for a copy that holds its
        original's.

    Attributes
    ----------
    methods : dict
        What is known of its calls of each stored method.
    """

    __slots__ = ("__weakref__", "_spaces", "methods", "own_user", "user")

    def __init__(self, user: StorageUser | None) -> None:
        self.user = user
        self.own_user: Any = None  # made on demand, for an owner that holds none
        self.methods: dict[Any, Any] = {}
        self._spaces: dict[tuple[type, Hashable], PresentSpace] = {}

    def counted(self, owner: object, method: CountedMethod) -> Counted:
        """What counts for a method of the owner.

        Raises
        ------
        OwnerError
            If the owner does not tell its parameters.
        """
        owner_class = type(owner)  # an assignment to __class__ can change it
        describer = find_describer(owner_class) if self.user is None else None
        code = method.code_of(owner_class)
        counting = counting_of(owner_class, method, describer, code)
        key = owner_class, counting.selection
        present = self._spaces.get(key)
        if present is None:
            owners = counting.owners or self._owners_with_user(owner, counting.selection)
            present = self._spaces.setdefault(key, PresentSpace(owners))
        return Counted(present, counting.reads, counting.joins_reads, code)

    def present_space(self, owner: object, method: CountedMethod | None = None) -> PresentSpace:
        """The owner's present space, by all of its parameters or by what counts for a method.

        Raises
        ------
        OwnerError
            If the owner does not tell its parameters.
        """
        if method is not None:
            return self.counted(owner, method).present
        owner_class = type(owner)
        describer = find_describer(owner_class) if self.user is None else None
        known = self._spaces.get((owner_class, ALL))
        if known is None:
            by_user = self._owners_with_user
            owners = by_user(owner, ALL) if describer is None else owners_of(owner_class, describer, ALL)
            known = self._spaces.setdefault((owner_class, ALL), PresentSpace(owners))
        return known

    def _owners_with_user(self, owner: object, selection: Selection) -> OwnersOfClass:
        """What has in common with the owner whatever its user describes."""
        owner_class, user = type(owner), cast(StorageUser, self.user)
        names = parameter_names(owner_class)
        attribute, held = _storage_user(owner)
        attribute = attribute if held is user else None
        fields = None if names is None else FieldParameters(names, convert=converters(owner_class))
        way = type(user), user.persistent.persistence, names
        if selection.depends is None:
            parameters: OwnerParameters = UserParameters(user, attribute, fields)
        elif fields is None and selection.depends:
            raise OwnerError(
                f"depends={selection.depends!r} needs single parameters to choose from, but"
                f" {owner_class.__qualname__} holds a StorageUser, which has one hashable string for all; say"
                " depends='auto', which takes what the method reads"
            )
        else:
            parameters = UserHolderParameters((fields or FieldParameters(())).selected(selection), user, attribute)
        return OwnersOfClass(owner_class, parameters, (*way, selection), user.persistent)

    def is_described_by(self, user: StorageUser) -> bool:
        """Does a user describe the owner? That which a copy shares with its original describes the original alone."""
        return self.user is None or self.user is user

    def addresses(self, owner: object, user: StorageUser) -> set[Space]:
        """The addresses of the results of an owner that a user describes: of its parameters, of fewer, and of more.

        A method that depends on some of the parameters, or reads attributes beside them, has an address of its own.
        """
        return {space.address for space in self._spaces_now(owner, user)}

    def _spaces_now(self, owner: object, user: StorageUser) -> list[StorageSpace]:
        """The spaces that an owner has now, if the user describes it, whether it was asked before or not."""
        found = []
        if owner is not None and self.is_described_by(user):
            for method in (None, *methods_of(type(owner))):
                with contextlib.suppress(OwnerError, UnstableKeyError):  # not all parameters are set
                    found.append(self.present_space(owner, method).of(owner))
        return found

    @staticmethod
    def names_of_methods(owner: object) -> list[tuple[str, str]]:
        """The names of the results of the methods of an owner, and their qualified names."""
        return [each.stored_name for each in methods_of(type(owner))]

    def keys_in(self, address: Space) -> list[Key]:
        """The keys of what methods have in memory for these parameters."""
        return [key for space in self._present_spaces() if space.address == address for key in space.keys()]

    def empty(self, owner: object, user: StorageUser) -> None:
        """Empty the last spaces that the owner had, and the one that it has now if a user describes it that is reset.

        Parameters
        ----------
        owner : object
            The owner; None if it is gone.
        user : StorageUser
            The user that is reset. A copy of its owner has a user of its own, which announces its changes itself.
        """
        visited = [space for present in list(self._spaces.values()) for space in present.visited()]
        for space in visited + self._spaces_now(owner, user):
            space.empty()

    def _present_spaces(self) -> list[StorageSpace]:
        return [*filter(None, [present.latest() for present in list(self._spaces.values())])]


def methods_of(owner_class: type) -> list[Any]:
    """What is known of the stored methods of a class, as `CountedMethod` has it; properties and overridden ones too."""
    attributes = [each for base in owner_class.__mro__ for each in list(vars(base).values())]
    functions = [each.fget if isinstance(each, property) else each for each in attributes]
    methods = [getattr(each, "__stored_in_class__", None) for each in functions]
    return list(dict.fromkeys([each for each in methods if each is not None]))


_MOST_UNREFERENCED = 256
"""The number of owners without weak references (slots without ``__weakref__``) whose records are kept."""


class Registry:
    """The records of owners, for as long as these live."""

    def __init__(self) -> None:
        self.referenced: dict[int, tuple[weakref.ref[Any], OwnerRecord]] = {}
        self.unreferenced: OrderedDict[object, OwnerRecord] = OrderedDict()
        _registries.add(self)

    def add(self, owner: object, record: OwnerRecord) -> None:
        """Register an owner, until it is freed; a `TypeError` if it has no weak references."""
        number = id(owner)
        # `pop` gets the reference as its default: a callback without a function of Python's
        self.referenced[number] = weakref.ref(owner, functools.partial(self.referenced.pop, number)), record

    def find(self, owner: object) -> OwnerRecord | None:
        """The record of a registered owner; None if it has none."""
        found = self.referenced.get(id(owner))
        return found[1] if found is not None and found[0]() is owner else None

    def records(self) -> list[tuple[object, OwnerRecord]]:
        """All owners with their records; None for an owner that is registered by its parameters."""
        # each list in one step, since owners may be freed at any moment
        found = [(reference(), each) for reference, each in list(self.referenced.values())]
        return found + [(None, each) for each in list(self.unreferenced.values())]


_registries: weakref.WeakSet[Registry] = weakref.WeakSet()

_registry_lock = ForkSafeLock()

_default_registry = Registry()


def owner_record(owner: object, method: CountedMethod | None = None) -> OwnerRecord:
    """The record of an owner, a new one if there is none.

    Parameters
    ----------
    owner : object
        The owner.
    method : CountedMethod, optional
        What counts for it is that by which an owner without weak references is registered; by default, all parameters.
    """
    held = _storage_user(owner)[1] if validity.has_storage_users else None
    own = vars(type(owner)).get("__stored_registry__", _default_registry)  # that of a plain function is its own
    registry: Registry | None = own if held is None else held.decorated
    found = None if registry is None else registry.find(owner)
    if found is not None:
        return found
    with _registry_lock:
        if registry is None:
            registry = _registry_of_user(held)
        return registry.find(owner) or _register(registry, owner, held, method)


def _registry_of_user(held: Any) -> Registry:
    """That of the owners which hold a StorageUser; with the lock held."""
    # it often refers to its owner: in any other registry, its results would keep both alive
    found: Registry = held.decorated or Registry()
    held.decorated = found
    return found


def _storage_user(owner: object) -> tuple[str | None, StorageUser | None]:
    """The StorageUser that an owner holds, and in which attribute."""
    for name in USER_ATTRIBUTES:
        try:
            user = object.__getattribute__(owner, name)  # not by __getattr__, which may answer for another object
        except AttributeError:
            continue
        # one that was made for the owner asks it for its parameters, and so does that of an owner it was copied from
        if isinstance(user, StorageUser) and not user.describes_class(type(owner)):
            return name, user
    return None, None


def _register(registry: Registry, owner: object, held: StorageUser | None, method: CountedMethod | None) -> OwnerRecord:
    record = OwnerRecord(None if held is None else _user_describing(owner, held))
    if record.user is not held and not type(owner).__weakrefoffset__:
        return record  # a copy without weak references is not registered: its results are found in the store
    try:
        registry.add(owner, record)
    except TypeError:
        return _register_by_parameters(registry, owner, record, method)
    if record.user is not None and record.user is not held:
        record.user.decorated = Registry()  # the copy's own user lists and empties what its methods have
        record.user.decorated.add(owner, record)
    return record


def _register_by_parameters(
    registry: Registry, owner: object, record: OwnerRecord, method: CountedMethod | None
) -> OwnerRecord:
    """An owner without weak references is registered by its parameters, since results depend on nothing else."""
    present = record.present_space(owner, method)
    key = (type(owner), present.of(owner).key, present.spaces)
    registered = registry.unreferenced.setdefault(key, record)
    registry.unreferenced.move_to_end(key)
    if len(registry.unreferenced) > _MOST_UNREFERENCED:
        registry.unreferenced.popitem(last=False)
    return registered


def _user_describing(owner: object, held: StorageUser) -> StorageUser:
    """The owner's StorageUser; for a copy that holds its original's, one that describes the copy."""
    original = described_instead(held, owner)
    return held if original is None else rebound_user(held, original, owner)


def live_records() -> list[tuple[object, OwnerRecord]]:
    """All live owners that have records; None for one that is registered by its parameters."""
    with _registry_lock:
        found = [each for registry in list(_registries) for each in registry.records()]
    return list({id(record): (owner, record) for owner, record in found}.values())  # a copy is in two registries
