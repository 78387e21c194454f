"""Which names does a function use that it does not define?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["CHANGING", "OWN_MODULE", "OWN_NAME", "Origin", "ReadFunction", "Scope", "UsedName"]


class Origin(NamedTuple):
    """The module from which a function imports a name.

    Attributes
    ----------
    module : str
        The name of the module, as the statement has it.
    level : int
        How many dots stand before it.
    name : str
        What is imported from it; empty for the module itself.
    """

    module: str
    level: int = 0
    name: str = ""


OWN_MODULE = Origin("")
"""Of a name that a function declares as global."""


CHANGING = frozenset(
    {"append", "extend", "insert", "add", "update", "clear", "pop", "popitem", "remove", "discard", "setdefault"}
    | {"sort", "reverse", "appendleft", "extendleft", "popleft", "fill", "put"}
)
"""Methods that change the object: called in a statement of its own, they do not read it."""


OWN_NAME = "\0__name__"
"""The item that is the name of the module of the function."""

MEMBER = "\0in "
"""With it begins the item that is looked for in something, as a variable in the environment."""

NAMED = "\0named "
"""With it begins the item that is what a global name is bound to, where the environment is asked for that."""

SEEDED_BY = "\0seed "
"""With it begins the item that is made of the names in the seed of a random generator."""

MAKING_GENERATORS = frozenset(
    {"default_rng", "RandomState", "Random", "SystemRandom", "SeedSequence", "Generator"}
    | {"PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"}
)
"""What makes a random generator, of which each is another one without a seed."""

LEGACY_GENERATORS = frozenset({"RandomState", "Random"})
"""Those that take a seed from the system without telling, so that the seed in the code has to tell it."""


class UsedName(NamedTuple):
    """A name that a function uses and does not define.

    Attributes
    ----------
    root : str
        The name.
    path : tuple of str
        The attributes that are read on it, one after the other.
    origin : Origin or None
        From where the function itself imports it.
    item : str or None
        What it is asked for by a constant: as ``x["item"]``, ``x.get("item")`` or ``x("item")``, or `OWN_NAME`. Of the
        environment, and of the modules that are imported, nothing else counts. Of what makes a random generator,
        `SEEDED_BY` with the names in its seed.
    is_bare : bool
        Is it called without arguments, so that it makes a random generator without a seed, if it makes one?
    """

    root: str
    path: tuple[str, ...] = ()
    origin: Origin | None = None
    item: str | None = None
    is_bare: bool = False

    @property
    def order(self) -> tuple[object, ...]:
        """By what names are sorted."""
        return self.root, self.path, self.origin or (), self.item or ""

    @property
    def dotted(self) -> str:
        """The name with its attributes, as it stands in the code."""
        return ".".join((self.root, *self.path))


class ReadFunction(NamedTuple):
    """What a function says.

    Attributes
    ----------
    text : str
        Its normalised syntax tree.
    reads : frozenset of UsedName
        The names whose values it uses.
    memos : frozenset of str
        The memos of its module, and those among variables of enclosing functions, that it fills.
    changes : frozenset of UsedName
        The objects that it changes, of which it reads nothing else, or the methods by which it does so.
    choices : frozenset of (str, str)
        The tables of which it uses one item only, and the attributes of its first argument by which it is chosen.
    """

    text: str
    reads: frozenset[UsedName]
    memos: frozenset[str] = frozenset()
    changes: frozenset[UsedName] = frozenset()
    choices: frozenset[tuple[str, str]] = frozenset()


class Scope:
    """The names of a function, a comprehension or the body of a class.

    Parameters
    ----------
    kind : str
        Is it the scope of a "function", a "comprehension", a "class" or a "module"?
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.bound: set[str] = set()
        self.outside: set[str] = set()  # declared as global
        self.enclosing: set[str] = set()  # declared as nonlocal
        self.imports: dict[str, list[Origin]] = {}
        self.reads: set[UsedName] = set()
        self.changes: set[UsedName] = set()

    def leave(self, around: Scope) -> None:
        """Let the scope around have the names that are not defined here."""
        self.bound -= self.outside | self.enclosing
        around.reads.update(self.free(self.reads))
        around.changes.update(self.free(self.changes))

    def free(self, used: set[UsedName]) -> Iterator[UsedName]:
        """Of names that are used here or inside, those that are not defined here."""
        for each in used:
            if each.origin is not None:
                yield each
            elif each.root in self.outside:
                yield each._replace(origin=OWN_MODULE)
            else:
                for origin in self.imports.get(each.root, ()):
                    yield each._replace(origin=origin)
                if self.kind == "class" or each.root not in self.bound:
                    yield each
