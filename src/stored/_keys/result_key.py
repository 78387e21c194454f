"""What is the full key of a result, and what is its entry called in a store?"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from hashlib import blake2b
from json.encoder import encode_basestring as _quoted
from typing import Any, TypeAlias

from stored._bounded_json import parse_json
from stored._entry_form import ENTRY_ENDING
from stored.errors import DamagedEntryError

__all__ = [
    "Key",
    "Pairs",
    "PrivateSpace",
    "Space",
    "method_folder",
    "method_part",
    "module_folder",
    "owner_part",
    "space_of",
]

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""Names of parameters or arguments, with the canonical text of their values."""


class Space:
    """The owner of results: its name and one set of its parameters. It is never changed.

    Parameters
    ----------
    module, name : str
        The module and the name of the owner.
    parameters : str, tuple of (str, str) or tuple of str
        The hashable string of an owner that tells one, else the names of its parameters with the canonical text of
        their values, or the texts alone if the names are given apart.
    names : tuple of str, optional
        The names of the parameters.

    Attributes
    ----------
    data : bytes
        All three parts, as the bytes of each key begin.
    """

    __slots__ = ("_folder", "_names", "_place", "_texts", "data", "module", "name")

    private: tuple[str, ...] = ()
    """The attributes of which the values have no text."""

    def __init__(
        self, module: str, name: str, parameters: str | Pairs | tuple[str, ...], names: tuple[str, ...] | None = None
    ) -> None:
        texts: Any = parameters
        if names is None:
            names, texts = _names_and_texts(parameters)
        self.module = module
        self.name = name
        self._names = names
        self._texts = texts
        form, self._folder, owner = _space_forms(module, name, names)
        # half a surrogate pair is a character like any other
        self.data = (form % tuple(map(_quoted, texts))).encode("utf-8", "surrogatepass")
        digest = _digest(self.data)
        self._place = f"{digest[:2]}/{owner}{digest}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"Space({self.module!r}, {self.name!r}, {self.parameters!r})"

    @property
    def parameters(self) -> str | Pairs:
        """The hashable string, or the names of the parameters with the texts of their values."""
        return self._texts[0] if self._names is None else self.pairs()

    @property
    def string(self) -> str:
        """The parameters in one text, as in ``"H0=70, Om0=0.3"``."""
        return ", ".join([f"{name}={text}" if name else text for name, text in self.pairs()])

    def pairs(self) -> Pairs:
        """The names of the parameters, with the text of each; a hashable string stands under an empty name."""
        return tuple(zip(("",) if self._names is None else self._names, self._texts, strict=True))

    def digest(self) -> str:
        """The digest of all three parts, 32 hex digits."""
        return self._place[-32:]

    @property
    def prefix(self) -> str:
        """The beginning of the names of all entries of objects that are stored by name for these parameters.

        Those of methods have a folder between its first and its second part.
        """
        return f"{self._folder}/{self._place}"

    def prefix_of(self, name: str, definition: str) -> str:
        """The beginning of the names of all entries of a method of this owner with these parameters."""
        return f"{self.prefix_in(_method_folder(name, definition))}-"

    def prefix_in(self, folder: str) -> str:
        """As `prefix`, of the entries in the folder of a method."""
        return f"{self._folder}/{folder}/{self._place}"


class PrivateSpace(Space):
    """Parameters of which some have no text: they are those of one object, in this process."""

    __slots__ = ("private",)

    private: tuple[str, ...]


def space_of(
    module: str, name: str, texts: tuple[str, ...], names: tuple[str, ...], private: Sequence[str] = ()
) -> Space:
    """The space of parameters, of which some may have no text."""
    if not private:
        return Space(module, name, texts, names)
    space = PrivateSpace(module, name, texts, names)
    space.private = tuple(dict.fromkeys(private))
    return space


