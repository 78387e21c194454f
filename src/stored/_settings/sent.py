"""Which settings travel to another process with what is sent there, and what becomes of them in it?

Those that differ from the defaults, or were changed at some time, but for the key that signs pickles: each process has
its own.
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
from stored._settings.layers import add_layer, changed_settings, changing_settings, remove_layer, settings
from stored._settings.settings import Settings
from stored.errors import ConfigurationError
from stored.typing import Store

__all__ = ["SentSettings", "adopt_settings", "can_travel", "sent_settings", "this_process"]

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
        Those that differ from the defaults, and those that were changed at some time, by name.
    """

    sender: tuple[str, int]
    number: int
    values: Mapping[str, Any]


class _Setter:
    """Who sets what another process has sent."""


class _Adopted:
    """Whose settings are in force here, beside those of this process itself."""

    def __init__(self) -> None:
        self.sent: SentSettings | None = None
        self.setter: _Setter | None = None


_adopted = _Adopted()


def sent_settings() -> SentSettings:
    """The settings of this process, to be sent. With a store that cannot be sent, nothing is kept elsewhere."""
    global _latest
    now = settings()
    before, sent = _latest
    if before is now and sent is not None and sent.sender == this_process():
        return sent
    defaults, changed = settings_from_environment({})._asdict(), changed_settings()
    told = {name: each for name, each in now._asdict().items() if each != defaults[name] or name in changed}
    values = {name: each for name, each in told.items() if name != "key_file"}
    if not can_travel(now.store):
        values = {name: each for name, each in values.items() if name != "store"} | {"persistence": ""}
    sent = SentSettings(this_process(), 1 if sent is None else sent.number + 1, values)
    _latest = now, sent
    return sent


_latest: tuple[Settings | None, SentSettings | None] = (None, None)
"""The settings that were sent last, and what of them was sent."""


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


def this_process() -> tuple[str, int]:
    """What stands for this process in all others."""
    return _PROGRAM, os.getpid()


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
    if sent.sender == this_process() or (known is not None and known[:2] == sent[:2]):
        return
    setter = _Setter()
    with changing_settings():
        if _adopted.setter is not None:
            remove_layer(_adopted.setter)
        with contextlib.suppress(ConfigurationError):
            add_layer(setter, _usable_here(sent.values), at_bottom=True)
        _adopted.sent, _adopted.setter = sent, setter
