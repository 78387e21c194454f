"""What is one call of a stored method? It has its arguments, the space of its owner, and computes the result."""

from __future__ import annotations

import contextlib
import copy as copying
import functools
import itertools
import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal

import numpy as np

from stored._engine import Method, PresentSpace, StorageSpace, memory_limit, own_arguments
from stored._keys import (
    ATOMIC_SET,
    CodeState,
    Key,
    Pairs,
    StoredCode,
    copy_of_array,
    is_immutable,
    reached_values,
)
from stored._methods.definition import Definition
from stored._methods.hit_tables import check_argument
from stored._methods.memo_state import MemoState
from stored._methods.referring import refers_to, refers_to_values
from stored._methods.shortcuts import Hit
from stored._settings import Settings
from stored._storage import CachedResult, Slot, copy_for_caller, copy_of_flat, freeze, freeze_for_callers
from stored._tables import copy_of_spline, spline
from stored.errors import OwnerError
from stored.typing import ABSENT, Absent

__all__ = ["Call", "ParametersChangedError"]


class ParametersChangedError(OwnerError):
    """The owner's parameters changed while a table was sampled, so that its values are not of one set of them."""


def _copy_of_argument(value: Any) -> Any:
    """A copy that lies in memory as the value does; an error if no table would have it."""
    check_argument(value)
    if type(value) is np.ndarray:
        return copy_of_array(value)
    return copying.deepcopy(value)


def _axis_number(value: Any) -> Any:
    """The Python number for a number of numpy along an axis, where all numbers are alike."""
    return value.item() if isinstance(value, np.bool | np.number) else value


