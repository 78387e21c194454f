"""Which attributes of an owner count for one of its methods, beside the parameters that are declared?"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Hashable, Iterator, Mapping
from types import MappingProxyType, MemberDescriptorType
from typing import Any, NamedTuple, cast
from weakref import ref

from stored._keys.attributes import own_value, own_values
from stored._keys.canonical import text_or_none
from stored._keys.change_key import change_key
from stored._keys.class_functions import find_on_class, is_data
from stored._keys.ignored_names import Ignored
from stored._keys.library_state import made_by_library
from stored._keys.reach_report import AttributeRead, AttributeWrite, Place, Reached, Reason
from stored._keys.reached_of_class import reached_of
from stored.typing import ABSENT

__all__ = ["JoinedRead", "Memo", "MethodReads", "Selection", "kept_memo", "memos_in", "method_reads"]


class JoinedRead(NamedTuple):
    """An attribute whose value joins the key.

    Attributes
    ----------
    name : str
        Its name.
    through : str
        Is it looked up on the object ("self"), on its class ("class"), with ``super()`` ("super"), or in the
        ``__dict__`` of the object alone ("dict")?
    after : weakref to type or None
        For "super", the class after which the search begins.
    """

    name: str
    through: str = "self"
    after: ref[type] | None = None

    @property
    def label(self) -> str:
        """What keys and messages call it: its name, and where it is looked up if not on the object."""
        if self.through == "dict":
            return f"__dict__[{self.name!r}]"
        return self.name if self.through == "self" else f"{self.through}.{self.name}"

    def value(self, owner: object) -> Any:
        """The value now, as the method would find it; `ABSENT` if there is none, or the name of an error."""
        after = None if self.after is None else self.after()
        read = AttributeRead(self.name, _NOWHERE, cast(Any, self.through), after)
        try:
            return read.value(owner)
        except AttributeError:
            return ABSENT
        except Exception as error:  # of a descriptor, or of __getattr__: the method may never come there
            return "raises", type(error).__qualname__


_NOWHERE = Place("", 0, "")


class Memo(NamedTuple):
    """An attribute that is filled when it is needed: its code counts, not its value.

    Attributes
    ----------
    name : str
        Its name.
    places : tuple of Place
        Where it is filled.
    is_container : bool
        Is it filled item by item?
    labels : frozenset of str or None
        What tells the keys of the items that are filled and read from others; None if nothing does.
    is_read : bool
        Does the method read it?
    is_transparent : bool
        Are results the same whether it was filled before or not?
    is_determined : bool
        Is what it holds made of the present values of attributes alone, whatever was called before?
    is_computed : bool
        Does reading it fill it, as that of a ``cached_property``?
    made_of : tuple of JoinedRead or None
        The attributes and parameters that are read to fill it; None if that is not known.
    methods : frozenset of str
        The methods of the class that are reached to fill it: an attribute of the object can take the place of each.
    """

    name: str
    places: tuple[Place, ...]
    is_container: bool
    labels: frozenset[str] | None
    is_read: bool
    is_transparent: bool
    is_determined: bool
    is_computed: bool
    made_of: tuple[JoinedRead, ...] | None
    methods: frozenset[str]

    @property
    def place(self) -> Place:
        """Where it is filled first."""
        return self.places[0]

    def is_filled_as(self, other: Memo) -> bool:
        """Does the same code fill it as that of another method's view of it?"""
        return self.places == other.places

    def has_other_items(self, other: Memo) -> bool:
        """Does another method's view of it tell of items that this one never reads?"""
        return self.labels is not None and other.labels is not None and self.labels.isdisjoint(other.labels)

    def value(self, owner: object) -> Any:
        """The value now, without filling it; `ABSENT` if there is none."""
        if not self.is_computed:
            return getattr(owner, self.name, ABSENT)
        return own_value(owner, self.name)

    def is_made_of(self, names: Collection[str]) -> bool:
        """Is it made of an attribute of one of these names?"""
        return any(each.name in names for each in self.made_of or ())

    def sources(self, owner: object) -> Hashable:
        """What tells whether that has changed of which it is made; None if nothing does."""
        if self.made_of is None:
            return None
        values = (*[each.value(owner) for each in self.made_of], *own_values(owner, self.methods))
        return change_key(values) or text_or_none(values)


