"""What is the version of a stored method's code, and is that still the code of now?"""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, Protocol

from stored._keys.class_functions import CACHED_FUNCTION, class_functions, find_on_class, is_data
from stored._keys.class_memos import parts_of
from stored._keys.class_names import base_names
from stored._keys.closed_over import ClosedOver, closed_over
from stored._keys.closures import rebound_variables
from stored._keys.code_check import InlineCheck, inline_check
from stored._keys.code_facts import code_facts
from stored._keys.code_graph import Choosing, CodeState, code_state, state_of
from stored._keys.code_listing import Listing, code_listing, packages_of
from stored._keys.code_object import names_in
from stored._keys.compiled_modules import compiled_text
from stored._keys.contents import at_one_moment
from stored._keys.function_caches import (
    FunctionCache,
    Setting,
    caches_behind,
    function_cache,
    states_behind,
)
from stored._keys.ignored_names import Ignored
from stored._keys.known_of_class import forget_class, known_of_class, replace_known
from stored._keys.libraries import is_library_module
from stored._keys.method_reads import MethodReads, method_reads
from stored._keys.reach_report import LookedUp, Reached
from stored._keys.reached_of_class import reached_of
from stored._keys.repeated_check import RepeatedCheck
from stored._keys.seeds import Seed
from stored._keys.self_accesses import SelfAccesses
from stored._keys.self_reads import function_accesses, self_accesses
from stored._keys.uses import NO_USES, Uses
from stored._keys.watched import BasesWatch, MemoWatch, ModuleWatch, RegistryWatch, Watch
from stored._keys.watched_values import FileWatch, ValueWatch
from stored.typing import ABSENT

__all__ = ["CodeOfMethod", "OwnerParts", "StoredCode", "code_of_method", "seeds_in"]


class CodeOfMethod(Protocol):
    """A stored method, as far as its code counts."""

    function: Any
    """The method as it was decorated."""

    on_class: Any
    """The method as it stands in a class: a plain function as a static method."""

    has_own_version: bool
    """Has the user given a version, in place of what its code reaches?"""

    options_text: str
    """The text of the options on which results depend."""

    spacings: tuple[FunctionType, ...]
    """The functions that bring values along axes into their spacing: tables are evaluated with them."""

    ignored: Ignored
    """The names in code that do not count."""

    uses: Uses
    """What the method uses that its code does not show."""

    def declared_by(self, kind: type, /) -> Collection[str]:
        """The parameters that a class declares."""


