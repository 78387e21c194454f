"""Which text stands for a value in a key? Objects of classes: enumerations, records, owners, and the user's own."""

from __future__ import annotations

import array
import collections
import datetime
import enum
import pathlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

from stored._adapters import adapter_of
from stored._keys.attributes import compiled_base, counted_attributes, has_fields
from stored._keys.canonical import Walk, add_forms, pairs_text, text_or_digest
from stored._keys.class_content import member_text
from stored._keys.class_memos import class_memos, does_memo_count
from stored._keys.class_names import class_name, is_library_class
from stored._keys.described_values import described_values, may_read_more
from stored._keys.distributions import distribution_text
from stored._keys.estimators import params_of, tells_params
from stored._keys.exempt import exempt_text, is_exempt
from stored._keys.parameter_names import is_keyed
from stored._keys.unstable_values import UnsetParameterError, UnstableValueError, refuse
from stored.typing import ABSENT

__all__ = ["plain_content"]


def _enum_text(value: enum.Enum, walk: Walk) -> str:
    """Class, name, value and attributes of a member."""
    name = getattr(value, "_name_", None)
    return text_or_digest("enum", f"enum({_class_of(value, walk)}, {name!a}, {member_text(value, walk)})")


def _class_of(value: object, walk: Walk) -> str:
    """The name of the class of an object, and what its code reaches."""
    kind = type(value)
    try:
        name = class_name(kind, walk)
    except UnstableValueError as error:
        raise error.inside(".__class__") from None
    return name if is_library_class(kind) else name + walk.reached_text(kind)


def _is_enum(value: object) -> bool:
    return issubclass(type(value), enum.Enum)  # a proxy says that it is one


def _is_library_estimator(value: object) -> bool:
    """Is it an object of a library that tells its parameters, and has all its state in attributes?"""
    kind = type(value)
    return is_library_class(kind) and tells_params(kind) and compiled_base(kind) is object and not is_keyed(kind)


def _estimator_text(value: Any, walk: Walk) -> str:
    """The class of an estimator, the version of its library, its parameters, and what it was fitted to."""
    try:
        params = params_of(value)
    except AttributeError as error:
        raise UnsetParameterError(value, error) from None
    others = [
        pair for pair in counted_attributes(value, with_filled=True) if params.get(pair[0], ABSENT) is not pair[1]
    ]
    library = distribution_text(type(value).__module__.partition(".")[0])
    parts = _class_of(value, walk), library, pairs_text(walk, params.items()), pairs_text(walk, others)
    return text_or_digest("estimator", f"estimator({', '.join([f'({each})' for each in parts])})")


def _object_text(value: Any, walk: Walk) -> str:
    """The class of an object, what it is of a type of Python's, and what it tells, or else all its attributes."""
    kind = type(value)
    described = described_values(value)
    to_plain = _plain_form(kind)
    if described is None:
        _check_has_form(value, to_plain)
    parts = [_class_of(value, walk)]
    if _library_name(kind) in _HELD:
        described = [(name, getattr(value, name)) for name in _HELD[_library_name(kind)]]
    if to_plain is not None:
        parts.append(walk.part(to_plain(value), ""))
    names = () if described is None else dict(described)
    texts = [] if described is None else [f"{name!a}={walk.part(each, f'.{name}')}" for name, each in described]
    if described is None or may_read_more(value):
        texts += _attribute_texts(value, names, walk)
    parts.append(", ".join(texts))
    return text_or_digest("object", f"{'object' if described is None else 'owner'}({', '.join(parts)})")


def _attribute_texts(value: object, described: Collection[str], walk: Walk) -> Iterator[str]:
    """The attributes of an object that it does not tell, but for memos that hold what would be made now."""
    kind = type(value)
    memos = class_memos(kind)
    for name, each in counted_attributes(value, with_filled=not is_library_class(kind)):
        memo = memos.get(name)
        if name in described or (memo is not None and not does_memo_count(value, memo, each)):
            continue
        step = f".{name}"
        is_of_owner = described or memo is not None
        text = walk.part_or_number(each, step, f"{kind.__qualname__}{step}") if is_of_owner else walk.part(each, step)
        yield f"{name!a}={text}"


def _check_has_form(value: Any, to_plain: object) -> None:
    kind = type(value)
    if _is_named_tuple(kind) or (issubclass(kind, np.ndarray) and kind.__module__.startswith("numpy")):
        return
    if any(_is_known_type(base) for base in kind.__mro__[1:] if not issubclass(base, np.ndarray)):
        refuse(value)  # rather than the first part of it that has no form
    if _library_name(kind) in _PLAIN_LIBRARY_CLASSES or _library_name(kind) in _HELD:
        return
    is_own = not is_library_class(kind) or has_fields(kind)
    compiled = compiled_base(kind)
    if not is_own or (compiled is not object and (to_plain is None or not _is_all_in_plain(compiled))):
        refuse(value)


def _is_known_type(base: type) -> bool:
    """Is it a class of another library that is known itself, but not with its subclasses?"""
    adapter = adapter_of(base)
    return adapter is not None and not adapter.home and adapter.key is not None and not adapter.subclasses


