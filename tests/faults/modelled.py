"""What memory, disk and StorageUsers should hold, in plain dicts: the other side of `test_model`."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from weakref import ref

MAXSIZE = 2
"""Of the results of `few`."""

NO_ARGUMENT = {"curve", "table", "array"}
"""Methods that have one result for all arguments along their axis, or no arguments."""

MEMORY_ONLY = {"few", "fleeting"}

Key = tuple[bool, str, str, str]
"""Is it a call's? The parameters as text, the name, and the argument."""

Mark = Any
"""In which step a result was computed; of `calling` also the mark of the result that it contains."""


def step_of(mark: Mark) -> int:
    """When a result was computed."""
    return int(mark[0] if isinstance(mark, tuple) else mark)


class Disk:
    """The entries that there are, and what the settings allow."""

    def __init__(self) -> None:
        self.persistence, self.disable = "rw", False
        self.own: dict[Key, Any] = {}
        self.below: dict[Key, Any] = {}
        self.hidden: set[Key] = set()
        self.bad: dict[Path, Key] = {}

    @property
    def reads(self) -> bool:
        return "r" in self.persistence and not self.disable

    @property
    def writes(self) -> bool:
        return "w" in self.persistence and not self.disable

    def keys(self) -> set[Key]:
        """The keys of all entries, bad ones too."""
        return {*self.own, *self.below, *self.bad.values()}

    def found(self, key: Key) -> list[Any]:
        """What is stored for a key, as a list of one, or nothing."""
        if not self.reads or key in self.bad.values():
            return []
        if key in self.own:
            return [self.own[key]]
        return [self.below[key]] if key in self.below and key not in self.hidden else []

    def write(self, key: Key, value: Any) -> bool:
        """Write an entry, if that is allowed; is it?"""
        if self.writes:
            self._drop_bad(key)
            self.own[key] = value
        return self.writes

    def delete(self, key: Key) -> bool:
        """Remove an entry, bad or good, and hide what is below; was there one?"""
        if not self.writes:
            return False
        was_here = key in self.own or key in self.bad.values()
        self.own.pop(key, None)
        self._drop_bad(key)
        if key in self.below and key not in self.hidden:
            self.hidden.add(key)
            return True
        return was_here

    def delete_method(self, text: str | None, name: str) -> None:
        """Remove all entries of a method, of all owners if no text of parameters is given.

        Whether a damaged one is recognised depends on where it is damaged.
        """
        gone = {key for path, key in self.bad.items() if not path.exists()}
        for key in {*self.own, *self.below, *gone}:
            is_of_method = key[:3] == (True, key[1] if text is None else text, name)
            if is_of_method and (key in gone or key not in self.bad.values()):
                self.delete(key)

    def lose_directory(self) -> None:
        """One's own directory is gone, with the notes on what is hidden in it."""
        self.own, self.hidden, self.bad = {}, set(), {}

    def _drop_bad(self, key: Key) -> None:
        self.bad = {path: each for path, each in self.bad.items() if each != key}