class StoredCode:
    """What results of a method of the objects of a class depend on, beside parameters and arguments.

    It stands in an attribute of the class, so that it is freed with it.

    Attributes
    ----------
    version : str
        The digest of the code and the constants that the method reaches, and of the options of the decorator.
    reads : MethodReads
        The attributes that count.
    formless : tuple of str
        What the code uses that has no form, so that results are private.
    choosing : tuple of str
        The attributes by which items of tables are chosen.
    state : CodeState
        All that the code reaches.
    inner : list of CodeOfMethod
        The stored methods of the class that it reaches.
    closed_over : ClosedOver
        What the method closes over, if its version was given.
    counting, known_names : object
        What counts for the method and how keys contain it, where that is known, and as of what.
    """

    def __init__(
        self,
        kind: type,
        reads: MethodReads,
        state: CodeState,
        looked_up: tuple[LookedUp, ...],
        uses: list[FileWatch | ValueWatch],
        choosing: tuple[str, ...],
        function: FunctionType | None,
        inner: list[CodeOfMethod],
        closed: ClosedOver,
    ) -> None:
        self.inner, self.closed_over = inner, closed
        self._function = function  # if its version was given, so that the state has not what it reaches
        self.choosing = choosing
        self.version = state.digest
        self.reads = reads
        watches = [each for node in state.nodes for each in node.watches]
        uses = [*uses, *[each for each in watches if isinstance(each, FileWatch | ValueWatch)]]
        without_form = [each for each in uses if isinstance(each, ValueWatch) and not each.has_form]
        formless = [f"what {each.function.__qualname__}() gives has no form" for each in without_form]
        self.formless = (*state.formless, *formless)
        self._quick: InlineCheck | None = None
        self.known_names: Any = None
        self.counting: Any = None
        self._uses = uses
        self.state = state
        self._looked_up = looked_up
        self._memos = [each for each in watches if isinstance(each, MemoWatch)]
        registries = [each.value for each in looked_up if type(each.value) is functools.singledispatchmethod]
        of_class: list[Watch] = [BasesWatch(kind), *map(RegistryWatch, registries)]
        self._watches: tuple[Watch, ...] = (*dict.fromkeys([*uses, *of_class, *watches, *closed.watches]),)
        self._check = RepeatedCheck(looked_up, self._watches)

    def chosen_by(self, attributes: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
        """The attributes of an object by which items of tables are chosen, with their values.

        Parameters
        ----------
        attributes : mapping
            All attributes of the object.
        """
        found = [(name, attributes.get(name)) for name in self.choosing]
        return tuple([each for each in found if type(each[1]) in _KEYS_OF_TABLES])

    def listing(self) -> Listing:
        """What the version is made of, in a form that can be kept."""
        return code_listing(self.version, self.state, self.texts_of_uses())

    @functools.cached_property
    def packages(self) -> dict[str, str]:
        """The installed packages that the code reaches, with their versions."""
        return packages_of(self.state)

    def quick_check(self, kind: type, namespace: dict[str, Any], taken: Collection[str]) -> InlineCheck:
        """Conditions for the check of a shortcut, with names of the module of the method.

        Parameters
        ----------
        kind : type
            The class.
        namespace : dict
            The global names of the method.
        taken : collection of str
            Those that mean something else in the code of calls.
        """
        if self._quick is None or self._quick.has_lapsed():
            self._quick = inline_check(kind, self._looked_up, self._watches, namespace, taken)
        return self._quick

    def is_same(self) -> bool:
        """Is the code, with all that it reaches, still the same?"""
        try:
            return self._check.is_same()
        except Exception:  # something is no longer there, or cannot be compared
            return False

    def files(self) -> set[str]:
        """The full names of the files that `uses` names, here or for a stored method that is reached."""
        return {each.name for each in self._uses if isinstance(each, FileWatch)}

    def names_of_uses(self) -> list[str]:
        """The files, and the functions whose values count, that `uses` names, here or for what is reached."""
        return sorted({each.name for each in self._uses})

    def has_imported(self) -> bool:
        """Is nothing else than before, but for modules that were imported meanwhile?"""
        return all(each.is_same() or (isinstance(each, ModuleWatch) and each.was_missing) for each in self._watches)

    def changed(self) -> list[str]:
        """The names of what is no longer the same."""
        watches = [each for each in self._watches if not each.is_same()]
        names = [".".join(getattr(each, "path", ())) or getattr(each, "name", "") for each in watches]
        return sorted({name for name in names if name})

    @functools.cached_property
    def set_elsewhere(self) -> frozenset[str]:
        """The names of attributes that the method, or a function that it reaches, sets on other objects."""
        return self.reads.set_elsewhere.union(*map(_set_elsewhere, _functions_in([self.state])))

    @functools.cached_property
    def caches(self) -> list[FunctionCache]:
        """The caches of functions that the method reaches."""
        state = self._own_state
        # where a method of the class keeps results itself, those here are private
        parts = list(parts_of([each.value for each in self._looked_up if type(each.value) is not CACHED_FUNCTION]))
        return [*[function_cache(*each) for each in state.caches], *caches_behind(parts, states_behind(parts))]

    @functools.cached_property
    def _own_state(self) -> CodeState:
        """That of the method, also if its version was given, so that the other one has not what it reaches."""
        return self.state if self._function is None else state_of(self._function)

    @functools.cached_property
    def may_draw(self) -> bool:
        """May the method draw random numbers?"""
        return self._own_state.may_draw

    @functools.cached_property
    def seeds(self) -> tuple[Seed, ...]:
        """The calls that make random generators with seeds which are known only when the method runs."""
        return seeds_in([self._own_state])

    def setting(self, states: Iterable[CodeState]) -> Setting:
        """What the method sets, or a function that it reaches.

        Parameters
        ----------
        states : iterable of CodeState
            What it may reach through its parameters and arguments.
        """
        found = _functions_in([self.state, *states])
        functions = [each for each in found if not is_library_module(each.__module__)]
        read = {name.root for each in functions for name in code_facts(each.__code__).reads}
        for each in functions:
            names = _set_globals(each)
            if names & read or any(isinstance(each.__globals__.get(name), ModuleType | type) for name in names):
                return Setting.GLOBALS
        return Setting.ATTRIBUTES if self.set_elsewhere or self.reads.written else Setting.NOTHING

    def texts_of_uses(self) -> dict[str, str]:
        """What tells of the files, and of the values of functions, that `uses` names."""
        return {each.name: each.text for each in self._uses}

    def accept_fills(self) -> None:
        """Expect the memos of modules as they are: the method has just filled them."""
        for each in self._memos:
            each.accept()


class OwnerParts(NamedTuple):
    """What counts of an object beside the code of its class.

    Attributes
    ----------
    classes : tuple of type or None
        Of an owner with a string of its own, which tells no values: the classes of the attributes that are read. Then
        the code that sets these attributes counts too.
    chosen : tuple of (str, object)
        The attributes by which items of tables are chosen, with their values.
    """

    classes: tuple[type, ...] | None = None
    chosen: tuple[tuple[str, Any], ...] = ()


def code_of_method(kind: type, method: CodeOfMethod, parts: OwnerParts = OwnerParts()) -> StoredCode:  # noqa: B008
    """What the results of a method of the objects of a class depend on, beside parameters and arguments.

    Parameters
    ----------
    kind : type
        The class.
    method : CodeOfMethod
        The method.
    parts : OwnerParts, optional
        What counts of an object of it.
    """
    key = method, parts
    found: StoredCode = known_of_class(kind, key, lambda: _read(kind, method, parts))
    if not found.is_same():
        forget_class(kind)  # what it reads through the object may be others, too
        found = replace_known(kind, key, _read(kind, method, parts))
    return found


_KEYS_OF_TABLES = frozenset({str, int})
"""Types by which items are chosen: of these, equal ones are the same."""


def _choosing(kind: type, found: Reached) -> dict[str, list[FunctionType]]:
    """The attributes by which items of tables are chosen, with the functions that do so."""
    choosing: dict[str, list[FunctionType]] = {}
    for function in found.on_object if not found.reads_everything else ():
        for _, name in code_facts(function.__code__).choices:
            if name not in found.written_here and is_data(find_on_class(kind, name).value):
                choosing.setdefault(name, []).append(function)
    return choosing


def _setting(kind: type, names: frozenset[str]) -> Iterator[FunctionType]:
    """The functions of a class that set attributes of these names, or may do so."""
    for _, function, position, is_class in class_functions(kind):
        accesses = function_accesses(function, kind, position, is_class) if position is not None else SelfAccesses()
        if accesses is None or accesses.unknown_writes or any(each.name in names for each in accesses.writes):
            yield function


def _values_on_class(kind: type, names: Collection[str]) -> list[object]:
    """The plain values of a class, with their names."""
    found = [(name, find_on_class(kind, name).value) for name in sorted(names)]
    return [pair for pair in found if pair[1] is not ABSENT and is_data(pair[1])]


def _read(kind: type, method: CodeOfMethod, parts: OwnerParts) -> StoredCode:
    function = method.function
    found = reached_of(kind, method.on_class, method.ignored)
    # of a plain function, a version that the user gives stands for all that it may read
    has_reads = method.on_class is function or not method.has_own_version
    reads = (
        method_reads(kind, method.on_class, method.declared_by(kind), method.ignored) if has_reads else MethodReads()
    )
    code = [each for each in found.code if each is not function and not is_library_module(each.__module__)]
    choosing = {} if method.has_own_version or method.ignored.names else _choosing(kind, found)
    inner = [each for each in _stored_methods(kind, found.code) if each is not method]
    nested = sorted({each.options_text for each in inner})
    roots = [*method.spacings] if method.has_own_version else [function, *code, *found.constants, *method.spacings]
    if parts.classes is not None and not method.has_own_version:
        names = frozenset([each.name for each in found.reads])
        setting = [each for each in _setting(kind, names) if not is_library_module(each.__module__)]
        roots += [*setting, *_values_on_class(kind, found.class_attributes), *parts.classes]
    libraries = {each.__module__ for each in (*kind.__mro__, *found.code) if is_library_module(each.__module__)}
    own_uses = method.uses if method.has_own_version else NO_USES  # else they are those of its function
    uses = own_uses.watches()
    compiled = filter(None, [compiled_text(each.__module__) for each in kind.__mro__])
    texts = [method.options_text, *base_names(kind), *compiled, *nested]
    closed = closed_over(function, method.ignored) if method.has_own_version else ClosedOver((), (), ())
    texts += [*own_uses.texts(), *[each.text for each in uses], *closed.texts]
    chosen = Choosing(frozenset([id(each) for name, _ in parts.chosen for each in choosing[name]]), dict(parts.chosen))
    with at_one_moment(is_new=True):
        state = code_state(
            [*roots, *own_uses.roots()],
            "\n".join(texts),
            method.ignored,
            [] if method.has_own_version else [each.partition(".")[0] for each in libraries],
            chosen,
        )
    plain = inspect.unwrap(function) if method.has_own_version else None
    return StoredCode(
        kind,
        reads,
        state,
        found.looked_up,
        uses,
        tuple(choosing),
        plain if type(plain) is FunctionType else None,
        inner,
        closed,
    )


def seeds_in(states: Sequence[CodeState]) -> tuple[Seed, ...]:
    """The calls in code that make random generators with seeds which are known only when it runs."""
    found = [each for state in states for each in state.seeds]
    if not found:
        return ()
    passed = frozenset[str]().union(*[names_in(each.__code__) for each in _functions_in(states)])
    return tuple([Seed(function, label, tuple(names.split()), passed) for function, label, names in found])


def _functions_in(states: Iterable[CodeState]) -> list[FunctionType]:
    found = [place() for state in states for place in state.places]
    return list({id(each): each for each in found if isinstance(each, FunctionType)}.values())


def _set_elsewhere(function: FunctionType) -> frozenset[str]:
    """The names of attributes that a function sets, but for those of the object that it is a method of."""
    code = function.__code__
    is_method = "." in code.co_qualname.rpartition("<locals>.")[2]
    accesses = None if is_library_module(function.__module__) else self_accesses(code, 0 if is_method else None)
    return frozenset() if accesses is None else accesses.set_elsewhere


def _set_globals(function: FunctionType) -> set[str]:
    """The names that a function binds outside of it, or changes what they are bound to, but for its memos."""
    facts = code_facts(function.__code__)
    bound = {each.argval for each in dis.Bytecode(function) if each.opname in {"STORE_GLOBAL", "DELETE_GLOBAL"}}
    bound |= rebound_variables(function.__code__)
    return ({each.root for each in facts.changes} | bound) - facts.memos


def _stored_methods(kind: type, code: tuple[FunctionType, ...]) -> Iterator[CodeOfMethod]:
    """The stored methods of a class whose functions are among these."""
    reached = set(map(id, code))
    for base in kind.__mro__:
        for each in list(vars(base).values()):
            method = each.__stored_in_class__ if hasattr(type(each), "__stored_in_class__") else None
            if method is not None and id(inspect.unwrap(method.function)) in reached:
                yield method
