"""The generated code of a call: the check of the parameters, and the look-up of the result, in one expression.

As part of one expression the check takes a fifth of the time of a loop.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from stored._keys import VARIADIC
from stored._methods.shortcuts import Hit, Shortcut, ShortcutsByOwner
from stored._settings import validity
from stored._storage import ForkSafeLock

__all__ = ["CallCode"]

_FILE = f"<{__name__}: call of a method>"
"""What stands in tracebacks for the place of the function."""

_MOST_COMPILED = 8
"""Compiling takes as long as hundreds of calls."""

_NO_TEST = "False"

_ANY_TEST = "{expected}.is_same({owner}, {expected})"
"""For a method of owners of several kinds."""


class CallCode:
    """The shortcuts of one method, and the function that its calls go through.

    The function takes no lock. A shortcut that ends is emptied, so it matters to no one who still holds it; and a
    function that has been replaced knows none that came later, since its test may not be theirs.

    Parameters
    ----------
    signature : inspect.Signature
        Of the plain method, with its owner.
    keyed : sequence of str
        The arguments that stand in the key.
    scalar : bool
        Are calls answered by a function, in place of a table?
    answered : callable
        The long way: takes the owner and the values of all arguments.
    install : callable
        Takes the function; its first argument has the owner in ``_owner``.
    """

    def __init__(
        self,
        signature: inspect.Signature,
        keyed: Sequence[str],
        scalar: bool,
        answer: Callable[[Any, tuple[Any, ...]], Any],
        install: Callable[[Any], None],
    ) -> None:
        self._call_source = _call_source(signature, keyed, scalar)
        self._install = install
        # an argument may have the name of anything else
        self._scope = {
            "_stored_answered": answer,
            "_stored_exception": Exception,
            "_stored_getattr": getattr,
            "_stored_type": type,
            **{f"_stored_default{number}": each.default for number, each in enumerate(_arguments(signature))},
        }
        self._lock = ForkSafeLock()
        self._known = ShortcutsByOwner(_NO_TEST)
        self._compiled = 0
        self.recompile(_NO_TEST)
        validity.watch(self)

    def recompile(self, test: str) -> None:
        """Compile the function anew."""
        self._compiled += 1
        self._known.end()
        self._known, known = (
            ShortcutsByOwner(_NO_TEST),
            ShortcutsByOwner(test),
        )  # whoever forks or fails before the end begins anew
        expression = test.format(
            owner="_stored_owner", expected="_stored", type="_stored_type", getattr="_stored_getattr"
        )
        code = compile(self._call_source.replace("@test@", expression), _FILE, "exec")
        known.scope.update(self._scope)
        exec(code, known.scope)  # noqa: S102  # made of identifiers only
        self._install(known.scope["__call__"])
        self._known = known

    def add(self, owner: object, shortcut: Shortcut, key: Any, hit: Hit) -> None:
        """Answer such calls by a shortcut, unless something has ended it by now."""
        with self._lock:
            if not shortcut.is_valid():
                return
            if self._known.test not in {shortcut.test, _ANY_TEST}:
                # owners of several kinds at a time, or by turns, share a test that looks the right one up
                is_alone = self._known.is_empty() and self._compiled <= _MOST_COMPILED
                self.recompile(shortcut.test if is_alone else _ANY_TEST)
            shortcut.take(key, hit)
            self._known.add(owner, shortcut)

    def drop(self, shortcut: Shortcut) -> None:
        """End one."""
        with self._lock:
            shortcut.end()
            self._known.discard(shortcut)

    def invalidate(self) -> None:
        """End all: something has changed that they do not look at."""
        with self._lock:
            self._known.end()


_TABLE = """
        if (_stored_owner.__weakref__ is _stored.ref or (_stored := _stored_found(_stored_owner))) and @test@:
            _stored_hit = _stored.table[@key@]
            _stored_hit.count += 1
            return _stored_hit.value"""

_SCALAR = """
        if (_stored_owner.__weakref__ is _stored.ref or (_stored := _stored_found(_stored_owner))) and @test@:
            _stored_value = _stored.scalar(@key@)
            if _stored_value is not None:
                _stored.hit.count += 1
                return _stored_value"""

_CALL = """
def __call__(_stored_self@parameters@):
    _stored_owner = _stored_self._owner
    _stored = _stored_last
    try:@body@
    except _stored_exception:
        pass
    return _stored_answered(_stored_owner, (@values@))
"""


def _call_source(signature: inspect.Signature, keyed: Sequence[str], scalar: bool) -> str:
    """The source of the function, but for the test of its owners."""
    parameters = _arguments(signature)
    taken = [each.name for each in parameters if each.name.startswith("_stored")]
    if taken:
        raise TypeError(f"argument {taken[0]!r} has a name that begins with _stored; choose another")
    many = any(each.kind in VARIADIC for each in parameters)
    key = "".join(f"{name}, " for name in keyed)
    parts = {
        "body": "pass" if many else _SCALAR if scalar else _TABLE,
        "parameters": "".join(f", {each}" for each in _written(parameters)),
        "values": "".join(f"{each.name}, " for each in parameters),
        "key": keyed[0] if len(keyed) == 1 else f"({key})",
    }
    text = _CALL
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def _arguments(signature: inspect.Signature) -> list[inspect.Parameter]:
    return list(signature.parameters.values())[1:]


_STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def _written(parameters: Sequence[inspect.Parameter]) -> list[str]:
    """Parameters as they stand in a def, after one that can be given by its position only."""
    kinds = [each.kind for each in parameters]
    written: list[str] = [] if inspect.Parameter.POSITIONAL_ONLY in kinds else ["/"]
    for number, each in enumerate(parameters):
        if each.kind is each.KEYWORD_ONLY and not {each.KEYWORD_ONLY, each.VAR_POSITIONAL} & set(kinds[:number]):
            written.append("*")
        default = "" if each.default is each.empty else f"=_stored_default{number}"
        written.append(f"{_STARS.get(each.kind, '')}{each.name}{default}")
        if each.kind is each.POSITIONAL_ONLY and each.POSITIONAL_ONLY not in kinds[number + 1 :]:
            written.append("/")
    return written