class Call:
    """One call of a stored method, with what is known of it while it is answered.

    Parameters
    ----------
    definition : Definition
        The method.
    method : tuple of (str, str, str)
        The method as keys contain it.
    owner : object
        Its owner.
    space : StorageSpace
        That of the owner's present parameters.
    values : dict
        The arguments by name, with defaults applied and rounded.
    code : StoredCode
        The code of the method.

    Attributes
    ----------
    arguments : tuple of (str, str)
        The arguments as keys contain them.
    memory : dict
        What memory has of the method's results in this space.
    slot : Slot or None
        The place of the result in the store, once it was opened.
    formless : list of str
        The attributes of owners among the arguments that have no form.
    private : list of str
        Why the result is for this object only, and not to be stored; empty if it is not.
    parts : list of object
        The objects of the user's own classes in parameters and arguments, and functions and classes.
    states : list of CodeState
        What these reach.
    is_forgotten : bool
        Was its result forgotten while the call was under way?
    memo_state : MemoState or None
        What memos of the owner have in them, if the method reads or fills any.
    """

    __slots__ = (
        "arguments",
        "code",
        "definition",
        "formless",
        "is_forgotten",
        "memo_state",
        "memory",
        "method",
        "owner",
        "parts",
        "private",
        "slot",
        "space",
        "states",
        "values",
    )

    def __init__(
        self,
        definition: Definition,
        method: Method,
        owner: object,
        space: StorageSpace,
        values: dict[str, Any],
        code: StoredCode,
    ) -> None:
        self.code = code
        self.definition = definition
        self.method = method
        self.owner = owner
        self.space = space
        self.values = values
        self.formless: list[str] = []
        axes = definition.axis_names
        self.arguments: Pairs = definition.arguments.key(values, axes, self.formless) if values else ()
        memory = space.memories.get(method)
        if memory is None:
            is_bounded = definition.maxsize is not None
            memory = space.memory(method, definition.maxsize) if is_bounded else space.memories.setdefault(method, {})
        self.memory = memory
        self.slot: Slot | None = None
        self.private: list[str] = []
        self.parts: list[object] = []
        self.states: list[CodeState] = []
        self.is_forgotten = False
        self.memo_state: MemoState | None = None

    def open_slot(self, now: Settings) -> Slot | None:
        """Find the place of the result in the store; None for results that are in memory only."""
        if self.slot is None and self.definition.persistent and not self.private:
            source: Any = self.space.source
            described, _, parameters = source
            self.slot = self.space.tier.slot(self.key(), (described.names, parameters, self.values), now)
        return self.slot

    def find(self) -> CachedResult | Literal[Absent.ABSENT]:
        """What memory has for this call."""
        found = self.memory.get(self.arguments, ABSENT)
        if found is ABSENT and self.space.own is not None:
            for holder in (self.owner, self.code):
                found = self.memory.get(own_arguments(self.arguments, holder), ABSENT)
                if found is not ABSENT and found.is_for(self.owner, self.code):  # else of an object that was freed
                    return found
            return ABSENT
        return found

    def keep(self, result: CachedResult) -> None:
        """Keep a result in memory, within the limits of the settings."""
        arguments = self._place_of(result)
        if arguments is self.arguments:
            self.memory[arguments] = result
        else:
            self.space.keep_own(self.method, arguments, result)
        if memory_limit.limit is not None:
            self.count_in_memory(result)

    def _place_of(self, result: CachedResult) -> Pairs:
        """The arguments by which memory has a result."""
        if result.owner is None and result.code is None:
            return self.arguments
        return own_arguments(self.arguments, self.code if result.owner is None else self.owner)

    def note_reference(self, result: CachedResult) -> bool:
        """Let only the owner, or the code, get a result that refers to it, or to its values; may memory keep it?"""
        value = result.value
        if self.private:
            return self._note_private(result)
        if self.definition.is_interpolated or result.copy is copy_of_flat:
            return True
        if type(value) is np.ndarray and not value.dtype.hasobject:
            return True
        if refers_to(value, self.owner):
            if not type(self.owner).__weakrefoffset__:
                return False
            result.owner = weakref.ref(self.owner)
        if refers_to_values(value, reached_values(self.code)):
            result.code = weakref.ref(self.code)
        return True

    def _note_private(self, result: CachedResult) -> bool:
        if not type(self.owner).__weakrefoffset__ or (self.memo_state is not None and not self.memo_state.is_kept):
            return False
        result.owner = weakref.ref(self.owner)
        return True

    def variants(self) -> list[Call]:
        """The call itself, and those that differ from it by which memos are filled."""
        states = [
            ("empty", "filled") if name.startswith("self.") and text in {"empty", "filled"} else (text,)
            for name, text in self.arguments
        ]
        found = [self]
        for texts in itertools.product(*states):
            arguments = tuple([(name, text) for (name, _), text in zip(self.arguments, texts, strict=True)])
            if arguments != self.arguments:
                other = copying.copy(self)
                other.arguments, other.slot = arguments, None
                found.append(other)
        return found

    def count_in_memory(self, result: CachedResult) -> None:
        """Count the result among those that a limit of memory is for."""
        memory_limit.add(self.space, self.method, self._place_of(result), result)

    def declare_wait(self) -> AbstractContextManager[None]:
        """A block in which this thread waits for another one that needs the result too."""
        return contextlib.nullcontext() if self.slot is None else self.slot.declare_wait()

    def key(self, version: str | None = None) -> Key:
        """The full key; that of the same call with another version of the code, if one is given."""
        name, definition, now = self.method
        return Key(self.space.address, name, definition, now if version is None else version, self.arguments)

    def compute(self, present: PresentSpace) -> tuple[Any, CachedResult]:
        """Call the plain method, or sample it along its axes: the value to store, and the result that memory keeps.

        Raises
        ------
        ParametersChangedError
            If the owner has not had the same parameters, by its present space, at all points of the sample.
        """
        definition = self.definition
        if definition.axes:
            from stored._tables import tabulate

            sample = functools.partial(self._sample, present)
            table = freeze(tabulate(sample, definition.axes, definition.label))
            return table, self.cached_result(table)
        values = self.values
        if not values:
            value = definition.run(self.owner)
        elif definition.arguments.are_positional and ATOMIC_SET.issuperset(map(type, values.values())):
            value = definition.run(self.owner, *values.values())
        else:
            value = self._evaluate(values)
        if definition.copy:
            value = self._copied(value)
        if type(value) in ATOMIC_SET and not definition.returns_table:
            return value, CachedResult(value)
        try:
            value, copy = freeze_for_callers(value, definition.copy)
        except TypeError as error:
            raise TypeError(f"the result of {definition.label}() cannot be stored: {error}") from None
        return value, self.cached_result(value) if definition.returns_table else CachedResult(value, copy)

    def _copied(self, value: Any) -> Any:
        try:
            return copying.deepcopy(value)
        except Exception as error:  # whatever the value's own class raises
            raise TypeError(
                f"{self.definition.label}() returned a {type(value).__qualname__} that cannot be copied ({error}), as"
                " copy=True asks; return something that can, or leave copy out"
            ) from error

    def cached_result(self, value: Any, seconds: float = 0.0) -> CachedResult:
        """The result as memory keeps it: the value, the spline over a table, or the interpolant along the axes."""
        definition = self.definition
        if not definition.is_interpolated:
            return CachedResult(value, copy_for_caller(value, definition.copy), seconds)
        if definition.returns_table:
            return CachedResult(spline(value, definition.label), copy_of_spline, seconds)
        from stored._tables import make_interpolant

        return CachedResult(make_interpolant(definition.axes, value, definition.label), None, seconds)

    def shortcut_arguments(self) -> tuple[Any, ...] | None:
        """The arguments by which a shortcut finds the result; None if their code makes it private.

        Of those that can change there are copies: another thread may have changed them since they were keyed.
        """
        if self.private and self.parts:
            return None
        names = self.definition.shortcut_arguments
        given = tuple([self.values[name] for name in names])
        if all(map(is_immutable, given)):
            return given
        try:
            copies = tuple(map(_copy_of_argument, given))
            key = self.definition.arguments.key(
                {**self.values, **dict(zip(names, copies, strict=True))}, self.definition.axis_names, []
            )
        except Exception:  # whatever their classes raise: a full call does without copies
            return None
        return copies if key == self.arguments[: len(key)] else None

    def hit(self, result: CachedResult) -> Hit:
        """A result as a shortcut has it."""
        if self.definition.axes:
            return Hit(result.value.quick, result.seconds, None, result.value)
        return Hit(result.value, result.seconds, result.copy)

    def evaluate(self, **point: Any) -> Any:
        """Call the plain method, with other values along the axes if a point is given."""
        return self._evaluate({**self.values, **point})

    def _sample(self, present: PresentSpace, **point: Any) -> Any:
        value = self.evaluate(**point)
        if not present.holds(self.owner, self.space):
            raise ParametersChangedError(
                f"the parameters of {self.owner!r} changed while {self.definition.label}() was sampled along its axes,"
                " again and again; let no other thread change them meanwhile, or give each thread an object of its own"
            )
        return value

    def _evaluate(self, values: Mapping[str, Any]) -> Any:
        definition = self.definition
        if definition.axes:
            values = {**values, **{name: _axis_number(values[name]) for name in definition.axis_names}}
        return definition.arguments.apply(definition.run, self.owner, values)

    def values_beside_axes(self) -> list[Any]:
        """The values of the other arguments, on which a table depends."""
        axes = self.definition.axis_names
        return [value for name, value in self.values.items() if name not in axes]

    def axis_values(self) -> list[Any]:
        """The values of the arguments along the axes."""
        return [self.values[name] for name in self.definition.axis_names]