def _is_all_in_plain(compiled: type) -> bool:
    """Is the state of objects of a compiled class all in what is made of them, and in members of the class?

    Exceptions of Python have the rest of it in members, as the name of a file.
    """
    if compiled in _PLAIN_BASES or _library_name(compiled) in _RARE_PLAIN_FORMS:
        return True
    known = {BaseException: "builtins", np.generic: "numpy"}
    return any(issubclass(compiled, base) and compiled.__module__ == module for base, module in known.items())


def _is_named_tuple(kind: Any) -> bool:
    """Is it the class of named tuples, written in Python or, as ``time.struct_time``, compiled?"""
    fields = getattr(kind, "_fields", None), getattr(kind, "n_sequence_fields", None)
    return issubclass(kind, tuple) and (isinstance(fields[0], tuple) or isinstance(fields[1], int))


def _library_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


_PLAIN_LIBRARY_CLASSES = frozenset(
    {"collections.ChainMap", "collections.UserDict", "collections.UserList", "collections.UserString"}
    | {"types.SimpleNamespace", "argparse.Namespace"}
)
"""Classes of the standard library whose objects have their state in attributes."""


_HELD = {
    "numpy.vectorize": ("pyfunc", "otypes", "signature", "excluded", "cache"),
    "contextlib._GeneratorContextManager": ("func", "args", "kwds"),
    "contextlib._AsyncGeneratorContextManager": ("func", "args", "kwds"),
}
"""Classes of libraries whose objects have a memo beside what they were made of."""


def _plain_form(kind: type) -> Callable[[Any], Any] | None:
    """A function that makes the value of the type of Python's from which a class inherits; None if there is none."""
    if hasattr(kind, "n_sequence_fields"):  # as time.struct_time, whose time zone is no item
        return lambda value: value.__reduce__()[1]
    for base, to_plain in _PLAIN_FORMS:
        if issubclass(kind, base):
            return to_plain
    name = next((name for name in map(_library_name, kind.__mro__) if name in _RARE_PLAIN_FORMS), "")
    return _RARE_PLAIN_FORMS.get(name)


def plain_content(value: Any) -> Any:
    """What an object has in it beside attributes, as a list has its items; `ABSENT` if none is known of its class."""
    if isinstance(value, np.ma.MaskedArray):
        return np.ma.getdata(value, subok=False), np.ma.getmaskarray(value)
    to_plain = _plain_form(type(value))
    return ABSENT if to_plain is None else to_plain(value)


def _plain_time(value: datetime.time) -> datetime.time:
    parts = value.hour, value.minute, value.second, value.microsecond
    return datetime.time(*parts, value.tzinfo, fold=value.fold)


def _plain_array(value: Any) -> Any:
    if isinstance(value, np.ma.MaskedArray):  # whose mask is no attribute of its own
        refuse(value)
    return value.view(np.ndarray)


# by methods of the types themselves, since a subclass may override them
_PLAIN_FORMS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (collections.OrderedDict, lambda value: collections.OrderedDict(collections.OrderedDict.items(value))),
    (
        collections.defaultdict,
        lambda value: collections.defaultdict(value.default_factory, dict.items(value)),
    ),
    (collections.deque, lambda value: collections.deque(collections.deque.__iter__(value), value.maxlen)),
    (dict, lambda value: dict(dict.items(value))),
    (list, lambda value: [*list.__iter__(value)]),
    (tuple, lambda value: (*tuple.__iter__(value),)),
    (set, lambda value: {*set.__iter__(value)}),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
    (np.generic, lambda value: np.asarray(value)[()]),
    (str, str.__str__),
    (bytes, lambda value: bytes(memoryview(value))),
    (bytearray, lambda value: bytearray(memoryview(value))),
    (array.array, lambda value: (value.typecode, value.tobytes())),
    (int, int.__int__),
    (float, float.__float__),
    (complex, complex.__complex__),
    (datetime.datetime, lambda value: datetime.datetime.combine(value, _plain_time(datetime.datetime.timetz(value)))),
    (datetime.date, lambda value: datetime.date(value.year, value.month, value.day)),
    (datetime.time, lambda value: _plain_time(value)),
    (datetime.timedelta, lambda value: datetime.timedelta(value.days, value.seconds, value.microseconds)),
    (datetime.tzinfo, lambda value: None),
    (pathlib.PurePath, str),
    (np.ndarray, _plain_array),
    (BaseException, lambda value: value.args),
)

_PLAIN_BASES = frozenset(base for base, _ in _PLAIN_FORMS)


def _rare_plain(name: str) -> Callable[[Any], Any]:
    def to_plain(value: Any) -> Any:
        base: Any = next(each for each in type(value).__mro__ if _library_name(each) == name)
        return base.__str__(value)

    return to_plain


_RARE_PLAIN_FORMS: dict[str, Callable[[Any], Any]] = {
    name: _rare_plain(name) for name in ("decimal.Decimal", "fractions.Fraction", "uuid.UUID")
}

add_forms(
    kinds=[
        (_is_enum, _enum_text),
        (is_exempt, exempt_text),
        (_is_library_estimator, _estimator_text),
        (lambda value: True, _object_text),
    ]
)
