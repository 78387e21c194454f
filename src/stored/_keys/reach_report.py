"""What does a method reach through the object that it is called on? The form of the answer, and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, Literal, NamedTuple

from stored._keys.attributes import own_value
from stored._keys.self_accesses import Read
from stored._keys.tree_origins import Through

__all__ = ["AttributeRead", "AttributeWrite", "LookedUp", "Place", "Reached", "Reason", "Rule"]


class Place(NamedTuple):
    """A line of code, and the function in which it is."""

    file: str
    line: int
    function: str

    @classmethod
    def of(cls, code: CodeType, line: int = 0) -> Place:
        """A line of a function's code; by default its first."""
        return cls(code.co_filename, line or code.co_firstlineno, code.co_qualname)

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


class Reason(NamedTuple):
    """Something that the analysis cannot follow, or that makes results private."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class AttributeRead:
    """An attribute that is read, and that is no method.

    Attributes
    ----------
    name : str
        Its name, as Python mangles private ones.
    place : Place
        Where it is read first.
    through : str
        Is it looked up on the object ("self"), on its class ("class"), with ``super()`` ("super"), or in the
        ``__dict__`` of the object alone, which the class has something else for ("dict")?
    after : type or None
        For "super", the class after which the search begins.
    is_called : bool
        Is its value called?
    is_used : bool
        Is it used in any other way than by a method like ``append`` whose result is not used?
    paths : tuple of tuple of str
        The attributes that are read further on its value; an empty path if the value is used as a whole.
    """

    name: str
    place: Place
    through: Through = "self"
    after: type | None = None
    is_called: bool = False
    is_used: bool = True
    paths: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, after: type | None, found: list[tuple[Read, Place]]) -> AttributeRead:
        """All reads of one attribute, of which the first is told."""
        read, place = found[0]
        return cls(
            read.name,
            place,
            read.through,
            after,
            any(each.is_called for each, _ in found),
            any(each.is_used or each.is_called for each, _ in found),
            tuple(dict.fromkeys([each.path for each, _ in found if each.path is not None])),
        )

    def value(self, owner: Any) -> Any:
        """The value now, as the method would find it; an `AttributeError` if there is none."""
        if self.through == "self":
            return getattr(owner, self.name)
        if self.through == "class":
            return getattr(type(owner), self.name)
        if self.through == "dict":
            return own_value(owner, self.name)
        return getattr(super(self.after, owner), self.name)


@dataclass(frozen=True, slots=True)
class AttributeWrite:
    """An attribute that is written by what a method reaches.

    Attributes
    ----------
    name : str
        Its name.
    filled : tuple of Place
        Where it gets a value.
    emptied : tuple of Place
        Where it is set to None, deleted, or emptied.
    is_certain : bool
        Is it surely written? A method that is called ``add`` may do anything.
    is_container : bool
        Is something inside it written, too?
    is_lazy : bool
        Is it computed once, and kept: by a ``cached_property``, or as rule 2 has it?
    why_not : str
        Why it is not, if it is not.
    is_transparent : bool
        Is it a memo, and proven that what the method gives does not depend on whether it was filled before, if that
        was under the same parameters? Of one that is only written, nothing is said.
    labels : frozenset of str or None
        Of a transparent container that is filled item by item: what tells the keys of these items from those of others;
        None if nothing does.
    """

    name: str
    filled: tuple[Place, ...]
    emptied: tuple[Place, ...]
    is_certain: bool
    is_container: bool
    is_lazy: bool
    why_not: str = ""
    is_transparent: bool = False
    labels: frozenset[str] | None = None


class Rule(NamedTuple):
    """How an attribute counts, and why."""

    rule: Literal["joins", "memo", "unknown"]
    reason: str


class LookedUp(NamedTuple):
    """What the dictionary of one of the bases of a class has under a name; `ABSENT` if nothing."""

    base: type
    name: str
    value: Any


@dataclass(frozen=True)
class Reached:
    """What a method reaches on the class of an owner.

    Attributes
    ----------
    code : tuple of FunctionType
        The functions, the method first, in the order in which they are found.
    constants : tuple
        The values that partial methods among them have in them.
    reads : tuple of AttributeRead
        The attributes that are read and are no methods, in the order in which they are found.
    class_attributes : frozenset of str
        Those that the class has as plain values.
    methods : frozenset of str
        The names of the methods that are reached: an attribute of the object can take the place of each.
    written_here : dict of str to AttributeWrite
        The attributes that are written by what is reached.
    reads_everything : tuple of Reason
        Where the analysis ends; then any attribute may be read, all functions of the class are among `code`, and all
        its plain values among `class_attributes`. Empty if the analysis is complete.
    private : tuple of Reason
        What makes results private, because it remembers something that is no attribute.
    looked_up : tuple of LookedUp
        What was looked up on the class, and found there or not.
    on_object : frozenset of FunctionType
        Those of the functions whose first argument is the object.
    set_elsewhere : frozenset of str
        The names of attributes that are set on other objects.
    ignored : frozenset of str
        The names that were left out, as they were to be.
    """

    code: tuple[FunctionType, ...]
    constants: tuple[object, ...]
    reads: tuple[AttributeRead, ...]
    class_attributes: frozenset[str]
    methods: frozenset[str]
    written_here: dict[str, AttributeWrite]
    reads_everything: tuple[Reason, ...]
    private: tuple[Reason, ...]
    looked_up: tuple[LookedUp, ...] = ()
    on_object: frozenset[FunctionType] = frozenset()
    set_elsewhere: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def rule_of(self, name: str) -> Rule:
        """How an attribute counts that is no declared parameter.

        "joins": its value joins the key. "memo": the code that fills it counts, its value does not. "unknown": it is
        written by what is reached, but not as a memo is; only its value before each call tells what the call gives.
        """
        write = self.written_here.get(name)
        if write is None:
            return Rule("joins", "nothing that is reached writes it")
        if write.is_lazy:
            return Rule("memo", f"it is filled at {write.filled[0]}, and otherwise only emptied")
        if not self.reads_everything and all(each.name != name for each in self.reads):
            return Rule("memo", "it is only written")
        if not write.is_certain:
            return Rule("joins", write.why_not)
        return Rule("unknown", write.why_not)

    @property
    def lazy(self) -> tuple[AttributeWrite, ...]:
        """The memos that are read.

        Results that read one which was filled under other parameters, from outside, in a call that changed parameters,
        or in an object that this is a copy of, are private. A method can ask whether a memo is filled: whether it was
        before the call, and of a container for which keys, joins the key, but for memos that are transparent.
        """
        names = dict.fromkeys(each.name for each in self.reads)
        return tuple([self.written_here[name] for name in names if self.rule_of(name).rule == "memo"])
