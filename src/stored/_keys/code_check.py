"""How is it seen quickly that code still reaches the same? By comparing what its names are bound to.

Names of the module of a method are looked up by the code of its calls, whose globals are those of the module, as the
method itself does; those of other modules are attributes of them. Objects are compared by identity with variables of
the function: equal ones can be others, as 1 and 1.0 are, or a wrapper of a function.
"""

from __future__ import annotations

import builtins
import functools
import itertools
import marshal
import operator
import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from stored._keys.class_functions import is_data
from stored._keys.contents import Content, at_one_moment, marshalled
from stored._keys.namespace_test import dictionary_of, names_of_class
from stored._keys.reach_report import LookedUp
from stored._keys.unchanged import TestScope, is_attribute_name
from stored._keys.watched import BasesWatch, NamespaceWatch, NameWatch, Watch
from stored.typing import ABSENT

__all__ = ["MOST_INLINE", "InlineCheck", "InlineTests", "code_check", "each_once", "inline_check"]

_PREFIX = "_stored_"
"""Before the names that the code of calls itself uses."""


def code_check(looked_up: Iterable[LookedUp], watches: Iterable[Watch]) -> Callable[[], bool] | None:
    """A function that tells whether code still reaches the same; None if there is nothing that can change.

    Parameters
    ----------
    looked_up : iterable of LookedUp
        What is looked up on a class.
    watches : iterable of Watch
        The names that the code reaches.
    """
    check = _WholeCheck()
    for found in looked_up:
        check.names_of(vars(found.base), found.base).expect(found.name, found.value)
    for watched, looks_inside in each_once(watches):
        check.watch(watched, looks_inside)
    return check.is_same if check.places or check.rest else None