class Place:
    """The results in memory for one set of parameters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.results: defaultdict[str, OrderedDict[str, Mark]] = defaultdict(OrderedDict)

    def keep(self, name: str, argument: str, mark: Mark) -> None:
        """Keep a result, as the one that was used last."""
        results = self.results[name]
        results[argument] = mark
        results.move_to_end(argument)
        if name == "few" and len(results) > MAXSIZE:
            results.popitem(last=False)

    def found(self, name: str, argument: str) -> list[Mark]:
        """A result, which was used last from now on, as a list of one, or nothing."""
        results = self.results[name]
        if argument in results:
            results.move_to_end(argument)
        return [results[argument]] if argument in results else []

    def forget(self, name: str, argument: str | None = None) -> None:
        """Forget a result, or all of a method."""
        if argument is None:
            self.results[name].clear()
        else:
            self.results[name].pop(argument, None)


class User:
    """A StorageUser: the parameters that it has noted, and its objects for these."""

    def __init__(self, noted: str | None) -> None:
        self.noted = noted
        self.objects: dict[str, Any] = {}


class Kind(NamedTuple):
    """How owners tell their parameters.

    Parameters
    ----------
    make : callable
        Makes a new class of the same name, of which memory knows nothing, as in another process.
    has_fields : bool
        Does the class name the parameters? Else it tells a string.
    holds_user : bool
        Do its objects hold a StorageUser?
    """

    make: Callable[[], Any]
    has_fields: bool = False
    holds_user: bool = False


def told(n: Any, m: int) -> str:
    """The hashable string."""
    return f"{n!r} and {m}"


class Modelled:
    """An owner, and what is known of it.

    Parameters
    ----------
    kind : Kind
        How it tells its parameters.
    owner : object
        The owner.
    n, m : object
        Its parameters.
    original : Modelled, optional
        That of which it holds the StorageUser, after it was copied.
    noted : str, optional
        What its StorageUser has noted, after a deep copy.
    """

    def __init__(
        self, kind: Kind, owner: Any, n: Any, m: int, original: Modelled | None = None, noted: str | None = None
    ) -> None:
        self.kind = kind
        self.owner, self.n, self.m, self.original = owner, n, m, original
        self.reference: ref[Any] = ref(owner)
        self.own_user: User | None = None
        self.noted_before = noted
        self.private: dict[Any, Place] = {}
        self.visited: defaultdict[Any, set[Any]] = defaultdict(set)
        self.counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.used: set[str] = set()
        self.least: dict[tuple[str, ...], int] = {}

    def set(self, n: Any, m: int) -> None:
        """Set the parameters, those of a frozen object too."""
        self.n, self.m = n, m
        object.__setattr__(self.owner, "n", n)
        object.__setattr__(self.owner, "m", m)

    def text(self, depends: Any = None) -> str:
        """The parameters as keys have them."""
        if self.kind.has_fields:
            return f"n={self.n!r}" if depends else f"n={self.n!r}, m={self.m}"
        return told(self.n, self.m)

    def parameters(self, depends: Any = None) -> Any:
        """The parameters as memory tells them apart: fields by their types too."""
        if self.kind.has_fields:
            return repr(self.n) if depends else (repr(self.n), self.m)
        return told(self.n, self.m)

    @property
    def user(self) -> User:
        """Its StorageUser. That of a copy begins with what the original's had noted when it was first needed."""
        if self.own_user is None:
            self.own_user = User(self.noted_before if self.original is None else self.original.user.noted)
        return self.own_user

    def die(self) -> None:
        """Be referred to no more, but by what the owner itself refers to."""
        self.owner = None

    def forbid_before(self, step: int, *what: str) -> None:
        """Never get a result of before a step again from memory: of a method, for some parameters, of an argument."""
        self.least[what] = step


class Memory:
    """The results in memory: shared by parameters, or of each owner for its present parameters alone."""

    def __init__(self, is_shared: bool) -> None:
        self.is_shared = is_shared
        self.is_known = True
        """Is it known exactly what there is? Not after limits were changed."""
        self.shared: dict[Any, Place] = {}
        self.all_marks: defaultdict[tuple[str, str, str], set[Mark]] = defaultdict(set)
        self.least: dict[str, int] = {}

    def place(self, each: Modelled, depends: Any) -> Place:
        """What an owner has for its present parameters; those before are left, if they were others."""
        text, parameters = each.text(depends), each.parameters(depends)
        each.visited[depends].add(parameters)
        where = (depends, parameters)
        if self.is_shared:
            return self.shared.setdefault(where, Place(text))
        if where not in each.private:
            each.private = {other: place for other, place in each.private.items() if other[0] != depends}
            each.private[where] = Place(text)
        return each.private[where]

    def visited(self, each: Modelled, depends: Any) -> list[Place]:
        """What an owner has, and had for earlier parameters."""
        where = [(depends, parameters) for parameters in each.visited[depends]]
        return [places[key] for places in (each.private, self.shared) for key in where if key in places]

    def equal(self, depends: Any, places: Iterable[Place]) -> list[Place]:
        """These, and those for the same parameters of other types."""
        places = list(places)
        texts = {each.text for each in places}
        return places + [each for where, each in self.shared.items() if where[0] == depends and each.text in texts]

    def everything(self, owners: Iterable[Modelled]) -> Iterator[Place]:
        """All there is."""
        yield from self.shared.values()
        for each in owners:
            yield from each.private.values()

    def possible(self, each: Modelled, text: str, name: str, argument: str) -> set[Mark]:
        """The results that an owner may get from memory, if it is not known exactly what there is."""
        floors = [(name,), (name, text), (name, text, argument)]
        least = max(self.least.get(name, 0), *(each.least.get(what, 0) for what in floors))
        return {mark for mark in self.all_marks[text, name, argument] if step_of(mark) >= least}