class Key:
    """The full identity of one object. It is never changed.

    Parameters
    ----------
    space : Space
        Its owner.
    object : str
        Its name.
    definition : str
        The qualified name of the method that computes it, with `` of <class>`` if the owner has the method by
        inheritance; empty for an object stored by name.
    version : str
        The version of that method.
    arguments : tuple of (str, str)
        Names of arguments, with the canonical text of their values.

    Attributes
    ----------
    data : bytes
        The key as entries contain it: JSON in UTF-8, in one form only, so that equal keys have equal bytes.
    entry_name : str
        The name of this object's entry in a store.
    """

    __slots__ = ("arguments", "data", "definition", "entry_name", "object", "space", "version")

    def __init__(
        self,
        space: Space,
        object: str,  # noqa: A002
        definition: str = "",
        version: str = "",
        arguments: Pairs = (),
    ) -> None:
        self.space = space
        self.object = object
        self.definition = definition
        self.version = version
        self.arguments = arguments
        data, folder, ending = _call(object, definition, version, arguments)
        self.data = space.data + data
        self.entry_name = (space.prefix_in(folder) if folder else space.prefix) + ending

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"Key({self.data.decode('utf-8', 'backslashreplace')})"

    @classmethod
    def from_bytes(cls, data: bytes) -> Key:
        """The key in an entry.

        Raises
        ------
        DamagedEntryError
            If these are not the bytes of a key.
        """
        try:
            found = parse_json(data)
            module, name, parameters, object_name, definition, version, arguments = (found[part] for part in _KEY_PARTS)
            space = Space(module, name, parameters if isinstance(parameters, str) else _checked_pairs(parameters))
            key = cls(space, object_name, definition, version, _checked_pairs(arguments))
            if key.data == data:
                return key
        except (LookupError, TypeError, ValueError, RecursionError):
            pass
        finally:
            if len(data) > _LONGEST_REMEMBERED:
                _forget_parts()
        raise DamagedEntryError("it holds no full key")

    def call(self) -> str:
        """The call, or the name of the object, for messages."""
        if self.definition == f"{self.space.module}.{self.space.name}":  # a function, whose results are its own
            return self.label()
        return f"{self.space.name}.{self.label()}" if self.definition else f"object {self.object!r}"

    def label(self) -> str:
        """The call without its owner, or the name of the object."""
        arguments = ", ".join([f"{name}={text}" for name, text in self.arguments])
        return f"{self.object}({arguments})" if self.definition else self.object


_LONGEST_REMEMBERED = 4096
"""Of keys from entries, the parts of longer ones are not remembered: anybody may have written them."""

_KEY_PARTS = ("module", "name", "parameters", "object", "definition", "version", "arguments")


@functools.lru_cache(maxsize=256)
def _space_forms(module: str, name: str, names: tuple[str, ...] | None) -> tuple[str, str, str]:
    """A form for the text of a space, with ``%s`` for that of each parameter, and the parts of its entries' names.

    Without names of parameters, for a hashable string.
    """
    head = f'{{"module":{_quoted(module)},"name":{_quoted(name)},"parameters":'.replace("%", "%%")
    pairs = [f"[{_quoted(each)},".replace("%", "%%") + "%s]" for each in names or ()]
    parameters = "%s" if names is None else f"[{','.join(pairs)}]"
    return head + parameters, module_folder(module), owner_part(name)


def _names_and_texts(parameters: Any) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    if isinstance(parameters, str):
        return None, (parameters,)
    return tuple(zip(*parameters, strict=True)) or ((), ())  # type: ignore[return-value]


def _checked_pairs(found: object) -> Pairs:
    if not isinstance(found, list):
        raise TypeError(found)
    return tuple([(name, text) for name, text in found])


_new_hash = blake2b(digest_size=16).copy
"""A copy takes half the time of a new one."""


def _digest(data: bytes) -> str:
    hashed = _new_hash()
    hashed.update(data)
    return hashed.hexdigest()


@functools.lru_cache(maxsize=1024)
def _call(name: str, definition: str, version: str, arguments: Pairs) -> tuple[bytes, str, str]:
    """What a call adds to the bytes of a key, to the folder and to the name of an entry: the same for all owners."""
    method = f'"object":{_quoted(name)},"definition":{_quoted(definition)},"version":{_quoted(version)}'
    pairs = ",".join([f"[{_quoted(each)},{_quoted(text)}]" for each, text in arguments])
    data = f',{method},"arguments":[{pairs}'.encode("utf-8", "surrogatepass")
    folder = _method_folder(name, definition) if definition else ""
    return data + b"]}", folder, f"{method_part(name, definition)}{_digest(data)}{ENTRY_ENDING}"


def _method_folder(name: str, definition: str) -> str:
    return method_part(name, definition)[1:-1]


@functools.lru_cache(maxsize=1024)
def method_folder(module: str, name: str, definition: str) -> str:
    """The folder of all entries of a method, of owners of a module."""
    return f"{module_folder(module)}/{_method_folder(name, definition)}"


@functools.lru_cache(maxsize=1024)
def method_part(name: str, definition: str) -> str:
    """What the names of all entries of a method have in common: its name and tag, between hyphens.

    A method has one tag, whichever class inherits it.

    Parameters
    ----------
    name : str
        The name of the object.
    definition : str
        The qualified name of the method.
    """
    method = definition.partition(" of ")[0]
    tag = _digest(f"{_quoted(name)}{_quoted(method)}".encode("utf-8", "surrogatepass"))[:8]
    return f"-{_slug(name, 28)}-{tag}-"


@functools.lru_cache(maxsize=1024)
def owner_part(name: str) -> str:
    """The beginning of the file names of an owner's entries."""
    return f"{_slug(name, 24)}-"


@functools.lru_cache(maxsize=1024)
def module_folder(module: str) -> str:
    """The folder of a module's entries; two modules may share a folder, never an entry."""
    return _slug(module, 40)


def _forget_parts() -> None:
    for function in (_space_forms, _call, method_folder, method_part, owner_part, module_folder):
        function.cache_clear()


def _slug(name: str, length: int) -> str:
    """A name that every file system accepts: of these characters only, without a leading dot, not empty, not long."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name)[:length].lstrip("._") or "_"
