"""How are results read from a store and verified, written and removed? Troubles cost persistence, never the result."""

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
from stored._storage.limits import check_size, tidy_after_write
from stored._storage.listing import headers
from stored._storage.memory import CachedResult
from stored._storage.reports import (
    RECOMPUTED,
    check_privacy,
    forget_reports,
    report_once,
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

    def store(self) -> SupportsStore:
        """The store of the settings now."""
        return current_store()

    def writer(self) -> dict[str, str]:
        """Names and versions of the programs that compute the results, for the header."""
        return {"stored": __version__}

    def check_writer(self, writer: Mapping[str, Any]) -> None:
        """Raise a `DamagedEntryError` if results of these versions of programs are no longer valid."""

    def load(self, key: Key) -> CachedResult | Literal[Absent.ABSENT]:
        """The result of a key, or `ABSENT`; an entry that must not be used is a miss with a warning."""
        if not self.reads or settings().disable:
            return ABSENT
        name, store = key.entry_name(), self.store()
        try:
            data = store.read(name)
            if data is None:
                return ABSENT
            check_privacy(store)
            result = self._result(key, unpack(data))
        except NotADirectoryError:
            pass  # the directory, or one above it, is a file: there are no entries, and writing warns of it
        except LayerError as error:
            report_unreadable_layer(error)
        except OSError as error:
            report_once("store", store.location(), f"{store.location(name)} cannot be read ({error}); {RECOMPUTED}")
        except EntryError as error:
            report_unusable_entry(store, name, error)
        else:
            if settings().are_limited and self.writes:
                with contextlib.suppress(OSError):  # then trimming takes the entry for unused
                    store.touch(name)
            return result
        return ABSENT

    def _result(self, key: Key, entry: Entry) -> CachedResult:
        writer, seconds = entry.header.get("writer"), entry.header.get("seconds")
        if not isinstance(writer, dict) or not isinstance(seconds, int | float) or not 0 <= seconds <= _MAX_SECONDS:
            raise DamagedEntryError("its header does not say who wrote it")
        self.check_writer(writer)
        value = decode(key, entry, self._verify)
        return CachedResult(value, copy_for_caller(value, deep=False), float(seconds))

    def save(self, key: Key, result: CachedResult) -> bool:
        """Write a result, unless the settings forbid it; was it written? Troubles are warned of."""
        if not self.writes:
            return False
        name, store = key.entry_name(), self.store()
        details = {"created": time.time(), "seconds": result.seconds, "writer": self.writer()}
        try:
            parts = encode(key, result.value, details, self._sign)
            size = sum(memoryview(part).nbytes for part in parts)
            check_size(size)
            store.write(name, parts)
        except (NotStorableError, UntrustedEntryError) as error:
            self._delete_outdated(name)
            report_once("value", f"{key.space.name}.{key.object}", f"{short_call(key)} is kept in memory only: {error}")
            return False
        except OSError as error:
            self._delete_outdated(name)
            place = store.location()
            message = f"{short_call(key)} is kept in memory only: writing to {place} failed ({error})"
            report_once("store", place, message)
            return False
        forget_reports(("entry", name), ("store", store.location()))
        check_privacy(store)
        tidy_after_write(store, size)
        return True

    def save_computed(self, key: Key, result: CachedResult) -> bool:
        """Write a result of a method, unless computing it took less time than `min_compute_seconds`; was it written?"""
        if result.seconds >= settings().min_compute_seconds:
            return self.save(key, result)
        if self.writes:
            self._delete_outdated(key.entry_name())
        return False

    @contextlib.contextmanager
    def declare_wait(self, key: Key) -> Iterator[None]:
        """Within the block, tell other processes that this thread needs a result and may wait for it."""
        with contextlib.ExitStack() as stack:
            if self.reads and self.writes:
                with contextlib.suppress(OSError):  # then whoever waits for this thread may wait until its time limit
                    stack.enter_context(self.store().declare_wait(key.entry_name()))
            yield

    @contextlib.contextmanager
    def compute_turn(self, key: Key) -> Iterator[None]:
        """Wait while another process computes a missing result; within the block, other processes wait for this one.

        Within the block, look for the result once more: another process may have written it.
        """
        if not (self.reads and self.writes):
            yield
            return
        turn = Turn.MINE
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # then two processes may compute the same
                turn = stack.enter_context(self.store().compute_turn(key.entry_name(), settings().lock_timeout))
            if turn is Turn.EXPIRED:
                report_wait_timeout(key, "process")
            yield

    def _delete_outdated(self, name: str) -> None:
        """Remove the entry of an earlier value if the new one is not written, so that the old one is not found."""
        with contextlib.suppress(OSError):  # the warning about the write names the trouble
            self.store().delete(name)

    def forget(self, key: Key) -> bool:
        """Remove the entry of a key, if writing is allowed; was there one?"""
        return self.writes and self._delete(key.entry_name())

    def forget_all(self, space: Space, name: str, definition: str) -> None:
        """Remove all entries of one method in one space, of all versions and arguments."""
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
            report_once("delete", name, f"{place} cannot be removed ({error}), and will be found again")
            return False

    def _sign(self, text: str, body: bytes) -> str:
        return sign(_secret(make=True), text, body)

    def _verify(self, text: str, body: bytes, signature: object) -> None:
        verify(_secret(make=False), text, body, signature)  # no signature could match a new key


_MAX_SECONDS = 1e12
"""A header that says that computing took longer is damaged."""


def _secret(make: bool) -> bytes:
    try:
        return load_secret(settings().key_file, make=make)
    except OSError as error:
        raise UntrustedEntryError(f"it is a pickle, and the key that signs pickles cannot be read ({error})") from None
