"""Which plain values stand in an entry for a value of a registered type, and which code makes it of them again?"""

from __future__ import annotations

from typing import Any

from stored._adapters import BY_PICKLE, Adapter
from stored._keys import canonical, digest
from stored._storage.dtypes import NotNativeError
from stored.errors import StoredError, error_text

__all__ = ["Codes", "NotEncodedError", "encoded"]


class NotEncodedError(Exception):
    """The function that encodes a registered type has failed."""


class Codes(dict[Adapter, str]):
    """Digests of the functions that encode and decode values of types; empty for those that are known here.

    Functions can be bound anew at any time, and all that they reach is looked through: once for each entry.
    """

    def __missing__(self, adapter: Adapter) -> str:
        code = self[adapter] = self._digest(adapter) if adapter.home else ""
        return code

    def _digest(self, adapter: Adapter) -> str:
        try:
            return digest(canonical((adapter.encode, adapter.decode, adapter.kind)))
        except StoredError as error:
            raise NotNativeError(f"{adapter.name}, whose functions have no form ({error})") from None


def encoded(adapter: Adapter, value: Any) -> Any:
    """What a value is encoded as; `BY_PICKLE` if it has no plain form."""
    if adapter.encode is None:
        return BY_PICKLE
    try:
        plain = adapter.encode(value)
    except Exception as error:  # the functions of a type may raise anything
        raise NotEncodedError(f"encode of {adapter.name} has failed ({error_text(error)})") from error
    return plain if type(value) is adapter.kind or _is_made_as(type(value), adapter, plain) else BY_PICKLE


def _is_made_as(kind: type, adapter: Adapter, plain: Any) -> bool:
    """Does `decode` make an object of a subclass, and not of the class that is registered?"""
    if plain is BY_PICKLE or adapter.decode is None:
        return False
    try:
        return type(adapter.decode(plain)) is kind
    except Exception:  # it was not written for this class
        return False
