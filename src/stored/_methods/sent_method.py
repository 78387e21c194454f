"""How does a stored method travel to another process with a class that has no importable name?

Such classes, of scripts and notebooks or made in functions, are pickled by value by cloudpickle and dill. With them
travel the options of the decorator, the settings, and what tells in keys where the code comes from: the name of the
script, and the text of cells. So the other process finds what this one has stored, and the other way round.
"""

from __future__ import annotations

import contextlib
import sys
from types import FunctionType
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from stored._adapters import Adapter, add, own_adapters
from stored._keys import (
    MAIN,
    MainModule,
    StoredCode,
    adopt_main,
    adopt_sources,
    find_by_name,
    ignored_by,
    main_module,
    main_of,
    note_sent_function,
    sources_of,
)
from stored._methods.definition import Definition
from stored._settings import SentSettings, adopt_settings, sent_settings, this_process

__all__ = [
    "SentMethod",
    "has_importable_name",
    "is_importable",
    "known_here",
    "named_function",
    "note_method",
    "sent_method",
]

FUNCTION = "__stored_function__"
"""The attribute of a stored method by which plain pickle finds its function."""


class SentMethod(NamedTuple):
    """A stored method, as it travels.

    Attributes
    ----------
    origin : tuple of (str, int)
        The process whose class it is.
    number : str
        By which it is known wherever it goes.
    is_function : bool
        Is it a plain function, and no method?
    version : str or None
        The version of its code where it comes from; None if that is not known, or leaves something out.
    attribute : str
        Its name in its class.
    class_qualname : str or None
        The qualified name of its class, which picklers do not send.
    function : callable
        The plain function.
    qualname : str
        Its qualified name.
    name : str
        The name of its results.
    options : dict
        Those of the decorator.
    main : MainModule
        The script or the notebook.
    sources : mapping of str to bytes
        The texts of the files and cells that its code comes from, compressed, by names.
    settings : SentSettings
        The settings.
    types : list of Adapter
        The types that are registered in the script or the notebook.
    """

    origin: tuple[str, int]
    number: str
    is_function: bool
    version: str | None
    attribute: str
    class_qualname: str | None
    function: Any
    qualname: str
    name: str
    options: dict[str, Any]
    main: MainModule
    sources: dict[str, bytes]
    settings: SentSettings
    types: list[Adapter]

    def adopt(self) -> None:
        """Let what is kept here tell where the code comes from, and be kept where it says."""
        adopt_main(self.main)
        adopt_sources(self.sources)
        adopt_settings(self.settings)
        if self.origin != this_process():
            add(*self.types)

    def definition(self) -> Definition:
        """The definition of the method in this process."""
        if isinstance(self.function, FunctionType):
            self.function.__qualname__ = self.qualname
            note_sent_function(self.function, self.main)
        found = Definition(self.function, self.name, **self.options, is_function=self.is_function)
        found.origin, found.number = self.origin, self.number
        return found


_own: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""The methods of classes of this process that it has sent, by number."""

_known: WeakValueDictionary[tuple[str, str], Any] = WeakValueDictionary()
"""The methods that were sent from here, or to here, by number and version."""


def sent_method(method: Any, owner: type | None) -> SentMethod:
    """A stored method, to be sent with its class; of one that has none yet, it is not known what its code reaches."""
    definition: Definition = method.__stored_method__
    if definition.sent is not None:  # it has come, and no class has got it yet
        arrived: SentMethod = definition.sent
        return arrived
    code, settings, types = _code_or_none(definition, owner), sent_settings(), _types_by_value()
    if code is not None and definition.latest_sent is not None:
        latest: SentMethod = definition.latest_sent[1]
        if definition.latest_sent[0] is code and latest.settings is settings and latest.types == types:
            return latest
    sent = _made(definition, getattr(method, FUNCTION), owner, code, settings, types)
    _own[sent.number] = method
    note_method(method, sent)
    definition.latest_sent = code, sent
    return sent


def _code_or_none(definition: Definition, owner: type | None) -> StoredCode | None:
    if owner is not None:
        with contextlib.suppress(Exception):  # whatever reading it runs into: it can be called all the same
            return definition.code_of(owner)
    return None


def _made(
    definition: Definition,
    named: Any,
    owner: type | None,
    code: StoredCode | None,
    settings: SentSettings,
    types: list[Adapter],
) -> SentMethod:
    function = definition.function
    version, places = None, [function]
    if code is not None:
        places += [place() for place in code.state.places]
        leaves_out = code.formless or definition.has_own_version or any(map(ignored_by, places))
        version = None if leaves_out else code.version
    functions = [each for each in places if isinstance(each, FunctionType) and _goes_by_value(each)]
    return SentMethod(
        definition.origin,
        definition.number,
        definition.is_function,
        version,
        definition.attribute,
        None if owner is None or definition.is_function else owner.__qualname__,
        named,
        function.__qualname__,
        definition.name,
        definition.options,
        main_of(function) if getattr(function, "__module__", None) in MAIN else main_module(),
        sources_of(functions),
        settings,
        types,
    )


def _types_by_value() -> list[Adapter]:
    """The types that other processes do not know by importing what registers them."""
    return [each for each in own_adapters() if each.home in MAIN or not has_importable_name(each.kind)]


def note_method(method: Any, sent: SentMethod) -> None:
    """Know a method that was sent from here, or to here."""
    if sent.version is not None:
        _known[sent.number, sent.version] = method


def known_here(sent: SentMethod) -> Any:
    """The method that was sent, if it is this process's own, or it has one of the same code; else None."""
    if sent.origin == this_process():
        return _own.get(sent.number)
    return None if sent.version is None else _known.get((sent.number, sent.version))


def _goes_by_value(function: FunctionType) -> bool:
    """May picklers send a function itself, rather than its name?"""
    module = str(function.__module__)
    return module in MAIN or "<locals>" in function.__qualname__ or _is_sent_by_value(module)


def named_function(definition: Definition) -> Any:
    """The function of a method under a name by which it is found: that of the class has the stored method."""
    function = definition.function
    if type(function) is not FunctionType:
        return function
    made = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__dict__.update(function.__dict__)
    made.__annotations__ = function.__annotations__
    made.__doc__, made.__module__ = function.__doc__, function.__module__
    made.__qualname__ = f"{definition.qualname}.{FUNCTION}"
    return made


def is_importable(stored: Any, definition: Definition) -> bool:
    """Do other processes find a stored function by its name?"""
    module = str(definition.function.__module__)
    is_by_name = module not in MAIN and not _is_sent_by_value(module)
    return is_by_name and find_by_name(module, definition.qualname) is stored


def has_importable_name(owner: type | None) -> bool:
    """Do other processes find a class by its name, as pickle has it?"""
    if owner is None or owner.__module__ in MAIN or _is_sent_by_value(owner.__module__):
        return False
    module = sys.modules.get(owner.__module__)
    found: Any = module
    for part in owner.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is owner


def _is_sent_by_value(module: str) -> bool:
    """Was cloudpickle told to send what a module defines by value?"""
    picklers = [sys.modules.get(name) for name in ("cloudpickle", "joblib.externals.cloudpickle", "ray.cloudpickle")]
    names = {name for each in picklers for name in getattr(each, "list_registry_pickle_by_value", set)()}
    return any(module == name or module.startswith(f"{name}.") for name in names)
