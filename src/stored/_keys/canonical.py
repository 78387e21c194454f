"""Which text stands for a value in a key?

Two values have equal text only if no method could tell them apart, in every process and under every hash seed: by
type, value and order. Exceptions: float64 and complex128 of numpy are Python's float and complex; 0.0 and -0.0 are one;
NaN is equal to itself; arrays are equal whatever their memory layout, instants whatever their time zone, sets in any
order. A value that has no form which is the same in every process is refused with `UnstableKeyError`, which says where
it is.

Here is how a text is made of those of its parts. The forms themselves are in `canonical_plain` (plain Python),
`canonical_numpy`, `canonical_code` (functions and classes) and `canonical_objects` (objects of classes).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Any, TypeAlias

from stored._adapters import adapter_of
from stored._keys.identity import number_text
from stored._keys.unstable_values import UnstableValueError
from stored.errors import UnstableKeyError

__all__ = [
    "Encoder",
    "Leaf",
    "Naming",
    "Walk",
    "add_forms",
    "canonical",
    "canonical_texts",
    "digest",
    "nested_too_deeply",
    "pairs_text",
    "reached_digest",
    "text_or_digest",
    "text_or_none",
    "text_with_numbers",
    "text_without_form",
    "texts_of_leaves",
]

Leaf: TypeAlias = Callable[[Any], str]
"""Makes the text of a value that has no parts."""

Naming: TypeAlias = Callable[[str], tuple[str, str, str]]

Encoder: TypeAlias = "Callable[[Any, Walk], str]"
"""Makes the text of a value of the texts of its parts."""

_LONGEST_TEXT = 1024
"""Texts that are longer are replaced by their digest, to keep headers and messages short."""

_LEAVES: dict[type, Leaf] = {}
_ENCODERS: dict[type, Encoder] = {}
_KINDS: list[tuple[Callable[[Any], bool], Encoder]] = []
_REGISTERED: list[Encoder] = []
_REACHED: list[Callable[[Any], str]] = []


def add_forms(
    leaves: Mapping[type, Leaf] | None = None,
    exact: Mapping[type, Encoder] | None = None,
    kinds: Iterable[tuple[Callable[[Any], bool], Encoder]] = (),
    registered: Encoder | None = None,
    reached: Callable[[Any], str] | None = None,
) -> None:
    """Add forms of values.

    Parameters
    ----------
    leaves : mapping of type to callable, optional
        For values of exactly these types, which have no parts.
    exact : mapping of type to callable, optional
        For values of exactly these types, which have parts.
    kinds : iterable of (callable, callable)
        For other values: a test of the value and, if it is true, how its text is made. The first one counts; the last
        one is for all objects.
    registered : callable, optional
        For values of types that are registered.
    reached : callable, optional
        Gives the digest of all that the code of a function or a class reaches.
    """
    _REGISTERED.extend([] if registered is None else [registered])
    _REACHED.extend([] if reached is None else [reached])
    _LEAVES.update(leaves or {})
    _ENCODERS.update(exact or {})
    _KINDS.extend(kinds)


def reached_digest(value: Any) -> str:
    """The digest of all that the code of a function or a class reaches; empty where only its name counts."""
    return _REACHED[0](value)


class Walk:
    """One value on the way to its text, with all that is in it.

    A value that is inside itself (a function that calls itself, a class in its own method, a list in itself) stands
    there as how far back it was entered. That is Tarjan's algorithm for strongly connected components: values that are
    open, because they or what they are in refer back, are in one list; once what was entered first is complete, its
    text depends on nothing outside, and is kept, so that the work is in proportion to the size of the whole.

    Parameters
    ----------
    is_of_code : bool
        Does it tell what code says, for a version or the name of a class? Then variables that functions rebind and do
        not read, such as counters, are left out.
    numbered : list of str, optional
        Takes the names of attributes of owners that have no form. In their places stand numbers, which tell objects of
        this process apart; without a list, these attributes are refused.
    numbers_all : bool
        Do numbers stand for all parts of values that have no form?
    """

    __slots__ = ("_complete", "_lowest", "_numbered", "_numbers_all", "_open", "_positions", "is_of_code")

    has_names = True
    """Do the names of functions and classes, and of their modules, count?"""

    def __init__(self, is_of_code: bool = False, numbered: list[str] | None = None, numbers_all: bool = False) -> None:
        self.is_of_code = is_of_code
        self._numbered = numbered
        self._numbers_all = numbers_all
        self._complete: dict[int, tuple[object, str]] = {}  # with the values, so that no other gets the id of one
        self._open: list[object] = []
        self._positions: dict[int, int] = {}
        self._lowest = 0

    def text(self, value: Any) -> str:
        """The text of a value; an `UnstableValueError` if there is none."""
        kind = type(value)
        leaf = _LEAVES.get(kind)
        if leaf is not None:
            return leaf(value)
        encode = _ENCODERS.get(kind) or _encoder_by_kind(value)
        return self.entered(value, encode)

    def entered(self, value: object, encode: Encoder) -> str:
        """The text of a value that may be inside itself."""
        number = id(value)
        complete = self._complete.get(number)
        if complete is not None:
            return complete[1]
        opened = self._open
        position = self._positions.get(number)
        if position is not None:
            self._lowest = min(self._lowest, position)
            return f"<{len(opened) - position} back>"
        lowest_before, self._lowest = self._lowest, len(opened)
        position = self._positions[number] = len(opened)
        opened.append(value)
        text = encode(value, self)
        if self._lowest == position:
            self._close(position)
            self._complete[number] = value, text
            self._lowest = lowest_before
        else:
            self._lowest = min(self._lowest, lowest_before)
        return text

    def _close(self, position: int) -> None:
        for each in self._open[position:]:
            del self._positions[id(each)]
        del self._open[position:]

    def part(self, value: object, step: str) -> str:
        """The text of a part of a value, which an error names by its place in that."""
        if self._numbers_all:
            return self.part_or_number(value, step, step)
        try:
            return self.text(value)
        except UnstableValueError as error:
            raise error.inside(step) from None

    def code_part(self, value: object, step: str) -> str:
        """As `part`, of a function or a class, in which loggers and locks change no result, and sentinels are one."""
        return text_without_form(value) or self.part(value, step)

    def reached_text(self, value: Any) -> str:
        """The text of what the code of a function or a class reaches; empty where only names count."""
        return "" if self.is_of_code else reached_digest(value)

    def leaves_out(self, name: str) -> bool:
        """Does a variable that a function closes over not count?"""
        return False

    def is_closed(self, value: object) -> bool:
        """Is all that was entered since a value complete, so that none of it refers to what that is in?"""
        return self._open[-1] is value

    def part_or_number(self, value: object, step: str, name: str) -> str:
        """The text of an attribute of an owner; its number, if it has none and numbers are taken."""
        if self._numbered is None:
            return self.part(value, step)
        if type(value) in _LEAVES:
            return _LEAVES[type(value)](value)
        text = self.part_or_none(value)
        if text is None:
            if self._numbers_all and not type(value).__weakrefoffset__:
                raise UnstableValueError(value).inside(step)  # it is told by what it is in
            self._numbered.append(name)
            text = number_text(value)
        return text

    def error_of_part(self, value: object, parts: Iterable[tuple[str, object]]) -> UnstableValueError | None:
        """The error of the first of the named parts of an entered value that has no form; None if all have one."""
        for step, each in parts:
            self._close(self._positions[id(value)] + 1)
            try:
                self.text(each)
            except UnstableValueError as error:
                return error.inside(step)
        return None

    def part_or_none(self, value: object) -> str | None:
        """The text of a part; None if it has no form."""
        position, lowest = len(self._open), self._lowest
        try:
            return self.text(value)
        except UnstableValueError:
            self._close(position)
            self._lowest = lowest
            return None


_EXEMPT = frozenset(
    {"_thread.lock", "_thread.RLock", "logging.Logger", "logging.LoggerAdapter"}
    | {f"threading.{name}" for name in ("Condition", "Semaphore", "Event", "Barrier")}
)


def text_without_form(value: object) -> str:
    """What stands in code for loggers, locks and plain objects, which have no form; empty for other values."""
    kind = type(value)
    if kind is object:
        return "object()"
    return next(
        (name for name in [f"{each.__module__}.{each.__qualname__}" for each in kind.__mro__] if name in _EXEMPT), ""
    )


def _encoder_by_kind(value: object) -> Encoder:
    adapter = adapter_of(type(value))
    if adapter is not None and (adapter.key is not None or adapter.refusal):
        return _REGISTERED[0]
    return next(encode for fits, encode in _KINDS if fits(value))


def digest(text: str) -> str:
    """What stands for a text in keys and names: 128 bits of blake2b, 32 hex digits."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def text_or_digest(kind: str, text: str) -> str:
    """A text itself if it is short, otherwise its length and digest."""
    return text if len(text) <= _LONGEST_TEXT else f"{kind}({len(text)}:{digest(text)})"


