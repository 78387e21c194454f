"""Which types are known by functions that somebody registered? Here they are found, by type and by name."""

from __future__ import annotations

import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

from stored._fork_safe_lock import ForkSafeLock
from stored.errors import StoredWarning, error_text

__all__ = ["BY_PICKLE", "Adapter", "NoFormError", "adapter_named", "adapter_of", "add", "known_adapter", "own_adapters"]

Function = Callable[[Any], Any]


class NoFormError(Exception):
    """What `key` raises for a value that can be in no key, with the reason, which says what to do."""


@dataclass(eq=False)
class Adapter:
    """What is known of a type.

    Attributes
    ----------
    kind : type
        The type.
    name : str
        What stands for it in keys and entries.
    subclasses : bool
        Does it hold for subclasses too?
    key : callable or None
        Gives plain values that stand for a value in a key; None if it has the form that it would have anyway.
    encode, decode : callable or None
        From a value to plain values and arrays, and back; `encode` may return `BY_PICKLE`. None if values are pickled.
    same : callable or None
        Are two values equal, in less time than it takes to make their keys?
    copy : callable or None
        Copies a value, so that nobody who has the original can change the copy; None if values cannot change.
    hand_out : callable or None
        Copies a value that is kept, for a caller; by default `copy`.
    private : callable or None
        Copies a value for a caller who may write to its arrays, too; None if `copy.deepcopy` loses nothing.
    refusal : str
        Why values can be neither in keys nor stored; empty if they can.
    home : str
        The module that has registered it, so that the code of the functions counts; empty for what is known here.
    beyond : callable or None
        Names of attributes that a value of a subclass has beside what `key` tells.
    fields : callable or None
        The attributes that are the parameters of an owner of a class; None if its key tells them as a whole.
    parts : callable or None
        Gives the parts of a value, each after what users write behind its name to get it: for messages alone.
    """

    kind: type
    name: str
    subclasses: bool = False
    key: Function | None = None
    encode: Function | None = None
    decode: Function | None = None
    same: Callable[[Any, Any], bool] | None = None
    copy: Function | None = None
    hand_out: Function | None = None
    private: Function | None = None
    refusal: str = ""
    home: str = ""
    beyond: Callable[[Any], list[str]] | None = None
    fields: Callable[[type], tuple[str, ...]] | None = None
    parts: Callable[[Any], Iterable[tuple[str, Any]]] | None = None

    @cached_property
    def for_caller(self) -> Function | None:
        """The function that gives a caller what is kept; None if callers can have the value itself."""
        return self.hand_out or self.copy


BY_PICKLE: Any = object()
"""What `encode` returns for a value that has no form of plain values and arrays."""

_LIBRARIES = {
    "astropy.coordinates": "of_angles",
    "astropy.cosmology": "of_cosmologies",
    "astropy.table": "of_tables",
    "astropy.time": "of_times",
    "astropy.units": "of_units",
    "astropy.utils": "of_masks",
    "datetime": "of_standard",
    "decimal": "of_standard",
    "fractions": "of_standard",
    "numpy": "of_numpy",
    "pandas": "of_pandas",
    "pathlib": "of_standard",
    "random": "of_generators",
    "scipy.interpolate": "of_splines",
    "scipy.sparse": "of_sparse",
    "xarray": "of_xarray",
}
"""The modules here that know types of other libraries, by the parts of these."""

_lock = ForkSafeLock()
_by_kind: weakref.WeakKeyDictionary[type, Adapter] = weakref.WeakKeyDictionary()
_by_name: dict[str, Adapter] = {}
_found: weakref.WeakKeyDictionary[type, Adapter | None] = weakref.WeakKeyDictionary()
_asked: set[str] = set()
"""The packages, and parts of these, whose adapters have been looked for."""


class _Loading(threading.local):
    """The packages, and parts of these, whose adapters this thread is about to load."""

    def __init__(self) -> None:
        self.parts: set[str] = set()


_loading = _Loading()


def add(*adapters: Adapter) -> None:
    """Register types, in the place of earlier ones of the same names."""
    with _lock:
        for each in adapters:
            _by_kind[each.kind] = each
            _by_name[each.name] = each
        _found.clear()


def own_adapters() -> list[Adapter]:
    """The types that somebody has registered, rather than this library."""
    return [each for each in list(_by_name.values()) if each.home]


def known_adapter(kind: type, name: str) -> Adapter | None:
    """What a type itself is registered as, or one of the same name; None if there is none."""
    _ask(_modules_of(kind))
    return _by_kind.get(kind) or _by_name.get(name)


def adapter_of(kind: type) -> Adapter | None:
    """What is known of a type: of itself, or of its first base that is registered with its subclasses."""
    try:
        return _found[kind]
    except KeyError:
        pass
    is_complete = _ask(_modules_of(kind))
    with _lock:
        candidates = [(_by_kind.get(base), base) for base in kind.__mro__]
        found = next((each for each, base in candidates if each and (base is kind or each.subclasses)), None)
        if is_complete:
            _found[kind] = found
        return found


def adapter_named(name: str) -> Adapter | None:
    """What is known of the type that an entry names; None if no such type is registered."""
    _ask([name])
    return _by_name.get(name)


def _modules_of(kind: type) -> list[str]:
    return [base.__module__ for base in kind.__mro__ if isinstance(base.__module__, str)]


def _ask(names: Iterable[str]) -> bool:
    """Have registered what is known of types by the names of these, or of their modules; has all been asked?"""
    for name in names:
        package, _, rest = name.partition(".")
        for part in (package, f"{package}.{rest.partition('.')[0]}"):
            # without a lock: a thread that imports a module, which registers a type, would wait for that
            if part not in _asked and part not in _loading.parts:
                _loading.parts.add(part)  # what is loaded registers types of this very part
                try:
                    _load(part)
                except (OSError, MemoryError, RecursionError):  # as without file handles; it is asked again
                    return False
                finally:
                    _loading.parts.discard(part)
                _asked.add(part)
    return True


def _load(part: str) -> None:
    """Register what is known here of the types of a package, or of a part of it, and what others offer for it."""
    if part in _LIBRARIES:
        try:
            import_module(f"stored._adapters.{_LIBRARIES[part]}")
        except ImportError:  # the library is not installed, and an entry names a type of it
            pass
        except (OSError, MemoryError, RecursionError):
            raise
        except Exception as error:  # a version of the library that is not known here
            version = getattr(sys.modules.get(part.partition(".")[0]), "__version__", "unknown")
            warnings.warn(
                f"{part}, of version {version}, is not as it is known here ({error_text(error)}); its types are treated"
                " as unknown ones",
                StoredWarning,
                stacklevel=2,
            )
    if part not in _NEVER_OFFERED and "." not in part:
        from stored._adapters.offered import load_offered

        load_offered(part)


_NEVER_OFFERED = frozenset({"__main__", "abc", "builtins", "collections", "dataclasses", "enum", "stored", "typing"})
"""Packages whose types no other package offers adapters for."""