class Selection(NamedTuple):
    """Which values of an owner make the key of a method.

    Attributes
    ----------
    depends : tuple of str or None
        The parameters that the user has chosen; None for all of them.
    joined : tuple of JoinedRead
        The attributes that join them.
    takes_all : bool
        Do all other attributes of the object join them, too?
    """

    depends: tuple[str, ...] | None = None
    joined: tuple[JoinedRead, ...] = ()
    takes_all: bool = False


class MethodReads(NamedTuple):
    """What counts for a method of the objects of a class, beside the parameters that are declared.

    It refers to no class and no function, so that it keeps none alive.

    Attributes
    ----------
    selection : Selection
        All parameters, and the attributes whose values join the key, sorted by name.
    steady : tuple of JoinedRead
        Those of them that the method does not write itself.
    memos : tuple of Memo
        The attributes that the method fills.
    written : frozenset of str
        The attributes that it reads and writes otherwise than memos.
    set_elsewhere : frozenset of str
        The names of attributes that it sets on other objects.
    private : tuple of Reason
        Why its results are for one object only; empty if they are not.
    everything : tuple of Reason
        Why all attributes count; empty if only those do that it reads.
    methods : frozenset of str
        The methods of the class that it reaches: an attribute of the object can take the place of each.
    places : dict of str to Place
        Where the attributes are read first.
    parameters : tuple of str
        The declared parameters that it reads, in the order in which they are declared.
    """

    selection: Selection = Selection()
    steady: tuple[JoinedRead, ...] = ()
    memos: tuple[Memo, ...] = ()
    written: frozenset[str] = frozenset()
    set_elsewhere: frozenset[str] = frozenset()
    private: tuple[Reason, ...] = ()
    everything: tuple[Reason, ...] = ()
    methods: frozenset[str] = frozenset()
    places: Mapping[str, Place] = MappingProxyType({})
    parameters: tuple[str, ...] = ()

    @property
    def narrow(self) -> Selection:
        """Only what the method reads, of parameters and of other attributes; complete if `everything` is empty."""
        return Selection(self.parameters, self.selection.joined)

    def beyond(self, names: Collection[str]) -> list[tuple[str, Place]]:
        """What the method reads beside some parameters, by its names and where it is read first."""
        read = dict.fromkeys([*self.parameters, *[each.name for each in self.selection.joined]])
        return [(name, self.places[name]) for name in read if name not in names and name in self.places]

    def are_to_be_looked_at(self) -> bool:
        """Is there anything of which the parameters do not tell all?"""
        return self.selection != _ALL or bool(self.memos or self.private or self.methods)


_ALL = Selection()


def method_reads(kind: type, method: Any, declared: Collection[str], ignored: Ignored) -> MethodReads:
    """What counts for a method of the objects of a class.

    Parameters
    ----------
    kind : type
        The class.
    method : callable
        The plain method.
    declared : collection of str
        The parameters that are declared, which count in any case.
    ignored : Ignored
        The names in code that do not count, such as ``self.log``.
    """
    found = reached_of(kind, method, ignored)
    made = made_by_library(kind)
    joined = [each for each in _joined(kind, found) if each.through != "self" or each.name not in declared]
    joined = [each for each in joined if each.name not in made]
    joined = [each for each in joined if not ignored.has(f"self.{each.name}")]
    joined = sorted(dict.fromkeys(joined), key=lambda each: (each.name, each.label))
    read = {each.name for each in found.reads if each.through == "self" and not ignored.has(f"self.{each.name}")}
    return MethodReads(
        Selection(None, tuple(joined), bool(found.reads_everything)),
        tuple([each for each in joined if found.rule_of(each.name).rule == "joins"]),
        tuple(
            [each for each in memos_in(kind, found) if not ignored.has(f"self.{each.name}") and each.name not in made]
        ),
        frozenset([each.name for each in found.reads if found.rule_of(each.name).rule == "unknown"]) - made,
        found.set_elsewhere,
        (*found.private, *_unknown(found, {*declared, *made}, ignored)),
        found.reads_everything,
        frozenset(found.methods.difference(declared, made)) if kind.__dictoffset__ else frozenset(),
        {each.name: each.place for each in found.reads},
        tuple([each for each in declared if each in read]),
    )


