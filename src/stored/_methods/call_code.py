"""Which code does a call run? A function generated for each method, which checks the parameters and finds the result.

Compiled into the function, the check takes a fifth of the time of a loop over the parameters.
"""

from __future__ import annotations

import functools
import inspect
import textwrap
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import CellType, CodeType, FunctionType
from typing import Any

from stored._fork_safe_lock import ForkSafeLock
from stored._keys import VARIADIC
from stored._methods.shortcuts import Hit, Shortcut, ShortcutsByOwner, ShortcutsOfOwner
from stored._settings import validity

__all__ = ["CallCode"]

_FILE = f"<{__name__}: call of a method>"
"""The file name of the function in tracebacks."""

_MOST_COMPILATIONS = 8
"""So often may the function be compiled for one more check; each time takes as long as hundreds of calls."""

_NO_TEST = "False"

_NOTHING: Mapping[str, Any] = {}

_ANY_TEST = "{expected}.is_same({owner}, {expected})"
"""For a method of owners with different checks."""


class CallCode:
    """The shortcuts of one method, and the function that its calls go through.

    The function takes no lock. A shortcut that ends is emptied, so a thread that still holds it finds nothing in it. A
    function that has been replaced finds no shortcuts that were added later, since their check may be another.

    Parameters
    ----------
    signature : inspect.Signature
        The signature of the plain method, with its owner.
    shortcut_arguments : sequence of str
        The arguments by which shortcuts find results.
    axes : sequence of str or None
        The arguments for the function that a shortcut finds; empty if it finds results, None if there are no shortcuts.
    answer : callable
        Answers calls without a shortcut: takes the owner and the values of all arguments by name.
    install : callable
        Takes two generated functions. The first answers calls; its first argument has the owner in ``_owner``, or,
        with an owner given, it is a static method with the parameters of the plain function, so that Python's errors
        count the same. The second takes what has the owner in ``_owner``, and by name the arguments that are not along
        axes, and gives the interpolant at once; None if it is not at hand.
    namespace : dict
        The global names of the plain method, which are those of the function.
    owner : object, optional
        The only owner that there is, which what is called keeps alive.
    """

    def __init__(
        self,
        signature: inspect.Signature,
        shortcut_arguments: Sequence[str],
        axes: Sequence[str] | None,
        answer: Callable[[Any, dict[str, Any]], Any],
        install: Callable[[Any, Any], None],
        namespace: dict[str, Any],
        owner: object | None = None,
    ) -> None:
        self._namespace = namespace
        self._has_one_owner = owner is not None
        self._source = _source_of_call(signature, shortcut_arguments, axes, self._has_one_owner)
        self._install = install
        # with a prefix, since a method's arguments may have any other names
        self._given = {
            "_stored_answer": answer,
            "_stored_exception": Exception,
            "_stored_getattr": getattr,
            "_stored_type": type,
            **{f"_stored_default{number}": each.default for number, each in enumerate(_parameters(signature))},
        }
        if owner is not None:
            self._given["_stored_the_owner"] = weakref.ref(owner)  # else only garbage collection would free it
        self._lock = ForkSafeLock()
        self._shortcuts = ShortcutsByOwner(_NO_TEST)
        self._times_compiled = 0
        self.recompile(_NO_TEST)
        validity.watch(self)

    def recompile(self, test: str, compared: Mapping[str, Any] = _NOTHING) -> None:
        """Compile the function with another check, and let all calls go through it.

        Parameters
        ----------
        test : str
            The expression of the check.
        compared : mapping of str to object, optional
            What it compares with, under names of its own.
        """
        self._times_compiled += 1
        self._shortcuts.end_all()
        # should this fail, or another thread fork before the end, the next shortcut compiles again
        self._shortcuts, shortcuts = ShortcutsByOwner(_NO_TEST), ShortcutsByOwner(test)
        expression = test.format(
            owner="_stored_owner", expected="_stored", type="_stored_type", getattr="_stored_getattr"
        )
        given = {
            **self._given,
            "_stored_find": shortcuts.find,
            "_stored_switch": shortcuts.switch,
            "_stored_last": None,
            **compared,
        }
        body = textwrap.indent(self._source.replace("@test@", expression), "    ")
        around = f"def around({', '.join(given)}):{body}    return __call__, interpolant_at_hand"
        scope: dict[str, Any] = {"__name__": __name__}
        exec(_compiled(around), scope)  # noqa: S102  # made of identifiers only
        made = scope["around"](**given)
        cells = {name: cell for each in made for name, cell in _cells(each).items()}
        cells["_stored_last"] = shortcuts.last_cell
        shortcuts.compared = {name: cells[name] for name in compared if name in cells}
        call, at_hand = [self._with_names_of_module(each, cells) for each in made]
        self._install(staticmethod(call) if self._has_one_owner else call, at_hand)
        self._shortcuts = shortcuts

    def _with_names_of_module(self, made: FunctionType, cells: Mapping[str, CellType]) -> FunctionType:
        """A function that looks up names of the module of the method, as that does."""
        closure = tuple([cells[name] for name in made.__code__.co_freevars])
        function = FunctionType(made.__code__, self._namespace, made.__name__, made.__defaults__, closure)
        function.__kwdefaults__ = made.__kwdefaults__
        return function

    def add(
        self, owner: object, shortcuts: ShortcutsOfOwner, shortcut: Shortcut, arguments: tuple[Any, ...], hit: Hit
    ) -> bool:
        """Answer such calls by a shortcut, unless it has ended by now, or does already; is the hit in it?"""
        with self._lock:
            if not shortcut.is_valid():
                return False
            if self._shortcuts.test not in {shortcut.test, _ANY_TEST}:
                # owners with different checks, at a time or in turns, share code that calls the check of the shortcut
                is_only_kind = self._shortcuts.is_empty() and self._times_compiled <= _MOST_COMPILATIONS
                if is_only_kind:
                    self.recompile(shortcut.test, _NOTHING if shortcut.scope is None else shortcut.scope.given)
                else:
                    self.recompile(_ANY_TEST)
            shortcuts.add(shortcut)  # now, since compiling ends all others
            is_added = shortcut.add(arguments, hit)
            self._shortcuts.add(owner, shortcuts, shortcut)
            return is_added

    def invalidate(self) -> None:
        """End all shortcuts: something has changed that their checks do not look at."""
        with self._lock:
            self._shortcuts.end_all()


