"""What does a method reach through the object that it is called on: which code, and which attributes?

The syntax trees of the method, and of all that it reaches on the class, tell it; no code of the user is run. What is
reached depends on the class alone, so that it is found once for each class and method.
"""

from __future__ import annotations

import builtins
import functools
import itertools
import types
from collections import deque
from dataclasses import dataclass, field, replace
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from stored._keys.class_functions import (
    C_METHODS,
    Behind,
    ClassParts,
    Found,
    behind,
    class_parts,
    find_on_class,
    is_c_method,
    is_data,
)
from stored._keys.closures import variable
from stored._keys.ignored_names import Ignored
from stored._keys.known_of_class import known_of_class
from stored._keys.libraries import is_library_module
from stored._keys.memos import WrittenAttributes
from stored._keys.reach_report import AttributeRead, AttributeWrite, LookedUp, Place, Reached, Reason
from stored._keys.self_accesses import Finding, Passed, Read, SelfAccesses, Write
from stored._keys.self_reads import function_accesses
from stored._keys.transparent_memos import transparent_memos
from stored.typing import ABSENT

__all__ = ["reached"]

_NONE = frozenset[str]()


def reached(kind: type, method: object, declared: frozenset[str] = _NONE, ignored: frozenset[str] = _NONE) -> Reached:
    """What a method reaches through the object that it is called on.

    Parameters
    ----------
    kind : type
        The class of the object.
    method : FunctionType, StoredMethod or other attribute of a class
        The method, as it stands in the dictionary of the class or of one of its bases.
    declared : frozenset of str
        The parameters that the class declares: these are told by value, whatever gives them.
    ignored : frozenset of str
        The names that do not count: methods and properties, as ``self.log``, and functions that get the object.
    """
    walk = _Walk(kind, declared, Ignored(ignored, set()))
    walk.follow(behind(method), Place("", 0, getattr(method, "__qualname__", "")), is_used=False)
    walk.run()
    return walk.report()


_COMPUTED = property, functools.cached_property
"""Attributes of a class that compute values: of a declared parameter, the value counts, and not how it is made."""

_WHOLE_CLASS = frozenset({"__dict__", "__subclasses__", "__mro__", "mro", "__bases__", "__base__"})
"""What shows attributes of a class, or classes, that are not named."""

_OF_TYPE = types.GetSetDescriptorType, types.MemberDescriptorType
"""Attributes that all classes have, such as their names."""


class _Step(NamedTuple):
    function: Any  # a FunctionType, which type checkers take for a method of this class
    position: int | None
    is_class: bool
    under_arguments: bool