def pairs_text(walk: Walk, values: Iterable[tuple[str, object]], step: str = ".{}") -> str:
    """Names and values in one text; `step` is how an error names the place of one."""
    return ", ".join([f"{name!a}={walk.part(value, step.format(name))}" for name, value in values])


def canonical(value: object) -> str:
    """The text that stands for a value in a key.

    Raises
    ------
    UnstableKeyError
        If the value, or something inside it, has no stable form.
    """
    try:
        return Walk().text(value)
    except UnstableValueError as error:
        raise error.as_key_error() from None
    except RecursionError:
        raise nested_too_deeply(value) from None


def text_or_none(value: object) -> str | None:
    """The canonical text of a value; None if it has none."""
    return _text_unless_too_deep(Walk(), value)


def text_with_numbers(value: object, numbered: list[str]) -> str | None:
    """The canonical text of a value, with numbers for parts that have none, and their names; None if it has none."""
    return _text_unless_too_deep(Walk(numbered=numbered, numbers_all=True), value)


def _text_unless_too_deep(walk: Walk, value: object) -> str | None:
    """The text of a value; None if it has none, or values are in one another beyond the limit of recursion."""
    try:
        return walk.part_or_none(value)
    except RecursionError:
        if type(value) in _LEAVES:
            raise  # it is not the value that is too deep, but the call
        return None