def _joined(kind: type, found: Reached) -> Iterator[JoinedRead]:
    for each in found.reads:
        if each.name == "__class__":
            continue  # the class is in every key
        if not (_may_be_memo(kind, each) and found.rule_of(each.name).rule == "memo"):
            yield JoinedRead(each.name, each.through, None if each.after is None else ref(each.after))
    if found.reads_everything:
        yield from map(JoinedRead, sorted(found.class_attributes))


def _may_be_memo(kind: type, read: AttributeRead) -> bool:
    """Does what is read tell all of a memo? Not what ``__dict__`` has, if it differs from what the object has."""
    is_only_there = read.through == "dict" and find_on_class(kind, read.name).value is ABSENT
    return read.through == "self" or is_only_there


def memos_in(kind: type, found: Reached) -> Iterator[Memo]:
    """The memos in a report of what a function of a class reaches."""
    read = {each.name for each in found.lazy}
    for name, write in found.written_here.items():
        if found.rule_of(name).rule == "memo" and write.filled:
            on_class = inspect.getattr_static(kind, name, ABSENT)
            is_slot = isinstance(on_class, MemberDescriptorType)
            is_computed = on_class is not ABSENT and not is_data(on_class) and not is_slot
            reports = [reached_of(kind, each) for each in ([on_class] if is_computed else _filling(found, write))]
            yield Memo(
                name,
                _places_of_filling(on_class, write),
                write.is_container,
                write.labels,
                name in read,
                write.is_transparent,
                len(write.filled) == 1 and not any(_reads_what_changes(name, each, found) for each in reports),
                is_computed,
                _made_of(kind, reports),
                _methods(reports),
            )


def kept_memo(kind: type, name: str, kept: Any) -> Memo:
    """What a `cached_property` keeps that no function of the class reads."""
    report = reached_of(kind, kept)
    is_determined = not _reads_what_changes(name, report, report)
    place, made_of = Place.of(kept.func.__code__), _made_of(kind, [report])
    return Memo(name, (place,), False, None, True, True, is_determined, True, made_of, _methods([report]))


def _places_of_filling(on_class: Any, write: AttributeWrite) -> tuple[Place, ...]:
    """Where a memo is filled: by the function of a `cached_property`, whoever reads it."""
    code = getattr(getattr(on_class, "func", None), "__code__", None)
    if code is None:
        return write.filled
    return Place.of(code), *write.filled[1:]


def _filling(found: Reached, write: AttributeWrite) -> list[Any]:
    """The functions that fill a memo."""
    places = {(place.file, place.function) for place in write.filled}
    codes = [(each, each.__code__) for each in found.code]
    return [each for each, code in codes if (code.co_filename, code.co_qualname) in places]


def _reads_what_changes(name: str, report: Reached, found: Reached) -> bool:
    """Does a function that fills a memo read what the method writes, so that it can tell what was called before?"""
    proven = {each.name for each in report.lazy if each.is_transparent}
    return any(each.name in found.written_here and each.name not in {name, *proven} for each in report.reads)


def _made_of(kind: type, reports: list[Reached]) -> tuple[JoinedRead, ...] | None:
    """The attributes that functions read, but for memos; None if that is not known."""
    if not reports or any(each.reads_everything or each.private for each in reports):
        return None
    return tuple(dict.fromkeys([read for each in reports for read in _joined(kind, each)]))


def _methods(reports: list[Reached]) -> frozenset[str]:
    return frozenset().union(*(each.methods for each in reports))


def _unknown(found: Reached, declared: Collection[str], ignored: Ignored) -> Iterator[Reason]:
    """The attributes that a method writes, and of which only the value before each call tells what it gives."""
    for each in found.reads:
        rule = found.rule_of(each.name)
        if rule.rule == "unknown" and each.name not in declared and not ignored.has(f"self.{each.name}"):
            yield Reason(f"it reads the attribute {each.name!r}, which it also writes: {rule.reason}", each.place)
