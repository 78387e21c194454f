"""Of what is a version made? For people to read, and to be kept so that it can be told what has changed."""

from __future__ import annotations

import inspect
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, TypedDict

from stored._keys.class_content import WITHOUT_MEANING
from stored._keys.class_functions import is_data
from stored._keys.code_facts import code_facts
from stored._keys.code_graph import CodeState
from stored._keys.distributions import distribution_text
from stored._keys.function_tree import source_text
from stored._keys.node import is_node

__all__ = ["CodePlace", "Listing", "code_listing", "code_places", "constants_of", "packages_of"]


class CodePlace(NamedTuple):
    """Where a function, a class or a module is defined.

    Attributes
    ----------
    name : str
        Its module and qualified name.
    place : str
        File and line; of a module, the file; empty if it is not known.
    """

    name: str
    place: str

    @classmethod
    def of(cls, value: Any) -> CodePlace:
        """That of a function, a class or a module."""
        if isinstance(value, FunctionType):
            return cls(_full_name(value), f"{value.__code__.co_filename}:{value.__code__.co_firstlineno}")
        if isinstance(value, ModuleType):
            return cls(_full_name(value), getattr(value, "__file__", None) or "")
        try:
            return cls(_full_name(value), f"{inspect.getfile(value)}:{inspect.getsourcelines(value)[1]}")
        except (OSError, TypeError):  # its source is not known
            return cls(_full_name(value), "")


def _full_name(value: Any) -> str:
    return value.__name__ if isinstance(value, ModuleType) else f"{value.__module__}.{value.__qualname__}"


class Listing(TypedDict):
    """What a version is made of.

    Attributes
    ----------
    version : str
        The version.
    code : dict of str to [str, str]
        By names of functions, classes and modules: the digests of what they say, and their sources if these are known.
    constants : dict of str to str
        The names of the values that they use, with their texts.
    packages : dict of str to str
        The installed packages that they use, with their versions.
    uses : dict of str to str
        The files and functions that ``uses`` names, with what stands for their contents and values.
    """

    version: str
    code: dict[str, list[str]]
    constants: dict[str, str]
    packages: dict[str, str]
    uses: dict[str, str]


def code_places(state: CodeState) -> list[CodePlace]:
    """The functions, classes and modules that code reaches."""
    return [CodePlace.of(place()) for place in state.places if is_node(place())]


def constants_of(state: CodeState) -> list[tuple[str, str]]:
    """The names of the values that these use, with their module before them, and the texts of these."""
    return [each for node in state.nodes for each in node.constants]


def _values_text(kind: type) -> str:
    """The plain values of a class, a line for each."""
    values = [(name, each) for name, each in list(vars(kind).items()) if name not in WITHOUT_MEANING and is_data(each)]
    return "".join([f"{name} = {' '.join(repr(each).split())}\n" for name, each in values if not is_node(each)])


def packages_of(state: CodeState) -> dict[str, str]:
    """The installed packages that code reaches, with their versions."""
    texts = filter(None, map(distribution_text, sorted(state.libraries)))
    return {name: version for name, _, version in (each.partition(" ") for each in texts)}


_LONGEST_SOURCE = 2000
"""Characters of a source or a text that are kept."""


def code_listing(version: str, state: CodeState, uses: dict[str, str]) -> Listing:
    """What a version is made of.

    Parameters
    ----------
    version : str
        The version.
    state : CodeState
        What its code reached.
    uses : dict of str to str
        The files and functions that ``uses`` names, with what stands for their contents and values.
    """
    code: dict[str, list[str]] = {}
    for place, node in zip(state.places, state.nodes, strict=True):
        value = place()
        if is_node(value):
            text, source = node.text, ""
            if isinstance(value, FunctionType):
                text, source = code_facts(value.__code__).text, source_text(value.__code__)
            elif isinstance(value, type):
                source = _values_text(value)
            name = _full_name(value)
            code[name if name not in code else f"{name} ({len(code)})"] = [text, source[:_LONGEST_SOURCE]]
    constants = {name: text[:_LONGEST_SOURCE] for name, text in constants_of(state)}
    return {"version": version, "code": code, "constants": constants, "packages": packages_of(state), "uses": uses}
