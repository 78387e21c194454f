"""How are results read from a store and verified, written and removed? Troubles cost persistence, never the result."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Literal

from stored._keys import Key, Space
from stored._settings import Settings, check_persistence, settings
from stored._storage.codecs import NotStorableError, decode, encode
from stored._storage.current_store import current_store
from stored._storage.format import unpack
from stored._storage.freezing import copy_for_caller
from stored._storage.limits import check_size, tidy_after_write
from stored._storage.listed_values import Values
from stored._storage.listing import names_of_definition
from stored._storage.memory import CachedResult
from stored._storage.reports import (
    check_privacy,
    forget_reports,
    report_kept_in_memory,
    report_once,
    report_unreadable,
    report_wait_timeout,
)
from stored._storage.signing import load_secret, sign, verify
from stored._version import __version__
from stored.errors import EntryError, UntrustedEntryError
from stored.typing import ABSENT, Absent, Store, Turn

__all__ = ["PersistentTier", "Slot"]


class PersistentTier:
    """Results in a store.

    An entry is verified before it is used. What cannot be read or written is warned of, and raises no error.

    Parameters
    ----------
    persistence : str
        ``"r"`` to read, ``"w"`` to write, ``"rw"`` for both, ``""`` for neither; the settings can forbid either.
    """

    def __init__(self, persistence: str) -> None:
        self.persistence = check_persistence(persistence)

    @property
    def reads(self) -> bool:
        """Are results read?"""
        return "r" in self.persistence and "r" in settings().persistence

    @property
    def writes(self) -> bool:
        """Are results written?"""
        now = settings()
        return "w" in self.persistence and "w" in now.persistence and not now.disable

    def store(self, now: Settings | None = None) -> Store:
        """The store of settings, by default those in force."""
        return current_store(now)

    def writer(self) -> dict[str, str]:
        """Names and versions of the programs that compute the results, for the entry."""
        return {"stored": __version__}

    def check_writer(self, writer: Mapping[str, Any]) -> None:
        """Raise a `DamagedEntryError` if results of these versions of programs are no longer valid."""

    def slot(self, key: Key, values: Values | None = None, now: Settings | None = None) -> Slot:
        """The place of one result, with the settings and the store as they are now.

        Parameters
        ----------
        key : Key
            The full key of the result.
        values : Values, optional
            The values of parameters and arguments, for listings.
        """
        return Slot(self, key, values, settings() if now is None else now)

    def forget_all(self, space: Space, name: str, definition: str) -> None:
        """Remove all entries of one method in one space, of all versions and arguments; damaged ones too."""
        if not self.writes:
            return
        store = self.store()
        for entry in names_of_definition(store, space, name, definition):
            delete_entry(store, entry)


class Slot:
    """The place of one result in a store; settings, store and name were found out once, when it was made.

    Parameters
    ----------
    tier : PersistentTier
        The tier.
    key : Key
        The full key of the result.
    values : Values, optional
        The values of parameters and arguments, for listings.

    Attributes
    ----------
    name : str
        The name of the entry.
    store : Store
        Where it is.
    reads, writes : bool
        Is it read, and is it written?
    """

    __slots__ = ("_key", "_settings", "_tier", "_values", "name", "reads", "store", "writes")

    def __init__(self, tier: PersistentTier, key: Key, values: Values | None, now: Settings) -> None:
        self._settings = now
        self._tier = tier
        self._key = key
        self._values = values
        self.name = key.entry_name
        self.store = tier.store(now)
        self.reads = "r" in tier.persistence and "r" in now.persistence and not now.disable
        self.writes = "w" in tier.persistence and "w" in now.persistence and not now.disable

    def load(self) -> CachedResult | Literal[Absent.ABSENT]:
        """The result, or `ABSENT`; an entry that must not be used is a miss with a warning."""
        if not self.reads:
            return ABSENT
        store, name = self.store, self.name
        try:
            data = store.read(name)
            if data is None:
                return ABSENT
            check_privacy(store)
            entry = unpack(data)
            value = decode(self._key, entry, self._tier.check_writer, self._verify)
        except (OSError, EntryError) as error:
            report_unreadable(store, name, error)
            return ABSENT
        now = self._settings
        if self.writes and (now.max_age is not None or now.max_bytes is not None):
            with contextlib.suppress(OSError):  # then trimming takes the entry for unused
                store.touch(name)
        return CachedResult(value, copy_for_caller(value, deep=False), entry.seconds)

    def save(self, value: object, seconds: float = 0.0) -> bool:
        """Write a value, unless the settings forbid it; was it written? Troubles are warned of.

        Parameters
        ----------
        value : object
            The value, as `freeze` returns it.
        seconds : float
            How long computing it took.
        """
        if not self.writes:
            return False
        store, name = self.store, self.name
        try:
            parts, size = encode(self._key, value, self._tier.writer(), self._sign, seconds, self._values)
            if self._settings.max_bytes is not None:
                check_size(size, self._settings.max_bytes)
            store.write(name, parts)
        except (NotStorableError, UntrustedEntryError, OSError) as error:
            self._delete_outdated()
            report_kept_in_memory(store, self._key, error)
            return False
        place = store.location()
        forget_reports(("entry", name), ("store", place))
        check_privacy(store)
        tidy_after_write(store, place, size, self._settings)
        return True

    def save_computed(self, value: object, seconds: float) -> bool:
        """Write what a method returned, unless that took less time than `min_compute_seconds`; was it written?"""
        if seconds >= self._settings.min_compute_seconds:
            return self.save(value, seconds)
        if self.writes:
            self._delete_outdated()
        return False

    def _delete_outdated(self) -> None:
        """Remove the entry of an earlier value if the new one is not written, so that the old one is not found."""
        with contextlib.suppress(OSError):  # the warning about the write names the trouble
            self.store.delete(self.name)

    def declare_wait(self) -> AbstractContextManager[None]:
        """Within the block, tell other processes that this thread needs the result and may wait for it."""
        return _Block(functools.partial(self.store.declare_wait, self.name), self)

    def wait_for_turn(self) -> AbstractContextManager[None]:
        """Wait while another process computes the missing result; within the block, other processes wait for this one.

        Within the block, look for the result once more: another process may have written it.
        """
        return _Block(functools.partial(self.store.compute_turn, self.name, self._settings.lock_timeout), self)

    def report_timeout(self) -> None:
        """Warn that the result did not come in time."""
        report_wait_timeout(self._key, "process")

    def forget(self) -> bool:
        """Remove the entry, if writing is allowed; was there one?"""
        return self.writes and delete_entry(self.store, self.name)

    def _sign(self, key: bytes, body: bytes) -> str:
        return sign(self._secret(make=True), key, body)

    def _verify(self, key: bytes, body: bytes, signature: object) -> None:
        verify(self._secret(make=False), key, body, signature)  # no signature could match a new key

    def _secret(self, make: bool) -> bytes:
        try:
            return load_secret(self._settings.key_file, make=make)
        except OSError as error:
            raise UntrustedEntryError(
                f"it is a pickle, and the key that signs pickles cannot be read ({error})"
            ) from None


class _Block:
    """A block of a store, for a slot that is read and written; else, and if it cannot be entered, there is no block.

    Two processes may then compute the same.

    Parameters
    ----------
    open_block : callable
        Gives the context manager of the store.
    slot : Slot
        The slot.
    """

    __slots__ = ("_manager", "_open", "_slot")

    def __init__(self, open_block: Callable[[], AbstractContextManager[object]], slot: Slot) -> None:
        self._open = open_block
        self._slot = slot
        self._manager: AbstractContextManager[object] | None = None

    def __enter__(self) -> None:
        slot = self._slot
        if not (slot.reads and slot.writes):
            return
        try:
            manager = self._open()
            found = manager.__enter__()
        except OSError:
            return
        self._manager = manager
        if found is Turn.EXPIRED:
            try:
                slot.report_timeout()
            except BaseException as error:  # a warning may be an error
                manager.__exit__(type(error), error, error.__traceback__)
                raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._manager is not None:
            self._manager.__exit__(kind, error, tb)


def delete_entry(store: Store, name: str) -> bool:
    """Remove an entry; was there one? That it cannot be removed is warned of."""
    try:
        return store.delete(name)
    except NotADirectoryError:
        return False
    except OSError as error:
        place = store.location(name)
        report_once("delete", name, f"{place} cannot be removed ({error}), and will be found again")
        return False
