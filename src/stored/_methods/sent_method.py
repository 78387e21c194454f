"""How does a stored method travel to another process with a class that has no importable name?

Such classes, of scripts and notebooks or made in functions, are pickled by value by cloudpickle and dill. With them
travel the options of the decorator, the settings, and what tells in keys where the code comes from: the name of the
script, and the text of cells. So the other process finds what this one has stored, and the other way round.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any, NamedTuple

from stored._keys import MAIN, MainModule, adopt_main, adopt_sources, main_module, sources_of
from stored._methods.definition import Definition
from stored._settings import SentSettings, adopt_settings, sent_settings

__all__ = ["SentMethod", "has_importable_name", "named_function", "sent_method"]

FUNCTION = "__stored_function__"
"""The attribute of a stored method by which plain pickle finds its function."""


class SentMethod(NamedTuple):
    """A stored method, as it travels.

    Attributes
    ----------
    function : callable
        The plain function.
    qualname : str
        Its qualified name.
    name : str
        The name of its results.
    options : dict
        Those of the decorator.
    version : str or None
        The version of its code where it comes from, by which another one of the same code is known.
    main : MainModule
        The script or the notebook.
    sources : mapping of str to bytes
        The texts of the files and cells that its code comes from, compressed, by names.
    settings : SentSettings
        The settings.
    """

    function: Any
    qualname: str
    name: str
    options: dict[str, Any]
    version: str | None
    main: MainModule
    sources: dict[str, bytes]
    settings: SentSettings

    def adopt(self) -> None:
        """Let what is kept here tell where the code comes from, and be kept where it says."""
        adopt_main(self.main)
        adopt_sources(self.sources)
        adopt_settings(self.settings)

    def definition(self) -> Definition:
        """The definition of the method in this process."""
        if isinstance(self.function, FunctionType):
            self.function.__qualname__ = self.qualname
        return Definition(self.function, self.name, **self.options)


def sent_method(definition: Definition, owner: type) -> SentMethod:
    """A stored method, to be sent with its class."""
    function = definition.function
    try:
        code = definition.code_of(owner)
        version, places = code.version, [function, *(place() for place in code.state.places)]
    except Exception:  # whatever reading it runs into: it can be called all the same
        version, places = None, [function]
    functions = [each for each in places if isinstance(each, FunctionType) and _goes_by_value(each)]
    return SentMethod(
        getattr(vars(owner)[definition.attribute], FUNCTION),
        function.__qualname__,
        definition.name,
        definition.options,
        version,
        main_module(),
        sources_of(functions),
        sent_settings(),
    )


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


def has_importable_name(owner: type) -> bool:
    """Do other processes find a class by its name, as pickle has it?"""
    module = sys.modules.get(owner.__module__)
    if owner.__module__ in MAIN or module is None or _is_sent_by_value(owner.__module__):
        return False
    found: Any = module
    for part in owner.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is owner


def _is_sent_by_value(module: str) -> bool:
    """Was cloudpickle told to send what a module defines by value?"""
    picklers = [sys.modules.get(name) for name in ("cloudpickle", "joblib.externals.cloudpickle", "ray.cloudpickle")]
    names = {name for each in picklers for name in getattr(each, "list_registry_pickle_by_value", set)()}
    return any(module == name or module.startswith(f"{name}.") for name in names)