def texts_of_leaves(values: Collection[object]) -> tuple[str, ...] | None:
    """The canonical texts of values, as `canonical_texts` gives them; None if one has parts, or no text.

    For numbers and texts, which most parameters and arguments are: no function of Python's runs for each.
    """
    try:
        return tuple(map(operator.call, map(_LEAVES.__getitem__, map(type, values)), values))
    except (KeyError, UnstableValueError, RecursionError):
        return None


def canonical_texts(
    names: Iterable[str], values: Iterable[object], naming: Naming, numbered: list[str] | None = None
) -> tuple[str, ...]:
    """The canonical texts of values that have names.

    Parameters
    ----------
    names : iterable of str
        The names of parameters or arguments.
    values : iterable of object
        Their values.
    naming : callable
        What an error says of a value, by its name: the beginning of the sentence, the place, and a remedy.
    numbered : list of str, optional
        As for `Walk`.

    Raises
    ------
    UnstableKeyError
        Naming the first value that has no stable form, with its place.
    """
    texts: list[str] = []
    value: object = None
    try:
        for value in values:
            texts.append(Walk(numbered=numbered).text(value))
    except (UnstableValueError, RecursionError) as error:
        sentence, place, remedy = naming(list(names)[len(texts)])
        if isinstance(error, RecursionError):
            raise nested_too_deeply(value, sentence or f"{place}: ") from None
        raise error.as_key_error(place, sentence, remedy) from None
    return tuple(texts)


def nested_too_deeply(value: object, label: str = "") -> UnstableKeyError:
    """The error for a value in which values are in one another beyond the limit of recursion."""
    found = f"{type(value).__module__}.{type(value).__qualname__}"
    return UnstableKeyError(f"{label}a value of type {found} is nested too deeply to be told in a key", found)