class _Names:
    """Names in a dictionary, and what they were bound to."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names
        self._expected: dict[str, Any] = {}
        self._absent: dict[str, None] = {}

    def expect(self, name: str, value: Any) -> None:
        """Expect a name to be bound to this object, or not to be there."""
        if value is ABSENT:
            self._absent[name] = None
        else:
            self._expected[name] = value

    @functools.cached_property
    def _get(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
        names = list(self._expected)
        return operator.itemgetter(*names, names[0])  # with a single name, it would give no tuple

    def is_same(self) -> bool:
        """Are they the same? A `KeyError` if one is gone."""
        is_bound = not self._expected or all(map(operator.is_, self._get(self._names), self._expected.values()))
        return is_bound and not any(map(self._names.__contains__, self._absent))


class _WholeCheck:
    """Looks at all names, without being compiled, which takes long for thousands of them."""

    def __init__(self) -> None:
        self.places: dict[int, _Names] = {}
        self.rest: list[Callable[[], bool]] = []

    def names_of(self, names: Mapping[str, Any], holder: object) -> _Names:
        """The names of a class, or of a module."""
        return self.places.setdefault(id(holder), _Names(names))

    def watch(self, watched: Watch, looks_inside: bool) -> None:
        """Expect what is watched to be the same; does what it contains count, too?"""
        if not isinstance(watched, NameWatch) or not self._expect_names(watched):
            self.rest.append(watched.is_same)
        elif watched.content is not None and looks_inside:
            self.rest.append(functools.partial(watched.content.is_same, watched.value()))

    def _expect_names(self, watched: NameWatch) -> bool:
        """Expect a name, and its attributes, in dictionaries of modules; False if they are elsewhere."""
        space, value = watched.space(), watched.value()
        names = vars(space) if isinstance(space, types.ModuleType) else getattr(space, "__globals__", None)
        if names is None or watched.is_closed_over or value is ABSENT:
            return False
        steps: list[tuple[dict[str, Any], str, Any]] = []
        for name in watched.path:
            if names is None or (name not in names and (steps or not hasattr(builtins, name))):
                return False
            if name not in names:
                steps.append((names, name, ABSENT))
                names = vars(builtins)
            steps.append((names, name, names[name]))
            module = names[name]
            names = vars(module) if type(module) is types.ModuleType else None
        if not steps or steps[-1][2] is not value:
            return False
        for names, name, found in steps:
            self.names_of(names, names).expect(name, found)
        return True

    def is_same(self) -> bool:
        """Is all the same?"""
        with at_one_moment(is_new=True):
            return all(each.is_same() for each in self.places.values()) and all(each() for each in self.rest)


class InlineCheck(NamedTuple):
    """Conditions for the check of a shortcut: code reaches the same.

    Attributes
    ----------
    tests : list of str
        Expressions in names of the module of the method, and in those of the scope.
    scope : TestScope
        Where these are looked up.
    may_lapse : bool
        May they fail though all is the same? All names of a class are compared, also those that do not count.
    """

    tests: list[str]
    scope: TestScope
    may_lapse: bool = False

    def has_lapsed(self) -> bool:
        """Do they fail by now?"""
        if not self.may_lapse:
            return False
        try:
            return not self.scope.compile_check(" and ".join(self.tests))(None, None)
        except Exception:  # something is no longer there
            return True


def inline_check(
    kind: type,
    looked_up: Iterable[LookedUp],
    watches: Iterable[Watch],
    namespace: dict[str, Any],
    taken: Collection[str],
) -> InlineCheck:
    """Conditions for the check of a shortcut, for what can change while the parameters of an object stay the same.

    What the class does not have is left out: an attribute of the object itself, which the check of the parameters
    compares, would take its place.

    Parameters
    ----------
    kind : type
        The class of the object.
    looked_up : iterable of LookedUp
        What is looked up on it.
    watches : iterable of Watch
        The names that the code reaches.
    namespace : dict
        The global names of the method.
    taken : collection of str
        Names that mean something else in the code of calls: those of the arguments.
    """
    check = InlineTests(namespace, frozenset(taken))
    once = list(each_once([each for each in watches if not isinstance(each, BasesWatch)]))
    whole = code_check((), [each for each, _ in once]) if len(once) > MOST_INLINE else None
    if whole is not None:
        check.call(whole)
    for watched, looks_inside in once if whole is None else ():
        check.watch(watched, looks_inside)
    if len(kind.__mro__) > _FEWEST_BASES:
        check.expect_bases(kind)
    for found in looked_up:
        if found.value is ABSENT:
            if found.name.startswith("__") and found.name not in _NOTICED:
                check.look_up(found)
        elif not is_data(found.value):
            for base in kind.__mro__[: kind.__mro__.index(found.base)]:
                check.look_up(LookedUp(base, found.name, ABSENT))
            check.look_up(found)
    return InlineCheck(check.tests, TestScope(namespace, check.all_given()), check.compares_names)


_FEWEST_BASES = 2
"""A class with no bases but `object` cannot get others."""

_NOTICED = frozenset({"__getattr__", "__getattribute__", "__setattr__", "__delattr__"})
"""The check of the parameters itself would go through these."""


MOST_INLINE = 100
"""So many names are looked up by the code of calls; more of them by one function, which need not be compiled."""


def each_once(watches: Iterable[Watch]) -> Iterator[tuple[Watch, bool]]:
    """What is watched, each once; is what it contains to be looked at, too? Several names can have one object."""
    seen: set[object] = set()
    looked_into: set[int] = set()
    for watched in watches:
        key: object = id(watched)
        if isinstance(watched, NameWatch):
            key = id(_namespace(watched)), watched.path, watched.content is None
        if key not in seen:
            seen.add(key)
            value = id(watched.value()) if isinstance(watched, NameWatch) else 0
            yield watched, value not in looked_into
            if not isinstance(watched, NameWatch) or watched.content is not None:
                looked_into.add(value)


def _namespace(watched: NameWatch) -> object:
    """Where a name is looked up: the global names of the function that uses it, or a module, or the function itself."""
    space = watched.space()
    return space if watched.is_closed_over else getattr(space, "__globals__", space)


def _module_of(names: dict[str, Any]) -> types.ModuleType | None:
    """The module whose names these are, if its attributes are just that.

    Python reads attributes of modules much quicker than items of their dictionaries.
    """
    module = sys.modules.get(names.get("__name__", ""))
    is_plain = type(module) is types.ModuleType and vars(module) is names and "__getattr__" not in names
    return module if is_plain else None


class InlineTests:
    """Expressions that test that all is the same, for the code of calls.

    Parameters
    ----------
    namespace : dict
        The global names of the module where the tests stand.
    taken : frozenset of str
        Names that mean something else there.
    prefix : str, optional
        The beginning of the names of what is compared with; by default, one that no others have.

    Attributes
    ----------
    tests : list of str
        The expressions.
    compares_names : bool
        Are all names of a class compared?
    """

    def __init__(self, namespace: dict[str, Any], taken: frozenset[str], prefix: str | None = None) -> None:
        self.namespace = namespace
        self.tests: list[str] = []
        self.compares_names = False
        self._taken = taken
        self._prefix = f"{_PREFIX}code{next(_numbers)}_" if prefix is None else prefix
        self._given: dict[int, tuple[str, Any]] = {}

    def given(self, value: Any) -> str:
        """The name of something that is compared with, or called."""
        return self._given.setdefault(id(value), (f"{self._prefix}{len(self._given)}", value))[0]

    def all_given(self) -> dict[str, Any]:
        """All of these, by name."""
        return dict(self._given.values())

    def look_up(self, found: LookedUp) -> None:
        """Expect something in the dictionary of a class."""
        names = self.given(dictionary_of(found.base))
        if found.value is ABSENT:
            self.tests.append(f"{_quoted(found.name)} not in {names}")
        else:
            self.expect(f"{names}[{_quoted(found.name)}]", found.value)

    def watch(self, watched: Watch, looks_inside: bool) -> None:
        """Expect what is watched to be the same; does what it contains count, too?"""
        if isinstance(watched, NamespaceWatch) and self._compare_names(watched):
            return
        if isinstance(watched, BasesWatch):
            self.expect_bases(cast(type, watched.kind()))
            return
        source = self._source(watched) if isinstance(watched, NameWatch) else None
        if source is None or not isinstance(watched, NameWatch):
            self.call(watched.is_same)
            return
        self.expect(source, watched.value())
        if watched.content is not None and looks_inside:
            self._look_inside(source, watched.content)

    def _look_inside(self, source: str, content: Content) -> None:
        """Expect an expression to contain the same."""
        if content.of is marshalled:
            self.tests.append(f"{self.given(marshal.dumps)}({source}, 2) == {self.given(content.key)}")
        else:
            self.tests.append(f"{self.given(content.is_same)}({source})")

    def _compare_names(self, watched: NamespaceWatch) -> bool:
        """Expect all names of a class to be the same; False if that cannot be seen quickly."""
        found = names_of_class(watched)
        if found is None:
            return False
        self.compares_names = True
        names = self.given(found.names)
        if found.before is None:
            self.tests.append(f"{self.given(len)}({names}) == {found.size}")
        else:
            self.tests.append(f"{names} == {self.given(found.before)}")
        for name, value, content in found.one_by_one:
            source = f"{names}[{_quoted(name)}]"
            self.expect(source, value)
            if content is not None:
                self._look_inside(source, content)
        self.expect_bases(found.kind)
        return True

    def expect_bases(self, kind: type) -> None:
        """Expect a class to have the bases that it has."""
        if type(kind) is type:
            self.expect(f"{self.given(kind)}.__mro__", kind.__mro__)
        else:  # past what a metaclass does where attributes are read, which takes twice as long
            self.expect(f"{self.given(_bases_of)}({self.given(kind)})", kind.__mro__)

    def _source(self, watched: NameWatch) -> str | None:
        """The expression of a name; None if it needs more than that."""
        space = watched.space()
        value = watched.value()
        if value is ABSENT or value is None or not all(map(is_attribute_name, watched.path)):
            return None
        if watched.is_closed_over:
            cells = dict(zip(space.__code__.co_freevars, space.__closure__, strict=True))
            return ".".join((f"{self.given(cells[watched.path[0]])}.cell_contents", *watched.path[1:]))
        if isinstance(space, types.FunctionType):
            names, first = space.__globals__, watched.path[0]
            if names is self.namespace and first not in self._taken and not first.startswith(_PREFIX):
                return ".".join(watched.path)
            if first not in names:
                self.tests.append(f"{_quoted(first)} not in {self.given(names)}")
                return ".".join((self.given(builtins), *watched.path))
            module = _module_of(names)
            if module is not None:
                return ".".join((self.given(module), *watched.path))
            return ".".join((f"{self.given(names)}[{_quoted(first)}]", *watched.path[1:]))
        return ".".join((self.given(space), *watched.path)) if isinstance(space, types.ModuleType) else None

    def call(self, function: Callable[[], bool]) -> None:
        """Expect a function to return True."""
        self.tests.append(f"{self.given(function)}()")

    def expect(self, source: str, value: Any) -> None:
        """Expect an expression to be an object: one that is equal can be another one, as 1.0 is for 1."""
        self.tests.append(f"{source} is {self.given(value)}")


def _quoted(name: str) -> str:
    """A name as a string in a test, in which braces stand for something else."""
    return repr(name).replace("{", "{{").replace("}", "}}")


_numbers = itertools.count()

_bases_of: Any = vars(type)["__mro__"].__get__
