"""Shortcuts: the results of one owner by plain arguments, with a quick proof that they still hold.

A call that takes one neither looks its owner up nor binds and keys its arguments. What a shortcut does not know, the
long way finds out; benchmarks/ holds the times of both. The proof is compiled into the function that calls go through:
as part of one expression it takes a fifth of the time of a loop.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from stored._arguments import MANY
from stored._config import epoch, settings
from stored._memory import ForkSafeLock
from stored._owners import Proof, compiled_test

__all__ = ["Entrance", "Hit", "Shortcut"]


class Hit:
    """A result that calls find.

    Attributes
    ----------
    value : object
        What they return.
    seconds : float
        What computing it took.
    count : int
        How many have found it.
    """

    __slots__ = ("count", "seconds", "value")

    def __init__(self, value: Any, seconds: float) -> None:
        self.value = value
        self.seconds = seconds
        self.count = 0


class Shortcut:
    """Results of one owner, and a quick proof that they still hold.

    Parameters
    ----------
    owner : object
        The owner; it is referred to weakly.
    proof : Proof
        That its parameters are the same.
    memory : object
        What holds the results.
    now : object
        The epoch that the proof holds good for.

    Attributes
    ----------
    table : dict
        Results by plain arguments: the argument itself if there is one, else a tuple.
    scalar : callable
        In place of the table, from an argument to what the call returns, or to None if that takes more.
    hit : Hit
        What counts the calls that `scalar` answers.
    hits : list of Hit
        All that count calls.
    """

    def __init__(self, owner: object, proof: Proof, memory: object, now: object) -> None:
        self.number = id(owner)
        self.ref = weakref.ref(owner)  # of all references without callback there is one, and __weakref__ shows it
        self.memory = memory
        self.epoch = now
        self.test = proof.test
        self.refers_to_owner = proof.refers_to_owner
        self.is_over = False
        self.is_same = compiled_test(proof.test)
        self.scalar: Callable[[Any], Any] = _no_value
        self.table: dict[Any, Hit] = {}
        self.hit = Hit(None, 0.0)
        self.hits: list[Hit] = []
        self.end_of_owner: object = None
        for name, value in proof.known.items():
            setattr(self, name, value)  # one by one: attributes in a dict of its own are slower to read

    def holds(self, owner: object) -> bool:
        """Are the owner's parameters, and all else, still the same?"""
        try:
            return self.is_valid() and self.is_same(owner, self)
        except AttributeError:
            return False

    def is_valid(self) -> bool:
        """Is all the same that its proof does not look at?"""
        return self.epoch is epoch.now and not self.is_over and not settings().disable

    def take(self, plain: Any, hit: Hit) -> None:
        """Take a result, by its plain arguments or by the function that gives it."""
        if plain is self.scalar or plain in self.table:
            return  # another thread was first, and counts already
        if callable(plain):
            self.scalar, self.hit = plain, hit
        else:
            self.table[plain] = hit
        self.hits.append(hit)

    def end(self) -> None:
        """Answer nothing any more, wherever this is still in use; what was counted stays."""
        self.is_over = True
        self.table, self.scalar = {}, _no_value


def _no_value(_: Any) -> None:
    """What a shortcut answers that answers nothing."""


class _Nobody:
    """In the place of a shortcut: of no owner."""

    ref = object()


_NOBODY: Any = _Nobody()


