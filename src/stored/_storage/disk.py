"""Results in a store: what can be read is verified, and what cannot be stored costs persistence only."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from stored._keys import Key, Space, entry_prefix
from stored._settings import check_persistence, settings
from stored._storage.codecs import NotStorableError, decode, encode
from stored._storage.current_store import current_store
from stored._storage.format import Entry, unpack
from stored._storage.freezing import copy_for_caller
from stored._storage.limits import checked_size, trim_if_due
from stored._storage.listing import headers
from stored._storage.memory import CachedResult
from stored._storage.reports import (
    RECOMPUTED,
    allow_reports_again,
    check_privacy,
    report,
    report_unreadable_layer,
    report_unusable_entry,
    report_wait_timeout,
    short_call,
)
from stored._storage.signing import load_secret, sign, verify
from stored._version import __version__
from stored.errors import DamagedEntryError, EntryError, UntrustedEntryError
from stored.stores import LayerError
from stored.typing import ABSENT, Absent, SupportsStore, Turn

__all__ = ["PersistentTier"]


class PersistentTier:
    """Results in a store: what can be read is verified, and what cannot be stored costs persistence only.

    Parameters
    ----------
    persistence : str
        Any of the letters r and w; the settings can take letters away, and never add them.
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

    def store(self) -> SupportsStore:
        """Where results live now."""
        return current_store()

    def writer(self) -> dict[str, str]:
        """The programs that write, with their versions."""
        return {"stored": __version__}

    def check_writer(self, writer: Mapping[str, Any]) -> None:
        """Refuse entries of programs whose results are no longer valid, with a `DamagedEntryError`."""

    def load(self, key: Key) -> CachedResult | Literal[Absent.ABSENT]:
        """The record of a key, or `ABSENT`; an entry that must not be used is a miss with a warning."""
        if not self.reads or settings().disable:
            return ABSENT
        name, store = key.entry_name(), self.store()
        try:
            data = store.read(name)
            if data is None:
                return ABSENT
            check_privacy(store)
            record = self._record(key, unpack(data))
        except NotADirectoryError:
            pass  # no entries are there, as in a directory yet to be made; writing tells what is wrong
        except LayerError as error:
            report_unreadable_layer(error)
        except OSError as error:
            report("store", store.location(), f"{store.location(name)} cannot be read ({error}); {RECOMPUTED}")
        except EntryError as error:
            report_unusable_entry(store, name, error)
        else:
            if settings().are_limited and self.writes:
                with contextlib.suppress(OSError):  # then it counts as unused
                    store.touch(name)
            return record
        return ABSENT

    def _record(self, key: Key, entry: Entry) -> CachedResult:
        writer, seconds = entry.header.get("writer"), entry.header.get("seconds")
        if not isinstance(writer, dict) or not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST:
            raise DamagedEntryError("its header does not say who wrote it")
        self.check_writer(writer)
        value = decode(key, entry, self._verify)
        return CachedResult(value, copy_for_caller(value, private=False), float(seconds))

    def save(self, key: Key, record: CachedResult) -> bool:
        """Write a record; was it written? If not, a warning has said why."""
        if not self.writes:
            return False
        name, store = key.entry_name(), self.store()
        details = {"created": time.time(), "seconds": record.seconds, "writer": self.writer()}
        try:
            parts = encode(key, record.value, details, self._sign)
            size = checked_size(sum(memoryview(part).nbytes for part in parts))
            store.write(name, parts)
        except (NotStorableError, UntrustedEntryError) as error:
            self._replace_by_nothing(name)
            report("value", f"{key.space.name}.{key.object}", f"{short_call(key)} is kept in memory only: {error}")
            return False
        except OSError as error:
            self._replace_by_nothing(name)
            place = store.location()
            message = f"{short_call(key)} is kept in memory only: writing to {place} failed ({error})"
            report("store", place, message)
            return False
        allow_reports_again(("entry", name), ("store", store.location()))
        check_privacy(store)
        trim_if_due(store, size)
        return True

    def save_computed(self, key: Key, record: CachedResult) -> bool:
        """Write what a method returned, unless it took less to compute than the settings ask; was it written?"""
        if record.seconds >= settings().min_compute_seconds:
            return self.save(key, record)
        if self.writes:
            self._replace_by_nothing(key.entry_name())
        return False

    @contextlib.contextmanager
    def declare_wait(self, key: Key) -> Iterator[None]:
        """For the length of a block, this thread needs a result, and may wait for it."""
        with contextlib.ExitStack() as stack:
            if self.reads and self.writes:
                with contextlib.suppress(OSError):  # who waits for this thread then does so until its limit
                    stack.enter_context(self.store().declare_wait(key.entry_name()))
            yield

    @contextlib.contextmanager
    def compute_turn(self, key: Key) -> Iterator[None]:
        """Wait for the process that computes a missing result, or for the length of a block let others wait.

        Look for the result within the block: it may be there by now.
        """
        if not (self.reads and self.writes):
            yield
            return
        turn = Turn.MINE
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # the work may be done twice
                turn = stack.enter_context(self.store().compute_turn(key.entry_name(), settings().lock_timeout))
            if turn is Turn.EXPIRED:
                report_wait_timeout(key, "process")
            yield

    def _replace_by_nothing(self, name: str) -> None:
        """Remove what a value that cannot be written was to replace: better nothing than an old value."""
        with contextlib.suppress(OSError):  # the warning that follows names the trouble
            self.store().delete(name)

    def forget(self, key: Key) -> bool:
        """Remove the entry of a key, if writing is allowed; was there one?"""
        return self.writes and self._delete(key.entry_name())

    def forget_all(self, space: Space, name: str, definition: str) -> None:
        """Remove all entries of one method, whatever its version and arguments, in one space."""
        if not self.writes:
            return
        for entry, header in headers(self.store(), space.folder(), entry_prefix(name)):
            if header.get("key", {}).get("definition") == definition:
                self._delete(entry)

    def _delete(self, name: str) -> bool:
        try:
            return self.store().delete(name)
        except NotADirectoryError:
            return False
        except OSError as error:
            place = self.store().location(name)
            report("delete", name, f"{place} cannot be removed ({error}), and will be found again")
            return False

    def _sign(self, text: str, body: bytes) -> str:
        return sign(_secret(make=True), text, body)

    def _verify(self, text: str, body: bytes, signature: object) -> None:
        verify(_secret(make=False), text, body, signature)  # a new key would verify nothing


_LONGEST = 1e12
"""Seconds that no computation takes."""


def _secret(make: bool) -> bytes:
    try:
        return load_secret(settings().key_file, make=make)
    except OSError as error:
        raise UntrustedEntryError(f"it is a pickle, and the key that signs pickles cannot be read ({error})") from None
