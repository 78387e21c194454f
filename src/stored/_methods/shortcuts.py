"""Which results of an owner can be found by their arguments alone, and are they still valid?

A call that takes a shortcut neither looks up its owner's results nor binds and keys its arguments. If the shortcut has
no result, it is a full call, which goes through `answer`; benchmarks/ has the times of both.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Hashable, Mapping
from types import CellType
from typing import Any, Protocol

from stored._keys import UnchangedCheck, compile_check, compile_rebinding
from stored._methods.hit_tables import add_hit
from stored._settings import validity
from stored.typing import HandOut

__all__ = ["Hit", "Shortcut", "ShortcutsByOwner", "ShortcutsOfOwner"]


class Hit:
    """A result that calls find by a shortcut.

    Attributes
    ----------
    value : object
        The result, or the function that gives results along axes; None of that it cannot give.
    copy : callable or None
        Copies it for a caller; None if callers get the result itself.
    seconds : float
        The time that computing it took.
    interpolant : Interpolant or None
        What has the function.
    count : int
        How many calls have found it.
    """

    __slots__ = ("copy", "count", "interpolant", "seconds", "value")

    def __init__(self, value: Any, seconds: float, copy: HandOut | None = None, interpolant: Any = None) -> None:
        self.value = value
        self.copy = copy
        self.seconds = seconds
        self.interpolant = interpolant
        self.count = 0


class Shortcut:
    """Results of one owner, and a quick check that its parameters are still the same.

    Parameters
    ----------
    owner : object
        The owner; the reference to it is weak.
    check : UnchangedCheck
        The check of its parameters.
    key : Hashable
        What stands for these in a dictionary.
    space : StorageSpace
        The space that has the results, until the shortcut ends.
    token : object
        That of `validity`: the shortcut is valid until it changes.

    Attributes
    ----------
    tables : dict
        Results by arguments, in tables for their types: see `hit_tables`.
    only : Hit or None
        The only result, of a method without arguments, or with those along axes alone.
    hits : list of Hit
        All counters.
    scope : TestScope or None
        Where names in the check are looked up.
    is_steady : bool
        Are all parameters values that cannot change, so that each is compared by identity?
    is_watched : bool
        Does its space know it, to end it?
    of_owner : weakref to ShortcutsOfOwner, or None
        All shortcuts of the owner, once the shortcut is one of them.
    rebind : callable or None
        Takes the shortcut and the values of parameters, and has it expect these objects, whose values are equal to
        those before. None if the check does not look at these alone.
    """

    def __init__(self, owner: object, check: UnchangedCheck, key: Hashable, space: Any, token: object) -> None:
        self.owner_id = id(owner)
        self.ref = weakref.ref(owner)  # Python has one weakref without callback for an object, first in __weakref__
        self.space: Any = space
        self.key = key
        self.token = token
        self.test = check.test
        self.refers_to_owner = check.refers_to_owner
        self.is_ended = self.is_watched = False
        self.scope = check.scope
        self.of_owner: Any = None
        self.is_same = (compile_check if check.scope is None else check.scope.compile_check)(check.test)
        self.tables: dict[Any, Any] = {}
        self.only: Hit | None = None
        self.hits: list[Hit] = []
        self.rebind = compile_rebinding(check.rebound)
        self.is_steady = check.rebound is not None and None not in check.rebound
        self._count, self._seconds = 0, 0.0
        for name, value in check.expected.items():
            setattr(self, name, value)  # one by one: attributes in a dict of its own are slower to read

    def holds(self, owner: object) -> bool:
        """Is the shortcut valid, and are the owner's parameters still the same?"""
        try:
            return self.is_valid() and self.is_same(owner, self)
        except Exception:  # a parameter is gone, or of another kind
            return False

    def is_valid(self) -> bool:
        """Is everything still the same that the check of the parameters does not look at?"""
        return self.token is validity.token and not self.is_ended

    def add(self, arguments: tuple[Any, ...], hit: Hit) -> bool:
        """Add a result, to be found by these arguments; was there none, and can it be found?"""
        if arguments:
            is_added = add_hit(self.tables, arguments, hit)
        else:
            is_added = self.only is None
            self.only = hit if is_added else self.only
        if is_added:
            self.hits.append(hit)
        return is_added

    def end(self) -> None:
        """Give no results any more, to other threads that hold this shortcut either; the counters stay."""
        self.is_ended = True
        self.space = None  # which need not stay in memory for this
        self.tables, self.only = {}, None
        self._fold()

    def _fold(self) -> None:
        """Count the hits so far, and keep no values for that."""
        hits, self.hits = self.hits, []
        for hit in hits:
            count, hit.count = hit.count, 0
            self._count += count
            self._seconds += count * hit.seconds

    def take_counts(self) -> tuple[int, float]:
        """How many hits there were since they were last taken, and the time that computing them had taken."""
        hits = self.hits
        self._fold()
        if not self.is_ended:
            self.hits = hits
        count, self._count = self._count, 0
        seconds, self._seconds = self._seconds, 0.0
        return count, seconds


