"""The full key of a result, and the name of its entry in a store."""

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
    """Whose results: one owner with one set of parameters.

    Parameters
    ----------
    module, name : str
        The module and the name of the owner.
    string : str
        Its hashable string.
    """

    module: str
    name: str
    string: str

    def digest(self) -> str:
        """Of all three parts."""
        return digest(_joined_text(self))

    def folder(self) -> str:
        """Where the entries of this space stand in a store."""
        return f"{module_folder(self.module)}/{_slug(self.name)}-{self.digest()}"


class Key(NamedTuple):
    """The full identity of one object.

    Parameters
    ----------
    space : Space
        Whose it is.
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
        """The key as a header holds it."""
        space = self.space
        own = {name: getattr(self, name) for name in ("object", "definition", "version")}
        return {
            "module": space.module,
            "name": space.name,
            "string": space.string,
            **own,
            "arguments": [list(pair) for pair in self.arguments],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Key:
        """The key that a header holds.

        Raises
        ------
        DamagedEntryError
            If that is not a key.
        """
        try:
            module, name, string, own, definition, version = (_string(found[part]) for part in _KEY_PARTS)
            arguments = tuple((_string(name), _string(text)) for name, text in found["arguments"])
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedEntryError(f"the header holds no full key ({error!r})") from None
        return cls(Space(module, name, string), own, definition, version, arguments)

    def text(self) -> str:
        """The key as one text; different keys have different texts."""
        arguments = itertools.chain.from_iterable(self.arguments)
        return _joined_text((*self.space, self.object, self.definition, self.version, *arguments))

    def entry(self) -> str:
        """The name of this object's entry in a store."""
        return _entry(self)

    def call(self) -> str:
        """The object as a message names it."""
        arguments = ", ".join(f"{name}={text}" for name, text in self.arguments)
        return f"{self.space.name}.{self.object}({arguments})" if self.definition else f"object {self.object!r}"


@functools.lru_cache(maxsize=128)  # a miss asks for it several times
def _entry(key: Key) -> str:
    return f"{key.space.folder()}/{entry_prefix(key.object)}{digest(key.text())}{ENTRY_ENDING}"


def _joined_text(parts: Iterable[str]) -> str:
    """One text for several; classes of text that show themselves in other ways are taken as what they hold."""
    return ascii([str.__str__(each) for each in parts])


ENTRY_ENDING = ".stored"

_KEY_PARTS = ("module", "name", "string", "object", "definition", "version")


def module_folder(module: str) -> str:
    """Where the entries of a module stand; two modules may share a folder, never an entry."""
    return _slug(module)


def entry_prefix(name: str) -> str:
    """How the file names of all entries of an object begin."""
    return f"{_slug(name)}-"


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


@functools.lru_cache(maxsize=1024)
def _slug(name: str) -> str:
    """A name made safe for any file system: no separators, no leading dot, never empty, never long."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name)[:40].lstrip("._") or "_"