def _cells(function: Any) -> dict[str, CellType]:
    return dict(zip(function.__code__.co_freevars, function.__closure__, strict=True))


@functools.lru_cache(maxsize=256)
def _compiled(source: str) -> CodeType:
    """The code of a text, compiled once: functions that one function makes have the same."""
    return compile(source, _FILE, "exec")


_FIND = """
        if _stored_owner.__weakref__ is not _stored.ref:
            _stored = _stored_find(_stored_owner)
        if not (@test@):
            _stored = _stored_switch(_stored_owner, _stored)"""
"""Where there is no shortcut, None takes its place, and the next attribute that is read is an error."""

_RESULT = f"""{_FIND}
        _stored_hit = @hit@
        _stored_hit.count += 1
        _stored_copy = _stored_hit.copy
        return _stored_hit.value if _stored_copy is None else _stored_copy(_stored_hit.value)"""

_ALONG_AXES = f"""{_FIND}
        _stored_hit = @hit@
        _stored_value = _stored_hit.value(@axes@)
        if _stored_value is not None:
            _stored_hit.count += 1
            return _stored_value"""

_INTERPOLANT = f"""{_FIND}
        _stored_hit = @hit@
        _stored_hit.count += 1
        return _stored_hit.interpolant"""

_CALL = """
def __call__(@parameters@):
    _stored_owner = @owner@
    _stored = _stored_last
    try:@body@
    except _stored_exception:
        pass
    return _stored_answer(_stored_owner, {@arguments@})

def interpolant_at_hand(_stored_self@others@):
    _stored_owner = _stored_self._owner
    _stored = _stored_last
    try:@interpolant@
    except _stored_exception:
        pass
"""


def _source_of_call(
    signature: inspect.Signature, keyed: Sequence[str], axes: Sequence[str] | None, has_one_owner: bool
) -> str:
    """The source of the function, with ``@test@`` in the place of the check."""
    parameters = _parameters(signature)
    reserved = [each.name for each in parameters if each.name.startswith("_stored")]
    if reserved:
        raise TypeError(f"argument {reserved[0]!r} has a name that begins with _stored; choose another")
    has_many = any(each.kind in VARIADIC for each in parameters)
    body = "pass" if has_many or axes is None else _ALONG_AXES if axes else _RESULT
    others = _others(parameters, axes or ())
    parts = {
        "body": body,
        "interpolant": "pass" if body != _ALONG_AXES or others is None else _INTERPOLANT,
        "others": others or "",
        "parameters": ", ".join(_parameter_list(parameters, [] if has_one_owner else ["_stored_self"])),
        "owner": "_stored_the_owner()" if has_one_owner else "_stored_self._owner",
        "arguments": ", ".join(f"{each.name!r}: {each.name}" for each in parameters),
        "hit": _hit(keyed),
        "axes": ", ".join(axes or ()),
    }
    text = _CALL
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def _hit(keyed: Sequence[str]) -> str:
    """An expression: the hit for these arguments, in the table for their types, since 1, 1.0 and True are equal."""
    if not keyed:
        return "_stored.only"
    types = [f"_stored_type({name})" for name in keyed]
    return f"_stored.tables[{', '.join(types)}][{', '.join(keyed)}]"


def _parameters(signature: inspect.Signature) -> list[inspect.Parameter]:
    return list(signature.parameters.values())[1:]


_OPTIONS = frozenset({"y", "branch", "nu", "a", "b", "value"})
"""Those of what interpolants do, which cannot be told from arguments of these names."""


def _others(parameters: Sequence[inspect.Parameter], axes: Sequence[str]) -> str | None:
    """The arguments that are not along axes, to be given by name; None if some cannot be."""
    others = [(number, each) for number, each in enumerate(parameters) if each.name not in axes]
    if any(each.kind is each.POSITIONAL_ONLY or each.name in _OPTIONS for _, each in others):
        return None
    return "".join([", *", *[f", {_with_default(*each)}" for each in others]]) if others else ""


def _with_default(number: int, parameter: inspect.Parameter) -> str:
    return parameter.name + ("" if parameter.default is parameter.empty else f"=_stored_default{number}")


_STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def _parameter_list(parameters: Sequence[inspect.Parameter], first: list[str]) -> list[str]:
    """Parameters as a ``def`` lists them, after a first one that is positional-only, if there is one."""
    kinds = [each.kind for each in parameters]
    listed = first + ["/"] * (bool(first) and inspect.Parameter.POSITIONAL_ONLY not in kinds)
    for number, each in enumerate(parameters):
        if each.kind is each.KEYWORD_ONLY and not {each.KEYWORD_ONLY, each.VAR_POSITIONAL} & set(kinds[:number]):
            listed.append("*")
        listed.append(f"{_STARS.get(each.kind, '')}{_with_default(number, each)}")
        if each.kind is each.POSITIONAL_ONLY and each.POSITIONAL_ONLY not in kinds[number + 1 :]:
            listed.append("/")
    return listed