@dataclass
class _Walk:
    kind: type
    declared: frozenset[str]
    ignored: Ignored
    code: dict[FunctionType, None] = field(default_factory=dict)
    constants: list[object] = field(default_factory=list)
    reads: dict[tuple[str, str, type | None], list[tuple[Read, Place]]] = field(default_factory=dict)
    class_attributes: dict[str, None] = field(default_factory=dict)
    methods: set[str] = field(default_factory=set)
    kept: dict[str, Place] = field(default_factory=dict)
    writes: list[tuple[Write, Place, bool]] = field(default_factory=list)
    everything: dict[Reason, None] = field(default_factory=dict)
    private: dict[Reason, None] = field(default_factory=dict)
    unknown_writes: list[Reason] = field(default_factory=list)
    results: list[tuple[FunctionType, Place]] = field(default_factory=list)
    steps: dict[_Step, SelfAccesses] = field(default_factory=dict)
    pending: deque[_Step] = field(default_factory=deque)
    makes_objects: bool = False
    looked_up: dict[tuple[type, str], LookedUp] = field(default_factory=dict)

    # -- functions ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Go through all functions that are reached."""
        while self.pending:
            self._visit(self.pending.popleft())
        returning = {step.function for step, accesses in self.steps.items() if accesses.returns_self}
        for function, place in self.results:
            if function in returning:
                self.everything[Reason(f"{function.__qualname__} returns the object itself", place)] = None
        if self.everything or self.makes_objects or any(each.constructs for each in self.steps.values()):
            self._take_all()

    def follow(self, found: Behind, place: Place, is_used: bool = True, under_arguments: bool = False) -> None:
        """Go through what stands behind an attribute of the class."""
        for function, position, is_class in found.functions:
            self._add(_Step(function, position, is_class, under_arguments))
            if is_used and position is not None:
                self.results.append((function, place))
        self.constants.extend(found.constants)
        if found.unknown:
            self.everything[Reason(found.unknown, place)] = None
        if found.hidden:
            self.private[Reason(found.hidden, place)] = None

    def _add(self, step: _Step) -> None:
        if step in self.steps or step._replace(under_arguments=True) in self.steps:
            return
        self.steps[step] = SelfAccesses()
        self.code[step.function] = None
        self.pending.append(step)

    def _visit(self, step: _Step) -> None:
        function, code = step.function, step.function.__code__
        accesses = function_accesses(function, self.kind, step.position, step.is_class)
        if accesses is None:
            self.everything[Reason(f"the source of {code.co_qualname} is not known", Place.of(code))] = None
            return
        self.steps[step] = accesses
        for name in sorted(accesses.builtins_used):
            if variable(function, name) is not getattr(builtins, name):
                self.everything[Reason(f"{name}() is not the built-in function", Place.of(code))] = None
        self.everything.update(dict.fromkeys(_reasons(code, accesses.unknown_reads)))
        self.unknown_writes += _reasons(code, accesses.unknown_writes)
        for read in accesses.reads:
            self._read(step, read)
        for names, line in accesses.implicit:
            self._implicit(names, Place.of(code, line))
        for write in accesses.writes:
            self._write(step, write)
        for passed in accesses.passed:
            self._passed(function, passed)
        if any(each.through in {"self", "dict"} for each in accesses.reads):
            self._implicit(("__getattribute__",), Place.of(code))

    def _find(self, name: str, after: type | None = None) -> Found:
        """What the class has under a name; where it was looked for is noted."""
        bases = self.kind.__mro__
        for base in bases[0 if after is None else bases.index(after) + 1 :]:
            if base is not object and (base, name) not in self.looked_up:
                self.looked_up[base, name] = LookedUp(base, name, vars(base).get(name, ABSENT))
            if name in vars(base):
                break
        return find_on_class(self.kind, name, after)

    # -- reads --------------------------------------------------------------------------------------------------------

    def _read(self, step: _Step, read: Read) -> None:
        place = Place.of(step.function.__code__, read.line)
        if read.through == "class" and read.name in _WHOLE_CLASS:
            self.everything[Reason(f"{read.name} of the class is used", place)] = None
            self._read_overridden(place)
            return
        after = self._class_of(step.function) if read.through == "super" else None
        if read.through == "super" and after is None:
            self.everything[Reason("the class of super() is not known", place)] = None
            return
        found = self._find(read.name, after)
        if read.through == "dict":
            self._read_in_dict(step, read, found, place)
        elif found.value is ABSENT:
            self._read_absent(read, place, after)
        elif is_c_method(found):
            self._c_method(read.name, found, place)
        else:
            self._read_found(step, read, found, place, after)

    def _read_found(self, step: _Step, read: Read, found: Found, place: Place, after: type | None) -> None:
        if read.through == "self" and self.ignored.has(f"self.{read.name}"):
            return
        if read.through == "self" and read.name in self.declared and isinstance(found.value, _COMPUTED):
            self._note_read(read, place, after)
            return
        attribute = behind(found.value)
        under_arguments = step.under_arguments or read.under_arguments
        self.follow(attribute, place, read.is_used, under_arguments)
        if attribute.value == "kept":
            self.kept.setdefault(read.name, place)
        if attribute.value in {"data", "kept"}:
            self._note_read(read, place, after)
        elif read.through == "self" and not hasattr(type(found.value), "__set__"):
            self.methods.add(read.name)
        if is_data(found.value):
            self.class_attributes[read.name] = None

    def _read_in_dict(self, step: _Step, read: Read, found: Found, place: Place) -> None:
        """What ``__dict__`` has is what the object has, unless the class has something else for that name."""
        is_kept = behind(found.value).value == "kept"
        if is_kept or (found.value is ABSENT and self._find("__getattr__").value is ABSENT):
            self._read(step, replace(read, through="self"))
        else:
            self._note_read(read, place, None)

    def _read_absent(self, read: Read, place: Place, after: type | None) -> None:
        if read.through == "self" or not hasattr(type, read.name) or type(vars(type).get(read.name)) in _OF_TYPE:
            self._note_read(read, place, after)
        if read.through == "self":
            self._implicit(("__getattr__",), place)

    def _read_overridden(self, place: Place) -> None:
        """The plain values of bases that others come before: bases that are named one by one show these, too."""
        bases = self.kind.__mro__[:-1]
        for before, base in itertools.pairwise(bases):
            for name, value in list(vars(base).items()):
                if is_data(value) and self._find(name).holder is not base:
                    self._note_read(Read(name, place.line, "super"), place, before)

    def _note_read(self, read: Read, place: Place, after: type | None) -> None:
        self.reads.setdefault((read.name, read.through, after), []).append((read, place))

    def _c_method(self, name: str, found: Found, place: Place) -> None:
        """A method that is written in C: those of `object` read nothing, unless they copy or pickle."""
        if found.holder is object:
            if name in {"__reduce__", "__reduce_ex__", "__getstate__", "__dir__", "__sizeof__"}:
                self.everything[Reason(f"{name}() uses all attributes", place)] = None
            return
        if name in {"__init__", "__new__", "__init_subclass__", "__getattribute__", "__setattr__", "__delattr__"}:
            return  # in C, they do what those of `object` do
        reason = Reason(f"{name}() of {found.holder.__qualname__} reads what the object itself contains", place)
        self.everything[reason] = None
        self.private[reason] = None

    def _implicit(self, names: tuple[str, ...], place: Place) -> None:
        """Special methods that may be called: those that the class has."""
        for name in names:
            found = self._find(name)
            if isinstance(found.value, C_METHODS):
                self._c_method(name, found, place)
            elif found.value is not ABSENT and found.value is not None:
                is_used = name not in {"__enter__", "__iter__", "__aenter__", "__aiter__"}
                self.follow(behind(found.value), place, is_used)

    def _class_of(self, function: FunctionType) -> type | None:
        """The base in which a function is defined, after which ``super()`` searches."""
        own: type | None = variable(function, "__class__")
        if own in self.kind.__mro__:
            return own
        return self._class_parts().homes.get(function)

    def _class_parts(self) -> ClassParts:
        return known_of_class(self.kind, "parts", lambda: class_parts(self.kind))

    # -- writes -------------------------------------------------------------------------------------------------------

    def _write(self, step: _Step, write: Write) -> None:
        place = Place.of(step.function.__code__, write.line)
        if write.through != "other":
            value = self._find(write.name).value
            accesses = write.accesses
            if write.name in self.declared and isinstance(value, _COMPUTED):
                accesses = tuple([each for each in accesses if each != "get"])
            if isinstance(value, property):
                for access in accesses:
                    self.follow(behind(value, access), place, is_used=False)
            elif value is not ABSENT and not is_data(value) and "get" in accesses:
                self.follow(behind(value), place, is_used=False)
            if write.through == "self" and "get" not in accesses[:1] and not write.is_direct:
                self._implicit(("__setattr__", "__delattr__")[: len(accesses)], place)
        self.writes.append((write, place, step.under_arguments))

    # -- functions that get the object --------------------------------------------------------------------------------

    def _passed(self, function: FunctionType, passed: Passed) -> None:
        place = Place.of(function.__code__, passed.line)
        called = ".".join(passed.function).replace("<", "").replace(">", "")
        if self.ignored.has(called, f"{function.__module__}.{called}"):
            return
        self.makes_objects |= passed.is_class and passed.function[-1:] == ("__new__",)
        found = self._passed_to(function, passed)
        if found is None:
            what = "the class" if passed.is_class else "the object"
            self.everything[Reason(f"{what} is passed to {called or 'a function that is computed'}", place)] = None
        else:
            self.follow(found, place)

    def _passed_to(self, function: FunctionType, passed: Passed) -> Behind | None:
        """What gets the object; None if that cannot be followed, and no function if it does nothing with it."""
        if not passed.function:
            return None
        root, *names = passed.function
        if root in {"<self>", "<class>", "<super>"}:
            return self._passed_to_own(function, root, names[0], passed)
        value: Any = variable(function, root)
        found = Found(value, object)
        for name in names:
            if isinstance(found.value, type):
                found = find_on_class(found.value, name)
            elif type(found.value) is types.ModuleType:
                found = Found(vars(found.value).get(name, ABSENT), object)
            else:
                return None
        if found.holder is object and isinstance(found.value, (*C_METHODS, types.BuiltinFunctionType)) and names:
            is_of_object = getattr(found.value, "__objclass__", None) is object or names == ["__new__"]
            return Behind([]) if is_of_object and "reduce" not in names[-1] else None
        return self._readable(function, found.value, passed)

    def _readable(self, function: FunctionType, value: Any, passed: Passed) -> Behind | None:
        """A function that is passed the object, if it is one of the user's own, of the package, or of the class."""
        if value is ABSENT or is_data(value):
            return None
        if self.ignored.has(value=value):
            return Behind([])
        position = passed.position
        if type(value) is classmethod:  # the class comes first, and the object is one of the arguments
            position += 1
        if type(value) in {classmethod, staticmethod}:
            value = value.__func__
        found = behind(value, "get", position, passed.is_class)
        is_near = all(_is_near(each, function) for each, _, _ in found.functions)
        is_own = isinstance(value, FunctionType) and self._class_of(value) is not None
        is_closure = passed.function[0] in function.__code__.co_freevars
        return found if is_near or is_own or is_closure else None

    def _passed_to_own(self, function: FunctionType, root: str, name: str, passed: Passed) -> Behind | None:
        after = self._class_of(function) if root == "<super>" else None
        value = self._find(name, after).value
        kind = type(value)
        if name == "__new__" and passed.is_class:
            return behind(value, "get", passed.position, True) if kind is staticmethod else Behind([])
        if kind is staticmethod:
            return behind(value.__func__, "get", passed.position, passed.is_class)
        if kind is FunctionType:
            return behind(value, "get", passed.position + (root != "<class>"), passed.is_class)
        return None

    # -- the report ---------------------------------------------------------------------------------------------------

    def _take_all(self) -> None:
        """All functions and all plain values of the class count."""
        found = self._class_parts()
        self.code.update(dict.fromkeys(found.homes))
        self.class_attributes.update(dict.fromkeys(found.values))

    def report(self) -> Reached:
        """What was found."""
        functions = [each.function for each in self.steps]
        reads = [(key[0], found) for key, found in self.reads.items()]
        unknown = [*self.unknown_writes, *self.everything]
        written = WrittenAttributes(self.kind, functions, self.writes, reads, self.kept, unknown).all()
        return Reached(
            tuple(self.code),
            tuple(self.constants),
            tuple([AttributeRead.of(key[2], found) for key, found in self.reads.items()]),
            frozenset(self.class_attributes),
            frozenset(self.methods),
            self._with_transparent(written),
            tuple(self.everything),
            tuple(self.private),
            tuple(self.looked_up.values()),
            frozenset([each.function for each in self.steps if each.position == 0 and not each.is_class]),
            frozenset().union(*(each.set_elsewhere for each in self.steps.values())),
            frozenset(self.ignored.found),
        )

    def _with_transparent(self, written: dict[str, AttributeWrite]) -> dict[str, AttributeWrite]:
        """What is written, with the memos marked that results do not depend on."""
        used: dict[str, bool] = {}
        for (name, _, _), found in self.reads.items():
            used[name] = used.get(name, False) or any(each.is_used or each.is_called for each, _ in found)
        if self.everything or not any(each.is_lazy and each.name in used for each in written.values()):
            return written
        functions = [(each.function, each.position, each.is_class) for each in self.steps]
        writes = [write for write, _, _ in self.writes if write.through != "other"]
        transparent = transparent_memos(self.kind, functions, used, written, writes, self.kept)
        return {
            name: replace(each, is_transparent=name in transparent, labels=transparent.get(name))
            for name, each in written.items()
        }


def _reasons(code: CodeType, findings: tuple[Finding, ...]) -> list[Reason]:
    return [Reason(each.reason, Place.of(code, each.line)) for each in findings]


def _is_near(function: FunctionType, other: FunctionType) -> bool:
    """Is a function one of the user's own, whose code counts, or one of the package of another?"""
    name = str(function.__module__)
    return name.partition(".")[0] == str(other.__module__).partition(".")[0] or not is_library_module(name)
