"""How are results read from a store and verified, written and removed? Troubles cost persistence, never the result."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Literal, NamedTuple

from stored._keys import Key
from stored._settings import Settings
from stored._storage import reports
from stored._storage.codecs import NotStorableError, decode, encode
from stored._storage.freezing import copy_for_caller
from stored._storage.limits import check_size, tidy_after_write
from stored._storage.listed_values import Values
from stored._storage.memory import CachedResult
from stored._storage.reports import (
    check_privacy,
    note_key_usable,
    note_written,
    report_kept_in_memory,
    report_once,
    report_unreadable,
    report_wait_timeout,
)
from stored._storage.signing import KeyFileError, load_secret, sign, verify
from stored._storage.waiting import WaitingMessages
from stored.errors import EntryError, UntrustedEntryError
from stored.typing import ABSENT, Absent, Store, Turn

__all__ = ["Access", "Slot", "delete_entry"]


class Access(NamedTuple):
    """What the slots of a tier have in common while the settings stay the same.

    Parameters
    ----------
    settings : Settings
        The settings.
    store : Store
        Where results are.
    reads, writes : bool
        Are they read, and are they written?
    touches : bool
        Is it noted that an entry is used?
    writer : mapping
        Names and versions of the programs that compute the results, for the entries.
    check_writer : callable or None
        Takes the versions of the programs that wrote an entry, and raises a `DamagedEntryError` if they are outdated.
    """

    settings: Settings
    store: Store
    reads: bool
    writes: bool
    touches: bool
    writer: Mapping[str, str]
    check_writer: Callable[[Mapping[str, Any]], None] | None


class Slot:
    """The place of one result in a store; settings, store and name were found out once, when it was made.

    Parameters
    ----------
    access : Access
        What it has in common with others.
    key : Key
        The full key of the result.
    values : Values, optional
        The values of parameters and arguments, for listings.

    Attributes
    ----------
    name : str
        The name of the entry.
    written_bytes : int
        The size of the entry that was written last; 0 if none was.
    """

    __slots__ = ("_key", "_values", "access", "name", "written_bytes")

    def __init__(self, access: Access, key: Key, values: Values | None = None) -> None:
        self.access = access
        self.name = key.entry_name
        self.written_bytes = 0
        self._key = key
        self._values = values

    @property
    def store(self) -> Store:
        """Where it is."""
        return self.access.store

    def load(self) -> CachedResult | Literal[Absent.ABSENT]:
        """The result, or `ABSENT`; an entry that must not be used is a miss with a warning."""
        access = self.access
        if not access.reads:
            return ABSENT
        store, name = access.store, self.name
        try:
            data = store.read(name)
            if data is None:
                return ABSENT
            if store is not reports.checked_store:
                check_privacy(store)
            value, seconds = decode(self._key, data, access.check_writer, self._verify)
            if access.touches:
                with contextlib.suppress(OSError):  # then trimming takes the entry for unused
                    store.touch(name)
            return CachedResult(value, copy_for_caller(value), seconds)
        except (OSError, EntryError, MemoryError, RecursionError) as error:  # a method may need less than its result
            try:  # noqa: SIM105  (suppressing takes some depth of recursion too)
                report_unreadable(store, name, error)
            except (MemoryError, RecursionError):  # a warning needs more than there is
                pass
        return ABSENT

    def load_quietly(self) -> CachedResult | Literal[Absent.ABSENT]:
        """The value of the entry, or `ABSENT`; of one that must not be used, nothing is said."""
        try:
            data = self.store.read(self.name) if self.access.reads else None
            if data is None:
                return ABSENT
            value, seconds = decode(self._key, data, None, self._verify)
            return CachedResult(value, None, seconds)
        except (OSError, EntryError, MemoryError, RecursionError):
            return ABSENT

    def save(self, value: object, seconds: float = 0.0, packages: Mapping[str, str] | None = None) -> bool:
        """Write a value, unless the settings forbid it; was it written? Troubles are warned of.

        Parameters
        ----------
        value : object
            The value, as `freeze` returns it.
        seconds : float
            How long computing it took.
        packages : mapping, optional
            The installed packages that computed it, with their versions.
        """
        try:
            return self.write(value, seconds, packages)
        except (NotStorableError, UntrustedEntryError, OSError, MemoryError, RecursionError) as error:
            self._delete_outdated()
            try:  # noqa: SIM105  (see above)
                self.report_failed_write(error)
            except (MemoryError, RecursionError):
                pass
            return False

    def write(self, value: object, seconds: float = 0.0, packages: Mapping[str, str] | None = None) -> bool:
        """Write a value as `save` does, but raise what prevents it.

        Raises
        ------
        NotStorableError
            If it has no native form and cannot be pickled, or is too large.
        UntrustedEntryError
            If it is pickled, and the key that signs pickles cannot be used.
        OSError
            If the store cannot be written to.
        """
        access = self.access
        if not access.writes:
            return False
        store, name = access.store, self.name
        writer = {**access.writer, **packages} if packages else access.writer
        parts, size = encode(self._key, value, writer, self._sign, seconds, self._values)
        if access.settings.max_bytes is not None:
            check_size(size, access.settings.max_bytes)
        store.write(name, parts)
        self.written_bytes = size
        note_written(store, name)
        tidy_after_write(store, size, access.settings)
        return True

    def report_failed_write(self, error: Exception) -> None:
        """Warn that the value cannot be written, once for each trouble."""
        report_kept_in_memory(self.store, self._key, error)

    def save_computed(self, value: object, seconds: float, packages: Mapping[str, str]) -> bool:
        """Write what a method returned, unless that took less time than `min_compute_seconds`; was it written?"""
        if seconds >= self.access.settings.min_compute_seconds:
            return self.save(value, seconds, packages)
        if self.access.writes:
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
        access = self.access
        tell = WaitingMessages(access.store, self._key)
        limit = access.settings.lock_timeout
        return _Block(functools.partial(access.store.compute_turn, self.name, limit, tell), self)

    def report_timeout(self) -> None:
        """Warn that the result did not come in time."""
        report_wait_timeout(self._key, "process")

    def forget(self) -> bool:
        """Remove the entry, if writing is allowed; was there one?"""
        return self.access.writes and delete_entry(self.store, self.name)

    def _sign(self, key: bytes, body: bytes) -> str:
        return sign(self._secret(make=True), key, body)

    def _verify(self, key: bytes, body: bytes, signature: object) -> None:
        verify(self._secret(make=False), key, body, signature)  # no signature could match a new key

    def _secret(self, make: bool) -> bytes:
        file = self.access.settings.key_file
        try:
            secret = load_secret(file, make=make)
        except OSError as error:
            raise KeyFileError(
                f"it is a pickle, and the key that signs pickles cannot be read, or made, as {file} ({error})", file
            ) from None
        note_key_usable(file)
        return secret


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
        if not (slot.access.reads and slot.access.writes):
            return
        try:
            self._manager = self._open()
            if self._manager.__enter__() is Turn.EXPIRED:
                slot.report_timeout()
        except BaseException as error:  # Ctrl-C, or a warning, which may be an error
            self.__exit__(type(error), error, error.__traceback__)
            if not isinstance(error, OSError):
                raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Leave the block of the store, unless it was left before."""
        manager = self._manager
        if manager is None:
            return
        try:  # noqa: SIM105  (suppressing takes as long as leaving the block)
            manager.__exit__(kind, error, tb)
        except OSError:
            pass
        self._manager = None


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
