"""Persistence: keys, codecs and stores joined into one tier of results on disk."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from stored._codecs import NotStorableError, decode, encode, hand_out_for
from stored._config import check_persistence, settings
from stored._format import Entry, unpack
from stored._keys import ENTRY_ENDING, Key, Space, entry_prefix, module_folder
from stored._memory import Record
from stored._trust import clear_drafts, load_secret, sign, verify
from stored._version import __version__
from stored.errors import (
    ConfigurationError,
    DamagedEntryError,
    EntryError,
    EntryWarning,
    PersistenceWarning,
    UntrustedEntryError,
    warn_caller,
)
from stored.stores import DirectoryStore, LayeredStore, LayerError
from stored.typing import ABSENT, Absent, SupportsStore, Turn, Upkeep

__all__ = ["PersistentTier", "current_store", "readable_key", "upkeep"]

_USUAL_HEADER_BYTES = 4096


@lru_cache(maxsize=8)
def _directories(root: Path, shared: tuple[Path, ...]) -> DirectoryStore | LayeredStore:
    own = DirectoryStore(root)
    return LayeredStore(own, *map(DirectoryStore, shared)) if shared else own


def current_store() -> SupportsStore:
    """The store that the settings name."""
    now = settings()
    return now.store if now.store is not None else _directories(now.cache_dir, now.shared_dirs)


class _Tally:
    """What this process knows of the size of a store: at the last trim, and what it has written since."""

    def __init__(self) -> None:
        self._bytes = 0
        self._written = 0
        self._trimmed = float("-inf")

    def is_due(self, size: int) -> bool:
        """After another write of so many bytes, is it time to trim?"""
        self._written += size
        limit, age = settings().max_bytes, settings().max_age
        if limit is not None and (self._bytes + self._written > limit or self._written > _UNSEEN * limit):
            return True
        pause = _TRIMMED_EVERY if age is None else min(_TRIMMED_EVERY, _UNSEEN * age)
        return time.monotonic() - self._trimmed > pause

    def trim(self, store: SupportsStore) -> Upkeep:
        """Remove what is too old or too much."""
        now = settings()
        self._written, self._trimmed = 0, time.monotonic()  # also if it fails: the next store need not try again
        done = store.trim(ENTRY_ENDING, now.max_bytes, now.max_age)
        self._bytes = done.bytes
        return done


_UNSEEN = 0.1
"""Of the bytes or the age allowed so much passes before it is looked again what is there."""

_TRIMMED_EVERY = 3600.0
"""Seconds."""

_tallies: dict[str, _Tally] = {}


def upkeep() -> Upkeep:
    """Tidy the store: remove what processes that died have left, and results beyond the limits.

    It is safe at any time, whoever else uses the store. Leftovers are also removed when a process writes for the first
    time, and the limits, set by `configure`, are kept with every tenth of `max_bytes` written, and every hour of
    writing.

    Returns
    -------
    Upkeep
        What is there now, and what was removed.

    Raises
    ------
    ConfigurationError
        If nothing may be written, and so removed.
    OSError
        If the store cannot be read, or something cannot be removed.
    """
    if not PersistentTier("w").writes:
        raise ConfigurationError(
            "upkeep removes files, and stored.configure() allows no writing; give it persistence='rw' and disable=False"
        )
    store, leftovers = current_store(), 0
    try:
        clear_drafts(settings().key_file)
        leftovers = store.clear_leftovers()
    finally:
        done = _tallies.setdefault(store.location(), _Tally()).trim(store)
    return done._replace(leftovers=leftovers)


class PersistentTier:
    """Results in a store: what can be read is verified, and what cannot be stored costs persistence only.

    Parameters
    ----------
    persistence : str
        Any of the letters r and w; the settings can take letters away, and never add them.
    """

    _reported: set[tuple[str, str]] = set()
    """What has been warned of, so that a lasting trouble is reported once."""

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

    def load(self, key: Key) -> Record | Literal[Absent.ABSENT]:
        """The record of a key, or `ABSENT`; an entry that must not be used is a miss with a warning."""
        if not self.reads or settings().disable:
            return ABSENT
        name, store = key.entry(), self.store()
        try:
            data = store.read(name)
            if data is None:
                return ABSENT
            self._check_privacy(store)
            record = self._record(key, unpack(data))
        except NotADirectoryError:
            pass  # no entries are there, as in a directory yet to be made; writing tells what is wrong
        except LayerError as error:
            self._report_layer(error)
        except OSError as error:
            self._report("store", store.location(), f"{store.location(name)} cannot be read ({error}); {_RECOMPUTED}")
        except EntryError as error:
            self.report_entry(name, error)
        else:
            if settings().are_limited and self.writes:
                with contextlib.suppress(OSError):  # then it counts as unused
                    store.touch(name)
            return record
        return ABSENT

    def _record(self, key: Key, entry: Entry) -> Record:
        writer, seconds = entry.header.get("writer"), entry.header.get("seconds")
        if not isinstance(writer, dict) or not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST:
            raise DamagedEntryError("its header does not say who wrote it")
        self.check_writer(writer)
        value = decode(key, entry, self._verify)
        return Record(value, hand_out_for(value, private=False), float(seconds))

    def save(self, key: Key, record: Record) -> bool:
        """Write a record; was it written? If not, a warning has said why."""
        if not self.writes:
            return False
        name, store = key.entry(), self.store()
        details = {"created": time.time(), "seconds": record.seconds, "writer": self.writer()}
        try:
            parts = encode(key, record.value, details, self._sign)
            size = _checked_size(sum(memoryview(part).nbytes for part in parts))
            store.write(name, parts)
        except (NotStorableError, UntrustedEntryError) as error:
            self._replace_by_nothing(name)
            self._report(
                "value", f"{key.space.name}.{key.object}", f"{_short_call(key)} is kept in memory only: {error}"
            )
            return False
        except OSError as error:
            self._replace_by_nothing(name)
            place = store.location()
            message = f"{_short_call(key)} is kept in memory only: writing to {place} failed ({error})"
            self._report("store", place, message)
            return False
        self._reported.difference_update({("entry", name), ("store", store.location())})
        self._check_privacy(store)
        self._note_written(store, size)
        return True

    def save_computed(self, key: Key, record: Record) -> bool:
        """Write what a method returned, unless it took less to compute than the settings ask; was it written?"""
        if record.seconds >= settings().min_compute_seconds:
            return self.save(key, record)
        if self.writes:
            self._replace_by_nothing(key.entry())
        return False

    def _note_written(self, store: SupportsStore, size: int) -> None:
        place = store.location()
        try:
            is_first = place not in _tallies
            tally = _tallies.setdefault(place, _Tally())
            try:
                if is_first:
                    store.clear_leftovers()
            finally:
                if settings().are_limited and tally.is_due(size):
                    tally.trim(store)
        except OSError as error:
            self._report("upkeep", place, f"upkeep of {place} failed ({error}); some files stay that are not needed")

    def _check_privacy(self, store: SupportsStore) -> None:
        place = store.location()
        if ("privacy", place) not in self._reported:
            exposed = ""
            with contextlib.suppress(OSError):  # who reads or writes is told of the trouble
                exposed = store.open_to()
            if exposed:
                message = (
                    f"{exposed}: whoever puts an entry there decides what you compute with. Take the permission away"
                    " (chmod o-w), or choose another directory"
                )
                self._report("privacy", place, message)
            self._reported.add(("privacy", place))

    def report_entry(self, name: str, error: Exception) -> None:
        """Warn that an entry must not be used."""
        self._report("entry", name, f"{self.store().location(name)} was passed over: {error}; {_RECOMPUTED}")

    def report_waiting(self, key: Key, whom: str) -> None:
        """Warn that a result was waited for in vain."""
        limit = settings().lock_timeout
        message = (
            f"{_short_call(key)} is still being computed by another {whom} after {limit:g} s, and is computed here too;"
            " to wait longer, use stored.configure(lock_timeout=...)"
        )
        self._report("turn", key.entry(), message)

    @contextlib.contextmanager
    def needing(self, key: Key) -> Iterator[None]:
        """For the length of a block, this thread needs a result, and may wait for it."""
        with contextlib.ExitStack() as stack:
            if self.reads and self.writes:
                with contextlib.suppress(OSError):  # who waits for this thread then does so until its limit
                    stack.enter_context(self.store().needing(key.entry()))
            yield

    @contextlib.contextmanager
    def turn(self, key: Key) -> Iterator[None]:
        """Wait for the process that computes a missing result, or for the length of a block let others wait.

        Look for the result within the block: it may be there by now.
        """
        if not (self.reads and self.writes):
            yield
            return
        turn = Turn.MINE
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # the work may be done twice
                turn = stack.enter_context(self.store().turn(key.entry(), settings().lock_timeout))
            if turn is Turn.EXPIRED:
                self.report_waiting(key, "process")
            yield

    def _replace_by_nothing(self, name: str) -> None:
        """Remove what a value that cannot be written was to replace: better nothing than an old value."""
        with contextlib.suppress(OSError):  # the warning that follows names the trouble
            self.store().delete(name)

    def forget(self, key: Key) -> bool:
        """Remove the entry of a key, if writing is allowed; was there one?"""
        return self.writes and self._delete(key.entry())

    def forget_all(self, space: Space, name: str, definition: str) -> None:
        """Remove all entries of one method, whatever its version and arguments, in one space."""
        if not self.writes:
            return
        for entry, header in self.headers(space.folder(), entry_prefix(name)):
            if header.get("key", {}).get("definition") == definition:
                self._delete(entry)

    def _delete(self, name: str) -> bool:
        try:
            return self.store().delete(name)
        except NotADirectoryError:
            return False
        except OSError as error:
            place = self.store().location(name)
            self._report("delete", name, f"{place} cannot be removed ({error}), and will be found again")
            return False

    def headers(self, folder: str, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """Names and headers of the readable entries in a folder, unverified: for listing, not for values."""
        if settings().disable:
            return
        store = self.store()
        try:
            for name in store.names(folder):
                if name.endswith(ENTRY_ENDING) and name.rpartition("/")[2].startswith(prefix):
                    header = self._header(store, name)
                    if isinstance(header.get("key"), dict):
                        yield name, header
        except LayerError as error:
            self._report_layer(error)
        except OSError as error:
            if ("store", store.location()) not in self._reported:  # else its trouble is known
                place = store.location(folder)
                self._report("listing", place, f"{place} cannot be listed ({error}); not all is shown or removed")

    def keys_like(self, key: Key, limit: int = 1000) -> list[Key]:
        """Keys of stored results of the same method of owners of the same name, at most so many."""
        found = []
        for _, header in self.headers(module_folder(key.space.module), entry_prefix(key.object)):
            other = readable_key(header)
            if other is not None and _same_method(other, key):
                found.append(other)
            if len(found) == limit:
                break
        return found

    @staticmethod
    def _header(store: SupportsStore, name: str) -> dict[str, Any]:
        """The header of an entry; empty if that is damaged, as whoever asks for its value is told."""
        try:
            start = store.read_start(name, _USUAL_HEADER_BYTES) or b""
            try:
                return unpack(start, verify=False).header
            except DamagedEntryError:
                return unpack(store.read(name) or b"", verify=False).header
        except EntryError:
            return {}

    def _sign(self, text: str, body: bytes) -> str:
        return sign(_secret(make=True), text, body)

    def _verify(self, text: str, body: bytes, signature: object) -> None:
        verify(_secret(make=False), text, body, signature)  # a new key would verify nothing

    def _report_layer(self, error: LayerError) -> None:
        message = (
            f"shared directory {error.layer} cannot be read ({error}), so results in it are not found; have the right"
            " to read given to you (chmod -R go+rX), or take it out of shared_dirs"
        )
        self._report("layer", error.layer, message)

    def _report(self, trouble: str, subject: str, message: str) -> None:
        if (trouble, subject) not in self._reported:
            self._reported.add((trouble, subject))
            warn_caller(message, EntryWarning if trouble == "entry" else PersistenceWarning)


_LONGEST = 1e12
"""Seconds that no computation takes."""

_RECOMPUTED = "the result is computed anew"


def _checked_size(size: int) -> int:
    limit = settings().max_bytes
    if limit is not None and size > limit:
        raise NotStorableError(f"it takes {size} bytes, and max_bytes is {limit}")
    return size


_LONGEST_CALL = 200
"""Characters of a call in a message; arguments may be tables."""


def _short_call(key: Key) -> str:
    call = key.call()
    return call if len(call) <= _LONGEST_CALL else f"{call[:_LONGEST_CALL]}..."


def _secret(make: bool) -> bytes:
    try:
        return load_secret(settings().key_file, make=make)
    except OSError as error:
        raise UntrustedEntryError(f"it is a pickle, and the key that signs pickles cannot be read ({error})") from None


def readable_key(header: Mapping[str, Any]) -> Key | None:
    """The key in a header, None if that is damaged."""
    try:
        return Key.from_json(header["key"])
    except DamagedEntryError:
        return None


def _same_method(one: Key, other: Key) -> bool:
    """Are these results of one method, of owners of one name?"""
    first, second = ((key.space.module, key.space.name, key.object, key.definition) for key in (one, other))
    return first == second
