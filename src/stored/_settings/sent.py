"""Which settings travel to another process with what is sent there, and what becomes of them in it?

Those that differ from the defaults, but for the key that signs pickles: that of each process is its own.
"""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

from stored._settings.checks import CHECKS
from stored._settings.environment import settings_from_environment
from stored._settings.layers import add_layer, changing_settings, remove_layer, settings
from stored._settings.settings import Settings
from stored.errors import ConfigurationError
from stored.typing import Store

__all__ = ["SentSettings", "adopt_settings", "can_travel", "is_of_this_process", "sent_settings"]

_PROGRAM = uuid4().hex
"""This process, and those that are forked from it."""


class SentSettings(NamedTuple):
    """Settings, and the process that has sent them.

    Attributes
    ----------
    sender : tuple of (str, int)
        The process.
    number : int
        Which of its settings these are.
    values : mapping
        Those that differ from the defaults, by name.
    """

    sender: tuple[str, int]
    number: int
    values: Mapping[str, Any]


class _Adopted:
    """Whose settings are in force here, beside those of this process itself."""

    def __init__(self) -> None:
        self.sent: SentSettings | None = None
        self.setter: _Adopted | None = None


_adopted = _Adopted()


def sent_settings() -> SentSettings:
    """The settings of this process, to be sent. With a store that cannot be sent, nothing is kept elsewhere."""
    global _latest
    now = settings()
    before, number, values = _latest
    if before is not now:
        defaults = settings_from_environment({})._asdict()
        values = {name: each for name, each in now._asdict().items() if each != defaults[name] and name != "key_file"}
        if not can_travel(now.store):
            values = {name: each for name, each in values.items() if name != "store"} | {"persistence": ""}
        number += 1
        _latest = now, number, values
    return SentSettings((_PROGRAM, os.getpid()), number, values)


_latest: tuple[Settings | None, int, Mapping[str, Any]] = (None, 0, {})
"""The settings that were sent last, their number, and those that differ from the defaults."""


def can_travel(store: Store | None) -> bool:
    """Can a store be sent to another process, and is it the same there?"""
    from stored.stores import MemoryStore  # here, since most programs use no stores of their own

    if isinstance(store, MemoryStore):
        return False
    try:
        pickle.dumps(store)
    except Exception:  # of the store's own class
        return False
    return True


def is_of_this_process(sent: SentSettings) -> bool:
    """Has this process sent them itself?"""
    return sent.sender == (_PROGRAM, os.getpid())


def _usable_here(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings of another process without a group that this user is not in."""
    try:
        CHECKS["group"]("group", values.get("group"))
    except ConfigurationError:
        return {name: each for name, each in values.items() if name != "group"}
    return values


def adopt_settings(sent: SentSettings) -> None:
    """Let the settings of another process be in force here; `configure` of this one comes before them.

    Where they do not go together with the place of this user's key, those of this process stay.
    """
    known = _adopted.sent
    if is_of_this_process(sent) or (known is not None and known[:2] == sent[:2]):
        return
    setter = _Adopted()
    with changing_settings():
        if _adopted.setter is not None:
            remove_layer(_adopted.setter)
        with contextlib.suppress(ConfigurationError):
            add_layer(setter, _usable_here(sent.values), at_bottom=True)
        _adopted.sent, _adopted.setter = sent, setter
