"""What can a function do with the object that it is called on? The forms of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stored._keys.tree_origins import Through

__all__ = ["Finding", "Passed", "Read", "SelfAccesses", "Write"]


@dataclass(frozen=True, slots=True)
class Read:
    """An attribute is read.

    Attributes
    ----------
    name : str
        Its name, as Python mangles private ones.
    line : int
        The line in the function's file.
    through : str
        Is it looked up on the object ("self"), on its class ("class"), with ``super()`` ("super"), or in the
        ``__dict__`` of the object alone ("dict")?
    path : tuple of str or None
        The attributes that are read further on it: ``("age",)`` for ``self.cosmo.age``, empty if the value is used as
        a whole. None if it is only given another name here, whose uses are reads of their own.
    is_called : bool
        Is it called?
    is_used : bool
        Is the value, or what the call returns, used at all?
    under_arguments : bool
        Do arguments of the function decide whether it is read?
    is_whole : bool
        Can the use depend on all that the value contains? Not if it is one item, or whether there is a value.
    """

    name: str
    line: int
    through: Through = "self"
    path: tuple[str, ...] | None = ()
    is_called: bool = False
    is_used: bool = True
    under_arguments: bool = False
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Write:
    """An attribute is written, or something inside it.

    Attributes
    ----------
    name : str
        Its name, as Python mangles private ones.
    line : int
        The line in the function's file.
    through : str
        Is it an attribute of the object ("self"), of its class ("class"), or of anything ("other")?
    how : str
        The attribute itself ("set"), an item or attribute of it ("into"), something that adds to what is there
        ("grow"), or an item is removed ("remove").
    leaves : str
        What there is afterwards: "nothing" (None, or no attribute), "empty" (an empty container), "value".
    is_certain : bool
        Is it surely this that is written? A method that is called ``add`` may do anything.
    depends : frozenset of str
        The arguments, and the attributes of the object as ``self.<name>``, that the new value is computed from, without
        the arguments in the key under which it is put.
    control : frozenset of str
        The arguments that decide whether it is written.
    is_direct : bool
        Is it written without the class's own ``__setattr__``?
    label : str
        Of an item: a string that stands in its key, and tells it from items with other strings; empty if there is none.
    """

    name: str
    line: int
    through: Literal["self", "class", "other"]
    how: Literal["set", "into", "grow", "remove"]
    leaves: Literal["nothing", "empty", "value"]
    is_certain: bool
    depends: frozenset[str] = frozenset()
    control: frozenset[str] = frozenset()
    is_direct: bool = False
    label: str = ""

    @property
    def accesses(self) -> tuple[str, ...]:
        """What happens to the attribute: is it set, deleted, or only got, since something inside it is written?"""
        if self.how == "set":
            return ("set", "delete") if self.leaves == "nothing" else ("set",)
        return ("set", "get") if self.how == "grow" else ("get",)


@dataclass(frozen=True, slots=True)
class Passed:
    """The object, or its class, is given to a function as a positional argument.

    Attributes
    ----------
    function : tuple of str
        The function by its names, as in ``("Base", "setup")``; empty if it has none. The first is a variable of the
        module or of an enclosing function, or "self", "class" or "super" for a method of the object.
    position : int
        The position of the argument.
    line : int
        The line in the function's file.
    is_class : bool
        Is it the class, and not the object?
    """

    function: tuple[str, ...]
    position: int
    line: int
    is_class: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that cannot be followed."""

    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class SelfAccesses:
    """What a function does with the object that one of its arguments is.

    Attributes
    ----------
    reads, writes, passed : tuple
        See these classes; in the order of the text.
    implicit : tuple of (tuple of str, int)
        Special methods of which an operator or built-in function may call some, with the line.
    constructs : bool
        Does it make objects of the class?
    unknown_reads : tuple of Finding
        Where any attribute may be read.
    unknown_writes : tuple of Finding
        Where any attribute may be written.
    returned : frozenset of str
        The attributes, or methods, whose values it returns.
    returns_self : bool
        Does it return the object itself?
    set_elsewhere : frozenset of str
        The names of attributes that it sets on other objects.
    builtins_used : frozenset of str
        The built-in functions that were taken for what they are; modules can redefine them.
    """

    reads: tuple[Read, ...] = ()
    writes: tuple[Write, ...] = ()
    passed: tuple[Passed, ...] = ()
    implicit: tuple[tuple[tuple[str, ...], int], ...] = ()
    constructs: bool = False
    unknown_reads: tuple[Finding, ...] = ()
    unknown_writes: tuple[Finding, ...] = ()
    returned: frozenset[str] = frozenset()
    returns_self: bool = False
    set_elsewhere: frozenset[str] = frozenset()
    builtins_used: frozenset[str] = frozenset()