class _NoShortcut:
    """Stands for a shortcut where there is none: its `ref` is that of no owner."""

    ref = object()


NO_SHORTCUT: Any = _NoShortcut()


class ShortcutsOfOwner(Protocol):
    """The shortcuts of one owner, one for each of its last parameters."""

    ref: Any
    last: Shortcut | None
    owner_callback: object

    def add(self, shortcut: Shortcut) -> None:
        """Add a shortcut."""

    def switch(self, owner: object) -> Shortcut | None:
        """The shortcut for the parameters that the owner has now; None if there is none."""

    def end_all(self) -> None:
        """End all of them; their hits are counted later."""


class ShortcutsByOwner:
    """The shortcuts that one compiled function uses, whose checks are all the one expression compiled into it.

    Parameters
    ----------
    test : str
        The expression of the check.

    Attributes
    ----------
    last_cell : CellType
        The variable of the function that has the shortcut which was used last.
    compared : mapping of str to CellType
        The variables of the function that have what the check compares with. They have nothing while no owner has
        shortcuts: it may be the class of the owners, which they would keep alive.
    """

    def __init__(self, test: str) -> None:
        self.test = test
        self.compared: Mapping[str, CellType] = {}
        self._are_filled = True
        self.last_cell = CellType(NO_SHORTCUT)
        self._by_owner: dict[int, weakref.ref[ShortcutsOfOwner]] = {}

    @property
    def last(self) -> Any:
        """The shortcut that was used last, unless it refers to its owner, which it would keep alive."""
        return self.last_cell.cell_contents

    @last.setter
    def last(self, shortcut: Any) -> None:
        self.last_cell.cell_contents = shortcut

    def is_empty(self) -> bool:
        """Are there none?"""
        return not self._by_owner

    def find(self, owner: object) -> Shortcut | None:
        """The shortcut that an owner used last; None if there is none."""
        if id(owner) not in self._by_owner:  # as that of a new object
            return None
        shortcuts = self._of_owner(owner)
        return None if shortcuts is None or shortcuts.last is None else self._used(shortcuts.last)

    def switch(self, owner: object, shortcut: Shortcut) -> Shortcut | None:
        """The shortcut for the parameters that an owner has now, in place of one of its; None if there is none."""
        shortcuts = None if shortcut.is_ended else shortcut.of_owner()
        found = None if shortcuts is None else shortcuts.switch(owner)
        if found is not None and not found.refers_to_owner:
            self.last_cell.cell_contents = found
        return found

    def _of_owner(self, owner: object) -> ShortcutsOfOwner | None:
        reference = self._by_owner.get(id(owner))
        shortcuts = None if reference is None else reference()
        return shortcuts if shortcuts is not None and shortcuts.ref() is owner else None

    def _used(self, found: Shortcut) -> Shortcut:
        if not found.refers_to_owner:
            self.last_cell.cell_contents = found  # if another thread has ended it by now, it gives no results
        return found

    def add(self, owner: object, shortcuts: ShortcutsOfOwner, shortcut: Shortcut) -> None:
        """Add the shortcuts of an owner; the reference to them is weak, since the owner's results own them."""
        if not self._are_filled:
            self._fill(shortcut)
        owner_id = id(owner)
        known = self._by_owner.get(owner_id)
        if known is None or known() is not shortcuts:
            self._by_owner[owner_id] = weakref.ref(shortcuts, functools.partial(self._remove, owner_id))
            shortcuts.owner_callback = weakref.ref(owner, functools.partial(self._reset_last, shortcut.ref))
        self._used(shortcut)

    def _remove(self, owner_id: int, _: object) -> None:
        self._by_owner.pop(owner_id, None)  # if a new one came at this moment, the next full call adds it again
        if not self._by_owner:
            for cell in self.compared.values():
                cell.cell_contents = None
            self._are_filled = False

    def _fill(self, shortcut: Shortcut) -> None:
        """Have the check compare as it did before: a shortcut with the same check has the same objects for it."""
        self._are_filled = True
        given = {} if shortcut.scope is None else shortcut.scope.given
        for name, cell in self.compared.items():
            cell.cell_contents = given[name]

    def _reset_last(self, reference: object, _: object, nothing: Any = NO_SHORTCUT) -> None:
        """Lead nowhere. It is called as owners are freed, also when the names of this module are gone."""
        if self.last.ref is reference:
            self.last = nothing

    def end_all(self) -> None:
        """End and remove all shortcuts."""
        for shortcuts in filter(None, [reference() for reference in list(self._by_owner.values())]):
            shortcuts.end_all()
        self._by_owner.clear()
        self.last = NO_SHORTCUT
