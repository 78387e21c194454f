"""What can code reach by name? A graph of functions, classes and modules of the user's own.

It begins at some of them, and numbers its nodes in the order in which they are reached, so that its digest depends
neither on names of modules and files, nor on what was looked at before.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from stored._keys.canonical import add_forms, digest
from stored._keys.canonical_code import is_library_function
from stored._keys.class_names import is_library_class
from stored._keys.code_node import read_node
from stored._keys.contents import at_one_moment
from stored._keys.distributions import distribution_text
from stored._keys.garbage import without_collections
from stored._keys.ignored_names import Ignored
from stored._keys.known_of_class import known_of_class, replace_known
from stored._keys.node import Node, is_node
from stored._keys.watched import Holder, hold

__all__ = ["Choosing", "CodeState", "code_state", "collected_states", "state_of"]


class CodeState(NamedTuple):
    """What code reached when it was looked at.

    Attributes
    ----------
    digest : str
        The digest of all that it reached.
    nodes : tuple of Node
        The functions, classes and modules, in the order in which they are reached.
    places : tuple of Holder
        These themselves.
    libraries : frozenset of str
        The top-level modules of libraries that are used.
    """

    digest: str
    nodes: tuple[Node, ...]
    places: tuple[Holder, ...]
    libraries: frozenset[str]

    @property
    def caches(self) -> list[tuple[Any, str]]:
        """The functions that keep what they give, or fill memos of modules, with the names of these."""
        found = [(holder(), name) for node in self.nodes for holder, name in node.caches]
        return [each for each in found if not isinstance(each[0], type)]  # else it is gone

    @property
    def seeds(self) -> list[tuple[Any, str, str]]:
        """The functions that make random generators, by what, and of which names the seeds are made."""
        found = [(holder(), *rest) for node in self.nodes for holder, *rest in node.seeds]
        return [each for each in found if isinstance(each[0], types.FunctionType)]  # else it is gone

    @property
    def may_draw(self) -> bool:
        """May it draw random numbers?"""
        return any(each.draws for each in self.nodes)

    @property
    def formless(self) -> tuple[str, ...]:
        """What has no form, so that only this process can tell that it is the same."""
        return tuple(dict.fromkeys([reason for each in self.nodes for reason in each.formless]))

    def is_same(self) -> bool:
        """Is all still the same?"""
        with at_one_moment():
            return all(each.is_same() for each in self.nodes)


class Choosing(NamedTuple):
    """Functions that choose items of tables by attributes of their first argument, and these attributes.

    Attributes
    ----------
    functions : frozenset of int
        The ids of the functions.
    values : mapping
        The values of the attributes.
    """

    functions: frozenset[int]
    values: Mapping[str, Any]


def code_state(
    roots: Iterable[Any],
    more: str = "",
    ignored: Ignored | None = None,
    libraries: Iterable[str] = (),
    choosing: Choosing | None = None,
) -> CodeState:
    """What functions, classes and modules reach.

    Parameters
    ----------
    roots : iterable
        The functions, classes and modules.
    more : str, optional
        A text that counts beside them.
    ignored : Ignored, optional
        The names that do not count.
    libraries : iterable of str, optional
        Installed packages that count beside those that are reached.
    choosing : Choosing, optional
        The functions among the roots of which one item of a table counts only.
    """
    with at_one_moment(), without_collections():
        return _code_state(list({id(each): each for each in roots}.values()), more, ignored, libraries, choosing)


def _code_state(
    places: list[Any], more: str, ignored: Ignored | None, libraries: Iterable[str], choosing: Choosing | None
) -> CodeState:
    is_choosing = [choosing is not None and id(each) in choosing.functions for each in places]
    # who refers to a function that chooses may call it with another object: then it counts once more, as a whole
    numbers = {id(each): number for number, each in enumerate(places) if not is_choosing[number]}
    nodes, lines = [], [more, f"{len(places)}"]
    for number, place in enumerate(places):  # which grow meanwhile
        has_choice = choosing is not None and number < len(is_choosing) and is_choosing[number]
        node = read_node(place, ignored, choosing.values) if choosing and has_choice else _node(place, ignored)
        references = [each() for each in node.references]
        for each in references:
            if id(each) not in numbers:
                numbers[id(each)] = len(places)
                places.append(each)
        nodes.append(node)
        lines.append(f"{node.text} {[numbers[id(each)] for each in references]}")
    libraries = frozenset(libraries).union(*[each.libraries for each in nodes])
    lines += sorted(filter(None, map(distribution_text, libraries)))
    return CodeState(digest("\n".join(lines)), tuple(nodes), tuple([hold(each) for each in places]), libraries)


_R = TypeVar("_R", Node, CodeState)

_nodes: dict[int, tuple[weakref.ref[Any], Node]] = {}
"""Those of functions and modules, by id; classes have theirs themselves."""


def _node(value: Any, ignored: Ignored | None) -> Node:
    if ignored is not None and ignored.names:
        return read_node(value, ignored)
    return _remembered(value, "node", _nodes, read_node) if is_node(value) else read_node(value)


def _remembered(value: Any, name: str, registry: dict[int, Any], read: Callable[[Any], _R]) -> _R:
    """What was read of a function, a class or a module, if all is still the same; else it is read again."""
    if isinstance(value, type):
        of_class: _R = known_of_class(value, name, lambda: read(value))
        return of_class if of_class.is_same() else replace_known(value, name, read(value))
    known = registry.get(id(value))
    if known is None or known[0]() is not value or not known[1].is_same():
        known = weakref.ref(value, functools.partial(_forget, registry, id(value))), read(value)
        registry[id(value)] = known
    found: _R = known[1]
    return found


def _forget(registry: dict[int, Any], number: int, _: object) -> None:
    registry.pop(number, None)  # if it is that of a new one, this is read again


# -- functions and classes as values --------------------------------------------------------------------------------

_states: dict[int, tuple[weakref.ref[Any], CodeState]] = {}


def state_of(value: Any) -> CodeState:
    """What a function or a class reaches."""
    return _remembered(value, "state", _states, lambda each: code_state([each]))


class _Collectors(threading.local):
    """Where the states of functions and classes inside values are collected, of this thread."""

    def __init__(self) -> None:
        self.open: list[list[CodeState]] = []


_collectors = _Collectors()


@contextlib.contextmanager
def collected_states() -> Iterator[list[CodeState]]:
    """Collect what the functions and classes reach that stand in the texts of values which are made in the block."""
    found: list[CodeState] = []
    _collectors.open.append(found)
    try:
        yield found
    finally:
        _collectors.open.pop()


def _reached_digest(value: Any) -> str:
    if is_library_function(value) if type(value) is types.FunctionType else is_library_class(value):
        return ""
    state = state_of(value)
    for each in _collectors.open:
        each.append(state)
    return f":{state.digest}"


add_forms(reached=_reached_digest)
