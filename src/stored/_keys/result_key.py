"""What is the full key of a result, and what is its entry called in a store?"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from stored._keys.canonical import digest
from stored.errors import DamagedEntryError

__all__ = ["ENTRY_ENDING", "Key", "Space", "entry_prefix", "module_folder"]


class Space(NamedTuple):
    """The owner of results: its name and one set of its parameters.

    Parameters
    ----------
    module, name : str
        The module and the name of the owner.
    string : str
        The hashable string of its parameters.
    """

    module: str
    name: str
    string: str

    def digest(self) -> str:
        """The digest of all three parts."""
        return digest(_joined_text(self))

    def folder(self) -> str:
        """The folder of this owner's entries in a store."""
        return f"{module_folder(self.module)}/{_safe_name(self.name)}-{self.digest()}"


class Key(NamedTuple):
    """The full identity of one object.

    Parameters
    ----------
    space : Space
        Its owner.
    object : str
        Its name.
    definition : str
        The qualified name of the method that computes it; empty for an object stored by name.
    version : str
        The version of that method.
    arguments : tuple of (str, str)
        Names of arguments, with the canonical text of their values.
    """

    space: Space
    object: str
    definition: str = ""
    version: str = ""
    arguments: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The key as it is written to a header."""
        space = self.space
        others = {name: getattr(self, name) for name in ("object", "definition", "version")}
        return {
            "module": space.module,
            "name": space.name,
            "string": space.string,
            **others,
            "arguments": [list(pair) for pair in self.arguments],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Key:
        """The key that a header contains.

        Raises
        ------
        DamagedEntryError
            If it contains no full key.
        """
        try:
            module, name, string, object_name, definition, version = (_checked_text(found[part]) for part in _KEY_PARTS)
            arguments = tuple((_checked_text(name), _checked_text(text)) for name, text in found["arguments"])
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedEntryError(f"the header holds no full key ({error!r})") from None
        return cls(Space(module, name, string), object_name, definition, version, arguments)

    def text(self) -> str:
        """The key as one text; different keys have different texts."""
        arguments = itertools.chain.from_iterable(self.arguments)
        return _joined_text((*self.space, self.object, self.definition, self.version, *arguments))

    def entry_name(self) -> str:
        """The name of this object's entry in a store."""
        return _entry_name(self)

    def call(self) -> str:
        """The call, or the name of the object, for messages."""
        arguments = ", ".join(f"{name}={text}" for name, text in self.arguments)
        return f"{self.space.name}.{self.object}({arguments})" if self.definition else f"object {self.object!r}"


@functools.lru_cache(maxsize=128)  # it is needed several times for one miss
def _entry_name(key: Key) -> str:
    return f"{key.space.folder()}/{entry_prefix(key.object)}{digest(key.text())}{ENTRY_ENDING}"


def _joined_text(parts: Iterable[str]) -> str:
    """One text for several; of subclasses of str the characters count, whatever their ``__str__`` returns."""
    return ascii([str.__str__(each) for each in parts])


ENTRY_ENDING = ".stored"

_KEY_PARTS = ("module", "name", "string", "object", "definition", "version")


def module_folder(module: str) -> str:
    """The folder of a module's entries; two modules may share a folder, never an entry."""
    return _safe_name(module)


def entry_prefix(name: str) -> str:
    """The beginning of the file names of all entries of an object."""
    return f"{_safe_name(name)}-"


def _checked_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


@functools.lru_cache(maxsize=1024)
def _safe_name(name: str) -> str:
    """A name that every file system accepts: without separators, without a leading dot, not empty, not long."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name)[:40].lstrip("._") or "_"