class _Known:
    """The shortcuts that one compiled function looks at: all are proved by one test, which is part of it.

    Attributes
    ----------
    scope : dict
        The names that the function looks up.
    """

    def __init__(self, test: str) -> None:
        self.test = test
        self.scope: dict[str, Any] = {"_stored_found": self.find}
        self.last = _NOBODY
        self._by_owner: dict[int, weakref.ref[Shortcut]] = {}

    @property
    def last(self) -> Any:
        """The shortcut used last, if nothing in it refers to its owner."""
        return self.scope["_stored_last"]

    @last.setter
    def last(self, shortcut: Any) -> None:
        self.scope["_stored_last"] = shortcut

    def is_empty(self) -> bool:
        """Are there none?"""
        return not self._by_owner

    def find(self, owner: object) -> Shortcut:
        """The owner's; a `KeyError` if there is none."""
        found = self._by_owner[id(owner)]()
        if found is None or found.ref() is not owner:
            raise KeyError(owner)
        if not found.refers_to_owner:
            self.last = found  # it may have ended by now, and then answers nothing
        return found

    def add(self, owner: object, shortcut: Shortcut) -> None:
        """Take one, for as long as what holds the owner's results keeps it."""
        number = shortcut.number
        if self._of(number) is not shortcut:
            self._by_owner[number] = weakref.ref(shortcut, functools.partial(self._forget, number))
            shortcut.end_of_owner = weakref.ref(owner, functools.partial(self._leave, weakref.ref(shortcut)))
        if not shortcut.refers_to_owner:
            self.last = shortcut

    def discard(self, shortcut: Shortcut) -> None:
        """Forget one."""
        if self._of(shortcut.number) is shortcut:
            self._by_owner.pop(shortcut.number, None)
        self._leave(weakref.ref(shortcut), None)

    def _of(self, number: int) -> Shortcut | None:
        reference = self._by_owner.get(number)
        return None if reference is None else reference()

    def _forget(self, number: int, _: object) -> None:
        self._by_owner.pop(number, None)  # at worst, of one that came this moment: it is taken again

    def _leave(self, reference: weakref.ref[Shortcut], _: object) -> None:
        if self.last is reference():
            self.last = _NOBODY

    def end(self) -> None:
        """Forget all."""
        for shortcut in filter(None, [reference() for reference in list(self._by_owner.values())]):
            shortcut.end()
        self._by_owner.clear()
        self.last = _NOBODY


_FILE = f"<{__name__}: call of a method>"
"""What stands in tracebacks for the place of the function."""

_MOST_BEGUN = 8
"""Compiling takes as long as hundreds of calls."""

_NO_TEST = "False"
_ANY_TEST = "{known}.is_same({owner}, {known})"
"""For a method of owners of several kinds."""


class Entrance:
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
        answered: Callable[[Any, tuple[Any, ...]], Any],
        install: Callable[[Any], None],
    ) -> None:
        self._text = _text(signature, keyed, scalar)
        self._install = install
        # an argument may have the name of anything else
        self._scope = {
            "_stored_answered": answered,
            "_stored_exception": Exception,
            "_stored_getattr": getattr,
            "_stored_type": type,
            **{f"_stored_default{number}": each.default for number, each in enumerate(_arguments(signature))},
        }
        self._lock = ForkSafeLock()
        self._known = _Known(_NO_TEST)
        self._begun = 0
        self._begin(_NO_TEST)
        epoch.watch(self)

    def _begin(self, test: str) -> None:
        """Compile the function anew."""
        self._begun += 1
        self._known.end()
        self._known, known = _Known(_NO_TEST), _Known(test)  # whoever forks or fails before the end begins anew
        expression = test.format(owner="_stored_owner", known="_stored", type="_stored_type", getattr="_stored_getattr")
        code = compile(self._text.replace("@test@", expression), _FILE, "exec")
        known.scope.update(self._scope)
        exec(code, known.scope)  # noqa: S102  # made of identifiers only
        self._install(known.scope["__call__"])
        self._known = known

    def add(self, owner: object, shortcut: Shortcut, plain: Any, hit: Hit) -> None:
        """Answer such calls by a shortcut, unless something has ended it by now."""
        with self._lock:
            if not shortcut.is_valid():
                return
            if self._known.test not in {shortcut.test, _ANY_TEST}:
                # owners of several kinds at a time, or by turns, share a test that looks the right one up
                is_alone = self._known.is_empty() and self._begun <= _MOST_BEGUN
                self._begin(shortcut.test if is_alone else _ANY_TEST)
            shortcut.take(plain, hit)
            self._known.add(owner, shortcut)

    def drop(self, shortcut: Shortcut) -> None:
        """End one."""
        with self._lock:
            shortcut.end()
            self._known.discard(shortcut)

    def lapse(self) -> None:
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


def _text(signature: inspect.Signature, keyed: Sequence[str], scalar: bool) -> str:
    """The source of the function, but for the test of its owners."""
    parameters = _arguments(signature)
    taken = [each.name for each in parameters if each.name.startswith("_stored")]
    if taken:
        raise TypeError(f"argument {taken[0]!r} has a name that begins with _stored; choose another")
    many = any(each.kind in MANY for each in parameters)
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
